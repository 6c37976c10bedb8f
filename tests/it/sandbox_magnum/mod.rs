//! The sandbox's Magnum, and the small Kubernetes of its clusters, held to the real thing: by a real Magnum, answer
//! by answer, and by the real clients `openstack coe` and `kubectl`.

mod certificates;
mod client;
mod clusters;
mod kubernetes;
mod rotating;

use serde_json::{Value, json};

use crate::sandbox::differ::Probe;
use crate::sandbox::people::{create_project, create_user, grant, log_in, roles};

/// A project `{demo}` with `{alice}` and `{bob}` (member), `{carol}` (`_member_`, `project_admin`) and `{rita}`
/// (reader), and templates: `full-{u}` with a label, `norotate-{u}`, `bare-{u}` without TLS.
async fn settle(p: &mut Probe<'_>) {
    roles(p).await;
    create_project(p, "demo").await;
    for (user, granted) in [
        ("alice", &["member"][..]),
        ("bob", &["member"]),
        ("carol", &["_member_", "project_admin"]),
        ("rita", &["reader"]),
    ] {
        create_user(p, user).await;
        for role in granted {
            grant(p, user, "demo", role).await;
        }
        log_in(p, user, "demo").await;
    }
    for (name, fields) in [
        ("full", json!({ "image_id": "stub-full", "labels": { "kube_tag": "v1.33.8", "a": "1" } })),
        ("norotate", json!({ "image_id": "stub-norotate" })),
        ("bare", json!({ "image_id": "stub-full", "tls_disabled": true })),
    ] {
        let mut body = json!({ "name": format!("{name}-{{u}}"), "coe": "kubernetes" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let what = format!("make the template {name}");
        let made = ask(p, &what, "POST /v1/clustertemplates", "alice", Some(body)).await;
        p.keep_from(&format!("{name}_template"), &made["uuid"]);
    }
}

/// A request in version 1.12 of the API.
async fn ask(
    p: &mut Probe<'_>,
    what: &str,
    request: &str,
    token: &str,
    body: Option<Value>,
) -> Value {
    ask_in(p, what, request, token, "container-infra 1.12", body).await
}

/// A request with that header for the version; empty for none.
async fn ask_in(
    p: &mut Probe<'_>,
    what: &str,
    request: &str,
    token: &str,
    version: &str,
    body: Option<Value>,
) -> Value {
    let token = format!("{{{token}}}");
    let mut headers = vec![("X-Auth-Token", token.as_str())];
    if !version.is_empty() {
        headers.push(("OpenStack-API-Version", version));
    }
    let body = body.map(|body| body.to_string());
    if body.is_some() {
        headers.push(("Content-Type", "application/json"));
    }
    p.send_raw(what, request, &headers, body.as_deref()).await.body
}

/// A cluster of alice's, once it is there: `{NAME}` is its uuid then.
async fn cluster(p: &mut Probe<'_>, name: &str, template: &str, labels: Value) {
    let body = json!({
        "name": format!("{name}-{{u}}"),
        "cluster_template_id": format!("{template}-{{u}}"),
        "labels": labels,
        "merge_labels": true,
    });
    let what = format!("make the cluster {name}");
    let made = ask(p, &what, "POST /v1/clusters", "alice", Some(body)).await;
    p.keep_from(name, &made["uuid"]);
    p.settled(&format!("{{{name}}}")).await;
}
