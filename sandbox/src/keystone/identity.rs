//! Users, roles and grants: what a client reads of them, and what an administrator does to them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, collection, done, member, named_member};
use super::caller::{Caller, admin, admin_or_reader};
use super::model::{DOMAIN_ID, Keystone, Role, Scope, User};
use super::refuse;
use super::views::RoleView;
use crate::http::{Ask, Reply};

pub(crate) fn list_users(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    admin_or_reader(caller, "list_users")?;
    let wanted = ask.query("name");
    let users = keystone.users.iter().filter(|user| wanted.is_none_or(|name| name == user.name));
    let shown: Vec<Value> = users.map(|user| user_body(keystone, user)).collect();
    Ok(collection(keystone, ask, "users", &shown))
}

pub(crate) fn show_user(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let id = ask.param("user_id");
    if id != caller.user_id {
        admin_or_reader(caller, "get_user")?;
    }
    let user = found_user(keystone, id)?;
    Ok(Reply::ok(&json!({ "user": user_body(keystone, user) })))
}

pub(crate) fn create_user(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let (name, wanted) = named_member(ask, "user")?;
    admin(caller, "create_user")?;
    if keystone.user_named(&name).is_some() {
        return Err(duplicate("user", &name));
    }
    let id = keystone.add_user(&name, wanted["password"].as_str().unwrap_or_default());
    describe_user(keystone, &id, &wanted, ask);
    let user = found_user(keystone, &id)?;
    let body = json!({ "user": user_body(keystone, user) });
    Ok(Reply::json(StatusCode::CREATED, &body))
}

pub(crate) fn update_user(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let wanted = member(ask, "user")?;
    admin(caller, "update_user")?;
    let id = ask.param("user_id");
    found_user(keystone, id)?;
    if let Some(password) = wanted["password"].as_str() {
        keystone.set_password(id, password, ask.now);
    }
    describe_user(keystone, id, &wanted, ask);
    let user = found_user(keystone, id)?;
    let mut shown = user_body(keystone, user);
    shown["extra"] = match &user.description {
        Some(text) => json!({ "description": text }),
        None => json!({}),
    };
    Ok(Reply::ok(&json!({ "user": shown })))
}

fn describe_user(keystone: &mut Keystone, id: &str, wanted: &Value, ask: &Ask) {
    if let Some(user) = keystone.users.iter_mut().find(|user| user.id == id) {
        if let Some(text) = wanted["description"].as_str() {
            user.description = Some(text.to_owned());
        }
        if let Some(name) = wanted["name"].as_str() {
            name.clone_into(&mut user.name);
        }
    }
    if let Some(enabled) = wanted["enabled"].as_bool() {
        keystone.enable_user(id, enabled, ask.now);
    }
}

pub(crate) fn delete_user(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    admin(caller, "delete_user")?;
    let id = ask.param("user_id");
    found_user(keystone, id)?;
    keystone.remove_user(id, ask.now);
    done()
}

/// Everybody changes their own password, by knowing the old one.
pub(crate) fn change_password(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let wanted = member(ask, "user")?;
    let id = ask.param("user_id");
    let known = wanted["original_password"].as_str().unwrap_or_default();
    if caller.user_id != id || found_user(keystone, id)?.password != known {
        return Err(refuse::unauthorized(&keystone.base));
    }
    keystone.set_password(id, wanted["password"].as_str().unwrap_or_default(), ask.now);
    done()
}

pub(crate) fn list_roles(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    admin_or_reader(caller, "list_roles")?;
    let wanted = ask.query("name");
    let roles = keystone.roles.iter().filter(|role| wanted.is_none_or(|name| name == role.name));
    let shown: Vec<Value> = roles.map(|role| linked_role(keystone, role)).collect();
    Ok(collection(keystone, ask, "roles", &shown))
}

/// Looked for before anybody asks whether the caller may: an unknown id is 404 to all.
pub(crate) fn show_role(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let role = found_role(keystone, ask.param("role_id"))?;
    admin_or_reader(caller, "get_role")?;
    Ok(Reply::ok(&json!({ "role": linked_role(keystone, role) })))
}

pub(crate) fn create_role(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let (name, _) = named_member(ask, "role")?;
    admin(caller, "create_role")?;
    if keystone.role_named(&name).is_some() {
        return Err(duplicate("role", &name));
    }
    let id = keystone.add_role(&name);
    let role = found_role(keystone, &id)?;
    let body = json!({ "role": linked_role(keystone, role) });
    Ok(Reply::json(StatusCode::CREATED, &body))
}

pub(crate) fn delete_role(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let id = ask.param("role_id");
    let immutable = found_role(keystone, id)?.immutable;
    admin(caller, "delete_role")?;
    if immutable {
        return Err(refuse::forbidden(&format!(
            "Unable to delete immutable role resource: `{id}. Set resource option \"immutable\" to \
             false first."
        )));
    }
    keystone.remove_role(id);
    done()
}

pub(crate) fn list_grants(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let (user_id, scope) = grant_place(keystone, ask)?;
    admin_or_reader(caller, "list_grants")?;
    let roles = keystone
        .roles
        .iter()
        .filter(|role| keystone.has_grant(&user_id, &scope, &role.id))
        .map(|role| linked_role(keystone, role));
    let shown: Vec<Value> = roles.collect();
    Ok(collection(keystone, ask, "roles", &shown))
}

pub(crate) fn check_grant(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let (user_id, scope) = grant_place(keystone, ask)?;
    admin_or_reader(caller, "check_grant")?;
    let role_id = found_role(keystone, ask.param("role_id"))?.id.clone();
    if keystone.has_grant(&user_id, &scope, &role_id) { done() } else { Err(no_grant(ask)) }
}

pub(crate) fn grant(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let (user_id, scope) = grant_place(keystone, ask)?;
    admin(caller, "create_grant")?;
    let role_id = found_role(keystone, ask.param("role_id"))?.id.clone();
    keystone.add_grant(&user_id, scope, &role_id);
    done()
}

pub(crate) fn ungrant(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let (user_id, scope) = grant_place(keystone, ask)?;
    admin(caller, "revoke_grant")?;
    let role_id = found_role(keystone, ask.param("role_id"))?.id.clone();
    if keystone.remove_grant(&user_id, &scope, &role_id) { done() } else { Err(no_grant(ask)) }
}

fn grant_place(keystone: &Keystone, ask: &Ask) -> Result<(String, Scope), Reply> {
    let project = ask.param("project_id");
    if keystone.project(project).is_none() {
        return Err(refuse::could_not_find("project", project));
    }
    let user = found_user(keystone, ask.param("user_id"))?;
    Ok((user.id.clone(), Scope::Project(project.to_owned())))
}

fn no_grant(ask: &Ask) -> Reply {
    refuse::not_found(&format!(
        "Could not find role assignment with role: {}, user or group: {}, project, domain, or \
         system: {}.",
        ask.param("role_id"),
        ask.param("user_id"),
        ask.param("project_id")
    ))
}

fn found_user<'k>(keystone: &'k Keystone, id: &str) -> Result<&'k User, Reply> {
    keystone.user(id).ok_or_else(|| refuse::could_not_find("user", id))
}

fn found_role<'k>(keystone: &'k Keystone, id: &str) -> Result<&'k Role, Reply> {
    keystone.role(id).ok_or_else(|| refuse::could_not_find("role", id))
}

fn duplicate(kind: &str, name: &str) -> Reply {
    let details = match kind {
        "role" => format!("Duplicate entry found with name {name}"),
        _ => format!("Duplicate entry found with name {name} at domain ID default"),
    };
    refuse::conflict(kind, &details)
}

fn user_body(keystone: &Keystone, user: &User) -> Value {
    let mut body = json!({
        "id": user.id,
        "name": user.name,
        "domain_id": DOMAIN_ID,
        "enabled": user.enabled,
        "password_expires_at": null,
        "options": {},
        "links": { "self": format!("{}/v3/users/{}", keystone.base, user.id) },
    });
    if let Some(text) = &user.description {
        body["description"] = json!(text);
    }
    body
}

fn linked_role(keystone: &Keystone, role: &Role) -> Value {
    let mut body = json!(RoleView::from(role));
    body["links"] = json!({ "self": format!("{}/v3/roles/{}", keystone.base, role.id) });
    body
}
