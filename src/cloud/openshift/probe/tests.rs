use serde_json::json;

use super::super::root::Azure;
use super::super::testing::{CLOUDS, cluster};
use super::*;
use crate::cloud::stub::{Reply, Seen, Stub};

/// Keystone for secrets whose names tell what they are for: `PROJECT`, `no-role` or `dead`.
async fn keystone() -> Stub {
    Stub::start(|_, seen: &Seen| {
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        let secret = &body["auth"]["identity"]["application_credential"]["secret"];
        let secret = secret.as_str().unwrap();
        if secret.starts_with("dead") {
            return Reply::json(401, &json!({ "error": { "code": 401, "message": "Unauthorized", "title": "Unauthorized" } }));
        }
        let roles = if secret == "no-role" { json!([]) } else { json!([{ "id": "r", "name": "member" }]) };
        let mut token = json!({ "token": {
            "user": { "id": "u", "name": "alice", "domain": { "id": "d", "name": "D" } },
            "roles": roles,
            "issued_at": "2026-11-22T08:00:00.000000Z", "expires_at": "2099-11-22T08:00:00.000000Z",
        } });
        if secret != "unscoped" {
            token["token"]["project"] = json!({ "id": secret, "name": format!("name-of-{secret}") });
        }
        Reply::json(201, &token).with("X-Subject-Token", "token-1")
    })
    .await
}

fn yaml(stub: &Stub, secret: &str) -> String {
    let url = stub.url("/v3");
    format!(
        "clouds: {{openstack: {{auth: {{auth_url: '{url}', application_credential_id: id, \
         application_credential_secret: {secret}}}}}}}"
    )
}

/// What comes of `new` where `old` is in use.
async fn openstack(new: &str, old: &str) -> String {
    let stub = keystone().await;
    let mut situation = cluster(Platform::Openstack).situation();
    situation.root.as_mut().unwrap().data = NewRoot::openstack(&yaml(&stub, old)).data().clone();
    let new = NewRoot::openstack(&yaml(&stub, new));
    let said = probe(&new, &situation, &Surroundings::default(), &Patience::default()).await;
    said.map_or_else(|unfit| unfit.to_string(), |probed| probed.to_string())
}

#[tokio::test]
async fn openstack_is_logged_in_to() {
    let known =
        "The cloud knows the new root credential as user alice with member in project name-of-p1.";
    assert_eq!(openstack("p1", "p1").await, known);
    // The one in use is dead: that is why another one is given.
    assert_eq!(openstack("p1", "dead").await, known);
}

#[tokio::test]
async fn what_openstack_would_not_take_is_not_written() {
    let dead = openstack("dead-secret-of-16", "p1").await;
    assert!(dead.contains("401") && !dead.contains("dead-secret"), "{dead}");
    assert!(openstack("p1", "p2").await.contains(
        "it is for project name-of-p1 (p1), and the one in use is for project name-of-p2 (p2)"
    ));
    assert!(openstack("unscoped", "p1").await.contains("for no project"));
    assert!(openstack("no-role", "p1").await.contains("no role in project name-of-no-role"));
}

/// STS for keys that are named like the account that they are of.
async fn aws(new: &str, old: &str) -> String {
    let stub = Stub::start(|_, seen: &Seen| {
        let signed = &seen.headers["authorization"];
        let id = signed.split_once("Credential=").unwrap().1.split('/').next().unwrap();
        let (status, body) = match id {
            "DEAD" => (403, "<Error><Code>InvalidClientTokenId</Code></Error>".to_owned()),
            id => (200, format!("<Arn>arn:aws:iam::{id}:user/x</Arn><Account>{id}</Account>")),
        };
        Reply::Answer { status, headers: Vec::new(), body }
    })
    .await;
    let mut situation = cluster(Platform::Aws).situation();
    situation.root.as_mut().unwrap().data = NewRoot::aws(old, "s").data().clone();
    let environment =
        [("AWS_ENDPOINT_URL_STS".to_owned(), stub.url("").to_string())].into_iter().collect();
    let from = Surroundings { environment, ..Surroundings::default() };
    let said = probe(&NewRoot::aws(new, "s"), &situation, &from, &Patience::default()).await;
    said.map_or_else(|unfit| unfit.to_string(), |probed| probed.to_string())
}

#[tokio::test]
async fn aws_is_asked_who_it_is() {
    assert!(aws("1", "1").await.contains("as arn:aws:iam::1:user/x"));
    assert!(aws("1", "DEAD").await.contains("as arn:aws:iam::1:user/x"));
    assert!(aws("DEAD", "1").await.contains("403: InvalidClientTokenId"));
    assert!(
        aws("1", "2").await.contains("it is for account 1, and the one in use is for account 2")
    );
}

#[tokio::test]
async fn a_cloud_that_does_not_answer_here_is_no_evidence_against_a_key() {
    let address = ("AWS_ENDPOINT_URL_STS".to_owned(), "http://127.0.0.1:1".to_owned());
    let from = Surroundings { environment: [address].into_iter().collect(), ..Default::default() };
    let situation = cluster(Platform::Aws).situation();
    let said = probe(&NewRoot::aws("1", "s"), &situation, &from, &Patience::default()).await;
    assert!(matches!(said, Ok(Probed::NoAnswer(_))), "{said:?}");
}

#[tokio::test]
async fn a_keystone_that_does_not_answer_may_be_a_slip_in_the_address() {
    let yaml = |port: u16| CLOUDS.replace("http://k", &format!("http://127.0.0.1:{port}"));
    let mut situation = cluster(Platform::Openstack).situation();
    let old = situation.root.as_mut().unwrap();
    old.data.insert("clouds.yaml".to_owned(), Value::new(&*yaml(1)));
    let asked = async |port| {
        let new = NewRoot::openstack(&yaml(port));
        probe(&new, &situation, &Surroundings::default(), &Patience::default()).await
    };
    assert!(matches!(asked(1).await, Ok(Probed::NoAnswer(_))));
    assert!(matches!(asked(2).await, Err(Unfit::Openstack(_))));
}

#[tokio::test]
async fn the_others_cannot_be_asked_and_that_is_said() {
    for new in [NewRoot::gcp("{}"), NewRoot::vsphere(&[]), NewRoot::azure(&Azure::default())] {
        let situation = cluster(new.platform()).situation();
        let said = probe(&new, &situation, &Surroundings::default(), &Patience::default()).await;
        assert_eq!(said.unwrap(), Probed::NotAsked);
    }
}
