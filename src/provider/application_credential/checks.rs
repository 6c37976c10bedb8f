//! What must hold before a credential is issued or revoked: asked at plan as far as it can be known, and
//! always again by apply before its first effect.

use std::collections::BTreeSet;

use crate::cloud::openstack::config::Cloud;
use crate::cloud::openstack::keystone::RoleRef;
use crate::cloud::openstack::{Patience, Session, Token};
use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::application_credential::private::Private;
use crate::provider::application_credential::told;
use crate::provider::openstack::Openstack;
use crate::tfplugin::diagnostics::Diagnostic;
use crate::tfplugin::model::Attr;

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

/// The plan of a rotation in place is made for one cloud and, where the login that made it owns the credential, for
/// that owner: what hangs on `user_id` and `project_id` was planned to stay. Asked before the first effect.
pub fn planned_for(
    planned: &ApplicationCredential,
    issues: bool,
    session: &Session,
    caller: &Token,
) -> Option<Diagnostic> {
    if planned.has_another_address(session.cloud()) {
        return Some(another_cloud(&planned.auth_url, session.cloud()));
    }
    let project = caller.project.as_ref();
    let other = |wanted: &Attr<String>, found: Option<&String>| {
        wanted.known().is_some_and(|wanted| Some(wanted) != found)
    };
    let differs = other(&planned.user_id, Some(&caller.user.id))
        || other(&planned.project_id, project.map(|project| &project.id));
    if !issues || !differs {
        return None;
    }
    let text = |attr: &Attr<String>| attr.known().cloned().unwrap_or_else(|| "unknown".into());
    Some(Diagnostic::error(
        "The plan was made under another login",
        format!(
            "The plan issues the next generation for user {} ({}) on project {}, whose login made it; this login is {} ({}) on \
             project {}. What depends on the user or the project was planned to stay as it is.\n\nNothing was changed. Apply \
             the plan under the login that made it, or plan again under this one.",
            text(&planned.user_name),
            text(&planned.user_id),
            text(&planned.project_id),
            caller.user.name,
            caller.user.id,
            project.map_or("none", |project| project.id.as_str()),
        ),
    ))
}

/// What was issued by one cloud is neither rotated nor revoked in another.
pub fn another_cloud(recorded: &Attr<String>, cloud: &Cloud) -> Diagnostic {
    Diagnostic::error(
        "The login is to another cloud",
        format!(
            "The application credential was issued by the Keystone at {}; this login is to {}. A next generation from there would \
             be of no use where the present one is used, and the present one would be lost from sight.\n\nNothing was changed. \
             Give the provider a login to the first one. If both addresses are of one cloud, refresh under a login that may see \
             the credential: that records the new address.",
            recorded.known().map_or("an unknown address", String::as_str),
            cloud.auth_url,
        ),
    )
}

/// What ends every generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Destroy,
    /// The next generation is a replacement.
    Replacement,
    /// `-replace` asks for it.
    Replaced,
}

/// Every generation is revoked, and this login may not: the owner of one of them could.
pub fn may_end(
    prior: &ApplicationCredential,
    private: &Private,
    ending: Ending,
) -> Option<Diagnostic> {
    let current = private.current_locked.then(|| (told::called(prior), told::owner(prior)));
    let old = prior.previous().iter().filter(|(number, _)| {
        let number: Option<u64> = number.parse().ok();
        number.and_then(|number| private.previous.get(&number)).is_some_and(|old| old.locked)
    });
    let old = old.map(|(number, old)| {
        let user = old.user_id.known().map_or("unknown", String::as_str);
        (format!("generation {number}"), format!("user {user}"))
    });
    let all = current.into_iter().chain(old);
    let locked: Vec<String> = all.map(|(what, user)| format!("{what} of {user}")).collect();
    if locked.is_empty() {
        return None;
    }
    let (summary, why, else_) = match ending {
        Ending::Destroy => (
            "This login cannot carry out the destroy",
            "A destroy revokes every generation.",
            "; or forget the resource without revoking anything, with a `removed` block or `terraform state rm`",
        ),
        Ending::Replacement => (
            "This login cannot carry out the replacement",
            "Without an `overlap` the next generation is a replacement, which revokes what there is.",
            "; or set `overlap`, with which the next generation is issued beside the old one",
        ),
        Ending::Replaced => (
            "This login cannot carry out the replacement",
            "A replacement revokes every generation.",
            "; or change `triggers` with `overlap` set, which issues the next generation beside the old one",
        ),
    };
    Some(Diagnostic::error(
        summary,
        format!(
            "{why} The present login may not revoke {}: only that user or an administrator may.\n\nApply as one of them{else_}.",
            locked.join(" and "),
        ),
    ))
}

/// A generation that the state knows is no stray.
pub fn named_strays(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
) -> Option<Diagnostic> {
    let named = config.revoke_strays.known().into_iter().flat_map(|named| &named.0);
    let current_is = |id: &String| prior.id.known() == Some(id);
    let of = |id: &String| {
        let mut old = prior.previous().iter();
        let number = old.find(|(_, old)| old.id.known() == Some(id)).map(|(number, _)| number);
        let number = number.map(|number| {
            (format!("the old generation {number}"), "a shorter `overlap` ends it sooner")
        });
        let current = || {
            (
                "the current generation".to_owned(),
                "change `triggers` to issue the next one in its place",
            )
        };
        number.or_else(|| current_is(id).then(current))
    };
    let known = named.filter_map(Attr::known).find_map(|id| Some((id, of(id)?)));
    let (id, (what, instead)) = known?;
    Some(
        Diagnostic::error(
            "revoke_strays names a generation of this resource",
            format!(
                "{id} is {what} of the application credential {}, not a stray: `revoke_strays` takes ids that `strays` lists. Take it \
                 out; {instead}.",
                told::called(prior)
            ),
        )
        .at_attribute("revoke_strays"),
    )
}

/// A name is given once for each user, on all projects. `ours` are the credentials that this configuration has.
pub async fn name_is_free(
    openstack: &Openstack,
    session: &Session,
    caller: &Token,
    name: &str,
    ours: &BTreeSet<String>,
    patience: &Patience,
) -> Option<Diagnostic> {
    // Who may not list is told by Keystone's own refusal, in apply.
    let listed = openstack.credentials(session, &caller.user.id, patience).await.ok()?;
    let holder = listed.iter().find(|credential| credential.name == name)?;
    if ours.contains(&holder.id) {
        return None;
    }
    Some(
        Diagnostic::error(
            "The name of the application credential is in use",
            format!(
                "{} has an application credential of the name {name:?} already: {}, of project {}. A name is unique among all \
                 credentials of a user, on all projects, the expired ones included.\n\nUse name_prefix, which gives each \
                 generation a name of its own, or another name; to go on with the existing credential, import it, or write a \
                 `moved` block if it is in this state under another address.",
                caller.user.name,
                holder.id,
                holder.project_id.as_deref().unwrap_or("none"),
            ),
        )
        .at_attribute("name"),
    )
}

/// A restricted application credential may look, not touch.
pub fn may_manage(caller: &Token, what: &str) -> Option<Diagnostic> {
    let credential = caller.application_credential.as_ref().filter(|login| login.restricted)?;
    Some(Diagnostic::error(
        "The login may not manage application credentials",
        format!(
            "The provider logs in with the application credential {:?} ({}), which is restricted: Keystone does not let it {what} \
             application credentials (403). Reading and planning work with it.\n\nLog in as the user (password, token), or with \
             an application credential that was made with `unrestricted = true`.",
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
                 missing ones out of `roles`, have them granted, or issue under another login.",
                stories.join(", "),
                caller.user.name,
                caller.project.as_ref().map_or("", |project| project.name.as_str()),
                if names.is_empty() { "no role".into() } else { names.join(", ") },
            ),
        )
        .at_attribute("roles"),
    ]
}

/// The wanted roles as Keystone takes them: by id where the login's token tells it, else by name; each once, as it
/// may be written by name and by id.
pub fn role_refs(caller: &Token, config: &ApplicationCredential) -> Vec<RoleRef> {
    let wanted = config.roles.known().map(|roles| roles.0.as_slice()).unwrap_or_default();
    let mut refs = Vec::new();
    for wanted in wanted.iter().filter_map(|role| role.known()) {
        let held = caller.roles.iter().find(|role| role.id == *wanted || role.name == *wanted);
        let role =
            held.map_or_else(|| RoleRef::Name(wanted.clone()), |role| RoleRef::Id(role.id.clone()));
        if !refs.contains(&role) {
            refs.push(role);
        }
    }
    refs
}
