//! Plan: what `rotation::course` decides, written down as the state to come. A function of state, configuration and
//! private data. Every rotation is an update in place; another object is another resource.

use crate::provider::arguments::{moment, number, written};
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::platform::Platform;
use crate::provider::cluster_credential_rotation::private::Private;
use crate::provider::schedule::due::{recorded_due, rotation_due};
use crate::provider::schedule::triggers::Triggers;
use crate::provider::schedule::{Arguments, Scheduled};
use crate::rotation::course::{Course, Decision, Next, Phase, Wanted, decide};
use crate::rotation::{Reason, sentence};
use crate::tfplugin::diagnostics::AttributePath;
use crate::tfplugin::model::Attr;

/// What will be done, and what the state will then be.
#[derive(Debug)]
pub struct Planned {
    pub decision: Decision,
    pub state: ClusterRotation,
    pub requires_replace: Vec<AttributePath>,
}

impl Scheduled for ClusterRotation {
    fn arguments(&self) -> Arguments<'_> {
        Arguments {
            expires_in: None,
            overlap: &self.overlap,
            renew_before: &self.renew_before,
            rotate: &self.rotate,
            rotation_period: &self.rotation_period,
            triggers: &self.triggers,
        }
    }
}

impl ClusterRotation {
    /// How far the last rotation is; what no version of ours wrote counts as not begun.
    pub fn at(&self) -> Phase {
        self.phase.known().and_then(|phase| phase.parse().ok()).unwrap_or(Phase::None)
    }

    pub fn counted(&self) -> u64 {
        self.generation.known().and_then(|number| u64::try_from(*number).ok()).unwrap_or(0)
    }

    pub fn rotates_on_create(&self) -> bool {
        self.rotate_on_create.known() != Some(&false)
    }
}

/// A create, also as the second half of a replacement. No platform: its block is not known yet.
pub fn create(
    platform: Option<&dyn Platform>,
    config: &ClusterRotation,
    proposed: ClusterRotation,
) -> ClusterRotation {
    let rotates = config.rotates_on_create();
    let mut planned = proposed;
    planned.id = Attr::Unknown;
    for fact in Fact::ALL {
        match platform {
            Some(platform) if !platform.facts().contains(&fact) => fact.null(&mut planned),
            _ => fact.unknown(&mut planned),
        }
    }
    planned.restarts =
        platform.map_or(Attr::Unknown, |platform| platform.restarts(&serde_json::Value::Null));
    planned.rotation_due = rotation_due(&[]);
    planned.rotation_due_at = if config.scheduled() { Attr::Unknown } else { Attr::Null };
    planned.generation = number(u64::from(rotates));
    if rotates {
        planned.rotation_reason = Attr::Known(sentence(1, &[Reason::Created]));
        planned.phase = Attr::Unknown;
        planned.started_at = Attr::Unknown;
        planned.completed_at = Attr::Unknown;
    } else {
        planned.rotation_reason = Attr::Null;
        // A platform that rotates by itself may be at it.
        let alone = platform.is_some_and(|platform| platform.ends_in().is_some());
        let known = |value: Attr<String>| if alone { value } else { Attr::Unknown };
        planned.phase = known(Attr::Known(Phase::None.name().into()));
        planned.started_at = known(Attr::Null);
        planned.completed_at = known(Attr::Null);
        if !alone {
            planned.generation = Attr::Unknown;
            planned.rotation_reason = Attr::Unknown;
        }
    }
    planned
}

/// An update, or the first half of a replacement.
pub fn update(
    platform: &dyn Platform,
    prior: &ClusterRotation,
    config: &ClusterRotation,
    proposed: ClusterRotation,
    private: &Private,
) -> Planned {
    let decision = decision(platform, prior, config, private);
    let requires_replace = platform.replaced(prior, &private.memory);
    if !requires_replace.is_empty() {
        let state = create(Some(platform), config, proposed);
        return Planned { decision, state, requires_replace };
    }
    let mut planned = proposed;
    planned.rotation_due = rotation_due(&decision.held);
    planned.restarts = platform.restarts(&private.memory);
    planned.rotation_due_at = next_due(config, prior, private);
    let sending = prior.at() == Phase::Rotating;
    match &decision.next {
        Next::Rest | Next::Refuse { .. } => {}
        Next::Finish(_) => changes(platform, config, sending, &mut planned),
        Next::Begin { generation, reasons, .. } => {
            changes(platform, config, sending, &mut planned);
            begins(config, &mut planned);
            planned.generation = number(*generation);
            planned.rotation_reason = if has_unknown(&config.triggers) {
                Attr::Unknown
            } else {
                Attr::Known(sentence(*generation, reasons))
            };
        }
        // What it left is known only once it has been looked at.
        Next::Recover => {
            changes(platform, config, sending, &mut planned);
            begins(config, &mut planned);
            planned.phase = Attr::Unknown;
            planned.generation = Attr::Unknown;
            planned.rotation_reason = Attr::Unknown;
        }
        Next::Perhaps { .. } => {
            changes(platform, config, sending, &mut planned);
            begins(config, &mut planned);
            planned.phase = Attr::Unknown;
            planned.generation = Attr::Unknown;
            planned.rotation_reason = Attr::Unknown;
            planned.rotation_due = Attr::Unknown;
        }
    }
    Planned { decision, state: planned, requires_replace }
}

/// What a state and a configuration lead to; Apply asks again and gets the same.
pub fn decision(
    platform: &dyn Platform,
    prior: &ClusterRotation,
    config: &ClusterRotation,
    private: &Private,
) -> Decision {
    let triggers = config.triggers_since(prior, private.imported);
    let mut inputs = platform.inputs(prior, private.imported);
    inputs.changes.extend(triggers.changes);
    inputs.unknown.extend(triggers.unknown.then_some("triggers"));
    let course = Course {
        phase: prior.at(),
        generation: prior.counted(),
        due: recorded_due(&prior.rotation_due),
        policy: prior.policy(),
        died: private.died || !private.intact,
    };
    let complete = config.complete_generation.known();
    let complete = complete.filter(|number| private.complete_at_first != Some(**number));
    let wanted = Wanted {
        policy: config.policy(),
        changes: inputs.changes,
        unknown: inputs.unknown,
        complete: complete.and_then(|number| u64::try_from(*number).ok()),
    };
    decide(&course, &wanted)
}

/// `rotation_due_at`: counted from the sending of the last rotation, or from where a schedule begins without one.
pub fn next_due(
    config: &ClusterRotation,
    model: &ClusterRotation,
    private: &Private,
) -> Attr<String> {
    config.policy().next(since(model, private), moment(&model.expires_at)).map(written).into()
}

/// From when a schedule counts.
pub fn since(model: &ClusterRotation, private: &Private) -> Option<jiff::Timestamp> {
    moment(&model.started_at).max(private.since)
}

/// What a rotation changes, from wherever it is taken up.
fn changes(
    platform: &dyn Platform,
    config: &ClusterRotation,
    sending: bool,
    planned: &mut ClusterRotation,
) {
    for fact in platform.changed_by_rotation() {
        fact.unknown(planned);
    }
    planned.completed_at = Attr::Unknown;
    planned.phase =
        platform.ends_in().map_or(Attr::Unknown, |phase| Attr::Known(phase.name().into()));
    // One that left no trace is sent again.
    if sending || planned.started_at.is_null() {
        planned.started_at = Attr::Unknown;
    }
    if planned.expires_at.is_unknown() && !config.renew_before.is_null()
        || planned.started_at.is_unknown() && config.scheduled()
    {
        planned.rotation_due_at = Attr::Unknown;
    }
}

/// What is new with one that is yet to be sent.
fn begins(config: &ClusterRotation, planned: &mut ClusterRotation) {
    planned.started_at = Attr::Unknown;
    planned.rotation_due_at = if config.scheduled() { Attr::Unknown } else { Attr::Null };
}

fn has_unknown(triggers: &Attr<Triggers>) -> bool {
    triggers.is_unknown() || triggers.known().is_some_and(|map| map.values().any(Attr::is_unknown))
}

#[cfg(test)]
mod tests;
