//! Who there is in a script: made by the same requests on both sides.

use serde_json::{Value, json};

use super::differ::{Probe, password};

/// A project: `{demo}` for alice, bob, carol (and `{other}` for alice), with roles as in the demo
/// seed; tokens `{alice}`, `{bob}`, `{carol}`; ids `{alice_id}` and so on; every role's id as
/// `{role_NAME}`.
pub(crate) async fn settle(p: &mut Probe<'_>) {
    roles(p).await;
    for project in ["demo", "other"] {
        create_project(p, project).await;
    }
    create_user(p, "alice").await;
    for role in ["member", "_member_", "project_admin", "compute_start_stop"] {
        grant(p, "alice", "demo", role).await;
    }
    grant(p, "alice", "other", "member").await;
    create_user(p, "bob").await;
    grant(p, "bob", "demo", "member").await;
    create_user(p, "carol").await;
    for role in ["_member_", "project_admin"] {
        grant(p, "carol", "demo", role).await;
    }
    for user in ["alice", "bob", "carol"] {
        log_in(p, user, "demo").await;
    }
}

/// Keeps the ids of the roles that both sides have.
pub(crate) async fn roles(p: &mut Probe<'_>) {
    let names = [
        "admin",
        "manager",
        "member",
        "reader",
        "service",
        "_member_",
        "project_admin",
        "compute_start_stop",
        "unheld_role",
    ];
    for name in names {
        let request = format!("GET /v3/roles?name={name}");
        let answer = p.send(&format!("find role {name}"), &request, "admin", None).await;
        p.keep_from(&format!("role_{name}"), &answer.body["roles"][0]["id"]);
    }
}

pub(crate) async fn create_project(p: &mut Probe<'_>, project: &str) {
    let body = json!({ "project": { "name": format!("{project}-{{u}}"), "domain_id": "default" } });
    let what = format!("create project {project}");
    let answer = p.send(&what, "POST /v3/projects", "admin", Some(body)).await;
    p.keep_from(project, &answer.body["project"]["id"]);
}

pub(crate) async fn create_user(p: &mut Probe<'_>, user: &str) {
    let body = json!({ "user": {
        "name": format!("{user}-{{u}}"),
        "password": format!("{user}pw"),
        "domain_id": "default",
    }});
    let answer =
        p.send(&format!("create user {user}"), "POST /v3/users", "admin", Some(body)).await;
    p.keep_from(&format!("{user}_id"), &answer.body["user"]["id"]);
}

pub(crate) async fn grant(p: &mut Probe<'_>, user: &str, project: &str, role: &str) {
    let request =
        format!("PUT /v3/projects/{{{project}}}/users/{{{user}_id}}/roles/{{role_{role}}}");
    p.send(&format!("grant {user} {role} on {project}"), &request, "admin", None).await;
}

pub(crate) async fn ungrant(p: &mut Probe<'_>, user: &str, project: &str, role: &str) {
    let request =
        format!("DELETE /v3/projects/{{{project}}}/users/{{{user}_id}}/roles/{{role_{role}}}");
    p.send(&format!("take {role} on {project} from {user}"), &request, "admin", None).await;
}

/// The login of one of these people.
pub(crate) fn login_of(user: &str, project: Option<&str>) -> Value {
    let scope = project.map(|project| json!({ "id": format!("{{{project}}}") }));
    password(&format!("{user}-{{u}}"), &format!("{user}pw"), scope)
}

/// Logs somebody in; the token bears the user's name.
pub(crate) async fn log_in(p: &mut Probe<'_>, user: &str, project: &str) {
    p.log_in(&format!("{user} logs in"), user, login_of(user, Some(project))).await;
}

/// Makes a credential; `{NAME}` is its id then, and `{NAME_secret}` its secret.
pub(crate) async fn issue(p: &mut Probe<'_>, user: &str, token: &str, name: &str, more: Value) {
    let mut wanted = json!({ "name": name });
    if let (Some(wanted), Some(more)) = (wanted.as_object_mut(), more.as_object()) {
        wanted.extend(more.clone());
    }
    let request = format!("POST /v3/users/{{{user}_id}}/application_credentials");
    let body = json!({ "application_credential": wanted });
    let what = format!("{token} issues {name}");
    let answer = p.send(&what, &request, token, Some(body)).await;
    let issued = &answer.body["application_credential"];
    p.keep_from(name, &issued["id"]);
    p.keep_from(&format!("{name}_secret"), &issued["secret"]);
}

/// Logs in with a credential of these; the token is `{NAME_token}`.
pub(crate) async fn use_credential(p: &mut Probe<'_>, what: &str, name: &str) {
    let payload = json!({ "id": format!("{{{name}}}"), "secret": format!("{{{name}_secret}}") });
    p.log_in(what, &format!("{name}_token"), super::differ::credential(&payload)).await;
}
