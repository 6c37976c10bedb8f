//! Projects and the one domain: what a client reads of them, and what an administrator does.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, collection, done, member, named_member};
use super::caller::{Caller, admin, admin_or_reader};
use super::model::{DOMAIN_ID, DOMAIN_NAME, Keystone, Project, Scope};
use super::refuse;
use crate::http::{Ask, Reply};

/// `GET /v3/auth/projects`.
pub(crate) fn list_own(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    Ok(listed(keystone, ask, |project| holds_role(keystone, &caller.user_id, project)))
}

/// `GET /v3/users/{user_id}/projects`.
pub(crate) fn list_of_user(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let user_id = ask.param("user_id");
    if user_id != caller.user_id {
        admin_or_reader(caller, "list_user_projects")?;
    }
    Ok(listed(keystone, ask, |project| holds_role(keystone, user_id, project)))
}

pub(crate) fn list(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    admin_or_reader(caller, "list_projects")?;
    let wanted = ask.query("name");
    Ok(listed(keystone, ask, |project| wanted.is_none_or(|name| name == project.name)))
}

pub(crate) fn show(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let id = ask.param("project_id");
    if caller.project_id.as_deref() != Some(id) {
        admin_or_reader(caller, "get_project")?;
    }
    let project = found(keystone, id)?;
    Ok(Reply::ok(&json!({ "project": body(keystone, project) })))
}

pub(crate) fn create(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let (name, wanted) = named_member(ask, "project")?;
    admin(caller, "create_project")?;
    if keystone.project_named(&name).is_some() {
        let id = keystone.ids.hex();
        return Err(refuse::conflict(
            "project",
            &format!(
                "it is not permitted to have two projects with either the same name or same id in \
                 the same domain: name is {name}, project id {id}"
            ),
        ));
    }
    let id = keystone.add_project(&name);
    describe(keystone, &id, &wanted);
    let project = found(keystone, &id)?;
    let body = json!({ "project": body(keystone, project) });
    Ok(Reply::json(StatusCode::CREATED, &body))
}

pub(crate) fn update(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let wanted = member(ask, "project")?;
    admin(caller, "update_project")?;
    let id = ask.param("project_id");
    found(keystone, id)?;
    describe(keystone, id, &wanted);
    let project = found(keystone, id)?;
    let mut shown = body(keystone, project);
    shown["extra"] = json!({});
    Ok(Reply::ok(&json!({ "project": shown })))
}

pub(crate) fn delete(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    admin(caller, "delete_project")?;
    let id = ask.param("project_id");
    found(keystone, id)?;
    keystone.remove_project(id);
    done()
}

/// `GET /v3/auth/domains`.
pub(crate) fn list_own_domains(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let scope = Scope::Domain(DOMAIN_ID.into());
    let held = !keystone.effective_roles(&caller.user_id, &scope).is_empty();
    let shown: Vec<Value> = held.then(|| domain_body(keystone)).into_iter().collect();
    Ok(collection(keystone, ask, "domains", &shown))
}

/// `GET /v3/auth/system`.
pub(crate) fn show_own_system(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let held = !keystone.effective_roles(&caller.user_id, &Scope::System).is_empty();
    let system: Vec<Value> = held.then(|| json!({ "all": true })).into_iter().collect();
    let this = format!("{}{}", keystone.base, ask.path);
    Ok(Reply::ok(&json!({ "system": system, "links": { "self": this } })))
}

pub(crate) fn list_domains(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    admin_or_reader(caller, "list_domains")?;
    let suits = ask.query("name").is_none_or(|name| name == DOMAIN_NAME);
    let shown: Vec<Value> = suits.then(|| domain_body(keystone)).into_iter().collect();
    Ok(collection(keystone, ask, "domains", &shown))
}

/// Everybody may see the domain of their own token.
pub(crate) fn show_domain(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let id = ask.param("domain_id");
    if caller.project_id.is_none() || id != DOMAIN_ID {
        admin_or_reader(caller, "get_domain")?;
    }
    if id != DOMAIN_ID {
        return Err(refuse::could_not_find("domain", id));
    }
    Ok(Reply::ok(&json!({ "domain": domain_body(keystone) })))
}

fn listed(keystone: &Keystone, ask: &Ask, suits: impl Fn(&Project) -> bool) -> Reply {
    let projects = keystone.projects.iter().filter(|project| suits(project));
    let shown: Vec<Value> = projects.map(|project| body(keystone, project)).collect();
    collection(keystone, ask, "projects", &shown)
}

fn holds_role(keystone: &Keystone, user_id: &str, project: &Project) -> bool {
    let scope = Scope::Project(project.id.clone());
    keystone.grants.iter().any(|grant| grant.user_id == user_id && grant.scope == scope)
}

fn describe(keystone: &mut Keystone, id: &str, wanted: &Value) {
    if let Some(project) = keystone.projects.iter_mut().find(|project| project.id == id) {
        if let Some(text) = wanted["description"].as_str() {
            text.clone_into(&mut project.description);
        }
        if let Some(name) = wanted["name"].as_str() {
            name.clone_into(&mut project.name);
        }
    }
    if let Some(enabled) = wanted["enabled"].as_bool() {
        keystone.enable_project(id, enabled);
    }
}

fn found<'k>(keystone: &'k Keystone, id: &str) -> Result<&'k Project, Reply> {
    keystone.project(id).ok_or_else(|| refuse::could_not_find("project", id))
}

fn body(keystone: &Keystone, project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "domain_id": DOMAIN_ID,
        "description": project.description,
        "enabled": project.enabled,
        "parent_id": DOMAIN_ID,
        "is_domain": false,
        "tags": [],
        "options": {},
        "links": { "self": format!("{}/v3/projects/{}", keystone.base, project.id) },
    })
}

fn domain_body(keystone: &Keystone) -> Value {
    json!({
        "id": DOMAIN_ID,
        "name": DOMAIN_NAME,
        "description": "The default domain",
        "enabled": true,
        "tags": [],
        "options": {},
        "links": { "self": format!("{}/v3/domains/{DOMAIN_ID}", keystone.base) },
    })
}
