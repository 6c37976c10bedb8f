//! What must hold before a credential is issued or revoked: asked at plan as far as it can be known, and
//! always again by apply before its first effect.

use std::collections::BTreeSet;

use crate::cloud::openstack::keystone::RoleRef;
use crate::cloud::openstack::{Patience, Session, Token};
use crate::provider::application_credential::model::ApplicationCredential;
use crate::tfplugin::diagnostics::Diagnostic;

/// Everything that keeps this login from issuing what the configuration wants.
pub async fn may_issue(
    session: &Session,
    caller: &Token,
    config: &ApplicationCredential,
    patience: &Patience,
) -> Vec<Diagnostic> {
    if let Some(refusal) = may_manage(caller, "issue") {
        return vec![refusal];
    }
    if caller.project.is_none() {
        return vec![Diagnostic::error(
            "The login has no project",
            format!(
                "An application credential gives access to the project of the login that issues it, and the login of {} is not \
                 scoped to one. Keystone would issue a credential without any role.\n\nGive the provider project_id or \
                 project_name.",
                caller.user.name
            ),
        )];
    }
    roles(session, caller, config, patience).await
}

/// A restricted application credential may look, not touch.
pub fn may_manage(caller: &Token, what: &str) -> Option<Diagnostic> {
    let credential = caller.application_credential.as_ref().filter(|login| login.restricted)?;
    Some(Diagnostic::error(
        "The login may not manage application credentials",
        format!(
            "The provider logs in with the application credential {:?} ({}), which is restricted: Keystone does not let it {what} \
             application credentials (403). Reading and planning work with it.\n\nLog in as the user (password, token), or with \
             an application credential that was made with `unrestricted = true`. If only the apply has such a login, set \
             `plan_checks = \"warn\"` in the provider block.",
            credential.name, credential.id
        ),
    ))
}

async fn roles(
    session: &Session,
    caller: &Token,
    config: &ApplicationCredential,
    patience: &Patience,
) -> Vec<Diagnostic> {
    let Some(wanted) = config.roles.known() else { return Vec::new() };
    let held: BTreeSet<&str> =
        caller.roles.iter().flat_map(|role| [role.name.as_str(), role.id.as_str()]).collect();
    let missing: Vec<&String> = wanted
        .0
        .iter()
        .filter_map(|role| role.known())
        .filter(|role| !held.contains(role.as_str()))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let mut stories = Vec::new();
    for role in missing {
        // Only some logins may ask; where this one may not, both possibilities are named.
        let exists = session.keystone().role_named(role, patience).await;
        stories.push(match exists {
            Ok(None) => format!("{role:?} (this cloud has no role of that name)"),
            Ok(Some(_)) => format!("{role:?} (it exists, but is not held)"),
            Err(_) => format!("{role:?} (not held, or not a role of this cloud)"),
        });
    }
    let names: Vec<&str> = caller.roles.iter().map(|role| role.name.as_str()).collect();
    vec![
        Diagnostic::error(
            "The login does not have the wanted roles",
            format!(
                "A credential can carry only roles of the login that issues it. Missing: {}. {} has on project {}: {}.\n\nTake the \
                 missing ones out of `roles`, have them granted, or issue under another login. If only the apply has such a \
                 login, set `plan_checks = \"warn\"` in the provider block.",
                stories.join(", "),
                caller.user.name,
                caller.project.as_ref().map_or("", |project| project.name.as_str()),
                if names.is_empty() { "no role".into() } else { names.join(", ") },
            ),
        )
        .at_attribute("roles"),
    ]
}

/// The wanted roles as Keystone takes them: by id where the login's token tells it, else by name.
pub fn role_refs(caller: &Token, config: &ApplicationCredential) -> Vec<RoleRef> {
    let wanted = config.roles.known().map(|roles| roles.0.as_slice()).unwrap_or_default();
    wanted
        .iter()
        .filter_map(|role| role.known())
        .map(|wanted| {
            let held = caller.roles.iter().find(|role| role.id == *wanted || role.name == *wanted);
            held.map_or_else(|| RoleRef::Name(wanted.clone()), |role| RoleRef::Id(role.id.clone()))
        })
        .collect()
}
