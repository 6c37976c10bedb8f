//! `/v3/users/{user_id}/application_credentials`.

use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::model::{Credential, Keystone, Role, Scope};
use super::{Answer, Caller, collection, credential_schema, done, json_body, refuse};
use crate::http::{Ask, Reply};

/// Keystone's own secrets have 64 bytes.
const SECRET_CHARACTERS: usize = 86;

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
    let shown: Vec<Value> = keystone
        .credentials_of(user_id)
        .filter(|credential| ask.query.iter().all(|(key, text)| suits(credential, key, text)))
        .map(|credential| {
            let mut shown = keystone.credential_body(credential, &credential.roles);
            shown["links"] = keystone.credential_links(credential);
            shown
        })
        .collect();
    Ok(collection(keystone, ask, "application_credentials", &shown))
}

/// Whether a credential passes one query parameter; what is no filter lets everything pass.
fn suits(credential: &Credential, key: &str, text: &str) -> bool {
    let name = credential.name.as_str();
    let (lower_name, lower) = (name.to_lowercase(), text.to_lowercase());
    // SQLite's LIKE knows no case; exact comparison does.
    match key {
        "name" => name == text,
        "name__contains" | "name__icontains" => lower_name.contains(&lower),
        "name__startswith" | "name__istartswith" => lower_name.starts_with(&lower),
        "name__endswith" | "name__iendswith" => lower_name.ends_with(&lower),
        _ => true,
    }
}

/// Shows one. Whose it is is asked of the credential, not of the path.
pub(crate) fn show(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let credential = found(keystone, ask, caller, "get_application_credential")?;
    let mut shown = keystone.credential_body(credential, &credential.roles);
    shown["links"] = keystone.credential_links(credential);
    Ok(Reply::ok(&json!({ "application_credential": shown })))
}

/// Deletes one; what was issued with it dies with it.
pub(crate) fn delete(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let id = found(keystone, ask, caller, "delete_application_credential")?.id.clone();
    keystone.refuse_restricted(caller)?;
    keystone.remove_credential(&id);
    done()
}

/// The credential in the path, if it is there and the caller may.
fn found<'k>(
    keystone: &'k Keystone,
    ask: &Ask,
    caller: &Caller,
    action: &str,
) -> Result<&'k Credential, Reply> {
    let id = ask.param("application_credential_id");
    let credential = keystone.credential(id);
    let owner = credential.map_or(ask.param("user_id"), |credential| &credential.user_id);
    let reads = action.starts_with("get");
    if owner != caller.user_id && !caller.is_admin() && !(reads && caller.is_system_reader()) {
        return Err(refuse::forbidden_action(&format!("identity:{action}")));
    }
    credential.ok_or_else(|| refuse::could_not_find("Application Credential", id))
}

/// Makes one, for the caller and the project of the caller's token.
pub(crate) fn create(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let body = json_body(ask)?;
    let wanted = credential_schema::check(&body)?;
    let user_id = ask.param("user_id");
    if user_id != caller.user_id || caller.system {
        return Err(refuse::forbidden_action("identity:create_application_credential"));
    }
    keystone.refuse_restricted(caller)?;
    let roles = wanted_roles(keystone, wanted, caller)?;
    let expires_at = match text(wanted, "expires_at") {
        Some(written) => Some(expiry(written, ask.now)?),
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
    if keystone.credential_named(user_id, name).is_some() {
        return Err(refuse::conflict(
            "application_credential",
            &format!("Duplicate entry found with name {name}"),
        ));
    }
    let access_rules = keystone.adopt_rules(user_id, wanted.get("access_rules"))?;
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
        expires_at,
        unrestricted: wanted.get("unrestricted").and_then(Value::as_bool),
        roles: sorted,
        access_rules,
        secret,
        logins: 0,
    };
    let mut shown = keystone.credential_body(&credential, &roles);
    shown["secret"] = json!(credential.secret);
    shown["links"] = keystone.credential_links(&credential);
    keystone.insert_credential(credential);
    Ok(Reply::json(StatusCode::CREATED, &json!({ "application_credential": shown })))
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
    let roles = keystone.with_implied(ids);
    if roles.iter().all(|role| caller.role_ids.contains(role)) {
        Ok(roles)
    } else {
        Err(refuse::bad_request(
            "Invalid application credential: Cannot create an application credential with \
             unassigned role",
        ))
    }
}

impl Keystone {
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

    fn credential_body(&self, credential: &Credential, roles: &[String]) -> Value {
        let roles: Vec<Value> =
            roles.iter().filter_map(|id| self.role(id)).map(role_body).collect();
        let mut shown = json!({
            "id": credential.id,
            "name": credential.name,
            "description": credential.description,
            "user_id": credential.user_id,
            "project_id": credential.project_id,
            "system": null,
            "expires_at": credential.expires_at.map(expiry_text),
            "unrestricted": credential.unrestricted,
            "roles": roles,
        });
        if !credential.access_rules.is_empty() {
            shown["access_rules"] = json!(self.rules_body(credential));
        }
        shown
    }

    fn credential_links(&self, credential: &Credential) -> Value {
        json!({ "self": format!("{}/v3/application_credentials/{}", self.base, credential.id) })
    }
}

/// A role as it stands inside other things: without links.
pub(crate) fn role_body(role: &Role) -> Value {
    let options = if role.immutable { json!({ "immutable": true }) } else { json!({}) };
    json!({
        "id": role.id,
        "name": role.name,
        "domain_id": null,
        "description": role.description,
        "options": options,
    })
}

/// `2027-01-01T00:00:00.000000`: without zone, always with six digits.
fn expiry_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
}

/// Reads what Keystone reads: UTC, with or without `Z`, never with another offset.
fn expiry(written: &str, now: Timestamp) -> Result<Timestamp, Reply> {
    let plain = written.strip_suffix('Z').unwrap_or(written);
    let at = civil(plain)
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| refuse::malformed("Timestamp not in expected format."))?;
    if at < now {
        return Err(refuse::malformed("The 'expires_at' must not be before now."));
    }
    Ok(at)
}

/// Date and time with a `T` or a blank between them; hours are enough.
fn civil(written: &str) -> Option<DateTime> {
    let (date, time) = written.split_once(['T', ' '])?;
    let mut parts = date.split('-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || date.len() < 8 {
        return None;
    }
    let (clock, fraction) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let mut parts = clock.split(':').map(number);
    let hour = parts.next()??;
    let minute = parts.next().unwrap_or(Some(0))?;
    let second = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() || (!fraction.is_empty() && clock.split(':').count() != 3) {
        return None;
    }
    let micros = if fraction.is_empty() {
        0
    } else {
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        number(&digits).filter(|_| fraction.bytes().all(|b| b.is_ascii_digit()))?
    };
    DateTime::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        i32::try_from(micros).ok()? * 1_000,
    )
    .ok()
}

fn number(digits: &str) -> Option<u32> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

fn text<'v>(members: &'v Map<String, Value>, key: &str) -> Option<&'v str> {
    members.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}
