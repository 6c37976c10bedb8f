//! Import, and `moved` from the openstack provider: an existing credential is taken over as it is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::clock;
use crate::cloud::openstack::keystone::ApplicationCredential as Listed;
use crate::provider::application_credential::issue::no_random;
use crate::provider::application_credential::model::{AccessRule, ApplicationCredential, Identity};
use crate::provider::application_credential::naming::Naming;
use crate::provider::application_credential::private::Private;
use crate::provider::application_credential::{ApplicationCredentialResource, Record, identity};
use crate::provider::arguments::{moment, whole_seconds, written};
use crate::provider::errors;
use crate::provider::openstack::{patience, token};
use crate::rotation::Moment;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::{Attr, Secret, Set};
use crate::tfplugin::traits::{ImportTarget, MoveSource};

const OTHERS_TYPE: &str = "openstack_identity_application_credential_v3";

/// By `ID`, by `USER_ID/ID`, or by identity.
pub async fn import(
    resource: &ApplicationCredentialResource,
    cx: &Context,
    target: ImportTarget<Identity>,
) -> Result<Record> {
    let (user, id) = parse(target)?;
    let session = resource.openstack.session_now().await?;
    let patience = patience(cx);
    let caller = token(&session, &patience).await?;
    let path_user = user.clone().unwrap_or_else(|| caller.user.id.clone());
    let found = session.keystone().application_credential(&path_user, &id, &patience).await;
    let credential = found.map_err(|error| {
        let next = match error.status() {
            Some(404) if error.is_not_found() => format!(
                "This cloud has no application credential of that id. `openstack application credential list` shows those of {}.",
                caller.user.name
            ),
            Some(403) => format!(
                "It belongs to another user. Only its owner or an administrator can see it; this login is {} ({}).",
                caller.user.name, caller.user.id
            ),
            _ => String::new(),
        };
        errors::call(
            "Cannot import an application credential",
            &format!("read the application credential {id}"),
            &error,
            "Nothing was changed.",
            &next,
        )
    })?;
    if let Some(user) = user.filter(|user| *user != credential.user_id) {
        return Err(Diagnostic::error(
            "The application credential belongs to another user",
            format!(
                "The import names user {user}, but the application credential {id} belongs to user {}. Import it as {}/{id}.",
                credential.user_id, credential.user_id
            ),
        )
        .into());
    }
    imported(from_keystone(&credential), session.now())
}

/// `moved` from the openstack provider's resource: its state holds everything, the secret too.
pub fn from_other(source: &MoveSource) -> Result<Option<Record>> {
    if source.type_name != OTHERS_TYPE || !source.provider_address.ends_with("/openstack") {
        return Ok(None);
    }
    let text = |name: &str| -> Attr<String> {
        let value = source.state.get(name).and_then(serde_json::Value::as_str);
        value.filter(|text| !text.is_empty()).map(ToOwned::to_owned).into()
    };
    let id = text("id");
    if id.is_null() {
        return Err(Diagnostic::error(
            "The moved application credential has no id",
            format!("The state of the {OTHERS_TYPE} to be moved has no id, so it is not known which credential it is."),
        )
        .into());
    }
    let names_in = |name: &str| -> Vec<String> {
        let list = source.state.get(name).and_then(serde_json::Value::as_array);
        let texts = list.into_iter().flatten().filter_map(serde_json::Value::as_str);
        texts.map(ToOwned::to_owned).collect()
    };
    let rules = source.state.get("access_rules").and_then(serde_json::Value::as_array);
    let rules: Vec<AccessRule> = rules
        .into_iter()
        .flatten()
        .map(|rule| {
            let field = |name: &str| {
                rule.get(name).and_then(serde_json::Value::as_str).map(ToOwned::to_owned).into()
            };
            AccessRule { method: field("method"), path: field("path"), service: field("service") }
        })
        .collect();
    let effective = names_in("roles");
    let expires_at = text("expires_at");
    let state = ApplicationCredential {
        access_rules: given(rules),
        description: text("description"),
        roles: given(effective.iter().cloned().map(Attr::Known).collect()),
        effective_roles: Attr::Known(Set(effective)),
        expires_at: moment(&expires_at).map(written).into(),
        id,
        name: text("name"),
        project_id: text("project_id"),
        region_name: text("region"),
        secret: text("secret").map(Secret::from),
        unrestricted: Attr::Known(
            source.state.get("unrestricted").and_then(serde_json::Value::as_bool) == Some(true),
        ),
        ..ApplicationCredential::default()
    };
    // No cloud is at hand here.
    imported(state, clock::now()).map(Some)
}

fn parse(target: ImportTarget<Identity>) -> Result<(Option<String>, String)> {
    let (user, id) = match target {
        ImportTarget::Id(id) => match id.rsplit_once('/') {
            Some((user, id)) => (Some(user.to_owned()), id.to_owned()),
            None => (None, id),
        },
        ImportTarget::Identity(identity) => {
            (identity.user_id.into_option(), identity.id.known_or_default())
        }
    };
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if plain(&id) && user.as_deref().is_none_or(plain) {
        return Ok((user, id));
    }
    Err(Diagnostic::error(
        "That is not the id of an application credential",
        "Import by ID, or by USER_ID/ID for a credential of another user; both are ids as `openstack application credential \
         list` and `openstack user show` print them, not names.",
    )
    .into())
}

/// A restriction as an argument holds it: what is empty restricts nothing, and cannot be written.
fn given<T>(restriction: Vec<T>) -> Attr<Set<T>> {
    Some(Set(restriction)).filter(|restriction| !restriction.is_empty()).into()
}

/// All that Keystone tells, the rights above all: where the configuration is generated from it, they stay as they are.
fn from_keystone(credential: &Listed) -> ApplicationCredential {
    ApplicationCredential {
        access_rules: given(credential.access_rules.iter().map(AccessRule::from).collect()),
        expires_at: credential.expires_at.map(written).into(),
        id: Attr::Known(credential.id.clone()),
        name: Attr::Known(credential.name.clone()),
        roles: given(credential.roles.iter().map(|role| Attr::Known(role.name.clone())).collect()),
        unrestricted: Attr::Known(credential.unrestricted),
        user_id: Attr::Known(credential.user_id.clone()),
        ..ApplicationCredential::default()
    }
}

/// A life that begins in the middle.
fn imported(mut state: ApplicationCredential, now: Timestamp) -> Result<Record> {
    state.generation = Attr::Known(1);
    state.previous_generations = Attr::Known(BTreeMap::new());
    let naming = Naming::new().map_err(no_random)?;
    let private = Private {
        imported: true,
        imported_at: Some(whole_seconds(now)),
        naming,
        ..Private::default()
    };
    tracing::debug!(since = %Moment(now), "credential imported");
    let identity = Some(identity(&state));
    Ok(Record { state, private, identity })
}
