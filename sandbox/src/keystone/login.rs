//! `POST /v3/auth/tokens`: who logs in, by which methods, for which scope.

use serde_json::Value;

use super::answer::{Answer, json_body};
use super::model::{DOMAIN_ID, DOMAIN_NAME, Keystone, Scope, Token, User};
use super::token_calls::issued;
use super::tokens::{Dead, NewToken};
use super::{login_schema, refuse};
use crate::http::{Ask, Reply};

/// What Keystone lists when it is asked for another one.
const METHODS: [&str; 7] = [
    "external",
    "password",
    "token",
    "oauth1",
    "mapped",
    "application_credential",
    "ec2credential",
];
/// Those of them that work here, and the second factor.
const SERVED: [&str; 4] = ["application_credential", "password", "token", "totp"];

/// Whom the methods agree on.
#[derive(Default)]
struct Identified {
    user_id: Option<String>,
    methods: Vec<String>,
    credential_id: Option<String>,
    parent: Option<Token>,
}

/// Issues a token.
pub(crate) fn log_in(keystone: &mut Keystone, ask: &Ask) -> Answer {
    let body = json_body(ask)?;
    let auth = match body.get("auth") {
        None | Some(Value::Null) => return Err(refuse::expected("auth", "request body")),
        Some(auth) => auth,
    };
    login_schema::check(auth)?;
    let methods = method_names(auth);
    for method in &methods {
        if auth["identity"].get(method).is_none() {
            return Err(refuse::expected(method, "identity"));
        }
    }
    let totp = keystone.options.passcode.is_some();
    if methods.iter().any(|name| !SERVED.contains(&name.as_str()) || (name == "totp" && !totp)) {
        return Err(refuse::unsupported_method(&keystone.base, &METHODS, totp));
    }
    let scope = wanted_scope(keystone, auth, &methods)?;
    let mut identified = Identified::default();
    for method in &methods {
        let payload = &auth["identity"][method.as_str()];
        let user_id = match method.as_str() {
            "application_credential" => by_credential(keystone, payload, ask, &mut identified)?,
            "token" => by_token(keystone, payload, ask, &mut identified)?,
            method => by_knowledge(keystone, method, payload)?,
        };
        if identified.user_id.as_ref().is_some_and(|other| *other != user_id) {
            return Err(refuse::unauthorized(&keystone.base));
        }
        identified.user_id = Some(user_id);
        if !identified.methods.contains(method) {
            identified.methods.push(method.clone());
        }
    }
    let Some(user_id) = identified.user_id else {
        return Err(refuse::unauthorized(&keystone.base));
    };
    let new = NewToken {
        user_id,
        methods: identified.methods,
        scope,
        credential_id: identified.credential_id,
        parent: identified.parent,
    };
    match keystone.issue(new, ask.now) {
        Ok((id, token)) => Ok(issued(keystone, ask, id, &token)),
        Err(Dead::Gone(message)) => Err(refuse::not_found(&message)),
        Err(_) => Err(refuse::unauthorized(&keystone.base)),
    }
}

/// In the order given, none twice.
fn method_names(auth: &Value) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in auth["identity"]["methods"].as_array().into_iter().flatten() {
        if let Some(name) = name.as_str()
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

fn wanted_scope(keystone: &Keystone, auth: &Value, methods: &[String]) -> Result<Scope, Reply> {
    if methods.iter().any(|method| method == "application_credential") {
        if auth.get("scope").is_some() {
            return Err(refuse::scope_with_credential(&keystone.base));
        }
        let id = named_credential(keystone, &auth["identity"]["application_credential"])?;
        let project = keystone.credential(&id).and_then(|credential| credential.project_id.clone());
        return Ok(project.map_or(Scope::Unscoped, Scope::Project));
    }
    let Some(scope) = auth.get("scope") else { return Ok(Scope::Unscoped) };
    if scope.as_str() == Some("unscoped") {
        return Ok(Scope::Unscoped);
    }
    let kinds = ["domain", "OS-TRUST:trust", "project", "system", "unscoped"];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| scope.get(kind).is_some()).collect();
    match given[..] {
        ["unscoped"] => Ok(Scope::Unscoped),
        ["system"] => Ok(Scope::System),
        ["project"] => project_scope(keystone, &scope["project"]),
        ["domain"] => domain(keystone, &scope["domain"]).map(|()| Scope::Domain(DOMAIN_ID.into())),
        // There are none.
        ["OS-TRUST:trust"] => Err(refuse::unauthorized(&keystone.base)),
        _ => Err(refuse::expected("system, project, domain, OS-TRUST:trust or unscoped", "scope")),
    }
}

fn project_scope(keystone: &Keystone, wanted: &Value) -> Result<Scope, Reply> {
    let project = if let Some(name) = text(wanted, "name") {
        let Some(domain_wanted) = wanted.get("domain") else {
            return Err(refuse::expected("domain", "project"));
        };
        domain(keystone, domain_wanted)?;
        keystone.project_named(name)
    } else {
        text(wanted, "id").and_then(|id| keystone.project(id))
    };
    match project {
        Some(project) if project.enabled => Ok(Scope::Project(project.id.clone())),
        _ => Err(refuse::unauthorized(&keystone.base)),
    }
}

/// There is one domain.
fn domain(keystone: &Keystone, wanted: &Value) -> Result<(), Reply> {
    let known = match (text(wanted, "name"), text(wanted, "id")) {
        (Some(name), _) => name == DOMAIN_NAME,
        (None, Some(id)) => id == DOMAIN_ID,
        (None, None) => return Err(refuse::expected("id or name", "domain")),
    };
    if known { Ok(()) } else { Err(refuse::unauthorized(&keystone.base)) }
}

/// The id of the credential that a login names.
fn named_credential(keystone: &Keystone, payload: &Value) -> Result<String, Reply> {
    let place = "application credential";
    if let Some(id) = text(payload, "id") {
        return match keystone.credential(id) {
            Some(credential) => Ok(credential.id.clone()),
            None => Err(refuse::could_not_find("Application Credential", id)),
        };
    }
    let Some(name) = text(payload, "name") else {
        return Err(refuse::expected("name or ID", place));
    };
    let user = payload.get("user").filter(|user| user.as_object().is_some_and(|o| !o.is_empty()));
    let Some(user) = user else { return Err(refuse::expected("user", place)) };
    let user_id = if let Some(id) = text(user, "id") {
        id.to_owned()
    } else {
        let Some(wanted) = user.get("domain") else {
            return Err(refuse::expected("domain", "user"));
        };
        domain(keystone, wanted)?;
        let name = text(user, "name").unwrap_or_default();
        match keystone.user_named(name) {
            Some(user) => user.id.clone(),
            None => return Err(refuse::could_not_find("user", name)),
        }
    };
    match keystone.credential_named(&user_id, name) {
        Some(credential) => Ok(credential.id.clone()),
        None => Err(refuse::unauthorized(&keystone.base)),
    }
}

fn by_credential(
    keystone: &mut Keystone,
    payload: &Value,
    ask: &Ask,
    identified: &mut Identified,
) -> Result<String, Reply> {
    let id = named_credential(keystone, payload)?;
    let settling = keystone.options.settling.clone();
    let Some(credential) = keystone.credential_mut(&id) else {
        return Err(refuse::could_not_find("Application Credential", &id));
    };
    credential.logins += 1;
    let early = settling.get(credential.logins - 1).copied();
    let right = text(payload, "secret") == Some(credential.secret.as_str());
    let expired = credential.expires_at.is_some_and(|end| ask.now >= end);
    let user_id = credential.user_id.clone();
    match early {
        Some(404) => return Err(refuse::could_not_find("Application Credential", &id)),
        Some(401) => return Err(refuse::unauthorized(&keystone.base)),
        _ => {}
    }
    let enabled = keystone.user(&user_id).is_some_and(|user| user.enabled);
    if !right || expired || !enabled {
        return Err(refuse::unauthorized(&keystone.base));
    }
    identified.credential_id = Some(id);
    Ok(user_id)
}

fn by_token(
    keystone: &Keystone,
    payload: &Value,
    ask: &Ask,
    identified: &mut Identified,
) -> Result<String, Reply> {
    let id = text(payload, "id").unwrap_or_default();
    match keystone.validate(id, ask.now, true) {
        Ok(token) if token.credential_id.is_some() => Err(refuse::forbidden_action(
            "Using a delegated token to create another token is not allowed.",
        )),
        Ok(token) => {
            identified.parent = Some(token.clone());
            identified.methods.push("token".into());
            identified.methods.extend(token.methods.iter().filter(|m| *m != "token").cloned());
            Ok(token.user_id.clone())
        }
        Err(dead) => Err(dead.told(id)),
    }
}

/// By password or passcode.
fn by_knowledge(keystone: &Keystone, method: &str, payload: &Value) -> Result<String, Reply> {
    // It does not know its own name yet, says the real one.
    let Some(wanted) = payload.get("user") else { return Err(refuse::expected("user", "None")) };
    let user = if let Some(name) = text(wanted, "name") {
        let Some(domain_wanted) = wanted.get("domain") else {
            return Err(refuse::expected("domain", "user"));
        };
        domain(keystone, domain_wanted)?;
        keystone.user_named(name)
    } else if let Some(id) = text(wanted, "id") {
        keystone.user(id)
    } else {
        return Err(refuse::expected("id or name", "user"));
    };
    let right = |user: &&User| match method {
        "password" => text(wanted, "password") == Some(user.password.as_str()),
        _ => text(wanted, "passcode") == keystone.options.passcode.as_deref(),
    };
    match user.filter(|user| user.enabled).filter(right) {
        Some(user) => Ok(user.id.clone()),
        None => Err(refuse::unauthorized(&keystone.base)),
    }
}

/// A string that is there and not empty.
fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}
