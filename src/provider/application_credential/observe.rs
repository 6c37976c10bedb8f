//! Read: what Keystone has of the generations that the state knows, what is due by the policy in the
//! state, and what the operator should hear. Nothing that changes at each read is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::cloud::openstack::keystone::{ApplicationCredential as Listed, Existence};
use crate::cloud::openstack::{Error, Login, Patience, Session, Token};
use crate::provider::application_credential::model::{
    AccessRule, ApplicationCredential, PreviousGeneration, Stray,
};
use crate::provider::application_credential::proof::Wanted;
use crate::provider::application_credential::{
    ApplicationCredentialResource, Record, decide, identity, told,
};
use crate::provider::arguments::{as_keystone_keeps_it, moment, written};
use crate::provider::errors;
use crate::provider::openstack::{NotYet, patience, token};
use crate::provider::schedule::Scheduled as _;
use crate::provider::schedule::due::recorded_due;
use crate::rotation::due;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::{Attr, Set};

/// What can be seen of the credentials of one user.
enum Sight {
    Seen(Arc<Vec<Listed>>),
    /// Neither the owner nor an admin, or another cloud.
    Refused,
}

pub async fn read(
    resource: &ApplicationCredentialResource,
    cx: &Context,
    mut kept: Record,
) -> Result<Option<Record>> {
    kept.private.restore(&kept.state);
    // Core forgets it when a provider dies in an apply.
    kept.identity = Some(identity(&kept.state));
    let session = match resource.openstack.session().await? {
        Ok(session) => session,
        Err(NotYet(setting)) => {
            cx.tell(told::not_observed(&kept.state, setting));
            return Ok(Some(kept));
        }
    };
    let patience = patience(cx);
    let caller = token(&session, &patience).await?;
    resource.tell_clock(cx, &session);
    if kept.state.user_id.is_null() {
        match owner_of(&session, &caller, &kept.state, &patience).await? {
            Owner::Known(owner) => kept.state.user_id = Attr::Known(owner),
            Owner::Nobody => {}
            Owner::SomebodyElse => {
                cx.tell(told::not_the_owner(&kept.state, &caller, session.cloud()));
                return Ok(Some(kept));
            }
        }
    }
    let owner = kept.state.user_id.known().cloned().unwrap_or_else(|| caller.user.id.clone());

    let sights = look(resource, &session, &caller, &kept.state, &owner, &patience).await?;
    let id = kept.state.id.known().cloned().unwrap_or_default();
    let current = match sights.get(&owner) {
        Some(Sight::Seen(listed)) => Some(listed.iter().find(|credential| credential.id == id)),
        Some(Sight::Refused) | None => None,
    };
    let previous = previous(&kept.state, &owner, &sights);
    let strays = strays(&kept, &owner, &sights);
    if current == Some(None) && previous.is_empty() && strays.is_empty() {
        return gone(cx, &session, &caller, kept, &owner, &patience).await;
    }
    others(&mut kept, previous, strays, &owner, &sights);
    kept.private.owner_reads = false;
    let Some(current) = current.map(Option::<&Listed>::cloned) else {
        cx.tell(told::not_the_owner(&kept.state, &caller, session.cloud()));
        judge(cx, &mut kept, true, &sights, session.now());
        if kept.state.policy().overlap.is_none() {
            // A rotation would have to revoke what this login may not revoke.
            kept.state.rotation_due = Attr::Null;
        }
        // Its secret opens it whoever asks, but not in another cloud.
        if kept.state.auth_url.is_known() && !kept.state.has_another_address(session.cloud()) {
            usability(cx, &mut kept, &session, &caller, &patience).await?;
        }
        return Ok(Some(kept));
    };
    match &current {
        Some(current) => write_down(&mut kept, current, &caller, &session),
        None => cx.tell(told::vanished(&kept.state)),
    }
    kept.private.owner_reads = owns(&caller, &kept.state);
    let now = session.now();
    judge(cx, &mut kept, current.is_some(), &sights, now);
    if current.is_some() {
        usability(cx, &mut kept, &session, &caller, &patience).await?;
        kept.private.expires_soon = told::expires_soon(&kept.state, now);
    }
    kept.identity = Some(identity(&kept.state));
    Ok(Some(kept))
}

/// Whose credential it is, where the state does not say so: after a `moved`.
enum Owner {
    Known(String),
    /// Keystone does not know the credential.
    Nobody,
    /// It exists, and this login may not see it.
    SomebodyElse,
}

async fn owner_of(
    session: &Session,
    caller: &Token,
    state: &ApplicationCredential,
    patience: &Patience,
) -> Result<Owner> {
    let Some(id) = state.id.known() else { return Ok(Owner::Nobody) };
    match session.keystone().application_credential(&caller.user.id, id, patience).await {
        Ok(found) => Ok(Owner::Known(found.user_id)),
        Err(error) if error.status() == Some(403) => Ok(Owner::SomebodyElse),
        Err(error) if error.is_not_found() => Ok(Owner::Nobody),
        Err(error) => {
            Err(unreadable("find the owner of the application credential", &error).into())
        }
    }
}

/// Whether what this login issues is of the same user and project as the current generation.
fn owns(caller: &Token, state: &ApplicationCredential) -> bool {
    let project = caller.project.as_ref().map(|project| &project.id);
    state.user_id.known() == Some(&caller.user.id)
        && project.is_some()
        && state.project_id.known() == project
        && state.user_name.is_known()
}

/// The credentials of everybody who owns a generation or a stray, and of the caller: one call for each, shared by
/// all resources of the walk.
async fn look(
    resource: &ApplicationCredentialResource,
    session: &Session,
    caller: &Token,
    state: &ApplicationCredential,
    owner: &str,
    patience: &Patience,
) -> Result<BTreeMap<String, Sight>> {
    let old = state.previous().values().map(|old| &old.user_id);
    let strays = state.strays.known().into_iter().flatten().map(|(_, stray)| &stray.user_id);
    let users = old.chain(strays).filter_map(|user| user.known().cloned());
    let users: BTreeSet<String> = users.chain([owner.to_owned(), caller.user.id.clone()]).collect();
    let mut sights = BTreeMap::new();
    for user in users {
        let sight = match resource.openstack.credentials(session, &user, patience).await {
            Ok(listed) => Sight::Seen(listed),
            Err(error) if error.status() == Some(403) => Sight::Refused,
            Err(error) => {
                let doing = format!("list the application credentials of user {user}");
                return Err(unreadable(&doing, &error).into());
            }
        };
        sights.insert(user, sight);
    }
    Ok(sights)
}

/// Every generation is missing. That it is gone is believed only of a Keystone that knows the owner or
/// the project; anything else is the wrong cloud.
async fn gone(
    cx: &Context,
    session: &Session,
    caller: &Token,
    kept: Record,
    owner: &str,
    patience: &Patience,
) -> Result<Option<Record>> {
    let project = kept.state.project_id.known().cloned();
    let why = if caller.user.id == owner && !kept.state.user_id.is_null() {
        let names: BTreeSet<&str> = caller.roles.iter().map(|role| role.name.as_str()).collect();
        let lost = kept.state.effective_roles.known().filter(|_| {
            caller.application_credential.is_none()
                && project.as_ref() == caller.project.as_ref().map(|project| &project.id)
        });
        let lost =
            lost.and_then(|roles| roles.0.iter().find(|role| !names.contains(role.as_str())));
        told::Gone::Deleted { role_lost: lost.cloned() }
    } else {
        let unreadable =
            |error: Error| unreadable(&format!("find out whether user {owner} exists"), &error);
        let owner_known = if kept.state.user_id.is_null() {
            Ok(Existence::Hidden)
        } else {
            session.keystone().user_exists(owner, patience).await
        };
        match owner_known.map_err(unreadable)? {
            Existence::Yes => told::Gone::Deleted { role_lost: None },
            Existence::No | Existence::Hidden => {
                let known = match &project {
                    Some(project) => session.keystone().project_exists(project, patience).await,
                    None => Ok(Existence::No),
                };
                if known.map_err(unreadable)? != Existence::Yes {
                    cx.tell(told::another_cloud(&kept.state, session.cloud()));
                    return Ok(Some(kept));
                }
                told::Gone::OwnerDeleted
            }
        }
    };
    cx.tell(told::gone(&kept.state, &why));
    Ok(None)
}

/// Takes over what Keystone shows; arguments keep the form in which they were written.
fn write_down(kept: &mut Record, current: &Listed, caller: &Token, session: &Session) {
    let Record { state, private, .. } = kept;
    state.name = Attr::Known(current.name.clone());
    let description = current.description.clone().unwrap_or_default();
    if state.description.known().map_or("", String::as_str) != description {
        state.description = Some(description).filter(|text| !text.is_empty()).into();
    }
    if moment(&state.expires_at).map(as_keystone_keeps_it) != current.expires_at {
        state.expires_at = current.expires_at.map(written).into();
    }
    state.unrestricted = Attr::Known(current.unrestricted);
    let rules: Vec<AccessRule> = current.access_rules.iter().map(AccessRule::from).collect();
    if state.access_rules.known().map(|rules| rules.0.as_slice()).unwrap_or_default() != rules
        && state.access_rules != Attr::Known(Set(rules.clone()))
    {
        state.access_rules = Some(Set(rules)).filter(|rules| !rules.0.is_empty()).into();
    }
    let effective: Set<String> = Set(current.roles.iter().map(|role| role.name.clone()).collect());
    if state.effective_roles != Attr::Known(effective.clone()) {
        state.effective_roles = Attr::Known(effective);
    }
    private.roles = current.roles.iter().map(|role| (role.id.clone(), role.name.clone())).collect();
    state.project_id = current.project_id.clone().into();
    state.user_id = Attr::Known(current.user_id.clone());
    if caller.user.id == current.user_id {
        state.user_name = Attr::Known(caller.user.name.clone());
    }
    state.auth_url = Attr::Known(session.cloud().auth_url.clone());
    state.region_name = session.cloud().region_name.clone().into();
}

/// The old generations but for those that are known to be gone.
fn previous(
    state: &ApplicationCredential,
    owner: &str,
    sights: &BTreeMap<String, Sight>,
) -> BTreeMap<String, PreviousGeneration> {
    let mut previous = state.previous().clone();
    previous.retain(|_, old| {
        let user = old.user_id.known().map_or(owner, String::as_str);
        old.id.known().is_none_or(|id| perhaps(sights, user, id))
    });
    previous
}

/// Credentials that only this resource can have made, and that the state does not know; with those that
/// the state lists already, but for the ones that are known to be gone.
fn strays(kept: &Record, owner: &str, sights: &BTreeMap<String, Sight>) -> BTreeMap<String, Stray> {
    let known: BTreeSet<&String> = kept
        .state
        .previous()
        .values()
        .filter_map(|old| old.id.known())
        .chain(kept.state.id.known())
        .collect();
    let listed = sights.values().filter_map(|sight| match sight {
        Sight::Seen(listed) => Some(listed),
        Sight::Refused => None,
    });
    let ours = listed
        .flat_map(|listed| listed.iter())
        .filter(|credential| kept.private.naming.generation(&credential.name).is_some())
        .map(|credential| (credential.id.clone(), Stray::from(credential)));
    let before = kept.state.strays.known().into_iter().flatten().filter(|(id, stray)| {
        perhaps(sights, stray.user_id.known().map_or(owner, String::as_str), id)
    });
    let before = before.map(|(id, stray)| (id.clone(), stray.clone()));
    before.chain(ours).filter(|(id, _)| !known.contains(id)).collect()
}

/// Whether that credential of that user exists, as far as this login can tell.
fn perhaps(sights: &BTreeMap<String, Sight>, user: &str, id: &str) -> bool {
    match sights.get(user) {
        Some(Sight::Seen(listed)) => listed.iter().any(|credential| credential.id == id),
        Some(Sight::Refused) | None => true,
    }
}

/// Takes over what there is beside the current generation.
fn others(
    kept: &mut Record,
    previous: BTreeMap<String, PreviousGeneration>,
    strays: BTreeMap<String, Stray>,
    owner: &str,
    sights: &BTreeMap<String, Sight>,
) {
    kept.private.previous.retain(|number, _| previous.contains_key(&number.to_string()));
    kept.state.previous_generations = Attr::Known(previous);
    let locked = |stray: &Stray| {
        let user = stray.user_id.known().map_or(owner, String::as_str);
        !matches!(sights.get(user), Some(Sight::Seen(_)))
    };
    let locked = strays.iter().filter(|(_, stray)| locked(stray));
    kept.private.locked_strays = locked.map(|(id, _)| id.clone()).collect();
    kept.state.strays = decide::listed(strays);
}

/// What is due, by the policy in the state. Written only when it differs.
fn judge(
    cx: &Context,
    kept: &mut Record,
    present: bool,
    sights: &BTreeMap<String, Sight>,
    now: Timestamp,
) {
    let policy = kept.state.policy();
    let expires_at = moment(&kept.state.expires_at);
    let locked = |user: Option<&String>| {
        user.is_some_and(|user| !matches!(sights.get(user), Some(Sight::Seen(_))))
    };
    kept.private.current_expired = present && expires_at.is_some_and(|expiry| expiry <= now);
    kept.private.current_locked = locked(kept.state.user_id.known());
    kept.private.expires_soon = false;
    let mut out_of_reach = Vec::new();
    for (number, old) in kept.state.previous() {
        let locked = locked(old.user_id.known());
        if locked {
            out_of_reach.push(number);
        }
        if let Some(retired) =
            number.parse().ok().and_then(|number: u64| kept.private.previous.get_mut(&number))
        {
            retired.locked = locked;
        }
    }
    if !out_of_reach.is_empty() {
        cx.tell(told::not_removable(&kept.state, &out_of_reach));
    }
    let observed = decide::observed(&kept.state, &kept.private, present);
    let due = due(&observed, &policy, now);
    if due != recorded_due(&kept.state.rotation_due) {
        kept.state.rotation_due = decide::waiting(&due);
    }
    let next = decide::next_due(&policy, &kept.state, &kept.private);
    if kept.state.rotation_due_at != next && !kept.private.imported {
        kept.state.rotation_due_at = next;
    }
}

/// Whether the credential still gives what it should: for free where the caller is the owner, by a login
/// with `check_usable`.
async fn usability(
    cx: &Context,
    kept: &mut Record,
    session: &Session,
    caller: &Token,
    patience: &Patience,
) -> Result<()> {
    let expired = kept.private.current_expired;
    let state = &mut kept.state;
    let wanted = Wanted::of_state(state);
    if !state.check_usable.known().copied().unwrap_or(false) {
        let missing = wanted.lost_by_owner(state, caller);
        if !missing.is_empty() {
            cx.tell(told::weaker(state, &missing));
        }
        return Ok(());
    }
    if expired {
        // No login is needed to know it, and the plan tells it.
        state.usable = Attr::Known(false);
        return Ok(());
    }
    let (Some(id), Some(secret)) = (state.id.known(), state.secret.known()) else {
        cx.tell(told::cannot_check(state));
        return Ok(());
    };
    let login = Login { application_credential_id: id.clone(), secret: secret.0.clone() };
    match session.log_in(&login, patience).await {
        Ok(token) => {
            let missing = wanted.missing_from(&token);
            if !missing.is_empty() {
                cx.tell(told::weaker(state, &missing));
            }
            kept.private.proven = true;
            state.usable = Attr::Known(missing.is_empty());
        }
        Err(error) if error.status() == Some(401) || error.is_not_found() => {
            cx.tell(told::dead(state, &error));
            state.usable = Attr::Known(false);
        }
        Err(error) => {
            return Err(errors::call(
                "Cannot check an application credential",
                "log in with the application credential",
                &error,
                "Nothing was changed.",
                "check_usable = false refreshes without logging in.",
            )
            .into());
        }
    }
    Ok(())
}

fn unreadable(doing: &str, error: &Error) -> Diagnostic {
    errors::call(
        "Cannot read application credentials",
        doing,
        error,
        "Nothing was changed, and the state is as it was.",
        "",
    )
}
