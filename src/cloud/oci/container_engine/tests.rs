use serde_json::{Value, json};

use super::*;
use crate::cloud::oci::fixtures::{refusal, session};
use crate::cloud::stub::{Reply, Stub};

fn patience() -> Patience {
    Patience::default()
}

#[tokio::test]
async fn a_start_and_a_completion_are_what_oracles_cli_sends() {
    let accepted =
        Reply::status(202).with("opc-work-request-id", "w1").with("opc-request-id", "r1");
    let stub = Stub::replies(vec![accepted]).await;
    let session = session(&stub);
    let engine = session.container_engine();
    let token = RetryToken::new();
    let patience = patience();
    let start = engine.start_credential_rotation("ocid1.cluster.x", "P5D", &token, &patience);
    let expected = Accepted { work_request_id: Some("w1".into()), request_id: Some("r1".into()) };
    assert_eq!(start.await.unwrap(), expected);
    engine.complete_credential_rotation("ocid1.cluster.x", &token, &patience).await.unwrap();
    let seen = stub.seen();
    let lines = [
        "POST /20180222/clusters/ocid1.cluster.x/actions/startCredentialRotation",
        "POST /20180222/clusters/ocid1.cluster.x/actions/completeCredentialRotation",
    ];
    assert_eq!(stub.lines(), lines);
    assert_eq!(seen[0].body, r#"{"autoCompletionDelayDuration":"P5D"}"#);
    assert_eq!(seen[1].body, "");
    assert_eq!(seen[0].headers["opc-retry-token"], seen[1].headers["opc-retry-token"]);
}

#[tokio::test]
async fn every_page_is_read_and_an_endless_list_is_an_error() {
    let stub = Stub::start(|number, _| {
        let page = Reply::json(200, &json!([{ "id": format!("c{number}") }]));
        if number < 2 { page.with("opc-next-page", &format!("p{number}")) } else { page }
    })
    .await;
    let session_ = session(&stub);
    let all = session_.container_engine().clusters("comp", &patience()).await.unwrap();
    assert_eq!(all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["c0", "c1", "c2"]);
    let lines = [
        "GET /20180222/clusters?compartmentId=comp",
        "GET /20180222/clusters?compartmentId=comp&page=p0",
        "GET /20180222/clusters?compartmentId=comp&page=p1",
    ];
    assert_eq!(stub.lines(), lines);

    let again = Reply::json(200, &json!([])).with("opc-next-page", "same");
    let stub = Stub::replies(vec![again]).await;
    let error = session(&stub).container_engine().clusters("comp", &patience()).await.unwrap_err();
    assert!(error.to_string().contains("its pages do not end"), "{error}");
    assert_eq!(stub.lines().len(), 2);
}

#[tokio::test]
async fn a_work_request_tells_when_to_ask_again() {
    let work = json!({
        "id": "w", "operationType": "CLUSTER_UPDATE", "status": "IN_PROGRESS", "compartmentId": "comp",
        "timeAccepted": "2026-03-01T10:00:00.5+01:00", "timeFinished": null,
        "resources": [{ "actionType": "IN_PROGRESS", "entityType": "cluster", "identifier": "c", "entityUri": null }],
    });
    let stub = Stub::replies(vec![Reply::json(200, &work).with("retry-after", "15")]).await;
    let session = session(&stub);
    let (work, wait) = session.container_engine().work_request("w", &patience()).await.unwrap();
    assert_eq!(wait, Some(Duration::from_secs(15)));
    assert_eq!(work.status, WorkStatus::InProgress);
    assert_eq!(work.time_accepted, "2026-03-01T09:00:00.5Z".parse().ok());
    assert_eq!(work.resources.unwrap()[0].identifier, "c");
}

#[tokio::test]
async fn errors_and_logs_are_asked_in_the_work_requests_own_compartment() {
    let stub = Stub::replies(vec![Reply::json(
        200,
        &json!([{ "message": "no", "code": "X", "timestamp": "t" }]),
    )])
    .await;
    let session = session(&stub);
    let engine = session.container_engine();
    let errors = engine.work_request_errors("w", "comp", &patience()).await.unwrap();
    assert_eq!(errors[0].message, "no");
    let logs = engine.work_request_logs("w", "comp", &patience()).await.unwrap();
    assert_eq!(logs[0].timestamp, "t");
    let lines = [
        "GET /20180222/workRequests/w/errors?compartmentId=comp",
        "GET /20180222/workRequests/w/logs?compartmentId=comp",
    ];
    assert_eq!(stub.lines(), lines);
}

#[tokio::test]
async fn a_kubeconfig_is_asked_for_as_yaml() {
    let yaml = Reply::Answer { status: 200, headers: Vec::new(), body: "apiVersion: v1\n".into() };
    let stub = Stub::replies(vec![yaml, Reply::status(200)]).await;
    let session = session(&stub);
    let engine = session.container_engine();
    let wanted = Some(KubeconfigEndpoint::Public);
    engine.kubeconfig("c", wanted, &patience()).await.unwrap();
    let seen = &stub.seen()[0];
    assert_eq!(seen.line, "POST /20180222/clusters/c/kubeconfig/content");
    assert_eq!(seen.headers["accept"], "application/x-yaml");
    assert!(!seen.headers.contains_key("opc-retry-token"));
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body, json!({ "tokenVersion": "2.0.0", "endpoint": "PUBLIC_ENDPOINT" }));
    assert!(engine.kubeconfig("c", None, &patience()).await.is_err());
}

#[tokio::test]
async fn a_cluster_that_was_never_rotated_is_told_from_what_went_wrong() {
    let stub = Stub::replies(vec![refusal(404, "NotAuthorizedOrNotFound", "no")]).await;
    let session = session(&stub);
    let engine = session.container_engine();
    let error = engine.credential_rotation_status("c", &patience()).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[test]
fn values_that_nobody_knew_are_shown_and_never_a_failure() {
    let rotation = |value: Value| serde_json::from_value::<CredentialRotation>(value).unwrap();
    let known = rotation(json!({
        "status": "WAITING", "statusDetails": "NEW_CREDENTIALS_ISSUED",
        "timeAutoCompletionScheduled": "2026-12-01T10:00:00.000Z",
    }));
    assert_eq!(known.status, RotationStatus::Waiting);
    assert_eq!(known.status_details, RotationDetails::NewCredentialsIssued);
    assert_eq!(known.time_auto_completion_scheduled, "2026-12-01T10:00:00Z".parse().ok());

    let odd = rotation(json!({
        "status": "PAUSED", "statusDetails": null, "timeAutoCompletionScheduled": "soon", "more": 1,
    }));
    assert_eq!(odd.status.to_string(), "PAUSED");
    assert_eq!(odd.status_details.to_string(), "unknown");
    assert_eq!(odd.time_auto_completion_scheduled, None);
    assert_eq!(rotation(json!({})), CredentialRotation::default());
    assert_eq!(rotation(json!({ "status": 7 })).status, RotationStatus::default());

    let cluster: Cluster = serde_json::from_value(json!({
        "id": "c", "name": null, "lifecycleState": "RESTING", "type": "ENHANCED_CLUSTER",
        "metadata": { "timeCredentialExpiration": "2031-01-01T00:00:00Z" },
    }))
    .unwrap();
    assert_eq!(cluster.lifecycle_state.as_str(), "RESTING");
    assert_eq!(cluster.r#type, ClusterType::Enhanced);
    assert_eq!(cluster.credentials_expire_at(), "2031-01-01T00:00:00Z".parse().ok());
    assert_eq!(Cluster::default().credentials_expire_at(), None);

    let pool: NodePool = serde_json::from_value(json!({
        "id": "p", "nodes": [{ "id": "n", "lifecycleState": "FAILING",
            "nodeError": { "message": "no capacity", "opc-request-id": "r" } }],
    }))
    .unwrap();
    let node = &pool.nodes.unwrap()[0];
    assert_eq!(node.lifecycle_state, NodeLifecycle::Failing);
    assert_eq!(node.node_error.as_ref().unwrap().request_id.as_deref(), Some("r"));
}
