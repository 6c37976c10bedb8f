//! A plan as tests look at it, and as it is saved for an apply.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::json::view;
use super::report::Told;
use super::state::State;
use super::value::Val;
use super::workspace::Block;

/// What is to happen to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    /// `+/-`
    CreateThenDelete,
    Delete,
    /// `-/+`
    DeleteThenCreate,
    NoOp,
    Update,
}

impl Action {
    pub fn is_replace(self) -> bool {
        matches!(self, Self::CreateThenDelete | Self::DeleteThenCreate)
    }
}

/// One object's part of a plan.
#[derive(Clone, Debug)]
pub struct Change {
    pub address: String,
    /// Of a left-over object.
    pub deposed: Option<String>,
    pub action: Action,
    /// Which attributes force a replacement, as in HCL.
    pub forced_by: Vec<String>,
    /// Only here because the object is imported.
    pub imported: bool,
    pub(super) before: Val,
    pub(super) after: Val,
    pub(super) private: Vec<u8>,
    pub(super) before_identity: Option<Val>,
    pub(super) after_identity: Option<Val>,
}

impl Change {
    pub fn before(&self) -> Json {
        view(&self.before)
    }

    /// With [`super::unknown`] in it.
    pub fn after(&self) -> Json {
        view(&self.after)
    }

    /// An attribute before and after.
    pub fn attribute(&self, name: &str) -> (Json, Json) {
        (view(&self.before.member(name)), view(&self.after.member(name)))
    }

    /// What the plan shows of each attribute that changes.
    pub fn shown(&self) -> BTreeMap<String, (Json, Json)> {
        let names = match (&self.before, &self.after) {
            (Val::Object(members), _) | (_, Val::Object(members)) => members.keys().cloned(),
            _ => return BTreeMap::new(),
        };
        names
            .map(|name| (name.clone(), self.attribute(&name)))
            .filter(|(_, (before, after))| before != after)
            .collect()
    }

    /// The names of [`Change::shown`].
    pub fn changed(&self) -> Vec<String> {
        self.shown().into_keys().collect()
    }
}

/// What a plan was asked for.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// `-destroy`
    pub destroy: bool,
    /// `-refresh=false` turns it off.
    pub refresh: bool,
    /// `-refresh-only`
    pub refresh_only: bool,
    /// `-replace=ADDRESS`
    pub replace: Vec<String>,
    /// The provider block at plan, where it differs from the apply's: parts may be unknown.
    pub provider: Option<Json>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            destroy: false,
            refresh: true,
            refresh_only: false,
            replace: Vec::new(),
            provider: None,
        }
    }
}

/// A finished plan. Clone it to apply it twice, or late.
#[derive(Clone, Debug)]
pub struct Plan {
    pub changes: Vec<Change>,
    pub told: Told,
    /// Which objects turned out to differ from the state, with what the refresh saw.
    pub drift: BTreeMap<String, (Json, Json)>,
    pub serial: u64,
    pub(super) refreshed: State,
    pub(super) refresh_only: bool,
    /// Whether a refresh-only plan has something to store.
    pub(super) state_changes: bool,
    /// The configuration is part of a saved plan.
    pub(super) blocks: BTreeMap<String, Block>,
}

impl Plan {
    /// The change of the current object at an address.
    #[track_caller]
    pub fn change(&self, address: &str) -> &Change {
        self.told.assert_success();
        self.changes
            .iter()
            .find(|change| change.address == address && change.deposed.is_none())
            .unwrap_or_else(|| panic!("nothing planned for {address}: {self:#?}"))
    }

    #[track_caller]
    pub fn action(&self, address: &str) -> Action {
        self.change(address).action
    }

    /// Exit code 0 of `plan -detailed-exitcode`: nothing to do.
    pub fn is_empty(&self) -> bool {
        if self.refresh_only {
            return !self.state_changes;
        }
        self.changes.iter().all(|change| change.action == Action::NoOp && !change.imported)
    }

    /// Fails the test where the plan has errors or would do something.
    #[track_caller]
    pub fn assert_empty(&self) {
        self.told.assert_success();
        let busy: Vec<_> = self
            .changes
            .iter()
            .filter(|change| change.action != Action::NoOp)
            .map(|change| (change.address.as_str(), change.action, change.shown()))
            .collect();
        assert!(self.is_empty(), "{busy:#?}");
    }

    /// Everything that would be in a plan file, for a search.
    pub fn text(&self) -> String {
        let changes = self.changes.iter().map(|change| {
            let private = String::from_utf8_lossy(&change.private);
            format!("{:?}\n{:?}\n{private}", change.before, change.after)
        });
        changes.chain([self.refreshed.text()]).collect::<Vec<_>>().join("\n")
    }
}
