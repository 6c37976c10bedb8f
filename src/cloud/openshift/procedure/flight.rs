//! One rotation: what was before it, and what has been asked for. Holds no secret and may be kept anywhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::health;
use super::super::name::Name;
use super::super::objects::CredentialsRequest;
use super::super::platform::Platform;
use super::super::proof::Before;
use super::super::refusal::Route;
use super::super::situation::Situation;
use super::super::targets::targets;
use super::super::value::Salt;

/// A rotation from before its first write to its last proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    pub route: Route,
    pub started: Timestamp,
    pub salt: Salt,
    /// Mint: every component's secret as it was, and whose it is.
    #[serde(default)]
    pub before: BTreeMap<Name, Before>,
    /// Mint: in which order they are made again.
    #[serde(default)]
    pub order: Vec<Name>,
    /// Cluster operators that were unwell before: nobody waits for them.
    #[serde(default)]
    pub unwell: BTreeSet<String>,
    /// Mint: secrets whose deletion was asked for.
    #[serde(default)]
    pub deleted: BTreeSet<Name>,
    /// The redeployment that was asked for, by its reason, and the newest revision before it.
    #[serde(default)]
    pub redeployment: Option<(String, i64)>,
    /// Of this run alone.
    #[serde(skip)]
    pub run: Run,
}

/// What one run has done and seen. The next one begins it anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The root credential was written, or given to the operator to be judged.
    pub wrote_root: bool,
    /// Requests that were touched to have the operator look at them.
    pub poked: BTreeSet<Name>,
    /// The version of the root secret at which everything was in place once.
    pub confirmed: Option<String>,
    /// Since when all consumers have been well.
    pub settled_since: Option<Timestamp>,
    pub(super) waiting: Option<Wait>,
}

/// A wait that goes on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wait {
    pub(super) subject: String,
    pub(super) since: Timestamp,
    pub(super) failing_since: Option<Timestamp>,
}

/// On the `CredentialsRequest` of the first component, as long as a rotation in mint mode is not complete: what was
/// before it. So a run that was killed, whatever it left behind elsewhere, deletes nothing twice.
pub const MARK: &str = "terraform-provider-rekey/rotation";

impl Flight {
    /// Looks at what is there before anything is changed. `changes_root`: something will be written.
    pub fn begin(
        platform: Platform,
        route: Route,
        situation: &Situation,
        salt: Salt,
        changes_root: bool,
        now: Timestamp,
    ) -> Self {
        let mut before = BTreeMap::new();
        let mut order = Vec::new();
        for target in targets(situation).iter().filter(|_| route == Route::Mint) {
            let (Some(secret), Ok(request)) = (target.secret(), target.request.name()) else {
                continue;
            };
            let component = situation.components.get(&secret);
            order.push(secret.clone());
            before.insert(secret, Before::of(platform, &salt, request, component));
        }
        // With nothing to be written it may be the end of a rotation whose beginning is not known: nothing is excused.
        let excused = route == Route::Mint || changes_root;
        let unwell = if excused {
            health::unwell(&situation.operators).into_keys().collect()
        } else {
            BTreeSet::new()
        };
        Self {
            route,
            started: now,
            salt,
            before,
            order,
            unwell,
            deleted: BTreeSet::new(),
            redeployment: None,
            run: Run::default(),
        }
    }

    /// The rotation in mint mode that is not complete, as its mark in the cluster tells it.
    pub fn marked(situation: &Situation) -> Option<Self> {
        situation
            .requests
            .iter()
            .find_map(|request| serde_json::from_str(request.metadata.annotation(MARK)?).ok())
    }

    /// What the mark says.
    pub fn mark(&self) -> String {
        // Of strings, numbers and maps with strings for keys: it can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The request that carries the mark: the first component's.
    pub fn marked_request(&self) -> Option<&Name> {
        self.order.first().and_then(|secret| self.before.get(secret)).map(|before| &before.request)
    }

    /// For a later run: it waits, pokes and asks for a verdict anew.
    #[must_use]
    pub fn resumed(self) -> Self {
        Self { run: Run::default(), ..self }
    }

    /// How long this has been waited for, and for how long it has been failing.
    pub(super) fn waited(
        &mut self,
        subject: &str,
        failing: bool,
        now: Timestamp,
    ) -> (SignedDuration, SignedDuration) {
        let fresh = || Wait { subject: subject.to_owned(), since: now, failing_since: None };
        let wait = match &mut self.run.waiting {
            Some(wait) if wait.subject == subject => wait,
            other => other.insert(fresh()),
        };
        wait.failing_since = failing.then(|| wait.failing_since.unwrap_or(now));
        let failed =
            wait.failing_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
        (now.duration_since(wait.since), failed)
    }
}

/// The request with that name, where it is still there.
pub(super) fn request<'s>(situation: &'s Situation, name: &Name) -> Option<&'s CredentialsRequest> {
    situation.requests.iter().find(|request| request.name().as_ref() == Ok(name))
}
