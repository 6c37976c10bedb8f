//! Access rules: which of a credential's were made for it, so that these go with it and no others do.
//!
//! Keystone makes a rule along with a credential, reuses one that is there, and leaves all of them behind. It
//! does not tell who made which. So the state keeps it (`created_access_rules`), and the credential's name says
//! it too ([`Naming`]): a successor reuses its predecessor's rules and must take them over, which the state of
//! a resource that is being replaced does not tell it.

use crate::cloud::openstack::Session;
use crate::cloud::openstack::keystone::{AccessRule, ApplicationCredential as Listed};
use crate::provider::application_credential::issue::grace;
use crate::provider::application_credential::private::Naming;

/// What two rules have in common that Keystone takes for one.
fn key(rule: &AccessRule) -> (&str, &str, &str) {
    (&rule.service, &rule.method, &rule.path)
}

/// The order in which a name speaks of rules: no id counts, as new ones have none.
pub fn sort(rules: &mut [AccessRule]) {
    rules.sort_by(|one, other| key(one).cmp(&key(other)));
}

/// For each of the wanted rules, in their order: whether it is made for the new credential, or was made for
/// another one of this provider that still uses it. `existing` and `credentials` are the user's.
pub fn made(wanted: &[AccessRule], existing: &[AccessRule], credentials: &[Listed]) -> Vec<bool> {
    let taken_over: Vec<String> = credentials.iter().flat_map(created).collect();
    let ours = |rule: &AccessRule| {
        let there = existing.iter().find(|there| key(there) == key(rule));
        there.is_none_or(|there| there.id.as_ref().is_some_and(|id| taken_over.contains(id)))
    };
    wanted.iter().map(ours).collect()
}

/// The ids of the rules that were made for a credential, as its name says; none where it is no name of ours.
pub fn created(credential: &Listed) -> Vec<String> {
    let mut rules = credential.access_rules.clone();
    sort(&mut rules);
    let made = Naming::made_rules(&credential.name);
    let ours = rules.into_iter().zip(made).filter(|(_, made)| *made);
    ours.filter_map(|(rule, _)| rule.id).collect()
}

/// The ids of the rules of a new credential for which `made` was found.
pub fn ids(issued: &Listed, wanted: &[AccessRule], made: &[bool]) -> Vec<String> {
    let ours = wanted.iter().zip(made).filter(|(_, made)| **made);
    ours.filter_map(|(rule, _)| {
        issued.access_rules.iter().find(|shown| key(shown) == key(rule))?.id.clone()
    })
    .collect()
}

/// Deletes them. One that something else uses is refused (403), and rightly so; nothing depends on the
/// others, so no failure here is worth an error.
pub async fn forget(session: &Session, user: &str, rules: &[String]) {
    for rule in rules {
        if let Err(error) = session.keystone().delete_access_rule(user, rule, &grace()).await {
            tracing::debug!(rule, %error, "access rule left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: Option<&str>, path: &str) -> AccessRule {
        AccessRule {
            id: id.map(ToOwned::to_owned),
            method: "GET".into(),
            path: path.into(),
            service: "compute".into(),
        }
    }

    fn credential(name: String, access_rules: Vec<AccessRule>) -> Listed {
        Listed {
            access_rules,
            description: None,
            expires_at: None,
            id: "0123".into(),
            name,
            project_id: None,
            roles: Vec::new(),
            unrestricted: false,
            user_id: "alice".into(),
        }
    }

    #[test]
    fn a_rule_that_was_there_before_is_nobodys() {
        let wanted = [rule(None, "/a"), rule(None, "/b")];
        let existing = [rule(Some("1"), "/a")];
        assert_eq!(made(&wanted, &existing, &[]), [false, true]);
        let foreign = credential("by hand".into(), vec![rule(Some("1"), "/a")]);
        assert_eq!(made(&wanted, &existing, &[foreign]), [false, true]);
    }

    #[test]
    fn a_successor_takes_over_what_was_made_for_its_predecessor() {
        // Keystone lists them in any order.
        let used = vec![rule(Some("2"), "/b"), rule(Some("1"), "/a")];
        let name = Naming::new().unwrap().name("ci-", 1, &[false, true]);
        let old = credential(name, used.clone());
        assert_eq!(created(&old), ["2"]);
        let wanted = [rule(None, "/a"), rule(None, "/b"), rule(None, "/c")];
        let found = made(&wanted, &used, std::slice::from_ref(&old));
        assert_eq!(found, [false, true, true]);
        assert_eq!(ids(&old, &wanted[..2], &found[..2]), ["2"]);
    }
}
