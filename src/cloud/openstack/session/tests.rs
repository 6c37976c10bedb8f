//! One login for all, renewed when it must be, never tried again when it is refused.

use serde_json::json;
use tokio::task::JoinSet;

use super::super::config::Settings;
use super::super::fixtures::{
    USER, keystone, logins, refusal, session, session_for, settings, token, token_body, token_of,
};
use super::*;
use crate::cloud::openstack::Meaning;
use crate::cloud::stub::{Reply, Stub};
use crate::redaction::ExposeSecret as _;

fn patience() -> Patience {
    Patience::default()
}

/// A harmless call.
async fn look(session: &Session) -> Result<super::super::Reference, Error> {
    session.keystone().user(USER, &patience()).await
}

fn user() -> Reply {
    Reply::json(200, &json!({ "user": { "id": USER, "name": "alice" } }))
}

#[tokio::test]
async fn one_login_serves_all_calls_and_asks_for_no_catalog() {
    let stub = keystone(|_, token| {
        assert_eq!(token, "t1");
        user()
    })
    .await;
    let session = session(&stub);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let session = session.clone();
        calls.spawn(async move { look(&session).await });
    }
    while let Some(outcome) = calls.join_next().await {
        assert_eq!(outcome.unwrap().unwrap().name, "alice");
    }
    assert_eq!(stub.lines()[0], "POST /v3/auth/tokens?nocatalog");
    assert_eq!((logins(&stub), stub.seen().len()), (1, 21));
    let sent: serde_json::Value = serde_json::from_str(&stub.seen()[0].body).unwrap();
    let user = json!({ "id": USER, "password": "pass-word-1" });
    assert_eq!(
        sent,
        json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": user } },
            "scope": { "project": { "id": "p1" } },
        }})
    );
}

#[tokio::test]
async fn a_refused_login_is_never_tried_again() {
    for status in [400, 401, 403, 404] {
        let stub = Stub::replies(vec![refusal(status, "no pass-word-1"), token("t1")]).await;
        let session = session(&stub);
        for _ in 0..3 {
            let error = look(&session).await.unwrap_err();
            assert_eq!((error.status(), error.request_id()), (None, Some("req-7")));
            assert!(!error.is_ambiguous());
            assert_eq!(
                error.to_string(),
                format!(
                    "the login was refused: POST /v3/auth/tokens as the user u1 at {} (from the provider's \
                     configuration) answered {status}: no (redacted)",
                    stub.url("/v3")
                )
            );
        }
        let error = session.new_token(&patience()).await.unwrap_err();
        assert_eq!(error.login_status(), Some(status));
        assert_eq!(stub.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_login_without_an_answer_is_repeated_and_its_failure_shared() {
    let stub = Stub::replies(vec![Reply::Cut, token("t1"), user()]).await;
    assert!(look(&session(&stub)).await.is_ok());

    let stub = Stub::replies(vec![Reply::Cut]).await;
    let session = session(&stub);
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let session = session.clone();
        calls.spawn(async move { look(&session).await });
    }
    while let Some(outcome) = calls.join_next().await {
        assert!(matches!(outcome.unwrap(), Err(Error::NoAnswer { .. })));
    }
    assert_eq!(stub.seen().len(), 2, "two attempts of one login");
}

#[tokio::test]
async fn a_busy_keystone_is_not_a_refusal_for_good() {
    let stub = Stub::replies(vec![refusal(503, "busy")]).await;
    let session = session(&stub);
    let Err(Error::Login(answer)) = look(&session).await else { panic!() };
    assert_eq!(answer.status, 503);
    assert!(session.shared.slot.lock().await.refused.is_none());
}

#[tokio::test]
async fn a_token_that_was_accepted_and_is_refused_is_renewed_once() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let stub = keystone(move |_, token| match (calls.fetch_add(1, Ordering::Relaxed), token) {
        (0, "t1") | (2, "t2") => user(),
        (1, "t1") => refusal(401, "token is dead"),
        (call, token) => panic!("call {call} with {token}"),
    })
    .await;
    let session = session(&stub);
    look(&session).await.unwrap();
    look(&session).await.unwrap();
    assert_eq!(logins(&stub), 2);
}

#[tokio::test]
async fn a_token_dead_at_birth_is_renewed_a_second_later() {
    let stub = keystone(|_, token| if token == "t1" { refusal(401, "dead") } else { user() }).await;
    let session = session(&stub);
    let began = Instant::now();
    look(&session).await.unwrap();
    assert_eq!(logins(&stub), 2);
    assert!(began.elapsed() >= Duration::from_secs(1), "the second of the revocation is over");
}

#[tokio::test]
async fn what_is_refused_again_and_again_is_believed() {
    // a token whose access rules do not list the call: no other token will do better
    let stub = keystone(
        |seen, _| {
            if seen.line.contains("/projects/") { refusal(401, "no") } else { user() }
        },
    )
    .await;
    let session = session(&stub);
    look(&session).await.unwrap();
    for _ in 0..3 {
        let error = session.keystone().project("p9", &patience()).await.unwrap_err();
        assert_eq!(error.status(), Some(401));
    }
    look(&session).await.unwrap();
    assert_eq!(logins(&stub), 3, "renewed after the success, settled once, then believed");
}

#[tokio::test]
async fn a_login_credential_that_is_gone_is_not_taken_for_the_thing_asked_for() {
    let mut body = token_body(3600);
    body["token"]["application_credential"] =
        json!({ "id": "own", "name": "n", "restricted": false });
    let stub = Stub::start(move |number, seen| match number {
        0 => token_of("t1", &body),
        1 => user(),
        _ if seen.line.contains("/auth/tokens") => {
            refusal(404, "Could not find Application Credential: own.")
        }
        _ if seen.line.ends_with("/other") => {
            refusal(404, "Could not find Application Credential: other.")
        }
        _ => refusal(404, "Could not find Application Credential: own."),
    })
    .await;
    let session = session_for(&Settings {
        application_credential_id: Some("own".to_owned()),
        application_credential_secret: Some("s".into()),
        auth_url: settings(&stub).auth_url,
        ..Settings::default()
    });
    look(&session).await.unwrap();
    let keystone = session.keystone();
    let error = keystone.application_credential(USER, "other", &patience()).await.unwrap_err();
    assert_eq!((error.status(), logins(&stub)), (Some(404), 1));
    let error = keystone.application_credentials(USER, &patience()).await.unwrap_err();
    assert!(matches!(error, Error::Login(_)), "{error}");
    assert_eq!((error.status(), logins(&stub)), (None, 2));
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_by_keystones_clock() {
    // issued and ended long ago by our clock, which may be wrong: an hour is an hour
    let stub = keystone(|_, _| user()).await;
    let session_of_an_hour = session(&stub);
    for _ in 0..3 {
        look(&session_of_an_hour).await.unwrap();
    }
    assert_eq!(logins(&stub), 1);

    let short = Stub::start(|_, seen| {
        if seen.line.starts_with("POST") { token_of("t", &token_body(1)) } else { user() }
    })
    .await;
    let session = session(&short);
    look(&session).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    look(&session).await.unwrap();
    assert_eq!(logins(&short), 2);
}

#[tokio::test]
async fn a_one_time_passcode_is_used_once() {
    let stub =
        keystone(|_, token| if token == "t1" { refusal(401, "the token is dead") } else { user() })
            .await;
    let session = session_for(&Settings { passcode: Some("123456".into()), ..settings(&stub) });
    session.token(&patience()).await.unwrap();
    let error = look(&session).await.unwrap_err();
    assert_eq!((error.status(), logins(&stub)), (Some(401), 1));
    assert_eq!(stub.lines()[0], "POST /v3/auth/tokens", "with the catalog: it cannot be had later");
    let sent: serde_json::Value = serde_json::from_str(&stub.seen()[0].body).unwrap();
    assert_eq!(sent["auth"]["identity"]["methods"], json!(["password", "totp"]));
}

#[tokio::test]
async fn the_catalog_is_fetched_when_it_is_needed() {
    let mut body = token_body(3600);
    body["token"]["catalog"] = json!([
        { "type": "container-infra", "endpoints": [
            { "interface": "public", "region": "R1", "region_id": "R1", "url": "https://magnum/v1" },
        ]},
    ]);
    let stub = Stub::start(move |_, _| token_of("t1", &body)).await;
    let session = session(&stub);
    assert!(session.token(&patience()).await.unwrap().catalog.is_none());
    let found = session.endpoint("container-infrastructure-management", &patience()).await.unwrap();
    assert_eq!(found.as_str(), "https://magnum/v1");
    let error = session.endpoint("dns", &patience()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the service catalog has no dns endpoint, public; it has: container-infra (public in R1)"
    );
    assert_eq!(stub.lines(), ["POST /v3/auth/tokens?nocatalog", "POST /v3/auth/tokens"]);
}

#[tokio::test]
async fn a_login_of_its_own_leaves_the_session_alone() {
    let stub = Stub::start(|_, seen| {
        if seen.body.contains("bad-secret") { refusal(401, "no") } else { token("mine") }
    })
    .await;
    let session = session(&stub);
    let login =
        |secret: &str| Login { application_credential_id: "c1".to_owned(), secret: secret.into() };
    let error = session.log_in(&login("bad-secret"), &patience()).await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    let token = session.log_in(&login("good-secret"), &patience()).await.unwrap();
    assert_eq!(token.value.expose_secret(), "mine");
    assert!(!format!("{token:?}").contains("mine"));
    let sent: serde_json::Value = serde_json::from_str(&stub.seen()[1].body).unwrap();
    let credential = json!({ "id": "c1", "secret": "good-secret" });
    let identity =
        json!({ "methods": ["application_credential"], "application_credential": credential });
    assert_eq!(sent, json!({ "auth": { "identity": identity } }));
    assert!(session.token(&patience()).await.is_ok());
}

#[tokio::test]
async fn a_token_is_revoked_by_itself_or_by_its_user() {
    // the token's own try, the session's, whether it lives; what comes of it, and by how many calls
    let table = [
        (204, 0, 0, "revoked", 1),
        (404, 0, 0, "revoked", 1),
        (401, 204, 0, "revoked", 2),
        (403, 404, 404, "revoked", 3),
        (401, 404, 200, "not revocable", 3),
        (403, 403, 0, "403", 2),
        (401, 404, 500, "500", 4),
        (409, 0, 0, "409", 1),
    ];
    for (own, ours, lives, expected, calls) in table {
        let stub = keystone(move |seen, token| {
            assert_eq!(seen.headers["x-subject-token"], "victim");
            let status = match (seen.line.as_str(), token) {
                ("DELETE /v3/auth/tokens", "victim") => own,
                ("DELETE /v3/auth/tokens", "t1") => ours,
                ("GET /v3/auth/tokens", "t1") => lives,
                other => panic!("{other:?}"),
            };
            if status < 300 { Reply::status(status) } else { refusal(status, "no") }
        })
        .await;
        let got = match session(&stub).revoke(&"victim".into(), &patience()).await {
            Ok(()) => "revoked".to_owned(),
            Err(Error::NotRevocable { .. }) => "not revocable".to_owned(),
            Err(error) => error.status().unwrap().to_string(),
        };
        let sent = stub.seen().len() - logins(&stub);
        assert_eq!((got.as_str(), sent), (expected, calls), "{own}, {ours}, {lives}");
    }
}

#[tokio::test]
async fn who_waits_for_a_login_may_stop_waiting() {
    let stub =
        Stub::replies(vec![Reply::Slow(Duration::from_millis(300), Box::new(token("t1")))]).await;
    let session = session(&stub);
    let leader = {
        let session = session.clone();
        tokio::spawn(async move { session.token(&patience()).await })
    };
    while stub.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let impatient = patience();
    impatient.cancel.cancel();
    let error = session.token(&impatient).await.unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }), "{error}");
    assert!(leader.await.unwrap().is_ok());
}

#[tokio::test]
async fn addresses_that_are_no_keystone_are_told() {
    let page =
        Reply::Answer { status: 200, headers: Vec::new(), body: "<title>Sign in</title>".into() };
    let stub = Stub::replies(vec![page]).await;
    let error = session(&stub).token(&patience()).await.unwrap_err();
    let whom = |stub: &Stub| {
        format!("as the user u1 at {} (from the provider's configuration)", stub.url("/v3"))
    };
    assert_eq!(
        error.to_string(),
        format!(
            "POST /v3/auth/tokens {} gave an answer that cannot be read: it is not JSON (line 1, column \
             1); it is an HTML page, \"Sign in\"",
            whom(&stub)
        )
    );
    let moved = Reply::status(301)
        .with("location", "https://who:pass-word-1@new.example.com/v3/auth/tokens/pass-word-1?x=1");
    let stub = Stub::replies(vec![moved]).await;
    let error = session(&stub).token(&patience()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the login was refused: POST /v3/auth/tokens {} answered 301: it redirects to \
             https://new.example.com/v3/auth/tokens/(redacted), which is not followed; configure that \
             address",
            whom(&stub)
        )
    );
    let bare = Stub::replies(vec![Reply::json(201, &token_body(60))]).await;
    let error = session(&bare).token(&patience()).await.unwrap_err();
    assert!(error.to_string().ends_with("it has no X-Subject-Token"), "{error}");
}

#[tokio::test]
async fn what_an_answer_means_beside_its_status_is_seen() {
    let flask = "The requested URL was not found on the server. If you entered the URL manually";
    let receipt = Reply::json(
        401,
        &json!({ "receipt": {}, "required_auth_methods": [["password", "totp"], ["x"]] }),
    );
    let page =
        |status, text: &str| Reply::Answer { status, headers: vec![], body: text.to_owned() };
    let plain = "<title>400 The plain HTTP request was sent to HTTPS port</title>";
    for (reply, meaning) in [
        (refusal(404, flask), Meaning::NoKeystone),
        (page(404, "<title>nginx</title>"), Meaning::NoKeystone),
        (refusal(404, "Could not find project: p1."), Meaning::Status),
        (refusal(401, "no"), Meaning::Status),
        (page(400, plain), Meaning::PlainToTls),
        (
            receipt.with("openstack-auth-receipt", "r"),
            Meaning::MoreFactors(vec![vec!["password".into(), "totp".into()], vec!["x".into()]]),
        ),
    ] {
        let stub = Stub::replies(vec![reply]).await;
        let Err(Error::Login(answer)) = session(&stub).token(&patience()).await else { panic!() };
        assert_eq!(answer.meaning, meaning);
        if matches!(meaning, Meaning::MoreFactors(_)) {
            assert_eq!(
                answer.message,
                "the user's multi-factor rules want password and totp, or x; this login showed password"
            );
        }
    }
}

#[tokio::test]
async fn a_token_without_a_scope_is_looked_at_and_used() {
    let stub =
        Stub::start(|_, seen| match (seen.line.as_str(), seen.headers["x-auth-token"].as_str()) {
            ("GET /v3/auth/tokens", "given-token-1") => {
                assert_eq!(seen.headers["x-subject-token"], "given-token-1");
                assert_eq!(seen.headers["openstack-identity-access-rules"], "1.0");
                Reply::json(200, &token_body(3600))
            }
            ("GET /v3/users/u1", "given-token-1") => user(),
            other => panic!("{other:?}"),
        })
        .await;
    let settings = Settings {
        auth_url: Some(stub.url("").to_string()),
        token: Some("given-token-1".into()),
        ..Settings::default()
    };
    let session = session_for(&settings);
    let token = session.token(&patience()).await.unwrap();
    assert_eq!(token.project.unwrap().id, "p1");
    look(&session).await.unwrap();
    look(&session).await.unwrap();
    assert_eq!(stub.seen().len(), 3, "looked at once");
}

#[tokio::test]
async fn a_token_that_was_given_is_not_the_one_that_is_handed_out() {
    let stub = Stub::start(|_, seen| {
        if seen.line.starts_with("GET") {
            return Reply::json(200, &token_body(3600));
        }
        let sent: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!(sent["auth"]["scope"], json!({ "project": { "id": "p1" } }));
        token("another")
    })
    .await;
    let session = session_for(&Settings {
        auth_url: Some(stub.url("").to_string()),
        token: Some("given-token-2".into()),
        ..Settings::default()
    });
    let lent = session.new_token(&patience()).await.unwrap();
    assert_eq!(lent.value.expose_secret(), "another");
}

#[tokio::test]
async fn a_token_that_ended_is_told_to_be_that() {
    let stub =
        Stub::replies(vec![refusal(401, "The request you have made requires authentication.")])
            .await;
    let session = session_for(&Settings {
        auth_url: Some(stub.url("").to_string()),
        token: Some("given-token-3".into()),
        ..Settings::default()
    });
    let Err(Error::Login(answer)) = session.token(&patience()).await else { panic!() };
    assert!(matches!(answer.meaning, Meaning::Spent(_)), "{answer:?}");
}

#[tokio::test]
async fn a_rate_limit_is_evidence_against_nothing() {
    let stub = Stub::replies(vec![refusal(429, "slow down")]).await;
    let session = session(&stub);
    let deadline = Some(Instant::now() + Duration::from_millis(200));
    let patience = Patience { deadline, ..Patience::default() };
    let error = session.token(&patience).await.unwrap_err();
    assert_eq!(error.login_status(), Some(429));
    assert!(error.tells_nothing());
    // whoever comes next tries for itself, and need not wait until the failure is forgotten
    let slot = session.shared.slot.lock().await;
    assert!(slot.refused.is_none() && slot.unanswered.is_none());
}

#[tokio::test]
async fn every_token_is_known_to_redaction() {
    let stub = Stub::replies(vec![token("session-tests-token")]).await;
    session(&stub).token(&patience()).await.unwrap();
    assert_eq!(crate::redaction::clean_message("got session-tests-token"), "got (redacted)");
}

#[tokio::test]
async fn a_server_that_repeats_the_login_does_not_show_it() {
    // shorter than what is crossed out everywhere, and in other clothes
    let password = "p\"&1";
    let echoes = [
        format!("user said {password}"),
        "user said p\\\"&1".to_owned(),
        "user said p%22%261".to_owned(),
        "user said p&quot;&amp;1".to_owned(),
        format!("{{'password': '{password}'}}"),
    ];
    for echo in echoes {
        let stub = Stub::replies(vec![refusal(401, &echo)]).await;
        let settings = Settings { password: Some(password.into()), ..settings(&stub) };
        let error = session_for(&settings).token(&patience()).await.unwrap_err().to_string();
        assert!(error.contains("(redacted)"), "{error}");
    }
}

#[tokio::test]
async fn keystone_is_called_where_it_is_said_to_be() {
    let stub = keystone(|_, _| user()).await;
    let override_ = stub.url("/identity").to_string();
    let session =
        session_for(&Settings { identity_endpoint_override: Some(override_), ..settings(&stub) });
    look(&session).await.unwrap();
    assert_eq!(stub.lines(), ["POST /v3/auth/tokens?nocatalog", "GET /identity/v3/users/u1"]);
}
