//! Tokens: every way in, and every way to be turned away.

use serde_json::{Value, json};

use super::differ::{Probe, compare, credential, password};
use super::people::{issue, log_in, login_of, settle, use_credential};

#[tokio::test]
async fn logging_in_is_answered_as_by_keystone() {
    compare(async |p: &mut Probe<'_>| {
        settle(p).await;
        by_password(p).await;
        by_token(p).await;
        by_credential(p).await;
        with_bodies_that_are_wrong(p).await;
    })
    .await;
}

async fn by_password(p: &mut Probe<'_>) {
    let tries = [
        ("wrong password", password("alice-{u}", "nope", None)),
        ("unknown user", password("nobody-{u}", "nope", None)),
        ("unscoped, since no scope is named", login_of("alice", None)),
        ("a project where there is no role", login_of("bob", Some("other"))),
        (
            "a project that is not there",
            password("bob-{u}", "bobpw", Some(json!({ "id": "nowhere" }))),
        ),
        (
            "a project by name, without its domain",
            password("bob-{u}", "bobpw", Some(json!({ "name": "demo-{u}" }))),
        ),
        (
            "a project by name",
            password(
                "bob-{u}",
                "bobpw",
                Some(json!({ "name": "demo-{u}", "domain": { "name": "Default" } })),
            ),
        ),
        (
            "a project in an unknown domain",
            password(
                "bob-{u}",
                "bobpw",
                Some(json!({ "name": "demo-{u}", "domain": { "name": "Elsewhere" } })),
            ),
        ),
    ];
    for (what, auth) in tries {
        p.log_in(what, "unused", auth).await;
    }
    for (what, scope) in [
        ("unscoped", json!("unscoped")),
        ("unscoped, the old way", json!({ "unscoped": {} })),
        ("system scope without a role there", json!({ "system": { "all": true } })),
        ("domain scope without a role there", json!({ "domain": { "id": "default" } })),
        ("an unknown domain", json!({ "domain": { "id": "elsewhere" } })),
        ("no kind of scope", json!({})),
        (
            "two kinds of scope",
            json!({ "project": { "id": "{demo}" }, "domain": { "id": "default" } }),
        ),
        (
            "an unknown trust",
            json!({ "OS-TRUST:trust": { "id": "ffffffffffffffffffffffffffffffff" } }),
        ),
    ] {
        let mut auth = login_of("alice", None);
        auth["auth"]["scope"] = scope;
        p.log_in(what, "unused", auth).await;
    }
    let by_id = json!({ "auth": { "identity": { "methods": ["password"], "password": {
        "user": { "id": "{alice_id}", "password": "alicepw" } } } } });
    p.log_in("user by id", "unused", by_id.clone()).await;
    p.send(
        "without catalog",
        "POST /v3/auth/tokens?nocatalog",
        "",
        Some(login_of("alice", Some("demo"))),
    )
    .await;
    p.send("with a dead token in the header", "POST /v3/auth/tokens", "u", Some(by_id)).await;
}

async fn by_token(p: &mut Probe<'_>) {
    p.log_in("an unscoped token", "unscoped", login_of("alice", None)).await;
    let with = |token: &str, scope: Option<Value>| {
        let mut auth = json!({ "identity": { "methods": ["token"], "token": { "id": format!("{{{token}}}") } } });
        if let Some(scope) = scope {
            auth["scope"] = scope;
        }
        json!({ "auth": auth })
    };
    let demo = json!({ "project": { "id": "{demo}" } });
    p.log_in("from unscoped to scoped", "rescoped", with("unscoped", Some(demo.clone()))).await;
    p.log_in(
        "from scoped to another project",
        "third",
        with("rescoped", Some(json!({ "project": { "id": "{other}" } }))),
    )
    .await;
    p.log_in("from scoped to unscoped", "unused", with("rescoped", None)).await;
    p.log_in("a token that is none", "unused", with("u", Some(demo))).await;

    for (what, request, token) in [
        ("one's own token, shown", "GET /v3/auth/tokens", "rescoped"),
        ("one's own token, checked", "HEAD /v3/auth/tokens", "rescoped"),
        ("another's token", "GET /v3/auth/tokens", "bob"),
        ("another's token, by an admin", "GET /v3/auth/tokens", "admin"),
        ("another's token, checked", "HEAD /v3/auth/tokens", "bob"),
        ("without catalog", "GET /v3/auth/tokens?nocatalog", "rescoped"),
        ("another's token, revoked by a third", "DELETE /v3/auth/tokens", "bob"),
    ] {
        let token = format!("{{{token}}}");
        let headers = [("X-Auth-Token", token.as_str()), ("X-Subject-Token", "{rescoped}")];
        p.send_raw(what, request, &headers, None).await;
    }
    p.send("no subject", "GET /v3/auth/tokens", "bob", None).await;
    p.send("no subject, by an admin", "GET /v3/auth/tokens", "admin", None).await;
    p.send("no subject, checked", "HEAD /v3/auth/tokens", "bob", None).await;
    p.send("no subject, revoked", "DELETE /v3/auth/tokens", "bob", None).await;
    p.send_raw(
        "an unknown subject",
        "GET /v3/auth/tokens",
        &[("X-Auth-Token", "{bob}"), ("X-Subject-Token", "unknown")],
        None,
    )
    .await;
    p.send("nobody asks", "GET /v3/auth/tokens", "", None).await;

    let own = [("X-Auth-Token", "{rescoped}"), ("X-Subject-Token", "{rescoped}")];
    p.send_raw("a token revoked by itself", "DELETE /v3/auth/tokens", &own, None).await;
    p.send_raw("the same again", "DELETE /v3/auth/tokens", &own, None).await;
    p.send_raw(
        "the revoked one as a subject",
        "GET /v3/auth/tokens",
        &[("X-Auth-Token", "{admin}"), ("X-Subject-Token", "{rescoped}")],
        None,
    )
    .await;
    p.log_in("from the revoked one", "unused", with("rescoped", None)).await;
    let list = "GET /v3/users/{alice_id}/application_credentials";
    p.send("the revoked one used", list, "rescoped", None).await;
    p.send("what was made from it", list, "third", None).await;
    p.send("what it was made from", "GET /v3/auth/projects", "unscoped", None).await;
    let first = [("X-Auth-Token", "{unscoped}"), ("X-Subject-Token", "{unscoped}")];
    p.send_raw("the first of the chain revoked", "DELETE /v3/auth/tokens", &first, None).await;
    p.send("the last of the chain", list, "third", None).await;
    log_in(p, "alice", "demo").await;
}

async fn by_credential(p: &mut Probe<'_>) {
    let rules = json!({ "access_rules": [
        { "method": "GET", "path": "/v2.1/servers", "service": "compute" },
    ]});
    issue(p, "alice", "alice", "one", json!({})).await;
    issue(p, "alice", "alice", "four", rules).await;
    use_credential(p, "by id and secret", "one").await;
    use_credential(p, "with access rules", "four").await;
    let one = |user: Value| json!({ "name": "one", "secret": "{one_secret}", "user": user });
    for (what, payload) in [
        (
            "by name and user name",
            one(json!({ "name": "alice-{u}", "domain": { "id": "default" } })),
        ),
        ("by name and user id", one(json!({ "id": "{alice_id}" }))),
        ("by name without user", json!({ "name": "one", "secret": "{one_secret}" })),
        ("by name, user without domain", one(json!({ "name": "alice-{u}" }))),
        (
            "by name, unknown user",
            one(json!({ "name": "nobody-{u}", "domain": { "id": "default" } })),
        ),
        ("by name, unknown user id", one(json!({ "id": "ffffffffffffffffffffffffffffffff" }))),
        ("by name, another user", one(json!({ "id": "{bob_id}" }))),
        ("unknown name", json!({ "name": "none", "secret": "x", "user": { "id": "{alice_id}" } })),
        ("wrong secret", json!({ "id": "{one}", "secret": "wrong" })),
        ("unknown id", json!({ "id": "ffffffffffffffffffffffffffffffff", "secret": "wrong" })),
        ("neither id nor name", json!({ "secret": "{one_secret}" })),
        (
            "somebody else's user beside the id",
            json!({ "id": "{one}", "secret": "{one_secret}", "user": { "id": "{bob_id}" } }),
        ),
    ] {
        p.log_in(what, "unused", credential(&payload)).await;
    }
    let mut scoped = credential(&json!({ "id": "{one}", "secret": "{one_secret}" }));
    scoped["auth"]["scope"] = json!({ "project": { "id": "{demo}" } });
    p.log_in("with a scope", "unused", scoped).await;
    let rescoped = json!({ "auth": {
        "identity": { "methods": ["token"], "token": { "id": "{one_token}" } },
        "scope": { "project": { "id": "{other}" } },
    }});
    p.log_in("its token for another project", "unused", rescoped).await;
    let renewed = json!({ "auth": {
        "identity": { "methods": ["token"], "token": { "id": "{one_token}" } },
        "scope": { "project": { "id": "{demo}" } },
    }});
    p.log_in("its token for the same project", "unused", renewed).await;
}

async fn with_bodies_that_are_wrong(p: &mut Probe<'_>) {
    let identity = |identity: Value| json!({ "auth": { "identity": identity } });
    for (what, body) in [
        ("no auth", json!({})),
        ("auth of a wrong type", json!({ "auth": "me" })),
        ("no identity", json!({ "auth": {} })),
        ("no methods", identity(json!({}))),
        ("empty methods", identity(json!({ "methods": [] }))),
        ("methods of a wrong type", identity(json!({ "methods": "password" }))),
        ("a method without its data", identity(json!({ "methods": ["password"] }))),
        ("an unknown method", identity(json!({ "methods": ["charm"], "charm": {} }))),
        ("no user", identity(json!({ "methods": ["password"], "password": {} }))),
        (
            "a user without name",
            identity(
                json!({ "methods": ["password"], "password": { "user": { "password": "x" } } }),
            ),
        ),
        (
            "a user without domain",
            identity(
                json!({ "methods": ["password"], "password": { "user": { "name": "alice-{u}", "password": "alicepw" } } }),
            ),
        ),
        (
            "an empty domain",
            identity(
                json!({ "methods": ["password"], "password": { "user": { "name": "alice-{u}", "domain": {}, "password": "alicepw" } } }),
            ),
        ),
        (
            "no password",
            identity(
                json!({ "methods": ["password"], "password": { "user": { "name": "alice-{u}", "domain": { "id": "default" } } } }),
            ),
        ),
        (
            "a password of a wrong type",
            identity(
                json!({ "methods": ["password"], "password": { "user": { "name": "alice-{u}", "domain": { "id": "default" }, "password": 1 } } }),
            ),
        ),
        ("no token id", identity(json!({ "methods": ["token"], "token": {} }))),
    ] {
        p.log_in(what, "unused", body).await;
    }
    let json = [("Content-Type", "application/json")];
    p.send_raw("no JSON", "POST /v3/auth/tokens", &json, Some("{")).await;
    p.send_raw("a list", "POST /v3/auth/tokens", &json, Some("[]")).await;
    p.send_raw(
        "a form",
        "POST /v3/auth/tokens",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        Some("a=b"),
    )
    .await;
    p.send_raw("no body", "POST /v3/auth/tokens", &json, None).await;
    p.send("PUT", "PUT /v3/auth/tokens", "", None).await;
}
