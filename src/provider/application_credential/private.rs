//! What the resource remembers and the user does not see.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::application_credential::naming::Naming;
use crate::provider::application_credential::proof;
use crate::provider::arguments::{moment, period};
use crate::tfplugin::model::Attr;

/// The resource's private data.
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Private {
    /// Imported or moved, and not updated since: what Keystone cannot tell is recorded, not acted on.
    #[serde(rename = "adopted")]
    pub imported: bool,
    /// When it was imported or moved: where a schedule by age begins for a credential of unknown age.
    #[serde(rename = "adopted_at")]
    pub imported_at: Option<Timestamp>,
    /// The current generation has been seen expired.
    pub current_expired: bool,
    /// The caller of the last Read may not delete the current generation.
    pub current_locked: bool,
    /// Its expiry was seen to be so near that it is told.
    pub expires_soon: bool,
    /// The expiry was configured as `expires_at`, so that taking it away is a change.
    pub fixed_expiry: bool,
    /// Strays that the caller of the last Read may not delete.
    pub locked_strays: BTreeSet<String>,
    /// Makes the names.
    pub naming: Naming,
    /// The login of the last Read owns the current generation and has its project, so that it will own the next one
    /// too.
    pub owner_reads: bool,
    /// Old generations, by number.
    pub previous: BTreeMap<u64, Retired>,
    /// A login with the current generation was seen to work, when it was issued or since.
    pub proven: bool,
    /// Ids and names of the current credential's roles.
    pub roles: BTreeMap<String, String>,
}

/// What is remembered of an old generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retired {
    pub at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// The caller of the last Read may not delete it.
    #[serde(default)]
    pub locked: bool,
}

impl Private {
    /// Fills in what Terraform has dropped: when a provider dies in the middle of an update, core keeps the
    /// prior attributes, but no private data.
    pub fn restore(&mut self, state: &ApplicationCredential) {
        if self.naming.is_empty() {
            // What is issued comes into a state only once it is proven, unless the proof was renounced.
            self.proven |= state.issued_at.is_known() && proof::renounced(state).is_none();
            let previous = state.previous().values().map(|old| &old.name);
            let mut names = [&state.name].into_iter().chain(previous).filter_map(Attr::known);
            self.naming = names.find_map(|name| Naming::of(name)).unwrap_or_default();
        }
        if state.expires_in.is_null() && state.issued_at.is_known() {
            self.fixed_expiry |= state.expires_at.is_known();
        }
        if state.issued_at.is_null() && self.imported_at.is_none() {
            let due = moment(&state.rotation_due_at);
            self.imported_at =
                due.zip(period(&state.rotation_period)).map(|(due, age)| age.before(due));
        }
        let Some(overlap) = period(&state.overlap) else { return };
        for (number, old) in state.previous() {
            let (Ok(number), Some(end)) = (number.parse(), moment(&old.revoke_after)) else {
                continue;
            };
            let at = overlap.before(end);
            let lost = Retired { at, expires_at: None, locked: false };
            self.previous.entry(number).or_insert(lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::application_credential::model::PreviousGeneration;

    #[test]
    fn what_terraform_has_dropped_is_found_in_the_state() {
        let naming = Naming::new().unwrap();
        let text = |text: &str| Attr::Known(text.to_owned());
        let old = PreviousGeneration {
            created_access_rules: Attr::Null,
            id: text("old"),
            name: text("legacy"),
            revoke_after: text("2027-01-08T00:00:00Z"),
            user_id: text("alice"),
        };
        let state = ApplicationCredential {
            name: Attr::Known(naming.name("ci-", 2, &[])),
            overlap: text("P7D"),
            previous_generations: Attr::Known(BTreeMap::from([("1".to_owned(), old)])),
            ..ApplicationCredential::default()
        };
        let mut private = Private::default();
        private.restore(&state);
        assert_eq!(private.naming, naming);
        assert_eq!(private.previous[&1].at, "2027-01-01T00:00:00Z".parse().unwrap());

        let whole = Private { previous: BTreeMap::from([(1, retired())]), ..private.clone() };
        private = whole.clone();
        private.restore(&state);
        assert_eq!(private, whole);
    }

    #[test]
    fn what_a_killed_update_drops_of_an_expiry_and_of_an_import_is_told_by_the_state() {
        let text = |text: &str| Attr::Known(text.to_owned());
        let fixed = ApplicationCredential {
            expires_at: text("2027-06-01T00:00:00Z"),
            issued_at: text("2027-01-01T00:00:00Z"),
            ..ApplicationCredential::default()
        };
        let mut private = Private::default();
        private.restore(&fixed);
        assert!(private.fixed_expiry && private.imported_at.is_none());

        let counted = ApplicationCredential { expires_in: text("P90D"), ..fixed };
        let mut private = Private::default();
        private.restore(&counted);
        assert!(!private.fixed_expiry);

        let imported = ApplicationCredential {
            rotation_due_at: text("2027-01-31T00:00:00Z"),
            rotation_period: text("P30D"),
            ..ApplicationCredential::default()
        };
        let mut private = Private::default();
        private.restore(&imported);
        assert_eq!(private.imported_at, Some("2027-01-01T00:00:00Z".parse().unwrap()));
    }

    fn retired() -> Retired {
        Retired { at: Timestamp::UNIX_EPOCH, expires_at: None, locked: true }
    }
}
