//! Creating application credentials, and what is refused.

use serde_json::{Value, json};

use super::differ::{Probe, compare};
use super::people::{issue, log_in, login_of, settle, use_credential};

#[tokio::test]
async fn issuing_is_answered_as_by_keystone() {
    compare(async |p: &mut Probe<'_>| {
        settle(p).await;
        with_roles(p).await;
        with_expiry(p).await;
        with_bodies_that_are_wrong(p).await;
        by_others(p).await;
    })
    .await;
}

/// Asks for a credential of alice's.
async fn ask(p: &mut Probe<'_>, what: &str, token: &str, wanted: Value) -> Value {
    let request = "POST /v3/users/{alice_id}/application_credentials";
    let body = json!({ "application_credential": wanted });
    p.send(what, request, token, Some(body)).await.body
}

async fn with_roles(p: &mut Probe<'_>) {
    issue(p, "alice", "alice", "one", json!({})).await;
    for (what, wanted) in [
        (
            "by name, and the rest",
            json!({ "name": "two", "roles": [{ "name": "_member_" }, { "name": "compute_start_stop" }], "expires_at": "2037-01-01T00:00:00", "description": "d" }),
        ),
        (
            "by id, unrestricted",
            json!({ "name": "three", "unrestricted": true, "roles": [{ "id": "{role__member_}" }, { "id": "{role_member}" }] }),
        ),
        (
            "what implies another comes first",
            json!({ "name": "order1", "roles": [{ "name": "member" }, { "name": "_member_" }] }),
        ),
        (
            "twice the same",
            json!({ "name": "twice", "roles": [{ "name": "reader" }, { "name": "reader" }] }),
        ),
        ("implied only", json!({ "name": "implied", "roles": [{ "name": "reader" }] })),
    ] {
        let body = ask(p, what, "alice", wanted).await;
        let roles = body["application_credential"]["roles"].as_array().cloned().unwrap_or_default();
        let order: Vec<Value> = roles.iter().map(|role| role["name"].clone()).collect();
        p.note(&format!("the order of roles: {what}"), json!(order));
    }
    for (what, wanted) in [
        (
            "as python-openstackclient sends it",
            json!({ "name": "cli", "description": null, "expires_at": null, "secret": null, "roles": [], "unrestricted": false, "access_rules": [] }),
        ),
        ("a secret of one's own", json!({ "name": "own", "secret": "my own secret, long enough" })),
        ("a project in the body", json!({ "name": "elsewhere", "project_id": "{other}" })),
        (
            "an id in the body",
            json!({ "name": "with-id", "id": "ffffffffffffffffffffffffffffffff" }),
        ),
        ("name in use", json!({ "name": "one" })),
        ("a name in another case", json!({ "name": "ONE" })),
        (
            "a role that alice does not have",
            json!({ "name": "x1", "roles": [{ "name": "unheld_role" }] }),
        ),
        (
            "a role that implies what alice has",
            json!({ "name": "x1", "roles": [{ "name": "admin" }] }),
        ),
        ("an unknown role by name", json!({ "name": "x2", "roles": [{ "name": "no_such_role" }] })),
        (
            "an unknown role by id",
            json!({ "name": "x2", "roles": [{ "id": "0123456789abcdef0123456789abcdef" }] }),
        ),
    ] {
        ask(p, what, "alice", wanted).await;
    }
    p.log_in("alice on the other project", "elsewhere", login_of("alice", Some("other"))).await;
    ask(p, "name in use, on another project", "elsewhere", json!({ "name": "one" })).await;
    ask(p, "on another project", "elsewhere", json!({ "name": "there" })).await;
}

async fn with_expiry(p: &mut Probe<'_>) {
    for (index, written) in [
        "2037-01-01T00:00:00",
        "2037-01-01T00:00:00Z",
        "2037-01-01T00:00:00.5",
        "2037-01-01T00:00:00.123456Z",
        "2037-01-01T00:00:00.1234567",
        "2037-01-01T00:00:00+02:00",
        "2037-01-01 00:00:00",
        "2037-01-01T00:00",
        "2037-01-01T00",
        "2037-01-01T0:00",
        "2037-01-01T00:00:5",
        "2037-1-1T00:00:00",
        "20370101T000000Z",
        "2037-01-01T000000",
        "2037-01-01",
        "2037-02-30T00:00:00",
        "2037-01-01T25:00:00",
        "2020-01-01T00:00:00",
        "1e3",
        "never",
        "",
        "2037-01-01t00:00:00z",
        "2037-01-01T00:00:00ZZ",
        "  2037-01-01T00:00:00",
    ]
    .iter()
    .enumerate()
    {
        let wanted = json!({ "name": format!("exp{index}"), "expires_at": written });
        let body = ask(p, &format!("expires_at = `{written}`"), "alice", wanted).await;
        let shown = &body["application_credential"]["expires_at"];
        p.note(&format!("the expiry of `{written}`"), shown.clone());
    }
}

async fn with_bodies_that_are_wrong(p: &mut Probe<'_>) {
    let request = "POST /v3/users/{alice_id}/application_credentials";
    for (what, wanted) in [
        ("no name", json!({ "description": "x" })),
        ("unknown property", json!({ "name": "x5", "foo": 1 })),
        ("two unknown properties", json!({ "name": "x5", "foo": 1, "bar": 2 })),
        ("empty name", json!({ "name": "" })),
        ("blank name", json!({ "name": "  " })),
        ("a name with blanks around", json!({ "name": " around " })),
        ("longest name", json!({ "name": "n".repeat(255) })),
        ("too long a name", json!({ "name": "n".repeat(256) })),
        ("name of a wrong type", json!({ "name": 5 })),
        ("null name", json!({ "name": null })),
        ("description of a wrong type", json!({ "name": "x", "description": 5 })),
        ("expires_at of a wrong type", json!({ "name": "x", "expires_at": 5 })),
        ("unrestricted of a wrong type", json!({ "name": "x", "unrestricted": "yes" })),
        ("unrestricted null", json!({ "name": "null", "unrestricted": null })),
        ("roles of a wrong type", json!({ "name": "x", "roles": "member" })),
        ("null roles", json!({ "name": "x", "roles": null })),
        ("a role of a wrong type", json!({ "name": "x", "roles": ["member"] })),
        ("a role that says nothing", json!({ "name": "x", "roles": [{}] })),
        (
            "a role that says too much",
            json!({ "name": "x", "roles": [{ "id": "{role_member}", "name": "member" }] }),
        ),
        (
            "a role with an unknown property",
            json!({ "name": "x", "roles": [{ "title": "member" }] }),
        ),
        ("a role id with blanks", json!({ "name": "x", "roles": [{ "id": "a b" }] })),
        ("null access rules", json!({ "name": "x", "access_rules": null })),
        (
            "a rule with an unknown method",
            json!({ "name": "x", "access_rules": [{ "method": "BREW", "path": "/", "service": "compute" }] }),
        ),
        (
            "a rule with a relative path",
            json!({ "name": "x", "access_rules": [{ "method": "GET", "path": "v2", "service": "compute" }] }),
        ),
        (
            "a rule without a path",
            json!({ "name": "x", "access_rules": [{ "method": "GET", "service": "compute" }] }),
        ),
        ("a rule of a wrong type", json!({ "name": "x", "access_rules": ["GET"] })),
        (
            "a rule with an unknown property",
            json!({ "name": "x", "access_rules": [{ "method": "GET", "path": "/", "service": "compute", "foo": 1 }] }),
        ),
        ("secret of a wrong type", json!({ "name": "x", "secret": 1 })),
    ] {
        ask(p, what, "alice", wanted).await;
    }
    p.send("no object", request, "alice", Some(json!({}))).await;
    p.send(
        "an object of a wrong type",
        request,
        "alice",
        Some(json!({ "application_credential": "x" })),
    )
    .await;
    p.send(
        "something beside the object",
        request,
        "alice",
        Some(json!({ "application_credential": { "name": "beside" }, "more": 1 })),
    )
    .await;
    p.send("no body", request, "alice", None).await;
    let headers = [("X-Auth-Token", "{alice}"), ("Content-Type", "application/json")];
    p.send_raw("no JSON", request, &headers, Some("{\"application")).await;
    p.send(
        "no name and a token that is none",
        request,
        "u",
        Some(json!({ "application_credential": {} })),
    )
    .await;
    p.send(
        "a system in the body",
        request,
        "alice",
        Some(json!({ "application_credential": { "name": "system", "system": "all" } })),
    )
    .await;
    p.send("no name and no token", request, "", Some(json!({ "application_credential": {} })))
        .await;
}

async fn by_others(p: &mut Probe<'_>) {
    ask(p, "an admin, for alice", "admin", json!({ "name": "x9" })).await;
    ask(p, "bob, for alice", "bob", json!({ "name": "x9" })).await;
    ask(p, "nobody", "", json!({ "name": "x10" })).await;
    ask(p, "a token that is none", "u", json!({ "name": "x10" })).await;
    p.log_in("alice, unscoped", "unscoped", login_of("alice", None)).await;
    ask(p, "with an unscoped token", "unscoped", json!({ "name": "x10" })).await;
    ask(
        p,
        "with an unscoped token and roles",
        "unscoped",
        json!({ "name": "x11", "roles": [{ "name": "member" }] }),
    )
    .await;
    issue(p, "alice", "unscoped", "useless", json!({ "unrestricted": true })).await;
    use_credential(p, "with what an unscoped token made", "useless").await;
    log_in(p, "alice", "demo").await;
}
