//! `/v3/users/{user_id}/application_credentials`.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, collection, done, json_body};
use super::caller::Caller;
use super::expiry::expiry;
use super::model::{Credential, Keystone, Scope};
use super::views::CredentialView;
use super::{credential_schema, refuse};
use crate::http::{Ask, Reply};

/// Keystone's own secrets have 64 bytes.
const SECRET_CHARACTERS: usize = 86;

#[derive(Serialize)]
struct One<'k> {
    application_credential: CredentialView<'k>,
}

/// Lists the user's, on all projects.
pub(crate) fn list(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let user_id = ask.param("user_id");
    if user_id != caller.user_id && !caller.is_admin() && !caller.is_system_reader() {
        return Err(refuse::forbidden_action("identity:list_application_credentials"));
    }
    // A limit below the number of everybody's makes the real one crash.
    if let Some(limit) = ask.query("limit").filter(|limit| !limit.is_empty()) {
        match limit.parse::<usize>() {
            Ok(limit) if limit >= keystone.credentials.len() => {}
            _ => return Err(refuse::crash()),
        }
    }
    let shown: Vec<CredentialView<'_>> = keystone
        .credentials_of(user_id)
        .filter(|credential| ask.query.iter().all(|(key, text)| suits(credential, key, text)))
        .map(|credential| keystone.view(credential, &credential.roles))
        .collect();
    Ok(collection(keystone, ask, "application_credentials", &shown))
}

/// Whether a credential passes one query parameter; what is no filter lets everything pass.
fn suits(credential: &Credential, key: &str, text: &str) -> bool {
    let name = credential.name.as_str();
    let lower = |text: &str| text.to_lowercase();
    match key {
        "name" | "name__equals" => name == text,
        "name__contains" => name.contains(text),
        "name__endswith" => name.ends_with(text),
        "name__startswith" => name.starts_with(text),
        "name__icontains" => lower(name).contains(&lower(text)),
        "name__iendswith" => lower(name).ends_with(&lower(text)),
        "name__iequals" => lower(name) == lower(text),
        "name__istartswith" => lower(name).starts_with(&lower(text)),
        _ => true,
    }
}

/// Shows one.
pub(crate) fn show(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    require_owner(keystone, ask, caller, "get_application_credential")?;
    let id = ask.param("application_credential_id");
    let credential = keystone.credential(id).ok_or_else(|| no_credential(id))?;
    let shown = keystone.view(credential, &credential.roles);
    Ok(Reply::json(StatusCode::OK, &One { application_credential: shown }))
}

/// Deletes one; what was issued with it dies with it.
pub(crate) fn delete(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let id = ask.param("application_credential_id");
    require_owner(keystone, ask, caller, "delete_application_credential")?;
    keystone.refuse_restricted(caller)?;
    keystone.remove_credential(id).ok_or_else(|| no_credential(id))?;
    done()
}

/// Whose it is is asked of the credential, not of the path, as long as there is one.
fn require_owner(
    keystone: &Keystone,
    ask: &Ask,
    caller: &Caller,
    action: &str,
) -> Result<(), Reply> {
    let credential = keystone.credential(ask.param("application_credential_id"));
    let owner = credential.map_or(ask.param("user_id"), |credential| &credential.user_id);
    let reads = action.starts_with("get");
    if owner == caller.user_id || caller.is_admin() || (reads && caller.is_system_reader()) {
        return Ok(());
    }
    Err(refuse::forbidden_action(&format!("identity:{action}")))
}

fn no_credential(id: &str) -> Reply {
    refuse::could_not_find("Application Credential", id)
}

/// Makes one, for the caller and the project of the caller's token.
pub(crate) fn create(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let body = json_body(ask)?;
    let wanted = credential_schema::check(&body)?;
    issue(keystone, wanted, ask.param("user_id"), caller, ask.now)
}

/// What is left to do once the request has been read.
fn issue(
    keystone: &mut Keystone,
    wanted: &Map<String, Value>,
    user_id: &str,
    caller: &Caller,
    now: Timestamp,
) -> Answer {
    if user_id != caller.user_id || caller.system {
        return Err(refuse::forbidden_action("identity:create_application_credential"));
    }
    keystone.refuse_restricted(caller)?;
    let roles = wanted_roles(keystone, wanted, caller)?;
    let expires_at = match wanted.get("expires_at").and_then(Value::as_str) {
        Some("") => return Err(refuse::crash()),
        Some(written) => Some(expiry(written, now)?),
        None => None,
    };
    let count = keystone.credentials_of(user_id).count();
    if let Some(limit) = keystone.options.user_limit
        && count >= limit
    {
        return Err(refuse::forbidden(&format!(
            "Unable to create additional application credentials, maximum of {limit} already \
             exceeded for user."
        )));
    }
    keystone.require_assigned(&roles, caller)?;
    let name = text(wanted, "name").unwrap_or_default();
    let conflict = || {
        let details = format!("Duplicate entry found with name {name}");
        refuse::conflict("application_credential", &details)
    };
    if keystone.credential_named(user_id, name).is_some() || names_twice(&roles) {
        return Err(conflict());
    }
    let (access_rules, new_rules) = keystone.wanted_rules(user_id, wanted.get("access_rules"))?;
    if names_twice(&access_rules) {
        return Err(conflict());
    }
    keystone.access_rules.extend(new_rules);
    let secret = text(wanted, "secret").map(str::to_owned);
    let secret = secret.unwrap_or_else(|| keystone.ids.url_safe(SECRET_CHARACTERS));
    let mut sorted = roles.clone();
    sorted.sort();
    let credential = Credential {
        id: keystone.ids.hex(),
        name: name.to_owned(),
        description: wanted.get("description").and_then(Value::as_str).map(str::to_owned),
        user_id: user_id.to_owned(),
        project_id: caller.project_id.clone(),
        system: wanted.get("system").and_then(Value::as_str).map(str::to_owned),
        expires_at,
        unrestricted: wanted.get("unrestricted").and_then(Value::as_bool),
        roles: sorted,
        access_rules,
        secret,
        logins: 0,
    };
    let mut shown = keystone.view(&credential, &roles);
    shown.secret = Some(&credential.secret);
    let reply = Reply::json(StatusCode::CREATED, &One { application_credential: shown });
    keystone.insert_credential(credential);
    Ok(reply)
}

/// Role ids in the order of the answer: as given with what they imply, or the token's.
fn wanted_roles(
    keystone: &Keystone,
    wanted: &Map<String, Value>,
    caller: &Caller,
) -> Result<Vec<String>, Reply> {
    let given = wanted.get("roles").and_then(Value::as_array).filter(|roles| !roles.is_empty());
    let Some(given) = given else { return Ok(caller.role_ids.clone()) };
    let mut ids = Vec::new();
    for role in given {
        if let Some(id) = role.get("id").and_then(Value::as_str) {
            ids.push(id.to_owned());
        } else {
            let name = role.get("name").and_then(Value::as_str).unwrap_or_default();
            let Some(role) = keystone.role_named(name) else {
                return Err(refuse::not_found(&format!("Role {name} is not defined")));
            };
            ids.push(role.id.clone());
        }
    }
    // What is named twice stays so, and ends in a conflict.
    let mut roles = ids.clone();
    roles.extend(keystone.with_implied(ids.clone()).into_iter().filter(|id| !ids.contains(id)));
    if roles.iter().all(|role| caller.role_ids.contains(role)) {
        Ok(roles)
    } else {
        Err(refuse::bad_request(
            "Invalid application credential: Cannot create an application credential with \
             unassigned role",
        ))
    }
}

fn names_twice(ids: &[String]) -> bool {
    ids.iter().enumerate().any(|(index, id)| ids[..index].contains(id))
}

/// What a service that acts with the caller's token gets; or Keystone's refusal.
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Keystone {
    /// Makes a credential of all the token's roles for a service that acts with the caller's token.
    pub(crate) fn issue_for_service(
        &mut self,
        caller: &Caller,
        name: &str,
        description: &str,
        now: Timestamp,
    ) -> Result<Issued, Reply> {
        let path = format!("/v3/users/{}/application_credentials", caller.user_id);
        if !self.lets_through(caller, "identity", "POST", &path) {
            return Err(refuse::unauthorized(&self.base));
        }
        let wanted = json!({ "name": name, "description": description });
        let wanted = wanted.as_object().cloned().unwrap_or_default();
        issue(self, &wanted, &caller.user_id, caller, now)?;
        match self.credential_named(&caller.user_id, name) {
            Some(made) => Ok(Issued { id: made.id.clone(), secret: made.secret.clone() }),
            None => Err(refuse::crash()),
        }
    }

    fn refuse_restricted(&self, caller: &Caller) -> Result<(), Reply> {
        let credential = caller.credential_id.as_deref().and_then(|id| self.credential(id));
        if credential.is_some_and(|credential| credential.unrestricted != Some(true)) {
            return Err(refuse::forbidden_action(
                "Using method 'application_credential' is not allowed for managing additional \
                 application credentials.",
            ));
        }
        Ok(())
    }

    /// The token's roles may have been taken away since.
    fn require_assigned(&self, roles: &[String], caller: &Caller) -> Result<(), Reply> {
        let Some(project_id) = &caller.project_id else { return Ok(()) };
        let held = self.effective_roles(&caller.user_id, &Scope::Project(project_id.clone()));
        match roles.iter().find(|role| !held.contains(role)) {
            Some(role) => Err(refuse::bad_request(&format!(
                "Invalid application credential: Could not find role assignment with role: \
                 {role}, user or group: {}, project, domain, or system: {project_id}.",
                caller.user_id
            ))),
            None => Ok(()),
        }
    }
}

fn text<'v>(members: &'v Map<String, Value>, key: &str) -> Option<&'v str> {
    members.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}
