use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use super::super::testing::{client, patience};
use super::super::workload::Kind;
use super::*;

const BASE: &str = "/apis/apps/v1/namespaces/ns";
const DATE: &str = "Sun, 22 Nov 2026 10:10:00 GMT";

/// A server with one Deployment that is rolled out, these pods of it, and a replica set that may be listed or not.
fn server(pods: &Value, sets_may_be_listed: bool) -> Router {
    let deployment = json!({
        "metadata": { "name": "web", "uid": "the-deployment", "generation": 1 },
        "spec": { "replicas": 1, "selector": { "matchLabels": { "app": "web" } } },
        "status": { "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 },
    });
    let set = |uid: &str, owner: &str| json!({ "metadata": { "uid": uid, "ownerReferences": [{ "controller": true, "uid": owner }] } });
    let sets =
        json!({ "items": [set("own-set", "the-deployment"), set("other-set", "the-canary")] });
    let sets = if sets_may_be_listed {
        get(async || axum::Json(sets))
    } else {
        get(async || axum::http::StatusCode::FORBIDDEN)
    };
    let listed = json!({ "items": pods });
    Router::new()
        .route(&format!("{BASE}/deployments/web"), get(async || axum::Json(deployment)))
        .route(&format!("{BASE}/replicasets"), sets)
        .route("/api/v1/namespaces/ns/pods", get(async || ([("date", DATE)], axum::Json(listed))))
}

fn pod(name: &str, set: (&str, &str), created: &str, leaving_by: Option<&str>) -> Value {
    json!({
        "metadata": {
            "name": name, "uid": name, "creationTimestamp": created, "deletionTimestamp": leaving_by,
            "labels": { "pod-template-hash": "hash" },
            "ownerReferences": [{ "controller": true, "kind": "ReplicaSet", "uid": set.0, "name": set.1 }],
        },
        "spec": { "nodeName": "node-1" },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}

const OWN: (&str, &str) = ("own-set", "web-hash");
const CANARY: (&str, &str) = ("other-set", "web-canary-hash");

fn since() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

async fn follow(router: Router) -> Rollout {
    let web = Workload::new("ns", Kind::Deployment, "web").unwrap();
    client(router).await.wait_for_rollout(&web, since(), &patience()).await.unwrap()
}

/// As kubectl, which calls a rollout done where a dead node or a finalizer keeps an old pod for ever.
#[tokio::test]
async fn a_pod_that_never_goes_is_told_of_and_not_waited_for() {
    let pods = json!([
        pod("old", OWN, "2026-11-22T09:00:00Z", Some("2026-11-22T10:05:00Z")),
        pod("new", OWN, "2026-11-22T10:00:05Z", None),
    ]);
    let rollout = follow(server(&pods, true)).await;
    assert_eq!((rollout.pods.len(), rollout.lingering.len()), (2, 1));
    let advice = rollout.advice().unwrap();
    assert!(advice.contains("old on node-1") && advice.contains("--force"), "{advice}");
}

#[tokio::test]
async fn the_pods_of_a_canary_beside_it_are_none_of_its() {
    for sets_may_be_listed in [true, false] {
        let pods = json!([
            pod("canary", CANARY, "2026-11-22T09:00:00Z", None),
            pod("new", OWN, "2026-11-22T10:00:05Z", None),
        ]);
        let rollout = follow(server(&pods, sets_may_be_listed)).await;
        let names: Vec<_> = rollout.pods.iter().map(|pod| &*pod.name).collect();
        assert_eq!(names, ["new"], "{sets_may_be_listed}");
        assert_eq!(rollout.advice(), None);
    }
}
