//! What happens to existing credentials and tokens when something happens around them.

use serde_json::json;

use super::differ::{Probe, compare};
use super::people::{
    create_project, grant, issue, log_in, login_of, settle, ungrant, use_credential,
};

const LIST: &str = "GET /v3/users/{alice_id}/application_credentials";

/// How things stand: the list, the logins with two credentials, and the tokens issued before.
async fn look(p: &mut Probe<'_>, when: &str) {
    p.send(&format!("{when}: the list by an admin"), LIST, "admin", None).await;
    for name in ["some", "all"] {
        let request = format!("{LIST}/{{{name}}}");
        p.send(&format!("{when}: an admin shows {name}"), &request, "admin", None).await;
        p.send(&format!("{when}: the token of {name}"), LIST, &format!("{name}_token"), None).await;
        use_credential(p, &format!("{when}: logging in with {name}"), name).await;
    }
    p.send(&format!("{when}: alice's token"), LIST, "alice", None).await;
    p.log_in(&format!("{when}: alice logs in"), "unused", login_of("alice", Some("demo"))).await;
}

/// Alice with two credentials: `some` with two roles, `all` with every one.
async fn start(p: &mut Probe<'_>) {
    settle(p).await;
    issue(
        p,
        "alice",
        "alice",
        "some",
        json!({ "roles": [{ "name": "_member_" }, { "name": "compute_start_stop" }] }),
    )
    .await;
    issue(p, "alice", "alice", "all", json!({})).await;
    look(p, "at first").await;
}

#[tokio::test]
async fn losing_roles() {
    compare(async |p: &mut Probe<'_>| {
        start(p).await;
        ungrant(p, "alice", "demo", "project_admin").await;
        look(p, "without a role that only one uses").await;
        ungrant(p, "alice", "demo", "compute_start_stop").await;
        look(p, "without one of its roles").await;
        ungrant(p, "alice", "demo", "_member_").await;
        look(p, "without both of its roles").await;
        ungrant(p, "alice", "demo", "member").await;
        look(p, "without any role").await;
        grant(p, "alice", "demo", "_member_").await;
        look(p, "with one role again").await;
        log_in(p, "alice", "demo").await;
        let stale = json!({ "application_credential": { "name": "stale", "roles": [{ "name": "member" }] } });
        p.send("issue with a role just lost", "POST /v3/users/{alice_id}/application_credentials", "alice", Some(stale)).await;
    })
    .await;
}

#[tokio::test]
async fn a_role_is_deleted() {
    compare(async |p: &mut Probe<'_>| {
        start(p).await;
        let body = p
            .send(
                "a role",
                "POST /v3/roles",
                "admin",
                Some(json!({ "role": { "name": "own-{u}" } })),
            )
            .await
            .body;
        p.keep_from("role_own", &body["role"]["id"]);
        create_project(p, "third").await;
        grant(p, "alice", "other", "own").await;
        grant(p, "alice", "third", "member").await;
        p.log_in("alice on other", "alice_other", login_of("alice", Some("other"))).await;
        issue(p, "alice", "alice_other", "uses-it", json!({ "roles": [{ "name": "own-{u}" }] }))
            .await;
        issue(p, "alice", "alice_other", "uses-it-not", json!({ "roles": [{ "name": "member" }] }))
            .await;
        use_credential(p, "before", "uses-it-not").await;
        p.send("the role goes", "DELETE /v3/roles/{role_own}", "admin", None).await;
        for name in ["uses-it", "uses-it-not"] {
            use_credential(p, "after", name).await;
        }
        p.send("a token of one that went", LIST, "uses-it-not_token", None).await;
        look(p, "after").await;
    })
    .await;
}

#[tokio::test]
async fn a_user_is_disabled_and_enabled() {
    compare(async |p: &mut Probe<'_>| {
        start(p).await;
        let enable = |enabled: bool| Some(json!({ "user": { "enabled": enabled } }));
        p.wait(2).await;
        p.send("disable", "PATCH /v3/users/{alice_id}", "admin", enable(false)).await;
        look(p, "disabled").await;
        p.send_raw(
            "a dead token as a subject",
            "GET /v3/auth/tokens",
            &[("X-Auth-Token", "{admin}"), ("X-Subject-Token", "{alice}")],
            None,
        )
        .await;
        p.send("enable", "PATCH /v3/users/{alice_id}", "admin", enable(true)).await;
        p.wait(2).await;
        look(p, "enabled again").await;
    })
    .await;
}

#[tokio::test]
async fn a_password_changes() {
    compare(async |p: &mut Probe<'_>| {
        start(p).await;
        let change = |old: &str, new: &str| {
            Some(json!({ "user": { "original_password": old, "password": new } }))
        };
        p.send(
            "change it, not knowing the old one",
            "POST /v3/users/{alice_id}/password",
            "alice",
            change("wrong", "alicepw"),
        )
        .await;
        p.wait(4).await;
        // To itself: the login of everybody else in this script stays right.
        p.send(
            "change it",
            "POST /v3/users/{alice_id}/password",
            "alice",
            change("alicepw", "alicepw2"),
        )
        .await;
        p.wait(4).await;
        look(p, "changed, a little later").await;
        p.send(
            "reset by an admin",
            "PATCH /v3/users/{alice_id}",
            "admin",
            Some(json!({ "user": { "password": "alicepw" } })),
        )
        .await;
        p.wait(4).await;
        look(p, "reset, a little later").await;
    })
    .await;
}

#[tokio::test]
async fn a_project_is_disabled_and_deleted() {
    compare(async |p: &mut Probe<'_>| {
        start(p).await;
        let enable = |enabled: bool| Some(json!({ "project": { "enabled": enabled } }));
        p.wait(2).await;
        p.send("disable", "PATCH /v3/projects/{demo}", "admin", enable(false)).await;
        look(p, "disabled").await;
        p.send("enable", "PATCH /v3/projects/{demo}", "admin", enable(true)).await;
        p.wait(2).await;
        look(p, "enabled again").await;
        log_in(p, "alice", "demo").await;
        p.wait(2).await;
        p.send("delete", "DELETE /v3/projects/{demo}", "admin", None).await;
        look(p, "deleted").await;
        p.log_in("alice elsewhere", "alice_other", login_of("alice", Some("other"))).await;
        p.send("the list by alice", LIST, "alice_other", None).await;
        let taken = json!({ "application_credential": { "name": "some" } });
        p.send(
            "its name",
            "POST /v3/users/{alice_id}/application_credentials",
            "alice_other",
            Some(taken),
        )
        .await;
        p.send(
            "deleting an orphan",
            "DELETE /v3/users/{alice_id}/application_credentials/{some}",
            "alice_other",
            None,
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_user_is_deleted() {
    compare(async |p: &mut Probe<'_>| {
        start(p).await;
        p.send("delete", "DELETE /v3/users/{alice_id}", "admin", None).await;
        look(p, "deleted").await;
        let by_name = json!({ "name": "some", "secret": "{some_secret}", "user": { "name": "alice-{u}", "domain": { "id": "default" } } });
        p.log_in("by names", "unused", super::differ::credential(&by_name)).await;
        p.send("the owner", "GET /v3/users/{alice_id}", "admin", None).await;
    })
    .await;
}

#[tokio::test]
async fn a_credential_expires() {
    compare(async |p: &mut Probe<'_>| {
        settle(p).await;
        let soon = p.in_seconds(15);
        issue(p, "alice", "alice", "short", json!({ "expires_at": soon })).await;
        use_credential(p, "before", "short").await;
        p.send("its token before", LIST, "short_token", None).await;
        p.wait(16).await;
        p.send("its token after", LIST, "short_token", None).await;
        use_credential(p, "after", "short").await;
        p.send("it is still listed", LIST, "alice", None).await;
        let again = json!({ "application_credential": { "name": "short" } });
        p.send(
            "its name",
            "POST /v3/users/{alice_id}/application_credentials",
            "alice",
            Some(again),
        )
        .await;
        p.send(
            "it can be deleted",
            "DELETE /v3/users/{alice_id}/application_credentials/{short}",
            "alice",
            None,
        )
        .await;
    })
    .await;
}
