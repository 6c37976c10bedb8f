use serde_json::json;

use super::*;
use crate::cloud::Surroundings;
use crate::cloud::kubernetes::{Access, Settings};
use crate::cloud::stub::{Reply, Stub};

async fn against(reply: Reply) -> (Client, Stub) {
    let stub = Stub::replies(vec![reply]).await;
    let host = format!("http://127.0.0.1:{}", stub.port);
    let settings = Settings { host: Some(host), ..Settings::default() };
    let access = Access::resolve(&settings, &Surroundings::default()).unwrap();
    (Client::new(crate::cloud::kubernetes::Client::new(access)), stub)
}

fn refusal(status: u16, reason: &str) -> Reply {
    Reply::json(status, &json!({ "kind": "Status", "reason": reason, "message": "no" }))
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The one request that was made: its line and its body.
fn only(stub: &Stub) -> (String, Json) {
    let seen = stub.seen();
    assert_eq!(seen.len(), 1, "{:?}", stub.lines());
    (seen[0].line.clone(), serde_json::from_str(&seen[0].body).unwrap())
}

#[tokio::test]
async fn a_root_is_merged_into_key_by_key() {
    let (client, stub) = against(Reply::json(200, &json!({}))).await;
    let data = Data::from([("aws_access_key_id".to_owned(), super::super::Value::new("AKIA1"))]);
    let write = RootWrite { platform: Platform::Aws, data: &data, version: Some("7") };
    assert_eq!(client.write_root(&write, &Patience::default()).await.unwrap(), Write::Done);
    let (line, body) = only(&stub);
    assert_eq!(
        line,
        "PATCH /api/v1/namespaces/kube-system/secrets/aws-creds?fieldManager=terraform-provider-rekey"
    );
    assert_eq!(stub.seen()[0].headers["content-type"], "application/merge-patch+json");
    assert_eq!(
        body,
        json!({
            "metadata": { "resourceVersion": "7", "annotations": { "cloudcredential.openshift.io/mode": null } },
            "data": { "aws_access_key_id": "QUtJQTE=" },
        })
    );
}

#[tokio::test]
async fn openstacks_annotation_is_left_alone() {
    let (client, stub) = against(Reply::json(200, &json!({}))).await;
    let data = Data::new();
    let write = RootWrite { platform: Platform::Openstack, data: &data, version: Some("7") };
    client.write_root(&write, &Patience::default()).await.unwrap();
    assert_eq!(only(&stub).1["metadata"], json!({ "resourceVersion": "7" }));
}

#[tokio::test]
async fn a_removed_root_is_made() {
    let (client, stub) = against(Reply::json(201, &json!({}))).await;
    let data = Data::from([("k".to_owned(), super::super::Value::new("v"))]);
    let write = RootWrite { platform: Platform::Gcp, data: &data, version: None };
    client.write_root(&write, &Patience::default()).await.unwrap();
    let (line, body) = only(&stub);
    assert!(line.starts_with("POST /api/v1/namespaces/kube-system/secrets?"), "{line}");
    assert_eq!(body["metadata"]["name"], "gcp-credentials");
}

#[tokio::test]
async fn a_deletion_names_the_uid() {
    let (client, stub) = against(Reply::json(200, &json!({ "kind": "Status" }))).await;
    let deleted = client.delete_secret(&name("a/b"), "uid-1", &Patience::default()).await;
    assert_eq!(deleted.unwrap(), Write::Done);
    let (line, body) = only(&stub);
    assert_eq!(line, "DELETE /api/v1/namespaces/a/secrets/b");
    assert_eq!(body["preconditions"], json!({ "uid": "uid-1" }));
}

#[tokio::test]
async fn what_changed_meanwhile_is_no_error() {
    for (status, reason, expected) in
        [(409, "Conflict", Write::Superseded), (404, "NotFound", Write::Gone)]
    {
        let (client, _stub) = against(refusal(status, reason)).await;
        let patience = Patience::default();
        assert_eq!(client.delete_secret(&name("a/b"), "u", &patience).await.unwrap(), expected);
        assert_eq!(client.annotate(&name("a/b"), "k", None, &patience).await.unwrap(), expected);
        assert_eq!(client.redeploy("why", &patience).await.unwrap(), expected);
    }
    let (client, _stub) = against(refusal(403, "Forbidden")).await;
    let denied = client.delete_secret(&name("a/b"), "u", &Patience::default()).await;
    assert!(
        matches!(denied, Err(Error::Kubernetes(kubernetes::Error::Forbidden(_)))),
        "{denied:?}"
    );
}

#[tokio::test]
async fn a_cluster_without_infrastructure_is_not_openshift() {
    let (client, _stub) = against(refusal(404, "NotFound")).await;
    let error = client.infrastructure(&Patience::default()).await.unwrap_err().to_string();
    assert!(error.contains("not OpenShift"), "{error}");
}

#[tokio::test]
async fn a_secrets_values_are_not_printed_from_then_on() {
    let secret = "c2VjcmV0LW9mLXRoZS1yb290"; // secret-of-the-root
    let data = json!({ "aws_access_key_id": "QUtJQVJPT1Q=", "aws_secret_access_key": secret });
    let (client, _stub) = against(Reply::json(200, &json!({ "data": data }))).await;
    let root = client.root(Platform::Aws, &Patience::default()).await.unwrap().unwrap();
    assert_eq!(root.data["aws_secret_access_key"].text(), Some("secret-of-the-root"));
    assert!(!format!("{root:?}").contains("secret-of"));
    assert!(!crate::redaction::clean("it is secret-of-the-root").contains("secret-of"));
}
