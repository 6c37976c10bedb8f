//! Acting with an application credential.

use serde_json::{Value, json};

use super::differ::{Probe, compare};
use super::people::{issue, settle, use_credential};

const LIST: &str = "/v3/users/{alice_id}/application_credentials";

#[tokio::test]
async fn acting_with_a_credential_is_answered_as_by_keystone() {
    compare(async |p: &mut Probe<'_>| {
        settle(p).await;
        issue(p, "alice", "alice", "ar", json!({ "unrestricted": false })).await;
        issue(p, "alice", "alice", "un", json!({ "unrestricted": true, "roles": [{ "name": "member" }, { "name": "_member_" }] })).await;
        issue(p, "alice", "alice", "unset", json!({})).await;
        use_credential(p, "restricted", "ar").await;
        use_credential(p, "unrestricted", "un").await;
        use_credential(p, "unset", "unset").await;
        restricted(p).await;
        unrestricted(p).await;
        with_access_rules(p).await;
        deleted(p).await;
    })
    .await;
}

async fn ask(p: &mut Probe<'_>, what: &str, token: &str, wanted: Value) {
    let body = json!({ "application_credential": wanted });
    p.send(what, &format!("POST {LIST}"), token, Some(body)).await;
}

async fn restricted(p: &mut Probe<'_>) {
    for token in ["ar_token", "unset_token"] {
        ask(p, "issue", token, json!({ "name": "r1" })).await;
        ask(
            p,
            "issue with an unknown role",
            token,
            json!({ "name": "r1", "roles": [{ "name": "no_such_role" }] }),
        )
        .await;
        for request in [
            format!("DELETE {LIST}/{{ar}}"),
            format!("DELETE {LIST}/ffffffffffffffffffffffffffffffff"),
            format!("GET {LIST}"),
            format!("GET {LIST}/{{un}}"),
            "GET /v3/users/{alice_id}".into(),
            "GET /v3/users/{alice_id}/access_rules".into(),
            "GET /v3/auth/projects".into(),
        ] {
            p.send("a restricted one", &request, token, None).await;
        }
    }
    let subject = [("X-Auth-Token", "{ar_token}"), ("X-Subject-Token", "{ar_token}")];
    p.send_raw("its own token", "GET /v3/auth/tokens", &subject, None).await;
}

async fn unrestricted(p: &mut Probe<'_>) {
    ask(p, "issue", "un_token", json!({ "name": "u1" })).await;
    ask(
        p,
        "issue with a role of alice's only",
        "un_token",
        json!({ "name": "u2", "roles": [{ "name": "project_admin" }] }),
    )
    .await;
    ask(
        p,
        "issue another unrestricted one that lives longer",
        "un_token",
        json!({ "name": "u3", "unrestricted": true, "expires_at": "2037-01-01T00:00:00" }),
    )
    .await;
    p.send("delete another", &format!("DELETE {LIST}/{{unset}}"), "un_token", None).await;
    p.send("the deleted one's token", &format!("GET {LIST}"), "unset_token", None).await;
}

async fn with_access_rules(p: &mut Probe<'_>) {
    issue(p, "alice", "alice", "ruled", json!({ "access_rules": [
        { "method": "GET", "path": "/v2.1/servers", "service": "compute" },
        { "method": "GET", "path": "/v3/users/{alice_id}/application_credentials", "service": "identity" },
        { "method": "GET", "path": "/v3/users/*", "service": "identity" },
        { "method": "GET", "path": "/v3/auth/**", "service": "identity" },
    ]})).await;
    use_credential(p, "with rules", "ruled").await;
    for request in [
        format!("GET {LIST}"),
        format!("GET {LIST}?name=ruled"),
        format!("GET {LIST}/{{un}}"),
        "GET /v3/users/{alice_id}".into(),
        "GET /v3/users/{alice_id}/access_rules".into(),
        "GET /v3/auth/projects".into(),
        "GET /v3/nonsense".into(),
        "GET /v3".into(),
    ] {
        p.send("with rules", &request, "ruled_token", None).await;
    }
    let ruled = ("X-Subject-Token", "{ruled_token}");
    p.send_raw(
        "its token, asked by a service that does not know rules",
        "GET /v3/auth/tokens",
        &[("X-Auth-Token", "{admin}"), ruled],
        None,
    )
    .await;
    p.send_raw(
        "its token, asked by one that does",
        "GET /v3/auth/tokens",
        &[("X-Auth-Token", "{admin}"), ruled, ("OpenStack-Identity-Access-Rules", "1.0")],
        None,
    )
    .await;
}

async fn deleted(p: &mut Probe<'_>) {
    p.send("delete itself", &format!("DELETE {LIST}/{{un}}"), "un_token", None).await;
    p.send("its token", &format!("GET {LIST}"), "un_token", None).await;
    p.send_raw(
        "its token as a subject",
        "GET /v3/auth/tokens",
        &[("X-Auth-Token", "{admin}"), ("X-Subject-Token", "{un_token}")],
        None,
    )
    .await;
    use_credential(p, "log in with it", "un").await;
    p.send("what it issued is still there", &format!("GET {LIST}?name=u3"), "alice", None).await;
}
