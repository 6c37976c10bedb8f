//! What a modelled Terraform keeps and is given: its state, its plans, and how a run is to go.

use super::super::Step;
use super::keystone::{Fault, Refusal, User};
use super::provider::{Action, Planned};
use super::resource::{Config, Stored};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instance {
    pub(super) stored: Stored,
    pub(super) tainted: bool,
}

/// The state file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snapshot {
    pub(super) instance: Option<Instance>,
    pub(super) deposed: Vec<Stored>,
    /// The id that the dependent resource was given.
    pub(super) dependent: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct PlanOptions {
    pub(super) by: User,
    pub(super) faults: Vec<(usize, Fault)>,
    pub(super) refresh: bool,
    pub(super) replace: bool,
    pub(super) unknown: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) struct ApplyOptions {
    pub(super) by: User,
    pub(super) dependents_fail: bool,
    pub(super) faults: Vec<(usize, Fault)>,
    /// A kill ends Terraform too, before it saves anything.
    pub(super) kills_all: bool,
}

/// A plan file.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) action: Action,
    pub(super) config: Config,
    pub(super) snapshot: Snapshot,
    /// Tainted, or `-replace`.
    pub(super) asked: bool,
    pub(super) create_before_destroy: bool,
    /// Of the call that has the prior state.
    pub(super) first: Option<Planned>,
    /// Whose refresh it rests on.
    pub(super) seen_by: Option<User>,
    pub(super) serial: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Applied,
    Failed(Refusal),
    Stale,
}

impl Plan {
    pub(super) fn steps(&self) -> &[Step] {
        self.first.as_ref().map_or(&[], |planned| &planned.steps)
    }

    /// Whether an apply would do nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        let id = self.snapshot.instance.as_ref().map(|instance| &instance.stored.id);
        self.action == Action::Nothing
            && self.snapshot.deposed.is_empty()
            && self.snapshot.dependent.as_ref() == id
    }
}

/// Why a whole resource is destroyed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    /// The old half of a replacement whose new half is in use.
    Deposed,
    Destroy,
    Replacement {
        asked: bool,
        config: &'a Config,
    },
}
