//! What the next generation may do that this one may not. A restriction is easily lost without a trace in the
//! configuration: an argument that is left out means everything.

use std::collections::BTreeSet;

use super::called;
use crate::cloud::openstack::Token;
use crate::provider::application_credential::model::{AccessRule, ApplicationCredential};
use crate::provider::application_credential::private::Private;
use crate::tfplugin::diagnostics::Diagnostic;
use crate::tfplugin::model::{Attr, Set};

/// Warns of what is gained; None where nothing is. `caller` is the login that will issue it, where it is known.
pub fn gained(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    private: &Private,
    caller: Option<&Token>,
) -> Option<Diagnostic> {
    let mut gains = Vec::new();
    let roles = more_roles(prior, config, private, caller);
    if !roles.is_empty() {
        let s = if roles.len() == 1 { "" } else { "s" };
        gains.push(format!("it gets the role{s} {} (until now: {})", join(&roles), held(prior)));
    }
    if caller.is_none() && config.roles.is_null() && !prior.roles.is_null() {
        gains.push(
            "it gets all roles of the login that applies, as `roles` is not set any more".into(),
        );
    }
    if limited(&prior.access_rules) && config.access_rules.is_null() {
        gains.push(
            "it may make every request that its roles allow, as `access_rules` is not set any more"
                .to_owned(),
        );
    }
    let flag = |attr: &Attr<bool>| attr.known().copied().unwrap_or(false);
    if flag(&config.unrestricted) && !flag(&prior.unrestricted) {
        gains.push(
            "it may make and delete other application credentials (`unrestricted`)".to_owned(),
        );
    }
    let certain = !gains.is_empty();
    gains.extend(perhaps(prior, config, caller));
    if gains.is_empty() {
        return None;
    }
    Some(Diagnostic::warning(
        "The next generation may do more than this one",
        format!(
            "The generation that follows the application credential {} {}: {}.\n\nIf that is not meant, write down in \
             `roles` and `access_rules` what it is to have.",
            called(prior),
            if certain { "gains rights" } else { "may gain rights" },
            gains.join("; ")
        ),
    ))
}

/// What may be gained by what is not known yet.
fn perhaps(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    caller: Option<&Token>,
) -> Vec<String> {
    let mut gains: Vec<String> = perhaps_all_roles(prior, config, caller).into_iter().collect();
    if limited(&prior.access_rules) && config.access_rules.is_unknown() {
        gains.push(
            "`access_rules` is not known before the apply, and if it turns out to be null, it may make every request that its \
             roles allow"
                .to_owned(),
        );
    }
    if config.unrestricted.is_unknown() && prior.unrestricted.known() != Some(&true) {
        gains.push(
            "`unrestricted` is not known before the apply, and if it turns out to be true, it may make and delete other \
             application credentials"
                .to_owned(),
        );
    }
    gains
}

/// An apply says nothing that its plan has said, and cannot know what the plan could not: so what `roles` may turn out
/// to give is told before.
fn perhaps_all_roles(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    caller: Option<&Token>,
) -> Option<String> {
    if !config.roles.is_unknown() || prior.roles.is_null() {
        return None;
    }
    let all = match caller {
        None => "all roles of the login that applies".to_owned(),
        Some(caller) => {
            let held = prior.effective_roles.known();
            let more = caller
                .roles
                .iter()
                .any(|role| held.is_none_or(|held| !held.0.contains(&role.name)));
            if !more {
                return None;
            }
            let names: Vec<String> = caller.roles.iter().map(|role| role.name.clone()).collect();
            format!("all roles of its login, {}", join(&names))
        }
    };
    Some(format!(
        "`roles` is not known before the apply, and if it turns out to be null, it gets {all} (until now: {})",
        held(prior)
    ))
}

/// By name, as far as they can be told before the credential is issued.
fn more_roles(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    private: &Private,
    caller: Option<&Token>,
) -> Vec<String> {
    let Some(before) = prior.effective_roles.known() else { return Vec::new() };
    let known = caller.map(|caller| caller.roles.as_slice()).unwrap_or_default();
    let name = |role: &String| {
        let by_id = known.iter().find(|known| known.id == *role).map(|known| known.name.clone());
        by_id.or_else(|| private.roles.get(role).cloned()).unwrap_or_else(|| role.clone())
    };
    let after: BTreeSet<String> = match &config.roles {
        Attr::Known(Set(wanted)) => wanted.iter().filter_map(Attr::known).map(name).collect(),
        Attr::Null => known.iter().map(|role| role.name.clone()).collect(),
        Attr::Unknown => return Vec::new(),
    };
    after.into_iter().filter(|role| !before.0.contains(role)).collect()
}

fn limited(rules: &Attr<Set<AccessRule>>) -> bool {
    rules.known().is_some_and(|rules| !rules.is_empty())
}

fn held(prior: &ApplicationCredential) -> String {
    let roles = prior.effective_roles.known().map(|roles| roles.0.clone()).unwrap_or_default();
    if roles.is_empty() { "none".into() } else { join(&roles) }
}

fn join(roles: &[String]) -> String {
    roles.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(effective: &[&str], roles: Option<&[&str]>) -> ApplicationCredential {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        ApplicationCredential {
            effective_roles: Attr::Known(Set(names(effective))),
            roles: roles
                .map(|roles| Set(names(roles).into_iter().map(Attr::Known).collect()))
                .into(),
            ..ApplicationCredential::default()
        }
    }

    fn rule() -> Attr<Set<AccessRule>> {
        Attr::Known(Set(vec![AccessRule::default()]))
    }

    fn gains(prior: &ApplicationCredential, config: &ApplicationCredential) -> Option<String> {
        let private = Private {
            roles: [("0123".to_owned(), "reader".to_owned())].into(),
            ..Private::default()
        };
        gained(prior, config, &private, None).map(|told| told.detail)
    }

    #[test]
    fn what_stays_or_is_taken_away_is_no_gain() {
        let prior = credential(&["member", "reader"], Some(&["member"]));
        for roles in [&["member"][..], &["reader"], &["0123"]] {
            assert_eq!(gains(&prior, &credential(&[], Some(roles))), None, "{roles:?}");
        }
        let limited = ApplicationCredential { access_rules: rule(), ..prior.clone() };
        assert_eq!(gains(&limited, &limited), None);
        assert_eq!(gains(&prior, &limited), None);
        let unrestricted =
            ApplicationCredential { unrestricted: Attr::Known(true), ..prior.clone() };
        assert_eq!(gains(&unrestricted, &prior), None);
    }

    #[test]
    fn each_gain_is_named() {
        let prior = ApplicationCredential {
            access_rules: rule(),
            ..credential(&["reader"], Some(&["reader"]))
        };
        let more = ApplicationCredential {
            access_rules: Attr::Null,
            unrestricted: Attr::Known(true),
            ..credential(&[], Some(&["reader", "member"]))
        };
        let told = gains(&prior, &more).unwrap();
        for part in ["the role member (until now: reader)", "every request", "`unrestricted`"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
