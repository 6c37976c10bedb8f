//! Listing, showing, deleting; access rules; people, projects and roles as clients read them.

use serde_json::{Value, json};

use super::differ::{Probe, compare};
use super::people::{create_user, grant, issue, login_of, settle, ungrant};

const LIST: &str = "/v3/users/{alice_id}/application_credentials";

#[tokio::test]
async fn reading_and_deleting_is_answered_as_by_keystone() {
    compare(async |p: &mut Probe<'_>| {
        settle(p).await;
        lists(p).await;
        single_ones(p).await;
        paths_that_are_not_served(p).await;
    })
    .await;
}

async fn lists(p: &mut Probe<'_>) {
    p.send("an empty list", &format!("GET {LIST}"), "alice", None).await;
    issue(p, "alice", "alice", "two", json!({ "roles": [{ "name": "_member_" }], "description": "d", "expires_at": "2037-01-01T00:00:00" })).await;
    issue(p, "alice", "alice", "one", json!({ "unrestricted": false })).await;
    p.log_in("alice elsewhere", "elsewhere", login_of("alice", Some("other"))).await;
    issue(p, "alice", "elsewhere", "One-there", json!({})).await;
    issue(p, "bob", "bob", "bobs", json!({})).await;
    for query in [
        "",
        "?name=two",
        "?name=TWO",
        "?name=absent",
        "?name=",
        "?name__contains=o",
        "?name__startswith=o",
        "?name__endswith=o",
        "?name__icontains=ONE",
        "?name__contains=ONE",
        "?name__equals=two",
        "?project_id={other}",
        "?description=d",
        "?limit=1",
        "?limit=x",
        "?limit=",
        "?limit=100000",
        "?name=one&name=two",
        "?marker=abc",
        "?sort_key=name",
        "?unknown=1",
    ] {
        p.send(&format!("list {query}"), &format!("GET {LIST}{query}"), "alice", None).await;
    }
    p.send("the list's head", &format!("HEAD {LIST}"), "alice", None).await;
    p.send("bob lists alice's", &format!("GET {LIST}"), "bob", None).await;
    p.send("an admin lists alice's", &format!("GET {LIST}"), "admin", None).await;
    p.send("nobody lists alice's", &format!("GET {LIST}"), "", None).await;
    let nobody = "GET /v3/users/ffffffffffffffffffffffffffffffff/application_credentials";
    p.send("alice lists an unknown user's", nobody, "alice", None).await;
    p.send("an admin lists an unknown user's", nobody, "admin", None).await;
}

async fn single_ones(p: &mut Probe<'_>) {
    let unknown = "ffffffffffffffffffffffffffffffff";
    for (what, request, token) in [
        ("show", format!("GET {LIST}/{{two}}"), "alice"),
        ("its head", format!("HEAD {LIST}/{{two}}"), "alice"),
        ("show another project's", format!("GET {LIST}/{{One-there}}"), "alice"),
        ("show an unknown one", format!("GET {LIST}/{unknown}"), "alice"),
        ("bob shows alice's", format!("GET {LIST}/{{two}}"), "bob"),
        (
            "bob shows alice's under his own path",
            "GET /v3/users/{bob_id}/application_credentials/{two}".into(),
            "bob",
        ),
        (
            "alice shows her own under bob's path",
            "GET /v3/users/{bob_id}/application_credentials/{two}".into(),
            "alice",
        ),
        ("bob shows an unknown one of alice's", format!("GET {LIST}/{unknown}"), "bob"),
        ("an admin shows alice's", format!("GET {LIST}/{{two}}"), "admin"),
        ("an admin shows an unknown one", format!("GET {LIST}/{unknown}"), "admin"),
        ("nobody shows one", format!("GET {LIST}/{{two}}"), ""),
        ("bob deletes alice's", format!("DELETE {LIST}/{{two}}"), "bob"),
        ("bob deletes an unknown one of alice's", format!("DELETE {LIST}/{unknown}"), "bob"),
        (
            "an admin deletes bob's",
            "DELETE /v3/users/{bob_id}/application_credentials/{bobs}".into(),
            "admin",
        ),
        ("alice deletes", format!("DELETE {LIST}/{{two}}"), "alice"),
        ("alice deletes it again", format!("DELETE {LIST}/{{two}}"), "alice"),
        ("show the deleted one", format!("GET {LIST}/{{two}}"), "alice"),
        ("nobody deletes", format!("DELETE {LIST}/{{one}}"), ""),
    ] {
        p.send(what, &request, token, None).await;
    }
    let body = json!({ "application_credential": { "description": "new" } });
    p.send("change", &format!("PATCH {LIST}/{{one}}"), "alice", Some(body)).await;
    p.send("put", &format!("PUT {LIST}"), "alice", Some(json!({}))).await;
}

async fn paths_that_are_not_served(p: &mut Probe<'_>) {
    for request in [
        "GET /",
        "GET /v3",
        "GET /v3/",
        "GET /v2.0",
        "GET /v3/nonsense",
        "GET /v3/application_credentials/{one}",
        "POST /",
        "POST /v3",
        "DELETE /v3/auth/catalog",
        "GET /v3/users/{alice_id}/application_credentials/",
    ] {
        p.send(request, request, "", None).await;
        p.send(request, request, "u", None).await;
        p.send(request, request, "alice", None).await;
    }
}

#[tokio::test]
async fn access_rules_are_answered_as_by_keystone() {
    compare(async |p: &mut Probe<'_>| {
        settle(p).await;
        let rules = json!([
            { "method": "GET", "path": "/v2.1/servers", "service": "compute" },
            { "method": "POST", "path": "/v2.1/servers/*/action", "service": "compute" },
        ]);
        issue(p, "alice", "alice", "four", json!({ "access_rules": rules })).await;
        issue(p, "alice", "alice", "five", json!({ "access_rules": rules })).await;
        let list = "GET /v3/users/{alice_id}/access_rules";
        let listed = p.send("alice's rules, made once", list, "alice", None).await.body;
        let find = |listed: &Value, method: &str| {
            let rules = listed["access_rules"].as_array().unwrap().clone();
            rules.into_iter().find(|rule| rule["method"] == method).unwrap()["id"].clone()
        };
        p.keep_from("get_rule", &find(&listed, "GET"));
        p.keep_from("post_rule", &find(&listed, "POST"));
        issue(p, "alice", "alice", "six", json!({ "access_rules": [{ "id": "{get_rule}" }] })).await;
        p.keep("own_rule", &format!("{:032x}", getrandom::u64().unwrap()));
        issue(p, "alice", "alice", "seven", json!({ "access_rules": [{ "id": "{own_rule}", "method": "GET", "path": "/v3", "service": "identity" }] })).await;
        for (what, request, token) in [
            ("list by service", "GET /v3/users/{alice_id}/access_rules?service=compute", "alice"),
            ("list by method", "GET /v3/users/{alice_id}/access_rules?method=POST", "alice"),
            ("list by path", "GET /v3/users/{alice_id}/access_rules?path=/v3", "alice"),
            ("bob lists alice's", list, "bob"),
            ("an admin lists alice's", list, "admin"),
            ("show", "GET /v3/users/{alice_id}/access_rules/{get_rule}", "alice"),
            ("show under another's path", "GET /v3/users/{bob_id}/access_rules/{get_rule}", "bob"),
            ("bob shows alice's", "GET /v3/users/{alice_id}/access_rules/{get_rule}", "bob"),
            ("show an unknown one", "GET /v3/users/{alice_id}/access_rules/ffffffffffffffffffffffffffffffff", "alice"),
            ("delete one in use", "DELETE /v3/users/{alice_id}/access_rules/{get_rule}", "alice"),
            ("an admin deletes one in use", "DELETE /v3/users/{alice_id}/access_rules/{get_rule}", "admin"),
            ("a credential goes", "DELETE /v3/users/{alice_id}/application_credentials/{four}", "alice"),
            ("another one goes", "DELETE /v3/users/{alice_id}/application_credentials/{five}", "alice"),
            ("delete one still in use", "DELETE /v3/users/{alice_id}/access_rules/{get_rule}", "alice"),
            ("delete one not in use any more", "DELETE /v3/users/{alice_id}/access_rules/{post_rule}", "alice"),
            ("delete it again", "DELETE /v3/users/{alice_id}/access_rules/{post_rule}", "alice"),
            ("what is left", list, "alice"),
        ] {
            p.send(what, request, token, None).await;
        }
        let twice = json!({ "application_credential": { "name": "x", "access_rules": [{ "id": "{get_rule}" }, { "id": "{get_rule}" }] } });
        p.send("the same rule twice", "POST /v3/users/{alice_id}/application_credentials", "alice", Some(twice)).await;
        let unknown = json!({ "application_credential": { "name": "x", "access_rules": [{ "id": "ffffffffffffffffffffffffffffffff" }] } });
        p.send("a rule by an unknown id", "POST /v3/users/{alice_id}/application_credentials", "alice", Some(unknown)).await;
        let bobs = json!({ "application_credential": { "name": "x", "access_rules": [{ "id": "{get_rule}" }] } });
        p.send("a rule of alice's for bob", "POST /v3/users/{bob_id}/application_credentials", "bob", Some(bobs)).await;
    })
    .await;
}

#[tokio::test]
async fn people_and_projects_are_answered_as_by_keystone() {
    compare(async |p: &mut Probe<'_>| {
        settle(p).await;
        for token in ["admin", "alice", ""] {
            for path in [
                "/v3/users/{alice_id}",
                "/v3/users/{bob_id}",
                "/v3/users/nobody",
                "/v3/users?name=alice-{u}",
                "/v3/users?name=nobody-{u}",
                "/v3/projects/{demo}",
                "/v3/projects/{other}",
                "/v3/projects/nowhere",
                "/v3/projects?name=demo-{u}",
                "/v3/users/{alice_id}/projects",
                "/v3/users/{bob_id}/projects",
                "/v3/roles?name=member",
                "/v3/roles?name=no_such_role",
                "/v3/roles/member",
                "/v3/roles/{role_member}",
                "/v3/domains/default",
                "/v3/domains/elsewhere",
                "/v3/domains?name=Default",
                "/v3/projects/{demo}/users/{alice_id}/roles",
                "/v3/projects/{demo}/users/{alice_id}/roles/{role_member}",
                "/v3/projects/{demo}/users/{alice_id}/roles/{role_reader}",
                "/v3/projects/nowhere/users/{alice_id}/roles",
                "/v3/auth/catalog",
            ] {
                p.send(&format!("`{token}` reads"), &format!("GET {path}"), token, None).await;
            }
        }
        for path in ["/v3/auth/projects", "/v3/auth/domains", "/v3/auth/system"] {
            p.send("alice reads", &format!("GET {path}"), "alice", None).await;
        }
        p.log_in("alice, unscoped", "unscoped", login_of("alice", None)).await;
        for path in [
            "/v3/auth/projects",
            "/v3/auth/catalog",
            "/v3/users/{alice_id}",
            "/v3/domains/default",
            "/v3/projects/{demo}",
        ] {
            p.send("alice, unscoped, reads", &format!("GET {path}"), "unscoped", None).await;
        }
        changes(p).await;
    })
    .await;
}

async fn changes(p: &mut Probe<'_>) {
    let named =
        |kind: &str, name: &str| Some(json!({ kind: { "name": name, "domain_id": "default" } }));
    p.send("a user's name twice", "POST /v3/users", "admin", named("user", "alice-{u}")).await;
    p.send("a project's name twice", "POST /v3/projects", "admin", named("project", "demo-{u}"))
        .await;
    p.send(
        "a role's name twice",
        "POST /v3/roles",
        "admin",
        Some(json!({ "role": { "name": "member" } })),
    )
    .await;
    let own = p
        .send("a role", "POST /v3/roles", "admin", Some(json!({ "role": { "name": "own-{u}" } })))
        .await
        .body;
    p.keep_from("role_own", &own["role"]["id"]);
    for (what, request, body) in [
        ("create a user", "POST /v3/users", named("user", "x-{u}")),
        ("create a project", "POST /v3/projects", named("project", "x-{u}")),
        ("create a role", "POST /v3/roles", Some(json!({ "role": { "name": "x-{u}" } }))),
        (
            "disable a user",
            "PATCH /v3/users/{bob_id}",
            Some(json!({ "user": { "enabled": false } })),
        ),
        (
            "disable a project",
            "PATCH /v3/projects/{demo}",
            Some(json!({ "project": { "enabled": false } })),
        ),
        ("delete a user", "DELETE /v3/users/{bob_id}", None),
        ("delete a project", "DELETE /v3/projects/{demo}", None),
        ("delete a role", "DELETE /v3/roles/{role_own}", None),
        ("grant", "PUT /v3/projects/{demo}/users/{bob_id}/roles/{role_own}", None),
        ("take away", "DELETE /v3/projects/{demo}/users/{bob_id}/roles/{role_member}", None),
    ] {
        p.send(&format!("alice may not: {what}"), request, "alice", body).await;
    }
    grant(p, "bob", "demo", "own").await;
    grant(p, "bob", "demo", "own").await;
    ungrant(p, "bob", "demo", "own").await;
    ungrant(p, "bob", "demo", "own").await;
    create_user(p, "dave").await;
    for (what, request, body) in [
        (
            "describe a user",
            "PATCH /v3/users/{dave_id}",
            Some(json!({ "user": { "description": "d", "enabled": false } })),
        ),
        (
            "an unknown user",
            "PATCH /v3/users/nobody",
            Some(json!({ "user": { "enabled": false } })),
        ),
        ("delete a user", "DELETE /v3/users/{dave_id}", None),
        ("delete it again", "DELETE /v3/users/{dave_id}", None),
        (
            "describe a project",
            "PATCH /v3/projects/{other}",
            Some(json!({ "project": { "description": "d" } })),
        ),
        ("delete an unknown project", "DELETE /v3/projects/nowhere", None),
        ("delete an immutable role", "DELETE /v3/roles/{role_reader}", None),
        ("delete a role", "DELETE /v3/roles/{role_own}", None),
        ("delete it again", "DELETE /v3/roles/{role_own}", None),
    ] {
        p.send(what, request, "admin", body).await;
    }
}
