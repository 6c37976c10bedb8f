//! What `rekey_application_credential` looks like in HCL and in the state.

use std::collections::BTreeMap;

use crate::cloud::openstack::config::Cloud;
use crate::provider::arguments::{check_period, check_utc};
use crate::provider::schedule::due::Due;
use crate::provider::timeouts::Timeouts;
use crate::tfplugin::model::{Attr, Model, Secret, Set};

/// Issues a Keystone application credential, proves that it works, rotates it and revokes it.
///
/// Keystone's application credentials cannot be changed, so every change of one is a next *generation*: a new
/// credential with a new name and a new secret, which takes the place of the old one once it has been used
/// successfully.
/// The secret is made by the provider and is in the state as a sensitive value, unless `secret_wo` gives your own.
#[derive(Clone, Debug, Default, Model)]
pub struct ApplicationCredential {
    /// The requests that the credential may make, at least one.
    /// Every other request is refused.
    /// Without this argument: every request that its roles allow.
    #[attr(optional)]
    pub access_rules: Attr<Set<AccessRule>>,
    /// The identity endpoint that issued the credential, for `clouds.yaml`.
    #[attr(computed)]
    pub auth_url: Attr<String>,
    /// Log in with the credential at every refresh (one call each) and tell in `usable` whether it still works and
    /// has its roles.
    /// Keystone still lists a credential whose user was disabled or lost a role: only a login shows it.
    /// Default `false`.
    #[attr(optional)]
    pub check_usable: Attr<bool>,
    /// The ids of the access rules that were made for this credential, without those that existed before.
    /// Keystone keeps a rule when its credential is revoked; the provider deletes these with it, unless another
    /// credential uses them.
    #[attr(computed)]
    pub created_access_rules: Attr<Set<String>>,
    /// What the credential is for, as Keystone shows it.
    #[attr(optional)]
    pub description: Attr<String>,
    /// The names of the roles that the credential has, and of those that Keystone adds because another role implies
    /// them.
    #[attr(computed)]
    pub effective_roles: Attr<Set<String>>,
    /// When the credential expires, RFC 3339 in UTC, such as `2027-01-01T00:00:00Z`.
    /// Conflicts with `expires_in`.
    /// Without either of them it does not expire.
    #[attr(optional, computed, conflicts_with("expires_in"), validate(custom(check_utc)))]
    pub expires_at: Attr<String>,
    /// How long each generation is valid, counted from its issue: `90d` or `720h`, or ISO 8601 (`P90D`).
    /// Must be longer than `rotation_period` and `overlap` together.
    /// Choose it much longer, so that nothing is lost when no pipeline runs for some days.
    #[attr(optional, validate(custom(check_period)))]
    pub expires_in: Attr<String>,
    /// Counts the credentials that this resource has had: 1 for the first.
    /// A replacement begins at 1 again.
    #[attr(computed)]
    pub generation: Attr<i64>,
    /// The id of the current generation.
    #[attr(computed)]
    pub id: Attr<String>,
    /// When the current generation was issued; null after an import, as Keystone does not tell.
    #[attr(computed)]
    pub issued_at: Attr<String>,
    /// The credential's name, unique among all credentials of its owner.
    /// A fixed name cannot be rotated without a gap; prefer `name_prefix`.
    #[attr(optional, computed, exactly_one_of("name_prefix"), validate(length(1, 255)))]
    pub name: Attr<String>,
    /// The beginning of the credential's name; each generation gets a unique end.
    #[attr(optional, validate(length(1, 220)))]
    pub name_prefix: Attr<String>,
    /// How long the old generation stays valid after a rotation, such as `7d`.
    /// With it, a rotation is an update in place: consumers get the new credential in the same apply, and the
    /// first apply after the overlap revokes the old one.
    /// Without it, a rotation is a replacement.
    /// Needs `name_prefix`.
    #[attr(optional, validate(custom(check_period)))]
    pub overlap: Attr<String>,
    /// Old generations that still work, by their number.
    #[attr(computed)]
    pub previous_generations: Attr<BTreeMap<String, PreviousGeneration>>,
    /// The project that the credential gives access to: that of the login which issued it.
    #[attr(computed)]
    pub project_id: Attr<String>,
    /// How each new credential is proven before anything depends on it or an old one is revoked: it logs in, and its
    /// token must have its roles.
    /// Without this argument: one login is the proof.
    #[attr(optional)]
    pub proof: Attr<ProofOptions>,
    /// The region of the provider's configuration, for `clouds.yaml`.
    #[attr(computed)]
    pub region_name: Attr<String>,
    /// How long before its expiry the credential is rotated, such as `14d`.
    /// Needs `expires_in`, and must not be shorter than `overlap` where there is no `rotation_period`.
    #[attr(optional, conflicts_with("expires_at"), validate(custom(check_period)))]
    pub renew_before: Attr<String>,
    /// The ids of `strays` to revoke.
    #[attr(optional)]
    pub revoke_strays: Attr<Set<Attr<String>>>,
    /// The roles that the credential has, by name or id, at least one.
    /// Without this argument: all roles of the login that issues it.
    #[attr(optional)]
    pub roles: Attr<Set<Attr<String>>>,
    /// `false` stops every scheduled rotation and revocation; each plan then warns of what is overdue.
    /// A change of an argument or of `triggers` still rotates.
    /// Default `true`.
    #[attr(optional)]
    pub rotate: Attr<bool>,
    /// What is due, found by the last refresh; null where nothing is.
    #[attr(computed)]
    pub rotation_due: Attr<Vec<Due>>,
    /// When the schedule next calls for a rotation; null without a schedule.
    #[attr(computed)]
    pub rotation_due_at: Attr<String>,
    /// The age at which the credential is rotated, such as `30d`; at least a minute.
    /// Only an apply rotates: where a pipeline applies once a week, take a little less than a week (`6d`), or every other
    /// run comes some seconds too early.
    #[attr(optional, validate(custom(check_period)))]
    pub rotation_period: Attr<String>,
    /// Why the current generation was issued; null for the first.
    #[attr(computed)]
    pub rotation_reason: Attr<String>,
    /// The secret of the current generation.
    /// Null with `secret_wo`, and after an import, as Keystone tells a secret only once.
    #[attr(computed, sensitive)]
    pub secret: Attr<Secret>,
    /// Your own secret, at least 16 characters and at most 72 bytes; it is in no state and no plan.
    /// Needs `secret_wo_version`, and Terraform 1.11 or OpenTofu 1.11.
    #[attr(optional, sensitive, write_only)]
    pub secret_wo: Attr<Secret>,
    /// Raise it to issue a next generation with a new `secret_wo`.
    #[attr(optional)]
    pub secret_wo_version: Attr<i64>,
    /// Credentials that carry this resource's mark in their name and that the state does not know, by id: left
    /// behind by an interrupted run, or made after this state was backed up.
    /// They are never revoked unless `revoke_strays` names them.
    /// Null where there is none.
    #[attr(computed)]
    pub strays: Attr<BTreeMap<String, Stray>>,
    /// How long each operation may take.
    /// Default `5m`, and `2m` to refresh.
    #[attr(optional)]
    pub timeouts: Attr<Timeouts>,
    /// Any values; when one of them changes, the credential is rotated.
    #[attr(optional)]
    pub triggers: Attr<BTreeMap<String, Attr<String>>>,
    /// Whether the credential may make and delete other application credentials; dangerous, and rarely needed.
    /// Default `false`.
    #[attr(optional, computed)]
    pub unrestricted: Attr<bool>,
    /// With `check_usable`: whether a login with the credential worked at the last refresh, and its token had all of
    /// its roles.
    #[attr(computed)]
    pub usable: Attr<bool>,
    /// The id of the user who owns the credential: it has roles of this user, and stops working when the account goes.
    #[attr(computed)]
    pub user_id: Attr<String>,
    /// The name of that user, where it can be seen.
    #[attr(computed)]
    pub user_name: Attr<String>,
    /// Warn of an expiry that is nearer than this, such as `14d` (the default).
    #[attr(optional, validate(custom(check_period)))]
    pub warn_before: Attr<String>,
}

impl ApplicationCredential {
    /// Which generation it is, from 1.
    pub fn number(&self) -> u64 {
        self.generation.known().and_then(|number| u64::try_from(*number).ok()).unwrap_or(1)
    }

    /// The old generations, by their number.
    pub fn previous(&self) -> &BTreeMap<String, PreviousGeneration> {
        static NONE: BTreeMap<String, PreviousGeneration> = BTreeMap::new();
        self.previous_generations.known().unwrap_or(&NONE)
    }

    /// Whether it was issued by a Keystone of another address: perhaps another cloud.
    pub fn has_another_address(&self, cloud: &Cloud) -> bool {
        self.auth_url.known().is_some_and(|recorded| !cloud.is_at(recorded))
    }
}

/// A kind of request that a credential may make.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct AccessRule {
    /// The HTTP method, such as `GET`.
    #[attr(required)]
    pub method: Attr<String>,
    /// The path, such as `/v2.1/servers` or `/v2.1/servers/*/action`: `*` and `{name}` stand for one part of it, `**` for
    /// any number of them.
    /// At most 128 characters.
    #[attr(required)]
    pub path: Attr<String>,
    /// The service's type in the catalog, such as `compute`.
    #[attr(required)]
    pub service: Attr<String>,
}

/// An old generation that still works.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct PreviousGeneration {
    /// The ids of the access rules that were made for it.
    #[attr(computed)]
    pub created_access_rules: Attr<Set<String>>,
    /// Its id.
    #[attr(computed)]
    pub id: Attr<String>,
    /// Its name.
    #[attr(computed)]
    pub name: Attr<String>,
    /// The first plan after this moment revokes it.
    #[attr(computed)]
    pub revoke_after: Attr<String>,
    /// Its owner.
    #[attr(computed)]
    pub user_id: Attr<String>,
}

/// A credential of this resource that the state does not know.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Stray {
    /// Its name.
    #[attr(computed)]
    pub name: Attr<String>,
    /// Its owner.
    #[attr(computed)]
    pub user_id: Attr<String>,
}

/// How a new credential is proven.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct ProofOptions {
    /// How long to wait between two logins.
    /// Default `2s`.
    #[attr(optional, validate(custom(check_period)))]
    pub interval: Attr<String>,
    /// How many logins in a row must succeed, for a cloud whose Keystone nodes need a while to agree.
    /// Default 1.
    #[attr(optional, validate(range(1, 100)))]
    pub logins: Attr<i64>,
    /// `false` leaves out the proof: old generations are then revoked although nobody has seen the new one work.
    /// Default `true`.
    #[attr(optional)]
    pub required: Attr<bool>,
    /// How long to go on trying.
    /// Default `1m`.
    #[attr(optional, validate(custom(check_period)))]
    pub timeout: Attr<String>,
}

/// What identifies the credential to Terraform 1.12 and OpenTofu 1.12 or newer.
/// It follows the current generation.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Identity {
    /// The id of the current generation.
    #[attr(required)]
    pub id: Attr<String>,
    /// Its owner; the login's own user when left out.
    #[attr(optional)]
    pub user_id: Attr<String>,
}
