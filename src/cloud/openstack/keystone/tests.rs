//! What is sent to Keystone, and what is made of its answers.

use serde_json::{Value, json};

use super::super::fixtures::{USER, keystone, logins, refusal, session};
use super::*;
use crate::cloud::stub::{Reply, Stub};

fn patience() -> Patience {
    Patience::default()
}

fn shown(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "description": null, "user_id": USER, "project_id": "p1",
        "system": null, "expires_at": "2027-01-01T00:00:00.000000", "unrestricted": null,
        "roles": [{ "id": "r1", "name": "member", "domain_id": null, "options": {} }],
        "links": { "self": "http://inside/v3/application_credentials/x" },
    })
}

fn new() -> NewApplicationCredential {
    NewApplicationCredential {
        name: "ci-1".to_owned(),
        secret: "the-secret-itself".into(),
        description: Some("for CI".to_owned()),
        roles: vec![RoleRef::Name("member".to_owned()), RoleRef::Id("r2".to_owned())],
        expires_at: Some("2027-01-01T00:00:00.5+02:00".parse().unwrap()),
        unrestricted: false,
        access_rules: vec![AccessRule {
            id: None,
            service: "compute".to_owned(),
            method: "GET".to_owned(),
            path: "/v2.1/servers".to_owned(),
        }],
    }
}

#[tokio::test]
async fn a_create_says_everything_once() {
    let stub = keystone(|_, _| {
        Reply::json(201, &json!({ "application_credential": shown("c1", "ci-1") }))
    })
    .await;
    let session = session(&stub);
    let made =
        session.keystone().create_application_credential(USER, &new(), &patience()).await.unwrap();
    assert_eq!(
        made,
        ApplicationCredential {
            id: "c1".to_owned(),
            name: "ci-1".to_owned(),
            description: None,
            user_id: USER.to_owned(),
            project_id: Some("p1".to_owned()),
            expires_at: Some("2027-01-01T00:00:00Z".parse().unwrap()),
            unrestricted: false,
            roles: vec![Reference { id: "r1".to_owned(), name: "member".to_owned() }],
            access_rules: Vec::new(),
        }
    );
    let sent = &stub.seen()[1];
    assert_eq!(sent.line, "POST /v3/users/u1/application_credentials");
    assert_eq!(
        serde_json::from_str::<Value>(&sent.body).unwrap(),
        json!({ "application_credential": {
            "name": "ci-1",
            "secret": "the-secret-itself",
            "description": "for CI",
            "roles": [{ "name": "member" }, { "id": "r2" }],
            "expires_at": "2026-12-31T22:00:00.500000Z",
            "unrestricted": false,
            "access_rules": [{ "service": "compute", "method": "GET", "path": "/v2.1/servers" }],
        }})
    );
    let least = NewApplicationCredential {
        description: None,
        roles: Vec::new(),
        expires_at: None,
        access_rules: Vec::new(),
        ..new()
    };
    session.keystone().create_application_credential(USER, &least, &patience()).await.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&stub.seen()[2].body).unwrap(),
        json!({ "application_credential": {
            "name": "ci-1", "secret": "the-secret-itself", "unrestricted": false,
        }})
    );
}

#[tokio::test]
async fn a_create_that_may_have_acted_is_not_sent_again() {
    let half = || Reply::Truncated { status: 201, body: "{\"application".to_owned() };
    let unreadable = || Reply::Answer { status: 201, headers: vec![], body: "<html>".to_owned() };
    for (fault, ambiguous) in [
        (Reply::Cut, true),
        (half(), true),
        (unreadable(), true),
        (refusal(500, "database is locked"), true),
        (refusal(504, "gateway"), true),
        (refusal(409, "Duplicate entry"), false),
    ] {
        let stub = keystone(move |_, _| fault.clone()).await;
        let session = session(&stub);
        let outcome =
            session.keystone().create_application_credential(USER, &new(), &patience()).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.is_ambiguous(), ambiguous, "{error}");
        assert_eq!(stub.seen().len(), 2, "{error}");
    }
}

#[tokio::test]
async fn no_error_repeats_the_secret() {
    // what Keystone's validation does with a body that it does not like
    let stub = keystone(|seen, _| {
        refusal(400, &format!("Invalid input for field/attribute x. Value: {}. No", seen.body))
    })
    .await;
    let session = session(&stub);
    let outcome = session.keystone().create_application_credential(USER, &new(), &patience()).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "POST /v3/users/u1/application_credentials answered 400: Invalid input for \
         field/attribute x. No"
    );
    assert!(!format!("{error:?}").contains("the-secret-itself"));
}

/// What a list comes to whose first page has this link to the next, and whose second has none.
async fn list_with(link: &str) -> Result<usize, String> {
    let link = link.to_owned();
    let stub = keystone(move |seen, _| {
        let next = if seen.line.contains("marker") { Value::Null } else { json!(link) };
        let credentials = [shown(&seen.line.len().to_string(), "n")];
        Reply::json(
            200,
            &json!({ "application_credentials": credentials, "links": { "next": next } }),
        )
    })
    .await;
    let session = session(&stub);
    let all = session.keystone().application_credentials(USER, &patience()).await;
    all.map(|all| all.len()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_link_to_the_next_page_is_followed_or_refused() {
    for link in
        ["?marker=a", "/v3/users/u1/application_credentials?marker=a", "http://inside/x?marker=a"]
    {
        assert_eq!(list_with(link).await, Ok(2), "{link}");
    }
    for link in ["/v3/users/u1/application_credentials", "http://inside/next", "http://["] {
        let error = list_with(link).await.unwrap_err();
        assert!(error.ends_with("its link to the next page leads nowhere else"), "{link}: {error}");
    }
    assert_eq!(list_with("").await, Ok(1));
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up() {
    let endless = |length: usize| async move {
        let stub = keystone(move |seen, _| {
            let page = seen.line.split_once("marker=").map_or(0, |(_, page)| page.parse().unwrap());
            let mut credential = shown("a", "n");
            credential["description"] = "x".repeat(length).into();
            let smallest = json!({ "id": "a", "name": "n" });
            let credentials = if length > 0 { vec![credential] } else { vec![smallest; 25_000] };
            let next = format!("?marker={}", page + 1);
            Reply::json(
                200,
                &json!({ "application_credentials": credentials, "links": { "next": next } }),
            )
        })
        .await;
        let session = session(&stub);
        let all = session.keystone().application_credentials(USER, &patience()).await;
        all.unwrap_err().to_string()
    };
    let error = endless(8 * 1024 * 1024).await;
    assert!(error.contains("its pages are larger than 33554432 bytes together"), "{error}");
    let error = endless(0).await;
    assert!(error.contains("it lists more than 20000"), "{error}");
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    let stub = keystone(|seen, _| {
        let (page, next) = match seen.line.split_once('?') {
            None => ("a", json!("http://inside:5000/v3/elsewhere?marker=a&limit=1")),
            Some((_, "marker=a&limit=1")) => ("b", Value::Null),
            Some((_, other)) => panic!("{other}"),
        };
        let credentials = [shown(page, page)];
        Reply::json(
            200,
            &json!({ "application_credentials": credentials, "links": { "next": next } }),
        )
    })
    .await;
    let session = session(&stub);
    let all = session.keystone().application_credentials(USER, &patience()).await.unwrap();
    let ids: Vec<_> = all.iter().map(|credential| credential.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(stub.lines()[1], "GET /v3/users/u1/application_credentials");
}

#[tokio::test]
async fn a_name_is_found_only_as_it_is_written() {
    let stub = keystone(|seen, _| {
        assert!(seen.line.ends_with("?name=CI+%26+co"), "{}", seen.line);
        let credentials = [shown("a", "ci & co"), shown("b", "CI & co")];
        Reply::json(200, &json!({ "application_credentials": credentials }))
    })
    .await;
    let session = session(&stub);
    let keystone = session.keystone();
    let found = keystone.application_credential_named(USER, "CI & co", &patience()).await.unwrap();
    assert_eq!(found.unwrap().id, "b");
}

#[tokio::test]
async fn an_owner_who_is_not_said_is_who_was_asked_for() {
    let mut old = shown("c1", "n");
    old.as_object_mut().unwrap().remove("user_id");
    old["expires_at"] = Value::Null;
    old["access_rules"] =
        json!([{ "id": "ar", "service": "image", "method": "GET", "path": "/v2/images" }]);
    let stub =
        keystone(move |_, _| Reply::json(200, &json!({ "application_credential": old }))).await;
    let session = session(&stub);
    let got = session.keystone().application_credential("u7", "c1", &patience()).await.unwrap();
    assert_eq!((got.user_id.as_str(), got.expires_at), ("u7", None));
    assert_eq!(got.access_rules[0].id.as_deref(), Some("ar"));
}

#[tokio::test]
async fn ids_cannot_reach_another_path() {
    let stub = keystone(|_, _| Reply::status(204)).await;
    let session = session(&stub);
    let keystone = session.keystone();
    for id in ["", ".", ".."] {
        let error =
            keystone.delete_application_credential(USER, id, &patience()).await.unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{error}");
    }
    assert_eq!(stub.seen().len(), 0);
    keystone.delete_application_credential("a/b", "c?d#e%2f", &patience()).await.unwrap();
    assert_eq!(stub.lines()[1], "DELETE /v3/users/a%2Fb/application_credentials/c%3Fd%23e%252f");
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_asked_for_once_more() {
    let page = || Reply::Answer { status: 200, headers: vec![], body: "<html>".to_owned() };
    let stub = keystone(move |_, _| page()).await;
    let error = session(&stub).keystone().user(USER, &patience()).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }) && error.is_ambiguous(), "{error}");
    assert_eq!(stub.seen().len(), 3);
    let odd = keystone(|_, _| {
        Reply::json(200, &json!({ "application_credential": { "id": 5, "secret": "oh" } }))
    })
    .await;
    let session = session(&odd);
    let error =
        session.keystone().application_credential(USER, "c", &patience()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /v3/users/u1/application_credentials/c gave an answer that cannot be read: its \
         application_credential.id is of another kind than it should be"
    );
}

#[tokio::test]
async fn a_page_in_place_of_an_empty_answer_deletes_nothing() {
    let page = || Reply::Answer { status: 200, headers: vec![], body: "<html>".to_owned() };
    let stub = keystone(move |_, _| page()).await;
    let session = session(&stub);
    let error =
        session.keystone().delete_application_credential(USER, "c", &patience()).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }) && error.is_ambiguous(), "{error}");
    assert!(session.keystone().delete_access_rule(USER, "r", &patience()).await.is_err());
}

#[tokio::test]
async fn existence_is_told_as_far_as_the_caller_may_know() {
    for (status, expected) in [
        (200, Existence::Yes),
        (404, Existence::No),
        (403, Existence::Hidden),
        (401, Existence::Hidden),
    ] {
        let stub = Stub::start(move |_, seen| match status {
            _ if seen.line.starts_with("POST") => super::super::fixtures::token("t"),
            200 => Reply::json(
                200,
                &json!({
                    "user": { "id": "x", "name": "n" }, "project": { "id": "x", "name": "n" },
                }),
            ),
            status => refusal(status, "no"),
        })
        .await;
        let session = session(&stub);
        let keystone = session.keystone();
        assert_eq!(keystone.project_exists("x", &patience()).await.unwrap(), expected);
        assert_eq!(keystone.user_exists("x", &patience()).await.unwrap(), expected);
    }
    let stub = keystone(|seen, _| panic!("{}", seen.line)).await;
    let session = session(&stub);
    assert_eq!(session.keystone().user_exists(USER, &patience()).await.unwrap(), Existence::Yes);
    assert_eq!(session.keystone().project_exists("p1", &patience()).await.unwrap(), Existence::Yes);
    assert_eq!(logins(&stub), 1);
}

#[tokio::test]
async fn access_rules_are_listed_and_deleted() {
    let stub = keystone(|seen, _| match seen.line.as_str() {
        "GET /v3/users/u1/access_rules" => Reply::json(
            200,
            &json!({ "access_rules": [
                { "id": "a", "service": "s", "method": "GET", "path": "/p", "links": {} },
            ]}),
        ),
        "DELETE /v3/users/u1/access_rules/a" => refusal(403, "in use"),
        other => panic!("{other}"),
    })
    .await;
    let session = session(&stub);
    let rules = session.keystone().access_rules(USER, &patience()).await.unwrap();
    assert_eq!(rules[0].id.as_deref(), Some("a"));
    let error = session.keystone().delete_access_rule(USER, "a", &patience()).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
}
