use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use super::super::testing::{client, patience};
use super::*;

fn deployment() -> Workload {
    Workload::new("openstack-system", Kind::Deployment, "csi").unwrap()
}

const PATH: &str = "/apis/apps/v1/namespaces/openstack-system/deployments/csi";

fn stamp() -> Timestamp {
    "2026-11-22T10:00:00.75Z".parse().unwrap()
}

/// What was asked for: path and body.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A server with one Deployment, and the patches it was sent.
fn server(spec: &Value) -> (Router, Asked) {
    let item = json!({ "metadata": { "name": "csi" }, "spec": spec });
    let patches = Asked::default();
    let received = Arc::clone(&patches);
    let shown = item.clone();
    let patch = move |request: Request| async move {
        let (head, body) = request.into_parts();
        let kind = head.headers["content-type"].to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let line = format!("{kind} {}", head.uri.query().unwrap_or_default());
        received.lock().unwrap().push((line, serde_json::from_slice(&body).unwrap()));
        axum::Json(item)
    };
    (Router::new().route(PATH, get(async || axum::Json(shown)).patch(patch)), patches)
}

#[tokio::test]
async fn a_restart_is_a_note_in_the_pod_template() {
    let (router, patches) = server(&json!({}));
    let done = client(router).await.restart(&deployment(), stamp(), &patience()).await.unwrap();
    assert_eq!(done, Restart::Asked);
    let note = json!({ "kubectl.kubernetes.io/restartedAt": "2026-11-22T10:00:00Z" });
    let patch = json!({ "spec": { "template": { "metadata": { "annotations": note } } } });
    let line =
        "application/strategic-merge-patch+json fieldManager=terraform-provider-rekey".to_owned();
    assert_eq!(*patches.lock().unwrap(), [(line, patch)]);
}

#[tokio::test]
async fn the_same_restart_is_asked_for_once() {
    let note = json!({ "kubectl.kubernetes.io/restartedAt": "2026-11-22T10:00:00Z" });
    let (router, patches) = server(&json!({ "template": { "metadata": { "annotations": note } } }));
    let client = client(router).await;
    let again = client.restart(&deployment(), stamp(), &patience()).await.unwrap();
    assert_eq!(again, Restart::AlreadyAsked);
    assert!(patches.lock().unwrap().is_empty());
    let later = stamp() + jiff::SignedDuration::from_secs(1);
    assert_eq!(client.restart(&deployment(), later, &patience()).await.unwrap(), Restart::Asked);
}

#[tokio::test]
async fn what_a_restart_would_not_renew_is_not_touched() {
    let (router, patches) = server(&json!({ "paused": true }));
    let error =
        client(router).await.restart(&deployment(), stamp(), &patience()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Deployment openstack-system/csi cannot be restarted: it is paused"
    );
    assert!(patches.lock().unwrap().is_empty());
}

#[test]
fn obstacles_are_those_of_the_kind() {
    let found = |kind, spec: Value, deleting: Option<&str>| {
        let item = json!({ "metadata": { "deletionTimestamp": deleting }, "spec": spec });
        obstacle(kind, &serde_json::from_value(item).unwrap())
    };
    let on_delete = json!({ "updateStrategy": { "type": "OnDelete" } });
    let partition = json!({ "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } } });
    let surge = json!({ "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "10%" } } });
    assert_eq!(found(Kind::DaemonSet, on_delete.clone(), None), Some(Obstacle::OnDelete));
    assert_eq!(found(Kind::StatefulSet, on_delete, None), Some(Obstacle::OnDelete));
    assert_eq!(found(Kind::StatefulSet, partition, None), Some(Obstacle::Partition(2)));
    assert_eq!(found(Kind::DaemonSet, surge, None), None);
    assert_eq!(found(Kind::Deployment, json!({ "strategy": { "type": "Recreate" } }), None), None);
    let now = Some("2026-11-22T10:00:00Z");
    assert_eq!(found(Kind::Deployment, json!({}), now), Some(Obstacle::Deleting));
}

#[tokio::test]
async fn a_missing_workload_says_whether_its_namespace_is_there() {
    let namespace = "/api/v1/namespaces/openstack-system";
    let missing = async |answers: Router| {
        let error = client(answers).await.workload(&deployment(), &patience()).await.unwrap_err();
        let Error::WorkloadNotFound { namespace_exists, .. } = error else { panic!("{error}") };
        namespace_exists
    };
    assert_eq!(missing(Router::new()).await, Some(false));
    let there = Router::new().route(namespace, get(async || axum::Json(json!({}))));
    assert_eq!(missing(there).await, Some(true));
    let hidden = Router::new().route(namespace, get(async || StatusCode::FORBIDDEN));
    assert_eq!(missing(hidden).await, None);
}

#[tokio::test]
async fn all_kinds_of_workloads_are_listed() {
    let list = |name: &str| {
        let body = json!({ "items": [{ "metadata": { "name": name } }] }).to_string();
        get(async move || Bytes::from(body.clone()))
    };
    let base = "/apis/apps/v1/namespaces/ns";
    let router = Router::new()
        .route(&format!("{base}/daemonsets"), list("d"))
        .route(&format!("{base}/deployments"), list("e"))
        .route(&format!("{base}/statefulsets"), list("s"));
    let found = client(router).await.workloads("ns", &patience()).await.unwrap();
    let names: Vec<_> = found.iter().map(|one| one.workload.to_string()).collect();
    assert_eq!(names, ["DaemonSet ns/d", "Deployment ns/e", "StatefulSet ns/s"]);
}
