//! What to do: the ordered steps from a state to what is wanted. A function of its arguments and nothing
//! else, so that the plan which apply makes again equals the first.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::policy::Policy;
use super::reason::{Change, Due, Reason};

/// What the state knows.
#[derive(Clone, Debug)]
pub struct State {
    pub generation: u64,
    /// The highest number that any credential of this resource carries, strays included.
    pub highest: u64,
    /// Read saw the current generation expired.
    pub current_expired: bool,
    pub due: Vec<Due>,
    /// Old generations and when each is to be revoked.
    pub previous: Vec<(u64, Timestamp)>,
    pub strays: BTreeSet<String>,
    pub policy: Policy,
}

/// What the configuration wants.
#[derive(Clone, Debug)]
pub struct Desired {
    pub policy: Policy,
    /// Inputs that differ from those of the current generation.
    pub changes: Vec<Change>,
    /// Inputs whose values are not known yet.
    pub unknown: Vec<&'static str>,
    pub revoke_strays: BTreeSet<String>,
    /// A platform whose every rotation is an update: nothing is ever replaced.
    pub always_in_place: bool,
}

/// One thing to do, or one thing that is deliberately not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make the next generation.
    Issue { generation: u64, reasons: Vec<Reason> },
    /// Perhaps: an input is unknown, and nothing else calls for a generation.
    IssueIfChanged { unknown: Vec<&'static str> },
    /// Prove that it works.
    Verify { generation: u64 },
    /// Hand it to the consumers.
    Switch { generation: u64 },
    /// Not done: an old generation goes on. `until` is not known before the apply that retires it.
    Hold { generation: u64, until: Option<Timestamp> },
    /// Not done: `rotate = false` holds what is due.
    HoldDue(Due),
    /// End an old generation.
    Revoke { generation: u64, reason: Reason },
    /// End a stray that the user named.
    RevokeStray { id: String },
    /// Cannot be done in place: the resource is replaced, all its generations with it.
    Replace { reasons: Vec<Reason>, unknown: Vec<&'static str> },
}

/// The steps in their order: issue, verify, switch, hold, revoke. None: nothing to do.
pub fn plan(state: &State, desired: &Desired) -> Vec<Step> {
    let due = remaining(state, &desired.policy);
    let held = |due: &Due| !desired.policy.rotate && due.can_be_held();

    let mut reasons: Vec<Reason> = desired.changes.iter().cloned().map(Reason::Changed).collect();
    let calling = due.iter().filter(|due| due.calls_for_generation() && !held(due));
    reasons.extend(calling.cloned().map(Reason::Due));

    let in_place = desired.always_in_place || desired.policy.overlap.is_some();
    let uncertain = reasons.is_empty() && !desired.unknown.is_empty();
    if !in_place && (uncertain || !reasons.is_empty()) {
        return vec![Step::Replace { reasons, unknown: desired.unknown.clone() }];
    }

    let mut steps = Vec::new();
    let rotates = !reasons.is_empty();
    let mut ends = Vec::new();
    if rotates {
        let generation = state.highest.max(state.generation) + 1;
        steps.push(Step::Issue { generation, reasons });
        steps.push(Step::Verify { generation });
        steps.push(Step::Switch { generation });
        if due.contains(&Due::Vanished) {
            // It is gone: neither kept nor revoked.
        } else if state.current_expired || due.iter().any(|due| matches!(due, Due::Expired { .. }))
        {
            ends.push(Step::Revoke { generation: state.generation, reason: Reason::HadExpired });
        } else if desired.policy.overlap.is_none() {
            ends.push(Step::Revoke {
                generation: state.generation,
                reason: Reason::OverlapRemoved,
            });
        } else {
            steps.push(Step::Hold { generation: state.generation, until: None });
        }
    } else {
        let waiting = due.iter().filter(|due| due.calls_for_generation());
        steps.extend(waiting.cloned().map(Step::HoldDue));
        if uncertain {
            steps.push(Step::IssueIfChanged { unknown: desired.unknown.clone() });
        }
    }

    let overlap_removed = state.policy.overlap.is_some() && desired.policy.overlap.is_none();
    for (generation, until) in &state.previous {
        let over = due.iter().find(
            |due| matches!(due, Due::Overlap { generation: ended, .. } if ended == generation),
        );
        match over {
            _ if overlap_removed => {
                ends.push(Step::Revoke { generation: *generation, reason: Reason::OverlapRemoved })
            }
            Some(due) if held(due) => steps.push(Step::HoldDue(due.clone())),
            Some(due) => ends
                .push(Step::Revoke { generation: *generation, reason: Reason::Due(due.clone()) }),
            None => steps.push(Step::Hold { generation: *generation, until: Some(*until) }),
        }
    }
    let named = desired.revoke_strays.intersection(&state.strays);
    ends.extend(named.map(|id| Step::RevokeStray { id: id.clone() }));

    if !ends.is_empty() && !rotates {
        steps.push(Step::Verify { generation: state.generation });
    }
    steps.extend(ends);
    steps
}

/// What is due and stays judged as it is: an entry whose policy argument changes in this plan is
/// judged anew by the next Read.
pub fn remaining(state: &State, wanted: &Policy) -> Vec<Due> {
    let changed = wanted.changed_from(&state.policy);
    let unaffected = |due: &&Due| !due.governors().iter().any(|by| changed.contains(by));
    state.due.iter().filter(unaffected).cloned().collect()
}

/// `rotation_due` after these steps: what is held, and nothing else.
pub fn left_due(steps: &[Step]) -> Vec<Due> {
    let mut left: Vec<Due> = steps
        .iter()
        .filter_map(|step| match step {
            Step::HoldDue(due) => Some(due.clone()),
            _ => None,
        })
        .collect();
    left.sort();
    left
}
