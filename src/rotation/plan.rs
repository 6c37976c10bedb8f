//! What to do: the ordered steps from a state to what is wanted. A function of its arguments and nothing
//! else, so that the plan which apply makes again equals the first.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::policy::{Policy, Previous};
use super::reason::{Change, Due, Reason};

/// What the state knows.
#[derive(Clone, Debug)]
pub struct State {
    pub generation: u64,
    /// The highest number that any credential of this resource carries, strays included.
    pub highest: u64,
    /// Read saw the current generation expired.
    pub current_expired: bool,
    /// Whether the caller of the last Read may delete the current generation.
    pub current_removable: bool,
    pub due: Vec<Due>,
    pub previous: Vec<Previous>,
    /// Those that the caller of the last Read may delete.
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
    /// Strays that the user wants ended.
    pub named_strays: BTreeSet<String>,
}

/// One thing to do, or one thing that is deliberately not done. What ends something, and an issue that retires its
/// predecessor, is carried out only with a proof that the current generation works; where the proof fails, nothing ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make the next generation, prove that it works, and hand it to the consumers.
    Issue { generation: u64, reasons: Vec<Reason> },
    /// Perhaps: an input is unknown, and nothing else calls for a generation.
    IssueIfChanged { unknown: Vec<&'static str> },
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

/// The steps in their order: issue, hold, revoke. None: nothing to do.
///
/// Nothing is ended by a plan that neither issues a generation nor has a current one that can be proved:
/// while the current generation has expired, the old ones and the strays stay.
pub fn plan(state: &State, desired: &Desired) -> Vec<Step> {
    let due = remaining(state, &desired.policy);
    let reasons = calling(&due, desired);
    let rotates = !reasons.is_empty();
    let uncertain = !rotates && !desired.unknown.is_empty();
    let in_place = desired.policy.overlap.is_some();
    if !in_place && (rotates || uncertain) {
        return vec![Step::Replace { reasons, unknown: desired.unknown.clone() }];
    }

    let mut steps = Vec::new();
    let mut ends = Vec::new();
    if rotates {
        let generation = state.highest.max(state.generation) + 1;
        steps.push(Step::Issue { generation, reasons });
        match retire(state, &due) {
            Some(step @ Step::Revoke { .. }) => ends.push(step),
            kept => steps.extend(kept),
        }
    } else {
        let waiting = due.iter().filter(|due| due.calls_for_generation());
        steps.extend(waiting.cloned().map(Step::HoldDue));
        if uncertain {
            steps.push(Step::IssueIfChanged { unknown: desired.unknown.clone() });
        }
    }

    let provable = rotates || !state.current_expired;
    for old in &state.previous {
        let over = due.iter().find(
            |due| matches!(due, Due::Overlap { generation, .. } if *generation == old.generation),
        );
        match (end(old, over, state, desired), over) {
            (Some(reason), _) if provable => {
                ends.push(Step::Revoke { generation: old.generation, reason });
            }
            (_, Some(due)) => steps.push(Step::HoldDue(due.clone())),
            (_, None) => steps.push(Step::Hold {
                generation: old.generation,
                until: Some(old.revoke_after(&desired.policy)),
            }),
        }
    }
    let named = desired.named_strays.intersection(&state.strays).filter(|_| provable);
    ends.extend(named.map(|id| Step::RevokeStray { id: id.clone() }));
    steps.extend(ends);
    steps
}

/// What is due and stays judged as it is: an entry whose policy argument changes in this plan is
/// judged anew by the next Read.
pub fn remaining(state: &State, wanted: &Policy) -> Vec<Due> {
    unaffected(&state.due, &state.policy, wanted)
}

/// What is due by arguments that stay as they are.
pub(super) fn unaffected(due: &[Due], recorded: &Policy, wanted: &Policy) -> Vec<Due> {
    let changed = wanted.changed_from(recorded);
    let stays = |due: &&Due| !due.governors().iter().any(|by| changed.contains(by));
    due.iter().filter(stays).cloned().collect()
}

/// `rotation_due` after these steps: what is held, and nothing else. Beside a [`Step::IssueIfChanged`] it
/// is not known yet: a next generation leaves nothing of its own schedule held.
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

/// What calls for a next generation.
fn calling(due: &[Due], desired: &Desired) -> Vec<Reason> {
    let held = |due: &Due| !desired.policy.rotate && due.can_be_held();
    let changed = desired.changes.iter().cloned().map(Reason::Changed);
    let scheduled = due.iter().filter(|due| due.calls_for_generation() && !held(due));
    changed.chain(scheduled.cloned().map(Reason::Due)).collect()
}

/// What becomes of the current generation when it gets a successor. None: it is gone already.
fn retire(state: &State, due: &[Due]) -> Option<Step> {
    if due.contains(&Due::Vanished) {
        return None;
    }
    let expired = state.current_expired || due.iter().any(|due| matches!(due, Due::Expired { .. }));
    let generation = state.generation;
    Some(if expired && state.current_removable {
        Step::Revoke { generation, reason: Reason::HadExpired }
    } else {
        Step::Hold { generation, until: None }
    })
}

/// Why an old generation ends now, if it does. Without an overlap it needs no clock, and is no schedule
/// that `rotate = false` could hold.
fn end(old: &Previous, over: Option<&Due>, state: &State, desired: &Desired) -> Option<Reason> {
    match desired.policy.overlap {
        _ if !old.removable => None,
        None => Some(no_overlap(state)),
        Some(_) => over.filter(|_| desired.policy.rotate).cloned().map(Reason::Due),
    }
}

fn no_overlap(state: &State) -> Reason {
    if state.policy.overlap.is_some() { Reason::OverlapRemoved } else { Reason::NoOverlap }
}

#[cfg(test)]
mod tests;
