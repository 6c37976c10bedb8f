//! What the modelled resource looks like: its arguments, its state, and the flat form in which Terraform
//! compares what was planned with what came.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::{Change, Due, Period, Policy, Previous, State};
use super::keystone::{Credential, Roles, User};

/// What a credential is made from. Zero: the argument is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inputs {
    pub(super) arguments: BTreeMap<&'static str, u64>,
    pub(super) triggers: BTreeMap<String, u64>,
}

pub(super) const ARGUMENTS: [&str; 8] = [
    "access_rules",
    "description",
    "expires_at",
    "expires_in",
    "name_prefix",
    "roles",
    "secret_wo_version",
    "unrestricted",
];

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) inputs: Inputs,
    pub(super) overlap: Option<Period>,
    pub(super) renew_before: Option<Period>,
    pub(super) revoke_strays: BTreeSet<String>,
    pub(super) rotate: bool,
    pub(super) rotation_period: Option<Period>,
    /// Arguments whose values only the apply knows.
    pub(super) unknown: BTreeSet<&'static str>,
}

impl Config {
    pub(super) fn new() -> Self {
        let mut arguments: BTreeMap<_, _> = ARGUMENTS.map(|name| (name, 0)).into();
        arguments.insert("name_prefix", 1);
        Self {
            inputs: Inputs { arguments, triggers: BTreeMap::new() },
            overlap: None,
            renew_before: None,
            revoke_strays: BTreeSet::new(),
            rotate: true,
            rotation_period: None,
            unknown: BTreeSet::new(),
        }
    }

    pub(super) fn argument(&self, name: &'static str) -> u64 {
        self.inputs.arguments[name]
    }

    pub(super) fn roles(&self) -> Roles {
        self.argument("roles")
    }

    /// A fixed expiry, in the configuration's own words.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        let second = i64::try_from(self.argument("expires_at")).unwrap();
        (second != 0).then(|| Timestamp::from_second(second).unwrap())
    }

    pub(super) fn policy(&self) -> Policy {
        let expires_in = i64::try_from(self.argument("expires_in")).unwrap();
        Policy {
            expires_in: Period::from_seconds(expires_in),
            overlap: self.overlap,
            renew_before: self.renew_before,
            rotate: self.rotate,
            rotation_period: self.rotation_period,
        }
    }

    /// By the calendar: issued, plus the period; expiry, minus the time before it.
    pub(super) fn is_overdue(&self, current: &Credential, now: Timestamp) -> bool {
        let policy = self.policy();
        let age = now.as_second() - current.issued.as_second();
        let left = current.expires_at.map(|expiry| expiry.as_second() - now.as_second());
        let within = |left: i64| {
            let before = policy.renew_before.map_or(0, Period::seconds);
            policy.expires_in.is_some() && left <= before
        };
        policy.rotation_period.is_some_and(|period| age >= period.seconds())
            || left.is_some_and(within)
    }

    /// What `ValidateResourceConfig` lets through.
    pub(super) fn valid(&self) -> bool {
        let policy = self.policy();
        let seconds = |period: Option<Period>| period.map_or(0, Period::seconds);
        let lasts = policy.expires_in.is_none_or(|expiry| {
            expiry.seconds() > seconds(policy.rotation_period) + seconds(policy.overlap)
                && expiry.seconds() > seconds(policy.renew_before)
        });
        lasts
            && (policy.renew_before.is_none() || policy.expires_in.is_some())
            && (policy.expires_in.is_none() || self.expires_at().is_none())
            && (policy.overlap.is_none() || self.argument("name_prefix") != 0)
    }

    /// What differs from the inputs of a credential, and what cannot be told yet.
    pub(super) fn changes(&self, made_from: &Inputs) -> (Vec<Change>, Vec<&'static str>) {
        let mut changes = Vec::new();
        for name in ARGUMENTS {
            if !self.unknown.contains(name) && self.argument(name) != made_from.arguments[name] {
                changes.push(Change::Argument(name));
            }
        }
        if !self.unknown.contains("triggers") {
            let (new, old) = (&self.inputs.triggers, &made_from.triggers);
            let keys: BTreeSet<_> = new.keys().chain(old.keys()).collect();
            let differing = keys.into_iter().filter(|key| new.get(*key) != old.get(*key));
            changes.extend(differing.cloned().map(Change::Trigger));
        }
        (changes, self.unknown.iter().copied().collect())
    }
}

/// An entry of `previous_generations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: User,
    pub(super) revoke_after: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) expires_at: Option<Timestamp>,
    pub(super) generation: u64,
    pub(super) id: String,
    pub(super) inputs: Inputs,
    pub(super) issued_at: Timestamp,
    pub(super) name: String,
    pub(super) owner: User,
    pub(super) policy: Policy,
    pub(super) previous: BTreeMap<u64, Entry>,
    pub(super) private: Private,
    pub(super) revoke_strays: BTreeSet<String>,
    /// As the attribute keeps it.
    pub(super) rotation_due: Vec<(String, Option<Timestamp>)>,
    pub(super) rotation_due_at: Option<Timestamp>,
    pub(super) rotation_reason: Option<String>,
    pub(super) secret: u64,
    /// Ids and the generations that their names tell.
    pub(super) strays: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Private {
    pub(super) current_expired: bool,
    /// Makes the names, so that strays are known by theirs.
    pub(super) key: u64,
    /// Ids that the caller of the last Read may not delete.
    pub(super) others: BTreeSet<String>,
    /// When each old generation was retired, and when it expires.
    pub(super) retired: BTreeMap<u64, (Timestamp, Option<Timestamp>)>,
}

impl Stored {
    pub(super) fn state(&self) -> State {
        let numbers = self.previous.keys().chain(self.strays.values());
        State {
            generation: self.generation,
            highest: numbers.copied().fold(self.generation, u64::max),
            current_expired: self.private.current_expired,
            current_removable: self.removable(&self.id),
            due: self.due(),
            previous: self.previous.keys().map(|generation| self.previous(*generation)).collect(),
            strays: self.strays.keys().filter(|id| self.removable(id)).cloned().collect(),
            policy: self.policy,
        }
    }

    pub(super) fn due(&self) -> Vec<Due> {
        let read = |(code, deadline): &(String, Option<Timestamp>)| Due::parse(code, *deadline);
        self.rotation_due.iter().filter_map(read).collect()
    }

    pub(super) fn keep_due(&mut self, due: &[Due]) {
        self.rotation_due = due.iter().map(|due| (due.code(), due.deadline())).collect();
    }

    pub(super) fn previous(&self, generation: u64) -> Previous {
        let (retired, expires_at) = self.private.retired[&generation];
        let removable = self.removable(&self.previous[&generation].id);
        Previous { generation, retired, expires_at, removable }
    }

    fn removable(&self, id: &str) -> bool {
        !self.private.others.contains(id)
    }

    /// Everything that the state knows to be a credential of this resource.
    pub(super) fn ids(&self) -> BTreeSet<&str> {
        let old = self.previous.values().map(|entry| entry.id.as_str());
        old.chain(self.strays.keys().map(String::as_str)).chain([self.id.as_str()]).collect()
    }

    /// What Terraform sees, by path.
    pub(super) fn attributes(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> = [
            ("expires_at", format!("{:?}", self.expires_at)),
            ("generation", self.generation.to_string()),
            ("id", self.id.clone()),
            ("issued_at", self.issued_at.to_string()),
            ("name", self.name.clone()),
            ("policy", format!("{:?}", self.policy)),
            ("revoke_strays", format!("{:?}", self.revoke_strays)),
            ("rotation_due", format!("{:?}", self.rotation_due)),
            ("rotation_due_at", format!("{:?}", self.rotation_due_at)),
            ("rotation_reason", format!("{:?}", self.rotation_reason)),
            ("secret", self.secret.to_string()),
            ("strays", format!("{:?}", self.strays)),
            ("triggers", format!("{:?}", self.inputs.triggers)),
            ("user_id", format!("{:?}", self.owner)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (name, value) in &self.inputs.arguments {
            all.insert(format!("argument.{name}"), value.to_string());
        }
        for (generation, entry) in &self.previous {
            let path = |name: &str| format!("previous_generations.{generation}.{name}");
            all.insert(path("id"), entry.id.clone());
            all.insert(path("name"), entry.name.clone());
            all.insert(path("revoke_after"), entry.revoke_after.to_string());
            all.insert(path("user_id"), format!("{:?}", entry.owner));
        }
        all
    }
}
