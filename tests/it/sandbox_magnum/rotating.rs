//! The rotation of a cluster's credential and of its CA: what is answered, and what it leaves behind in Magnum and
//! in Keystone.

use serde_json::{Value, json};

use super::{ask, ask_in, cluster, settle};
use crate::sandbox::differ::{Probe, compare_with_magnum};
use crate::sandbox::people::{issue, use_credential};

const LABELS: &str = "https://k8s.example";

fn labels(more: &[(&str, &str)]) -> Value {
    let mut labels = json!({ "stub_api_address": LABELS });
    for (key, value) in more {
        labels[*key] = json!(value);
    }
    labels
}

/// How many application credentials of a cluster a user has, and what the cluster says.
async fn look(p: &mut Probe<'_>, what: &str, name: &str) {
    for user in ["alice", "bob"] {
        let path = format!("/v3/users/{{{user}_id}}/application_credentials");
        let request = format!("GET {path}?name__startswith=magnum-{{{name}}}");
        p.send(&format!("{what}: {user}'s"), &request, user, None).await;
    }
    ask(p, what, &format!("GET /v1/clusters/{{{name}}}"), "alice", None).await;
}

#[tokio::test]
async fn a_credential_is_rotated_as_by_magnum() {
    compare_with_magnum(async |p: &mut Probe<'_>| {
        settle(p).await;
        cluster(p, "c", "full", labels(&[])).await;
        look(p, "before", "c").await;
        for version in ["", "container-infra 1.11", "container-infra 1.99", "compute 1.12"] {
            ask_in(p, version, "PATCH /v1/credentials/{c}", "alice", version, None).await;
        }
        for who in ["carol", "rita", "admin"] {
            ask(p, who, "PATCH /v1/credentials/{c}", who, None).await;
        }
        ask(p, "a body", "PATCH /v1/credentials/{c}", "alice", Some(json!({ "x": 1 }))).await;
        ask(p, "unknown", "PATCH /v1/credentials/nope", "alice", None).await;
        ask(p, "reading", "GET /v1/credentials/{c}", "alice", None).await;
        ask(p, "deleting", "DELETE /v1/credentials/{c}", "alice", None).await;
        look(p, "still as before", "c").await;

        ask(p, "by uuid", "PATCH /v1/credentials/{c}", "alice", None).await;
        look(p, "rotated", "c").await;
        ask(p, "an empty body", "PATCH /v1/credentials/c-{u}", "alice", Some(json!({}))).await;
        ask(p, "by a colleague", "PATCH /v1/credentials/{c}", "bob", None).await;
        look(p, "it is the colleague's", "c").await;
        ask(p, "the former owner", "GET /v1/certificates/{c}", "alice", None).await;
        ask(p, "the owner", "GET /v1/certificates/{c}", "bob", None).await;
        ask(p, "back", "PATCH /v1/credentials/{c}", "alice", None).await;
        look(p, "back", "c").await;
    })
    .await;
}

#[tokio::test]
async fn the_logins_that_cannot_rotate_leave_what_they_leave_in_magnum() {
    compare_with_magnum(async |p: &mut Probe<'_>| {
        settle(p).await;
        cluster(p, "c", "full", labels(&[])).await;
        issue(p, "alice", "alice", "restricted", json!({ "unrestricted": false })).await;
        issue(p, "alice", "alice", "open", json!({ "unrestricted": true })).await;
        let rule = |service: &str, method: &str, path: &str| json!({ "service": service, "method": method, "path": path });
        issue(p, "alice", "alice", "ruled", json!({ "unrestricted": true, "access_rules": [
            rule("container-infra", "PATCH", "/v1/credentials/*"),
            rule("container-infra", "GET", "/v1/clusters/*"),
            rule("identity", "POST", "/v3/users/*/application_credentials"),
        ]}))
        .await;
        issue(p, "alice", "alice", "half", json!({ "unrestricted": true, "access_rules": [
            rule("container-infra", "PATCH", "/v1/credentials/*"),
        ]}))
        .await;
        for name in ["restricted", "open", "ruled", "half"] {
            use_credential(p, name, name).await;
        }
        ask(p, "restricted", "PATCH /v1/credentials/{c}", "restricted_token", None).await;
        look(p, "left failed", "c").await;
        ask(p, "open", "PATCH /v1/credentials/{c}", "open_token", None).await;
        look(p, "mended", "c").await;
        ask(p, "ruled", "PATCH /v1/credentials/{c}", "ruled_token", None).await;
        ask(p, "ruled", "GET /v1/clusters/{c}", "ruled_token", None).await;
        ask(p, "not in the rules", "GET /v1/clusters", "ruled_token", None).await;
        ask(p, "half", "PATCH /v1/credentials/{c}", "half_token", None).await;
        look(p, "in the end", "c").await;
    })
    .await;
}

#[tokio::test]
async fn drivers_fail_as_in_magnum() {
    compare_with_magnum(async |p: &mut Probe<'_>| {
        settle(p).await;
        cluster(p, "failing", "full", labels(&[("stub_rotate_credential", "fail")])).await;
        ask(p, "fails", "PATCH /v1/credentials/{failing}", "bob", None).await;
        look(p, "failed", "failing").await;
        ask(p, "fails again", "PATCH /v1/credentials/{failing}", "alice", None).await;

        cluster(p, "unable", "norotate", labels(&[])).await;
        ask(p, "not supported", "PATCH /v1/credentials/{unable}", "alice", None).await;
        look(p, "untouched", "unable").await;
        ask(p, "no CA either", "PATCH /v1/certificates/{unable}", "alice", None).await;
        look(p, "left failed", "unable").await;
        ask(p, "no more", "PATCH /v1/certificates/{unable}", "alice", None).await;

        cluster(p, "unmade", "full", labels(&[("stub_create", "fail")])).await;
        ask(p, "of what failed", "PATCH /v1/credentials/{unmade}", "alice", None).await;
        ask(p, "of what failed", "PATCH /v1/certificates/{unmade}", "alice", None).await;
    })
    .await;
}

#[tokio::test]
async fn a_former_credential_that_is_gone_is_told_as_by_magnum() {
    compare_with_magnum(async |p: &mut Probe<'_>| {
        settle(p).await;
        cluster(p, "c", "full", labels(&[])).await;
        let path = "/v3/users/{alice_id}/application_credentials";
        let listed = p.send("look", &format!("GET {path}"), "alice", None).await.body;
        p.keep_from("former", &listed["application_credentials"][0]["id"]);
        p.send("away", &format!("DELETE {path}/{{former}}"), "alice", None).await;
        ask(p, "rotate", "PATCH /v1/credentials/{c}", "alice", None).await;
        look(p, "rotated", "c").await;
    })
    .await;
}

#[tokio::test]
async fn a_ca_is_rotated_as_by_magnum() {
    compare_with_magnum(async |p: &mut Probe<'_>| {
        settle(p).await;
        cluster(p, "c", "full", labels(&[])).await;
        for who in ["carol", "rita", "admin"] {
            ask(p, who, "PATCH /v1/certificates/{c}", who, None).await;
        }
        ask(p, "unknown", "PATCH /v1/certificates/nope", "alice", None).await;
        let before = ask(p, "the CA", "GET /v1/certificates/{c}", "alice", None).await;
        ask(p, "rotate", "PATCH /v1/certificates/{c}", "alice", None).await;
        let after = ask(p, "the CA", "GET /v1/certificates/{c}", "alice", None).await;
        p.note("another CA", json!(before["pem"] != after["pem"]));
        p.settled("{c}").await;
        ask(p, "settled", "GET /v1/clusters/{c}", "alice", None).await;
        ask_in(p, "without a version", "PATCH /v1/certificates/{c}", "bob", "", None).await;
        p.settled("{c}").await;
        ask(p, "the owner is the same", "GET /v1/clusters/{c}", "alice", None).await;

        cluster(p, "failing", "full", labels(&[("stub_rotate_ca", "fail")])).await;
        ask(p, "fails", "PATCH /v1/certificates/{failing}", "alice", None).await;
        p.settled("{failing}").await;
        ask(p, "failed", "GET /v1/clusters/{failing}", "alice", None).await;

        cluster(p, "bare", "bare", labels(&[])).await;
        ask(p, "no TLS", "PATCH /v1/certificates/{bare}", "alice", None).await;
    })
    .await;
}

#[tokio::test]
async fn statuses_on_the_way_are_as_in_magnum() {
    compare_with_magnum(async |p: &mut Probe<'_>| {
        settle(p).await;
        cluster(p, "c", "full", labels(&[("stub_delay", "3")])).await;
        ask(p, "rotate the CA", "PATCH /v1/certificates/{c}", "alice", None).await;
        ask(p, "under way", "GET /v1/clusters/{c}", "alice", None).await;
        ask(p, "not again", "PATCH /v1/certificates/{c}", "alice", None).await;
        ask(p, "over it", "PATCH /v1/credentials/{c}", "alice", None).await;
        ask(p, "called complete", "GET /v1/clusters/{c}", "alice", None).await;
    })
    .await;
}
