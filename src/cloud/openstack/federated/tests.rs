//! The requests of each grant, and whose refusal it is.

use serde_json::json;

use super::super::config::Settings;
use super::super::fixtures::{refusal, session_for, token_body, token_of};
use super::*;
use crate::cloud::stub::{Reply, Seen, Stub};
use crate::redaction;

const AUTH: &str = "POST /v3/OS-FEDERATION/identity_providers/gitlab/protocols/openid/auth";

fn patience() -> Patience {
    Patience::default()
}

fn settings(stub: &Stub) -> Settings {
    Settings {
        auth_url: Some(stub.url("").to_string()),
        identity_provider: Some("gitlab".to_owned()),
        protocol: Some("openid".to_owned()),
        project_id: Some("p1".to_owned()),
        ..Settings::default()
    }
}

fn of_client(stub: &Stub) -> Settings {
    Settings {
        client_id: Some("ci".to_owned()),
        client_secret: Some("federated-tests-client".into()),
        discovery_endpoint: Some(stub.url("/.well-known/openid-configuration").to_string()),
        ..settings(stub)
    }
}

/// Plays the identity provider and Keystone's front, and Keystone for whom they believe.
fn vouch(seen: &Seen) -> Reply {
    match seen.line.as_str() {
        "GET /.well-known/openid-configuration" => Reply::json(
            200,
            &json!({ "token_endpoint": "/token", "grant_types_supported": ["client_credentials", "password"] }),
        ),
        "POST /token" => Reply::json(
            200,
            &json!({ "access_token": "federated-tests-access", "id_token": "federated-tests-id" }),
        ),
        AUTH if seen.headers["authorization"].starts_with("Bearer federated-tests-") => {
            assert_eq!(seen.body, "");
            token_of("federated-tests-unscoped", &token_body(3600))
        }
        line if line.starts_with("POST /v3/auth/tokens") => {
            let sent: Value = serde_json::from_str(&seen.body).unwrap();
            let identity = &sent["auth"]["identity"];
            assert_eq!(identity["token"]["id"], "federated-tests-unscoped");
            assert_eq!(sent["auth"]["scope"], json!({ "project": { "id": "p1" } }));
            token_of("federated-tests-scoped", &token_body(3600))
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_access_token_is_shown_and_what_it_gives_is_scoped() {
    let stub = Stub::start(|_, seen| vouch(seen)).await;
    let access_token = Some("federated-tests-pipeline\n".into());
    let session = session_for(&Settings { access_token, ..settings(&stub) });
    let token = session.token(&patience()).await.unwrap();
    assert_eq!(token.value.expose_secret(), "federated-tests-scoped");
    assert_eq!(stub.lines(), [AUTH, "POST /v3/auth/tokens?nocatalog"]);
    assert_eq!(stub.seen()[0].headers["authorization"], "Bearer federated-tests-pipeline");
}

#[tokio::test]
async fn without_a_scope_the_unscoped_token_is_the_one() {
    let stub = Stub::start(|_, seen| vouch(seen)).await;
    let access_token = Some("federated-tests-pipeline".into());
    let session = session_for(&Settings { access_token, project_id: None, ..settings(&stub) });
    let token = session.token(&patience()).await.unwrap();
    assert_eq!(token.value.expose_secret(), "federated-tests-unscoped");
    assert_eq!(stub.lines(), [AUTH]);
}

#[tokio::test]
async fn a_client_gets_its_token_where_the_document_says() {
    let stub = Stub::start(|_, seen| vouch(seen)).await;
    session_for(&of_client(&stub)).token(&patience()).await.unwrap();
    let lines = ["GET /.well-known/openid-configuration", "POST /token", AUTH];
    assert_eq!(stub.lines()[..3], lines);
    let asked = &stub.seen()[1];
    assert_eq!(asked.body, "grant_type=client_credentials&scope=openid+profile");
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    let pair = STANDARD.encode("ci:federated-tests-client");
    assert_eq!(asked.headers["authorization"], format!("Basic {pair}"));
    assert_eq!(stub.seen()[2].headers["authorization"], "Bearer federated-tests-access");
}

#[tokio::test]
async fn a_user_gets_it_by_password_and_a_public_client_names_itself() {
    let stub = Stub::start(|_, seen| vouch(seen)).await;
    let settings = Settings {
        access_token_endpoint: Some(stub.url("/token").to_string()),
        access_token_type: Some("id_token".to_owned()),
        client_id: Some("ci".to_owned()),
        openid_scope: Some("openid".to_owned()),
        password: Some("p w&1%é".into()),
        username: Some("alice".to_owned()),
        ..settings(&stub)
    };
    session_for(&settings).token(&patience()).await.unwrap();
    let asked = &stub.seen()[0];
    assert_eq!(
        asked.body,
        "grant_type=password&scope=openid&username=alice&password=p+w%261%25%C3%A9&client_id=ci"
    );
    assert!(!asked.headers.contains_key("authorization"));
    assert_eq!(stub.seen()[1].headers["authorization"], "Bearer federated-tests-id");
}

#[tokio::test]
async fn the_one_who_refuses_is_named() {
    let stub = Stub::start(|_, seen| match seen.line.as_str() {
        "POST /token" => Reply::json(
            401,
            &json!({ "error": "invalid_client", "error_description": "bad federated-tests-client" }),
        ),
        _ => vouch(seen),
    })
    .await;
    let error = session_for(&of_client(&stub)).token(&patience()).await.unwrap_err();
    let Error::Login(answer) = &error else { panic!("{error}") };
    assert_eq!(answer.meaning, Meaning::IdentityProvider);
    assert!(answer.request.starts_with(&format!("POST {} as the client ci", stub.url("/token"))));
    assert_eq!(answer.message, "bad (redacted)");

    let stub = Stub::replies(vec![refusal(401, "no such token")]).await;
    let access_token = Some("federated-tests-over".into());
    let session = session_for(&Settings { access_token, ..settings(&stub) });
    let error = session.token(&patience()).await.unwrap_err().to_string();
    let whom = "as the holder of the access token, by the identity provider gitlab at ";
    assert!(error.starts_with(&format!("the login was refused: {AUTH} {whom}")), "{error}");
}

#[tokio::test]
async fn a_document_cannot_send_the_secret_anywhere() {
    for (endpoint, grants, complaint) in [
        (json!("ftp://elsewhere/token"), json!(null), "to which no secret is sent"),
        (json!("https://who:pw@elsewhere/token"), json!(null), "to which no secret is sent"),
        (
            json!("/token"),
            json!(["authorization_code"]),
            "does not offer the grant client_credentials",
        ),
        (json!(null), json!(null), "its token_endpoint is of another kind"),
    ] {
        let document = json!({ "token_endpoint": endpoint, "grant_types_supported": grants });
        let stub = Stub::replies(vec![Reply::json(200, &document)]).await;
        let error = session_for(&of_client(&stub)).token(&patience()).await.unwrap_err();
        assert!(error.to_string().contains(complaint), "{error}");
        assert_eq!(stub.seen().len(), 1);
    }
}

#[tokio::test]
async fn every_token_on_the_way_is_known_to_redaction() {
    let stub = Stub::start(|_, seen| vouch(seen)).await;
    session_for(&of_client(&stub)).token(&patience()).await.unwrap();
    for secret in ["access", "unscoped", "scoped", "client"] {
        let text = format!("see federated-tests-{secret}.");
        assert_eq!(redaction::clean_message(&text), "see (redacted).");
    }
    let pair = STANDARD.encode("ci:federated-tests-client");
    assert!(!redaction::clean_message(&format!("Authorization Basic {pair}")).contains(&pair));
}
