//! Clusters and templates: shown, listed, found by name, deleted; versions of the API; the policy.

use serde_json::json;

use super::{ask, ask_in, cluster, settle};
use crate::sandbox::differ::{Probe, compare_with_magnum};

#[tokio::test]
async fn clusters_and_templates_are_shown_as_by_magnum() {
    compare_with_magnum(async |p: &mut Probe<'_>| {
        settle(p).await;
        // Where an API server listens differs.
        let address = "https://k8s.example";
        let labels = json!({ "a": "2", "b": "3", "stub_api_address": address });
        cluster(p, "one", "full", labels).await;
        cluster(p, "two", "norotate", json!({ "stub_api_address": address })).await;
        let labels = json!({ "stub_create": "fail", "stub_api_address": address });
        cluster(p, "broken", "full", labels).await;
        shown(p).await;
        by_whom(p).await;
        refused(p).await;
        deleted(p).await;
    })
    .await;
}

async fn shown(p: &mut Probe<'_>) {
    for request in [
        "GET /v1/clusters/{one}",
        "GET /v1/clusters/{two}",
        "GET /v1/clusters/{broken}",
        "GET /v1/clusters/two-{u}",
        "GET /v1/clusters",
        "GET /v1/clusters/",
        "GET /v1/clusters?limit=2",
        "GET /v1/clusters?limit=2&marker={two}",
        "GET /v1/clusters?sort_key=name&sort_dir=desc",
        "GET /v1/clustertemplates/full-{u}",
        "GET /v1/clustertemplates/{norotate_template}",
        "GET /v1/clustertemplates",
    ] {
        ask(p, "look", request, "alice", None).await;
    }
    for version in [
        "container-infra latest",
        "container-infra 1.13",
        "container-infrastructure 1.1",
        "container-infrastructure-management 1.14",
        "",
    ] {
        ask_in(p, version, "GET /v1/clusters/two-{u}", "alice", version, None).await;
    }
}

async fn by_whom(p: &mut Probe<'_>) {
    for who in ["alice", "bob", "carol", "rita", "admin"] {
        for request in ["GET /v1/clusters/{two}", "GET /v1/clustertemplates/full-{u}"] {
            ask(p, who, request, who, None).await;
        }
        // The administrator sees those of other tests too.
        if who != "admin" {
            ask(p, who, "GET /v1/clusters", who, None).await;
        }
    }
    let body = json!({ "name": "no", "cluster_template_id": "full-{u}" });
    for who in ["carol", "rita"] {
        ask(p, who, "POST /v1/clusters", who, Some(body.clone())).await;
        ask(p, who, "DELETE /v1/clusters/{two}", who, None).await;
    }
    for (what, token) in [("no such token", "nobody"), ("", "")] {
        ask(p, what, "GET /v1/clusters", token, None).await;
    }
    p.send_raw("no token", "GET /v1/clusters", &[], None).await;
    p.send_raw("no token", "GET /", &[], None).await;
}

async fn refused(p: &mut Probe<'_>) {
    for request in [
        "GET /v1/clusters/nope",
        "GET /v1/clusters/00000000-0000-4000-8000-000000000000",
        "GET /v1/clusters?limit=-1",
        "GET /v1/clusters?sort_dir=sideways",
        "GET /v1/clusters?marker=00000000-0000-4000-8000-000000000000",
        "GET /v1/clustertemplates/nope",
        "DELETE /v1/clusters/nope",
        "DELETE /v1/clustertemplates/nope",
        "DELETE /v1/clustertemplates/full-{u}",
        "GET /v1/no-such-thing",
    ] {
        ask(p, "refused", request, "alice", None).await;
    }
    for version in [
        "container-infra 1.99",
        "container-infra 2.1",
        "container-infra x",
        "container-infra",
        "compute 1.12",
    ] {
        ask_in(p, version, "GET /v1/clusters/two-{u}", "alice", version, None).await;
        // Only who asks for JSON is told why.
        let headers = [
            ("X-Auth-Token", "{alice}"),
            ("OpenStack-API-Version", version),
            ("Accept", "application/json"),
        ];
        for request in ["GET /v1/clusters/two-{u}", "GET /v1/nothing"] {
            p.send_raw(version, request, &headers, None).await;
        }
    }
    let unknown = json!({ "name": "no", "cluster_template_id": "nope" });
    ask(p, "no such template", "POST /v1/clusters", "alice", Some(unknown)).await;
    let strange = json!({ "cluster_template_id": "full-{u}", "colour": "red" });
    ask(p, "unknown key", "POST /v1/clusters", "alice", Some(strange)).await;
}

async fn deleted(p: &mut Probe<'_>) {
    // Two of one name: neither is found by it.
    cluster(p, "two", "norotate", json!({ "stub_api_address": "https://k8s.example" })).await;
    for request in ["GET /v1/clusters/two-{u}", "DELETE /v1/clusters/two-{u}"] {
        ask(p, "an ambiguous name", request, "alice", None).await;
    }
    ask(p, "delete", "DELETE /v1/clusters/{two}", "alice", None).await;
}
