//! Access rules: which of a credential's were made for it, so that these go with it and no others do.
//!
//! Keystone makes a rule along with a credential, reuses one that is there, and leaves all of them behind. It
//! does not tell who made which. So the state keeps it (`created_access_rules`), and the credential's name says
//! it too ([`Naming`]): a successor reuses its predecessor's rules and must take them over, which the state of
//! a resource that is being replaced does not tell it.

use crate::cloud::openstack::Session;
use crate::cloud::openstack::keystone::{AccessRule, ApplicationCredential as Listed};
use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::application_credential::naming::Naming;
use crate::provider::openstack::grace;

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

const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
/// What Keystone's table holds; its API lets more through, and then fails.
const PATH_CHARACTERS: usize = 128;
const SERVICE_CHARACTERS: usize = 64;

/// What Keystone refuses in a rule, or takes and never lets through: said before anything is issued.
pub fn check(config: &ApplicationCredential, refuse: &mut impl FnMut(&str, &str, String)) {
    for rule in config.access_rules.known().into_iter().flat_map(|rules| &rules.0) {
        let faults = [
            rule.method.known().and_then(|method| method_fault(method)),
            rule.path.known().and_then(|path| path_fault(path)),
            rule.service.known().and_then(|service| service_fault(service)),
        ];
        for fault in faults.into_iter().flatten() {
            refuse("access_rules", "An access rule cannot be used", fault);
        }
    }
}

fn method_fault(method: &str) -> Option<String> {
    if METHODS.contains(&method) {
        return None;
    }
    let upper = method.to_uppercase();
    let meant =
        if METHODS.contains(&upper.as_str()) { format!("; write {upper}") } else { String::new() };
    Some(format!(
        "The method {method:?} is none that Keystone takes ({}){meant}.",
        METHODS.join(", ")
    ))
}

fn path_fault(path: &str) -> Option<String> {
    let example = "such as /v2.1/servers/*/action";
    let fault = if !path.starts_with('/') {
        format!(
            "must begin with a slash, {example}: it is what follows the service's host and port"
        )
    } else if path.chars().count() > PATH_CHARACTERS {
        format!(
            "is longer than the {PATH_CHARACTERS} characters that Keystone keeps; * or ** may stand for parts of it"
        )
    } else if path.contains(['?', '#']) || path.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        format!(
            "must be a path alone, {example}: a query, a fragment and spaces are never part of one"
        )
    } else if path.contains("***") {
        "has three * in a row; * stands for one part of a path, ** for any number of them".into()
    } else if !tags_close(path) {
        "has a brace that does not belong to a {tag}; {server_id} stands for one part of a path, as * does".into()
    } else {
        return None;
    };
    Some(format!("The path {path:?} {fault}."))
}

/// Whether each brace belongs to a tag with a name.
fn tags_close(path: &str) -> bool {
    let mut name: Option<usize> = None;
    for c in path.chars() {
        name = match (c, name) {
            ('{', None) => Some(0),
            ('}', Some(length)) if length > 0 => None,
            ('{' | '}', _) => return false,
            (_, Some(length)) => Some(length + 1),
            (_, None) => None,
        };
    }
    name.is_none()
}

fn service_fault(service: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (1..=SERVICE_CHARACTERS).contains(&service.len()) && service.chars().all(plain) {
        return None;
    }
    Some(format!(
        "The service {service:?} is no type of a service: such a type has letters, digits and hyphens, as compute, object-store \
         or container-infra do; `openstack catalog list` shows those of this cloud."
    ))
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

    #[test]
    fn what_no_service_would_ever_match_is_no_path() {
        for path in
            ["/", "/v3/**", "/v2.1/servers/*/action", "/v2.1/servers/{server_id}/{a}", "/a{b}c"]
        {
            assert_eq!(path_fault(path), None, "{path}");
        }
        let long = format!("/{}", "a".repeat(128));
        for path in [
            "",
            "v2.1/servers",
            "https://a/b",
            "/a?b=c",
            "/a#b",
            "/a b",
            "/a\tb",
            "/***",
            "/{",
            "/a}",
            "/{}",
            "/{{a}}",
            &long,
        ] {
            assert!(path_fault(path).is_some(), "{path}");
        }
        assert_eq!(path_fault(&long[..128]), None);
    }

    #[test]
    fn methods_and_services_are_those_of_keystone() {
        assert_eq!(method_fault("GET"), None);
        assert!(method_fault("get").unwrap().ends_with("; write GET."));
        assert!(!method_fault("OPTIONS").unwrap().contains("; write"));
        assert_eq!(service_fault("object-store"), None);
        for service in ["", "nova api", "compute_v2", &"a".repeat(65)] {
            assert!(service_fault(service).is_some(), "{service}");
        }
    }

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
