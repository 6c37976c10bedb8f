use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::Request as Incoming;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::super::testing::{access, client, closed_port, host, limits, patience, serve};
use super::super::{Exec, Settings, Unreachable};
use super::*;
use crate::redaction::SecretString;

/// A server that gives the `n`th answer (from 0) so, and a counter of its calls.
fn answers<F, R>(answer: F) -> (Router, Arc<AtomicU32>)
where
    F: Fn(u32, Incoming) -> R + Clone + Send + Sync + 'static,
    R: IntoResponse + Send + 'static,
{
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let router = Router::new().fallback(any(move |request: Incoming| {
        let answer = answer(counter.fetch_add(1, Ordering::SeqCst), request).into_response();
        async move { answer }
    }));
    (router, calls)
}

async fn ask(client: &Client) -> Result<Value, Error> {
    let request = client.request(Method::GET, "/api", &[("labelSelector", "a=b,c in (d)")])?;
    client.call(&request, &patience()).await.map(|answer| answer.body)
}

fn status(code: StatusCode, message: &str) -> Response {
    let body = json!({ "kind": "Status", "message": message, "reason": "Why" });
    (code, [("audit-id", "audit-1")], axum::Json(body)).into_response()
}

#[tokio::test]
async fn a_request_carries_path_query_login_and_agent() {
    let (router, _) = answers(|_, request| {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        axum::Json(json!({
            "target": request.uri().to_string(),
            "authorization": header("authorization"),
            "agent": header("user-agent"),
            "accept": header("accept"),
        }))
    });
    let settings = Settings { token: Some("t".into()), ..host(serve(router).await + "/prefix/") };
    let seen = ask(&Client::new(access(&settings))).await.unwrap();
    assert_eq!(seen["target"], "/prefix/api?labelSelector=a%3Db%2Cc%20in%20%28d%29");
    assert_eq!(seen["authorization"], "Bearer t");
    assert_eq!(seen["accept"], "application/json");
    assert!(seen["agent"].as_str().unwrap().starts_with("terraform-provider-rekey/"));
}

#[tokio::test]
async fn basic_authorization_and_a_token_file_that_changes() {
    let (router, _) = answers(|_, request| {
        axum::Json(request.headers()["authorization"].to_str().unwrap().to_owned())
    });
    let address = serve(router).await;
    let settings = Settings {
        username: Some("u".into()),
        password: Some("p".into()),
        ..host(address.clone())
    };
    assert_eq!(ask(&Client::new(access(&settings))).await.unwrap(), "Basic dTpw");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one\n").unwrap();
    let mut access = access(&host(address));
    access.login.authorization = Authorization::TokenFile(path.clone());
    let client = Client::new(access);
    assert_eq!(ask(&client).await.unwrap(), "Bearer one");
    std::fs::write(&path, "two\n").unwrap();
    assert_eq!(ask(&client).await.unwrap(), "Bearer two");
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for (code, transient) in [
        (StatusCode::UNAUTHORIZED, false),
        (StatusCode::FORBIDDEN, false),
        (StatusCode::NOT_FOUND, false),
        (StatusCode::CONFLICT, false),
    ] {
        let (router, calls) = answers(move |_, _| status(code, "these words"));
        let error = ask(&client(router).await).await.unwrap_err();
        let kind = match code.as_u16() {
            401 => matches!(error, Error::Unauthorized(_)),
            403 => matches!(error, Error::Forbidden(_)),
            _ => matches!(error, Error::Api(_)),
        };
        assert!(kind, "{error:?}");
        let refusal = error.refusal().unwrap();
        assert_eq!((&*refusal.message, &*refusal.reason), ("these words", "Why"));
        assert_eq!(refusal.request, "GET /api");
        assert_eq!(refusal.audit_id.as_deref(), Some("audit-1"));
        assert_eq!(error.is_transient(), transient);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let (router, calls) = answers(|call, _| match call {
        0 => status(StatusCode::SERVICE_UNAVAILABLE, "starting"),
        _ => axum::Json(json!("there")).into_response(),
    });
    assert_eq!(ask(&client(router).await).await.unwrap(), "there");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let (router, calls) = answers(|_, _| status(StatusCode::TOO_MANY_REQUESTS, "slower"));
    let soon = Patience {
        deadline: Some(Instant::now() + Duration::from_millis(100)),
        ..Patience::default()
    };
    let limited = client(router).await;
    let error = limited.get::<Value>("/api", &soon).await.unwrap_err();
    assert_eq!(error.status(), Some(429));
    assert_eq!(calls.load(Ordering::SeqCst), 1, "there is no time to come later");
}

/// As client-go does it, which waits as told and gives up after the tenth time.
#[tokio::test]
async fn who_is_told_to_come_later_comes_later() {
    let (router, calls) = answers(|call, _| match call {
        0..3 => {
            let code = if call == 1 {
                StatusCode::TOO_MANY_REQUESTS
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            (code, [("retry-after", "0")]).into_response()
        }
        _ => axum::Json(json!("there")).into_response(),
    });
    let patched: Value =
        client(router).await.merge("/api/x", &json!({}), &patience()).await.unwrap();
    assert_eq!((patched, calls.load(Ordering::SeqCst)), (json!("there"), 4));
}

#[tokio::test]
async fn nobody_there_is_refused() {
    let port = closed_port().await;
    let client = Client::with_limits(access(&host(format!("http://127.0.0.1:{port}"))), limits(1));
    let error = ask(&client).await.unwrap_err();
    let Error::Unreachable { server, cause, may_have_acted, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*server, format!("http://127.0.0.1:{port}"));
    assert_eq!((*cause, *may_have_acted), (Unreachable::Refused, false));
}

#[tokio::test]
async fn silence_is_a_time_out_and_a_change_may_have_been_made() {
    let router = Router::new().fallback(any(std::future::pending::<()>));
    let limits = Limits {
        connect: Duration::from_millis(50),
        request: Duration::from_millis(50),
        attempts: 1,
    };
    let client = Client::with_limits(access(&host(serve(router).await)), limits);
    let cause = |answer: Result<Value, Error>| match answer {
        Err(Error::Unreachable { cause, may_have_acted, .. }) => (cause, may_have_acted),
        other => panic!("{other:?}"),
    };
    assert_eq!(cause(client.get("/api", &patience()).await), (Unreachable::TimedOut, false));
    let patched = client.merge("/api", &json!({}), &patience()).await;
    assert_eq!(cause(patched), (Unreachable::TimedOut, true));
}

#[tokio::test]
async fn a_stop_ends_a_read_at_once() {
    let router = Router::new().fallback(any(std::future::pending::<()>));
    let client = Client::new(access(&host(serve(router).await)));
    let cancel = CancellationToken::new();
    let patience = Patience { cancel: cancel.clone(), deadline: None };
    let call = client.get::<Value>("/api", &patience);
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    };
    let (answer, ()) = tokio::join!(call, stop);
    assert!(matches!(answer, Err(Error::Stopped { .. })));
    // And nothing is begun after it.
    let answer = client.merge::<Value>("/api/x", &json!({}), &patience).await;
    assert!(matches!(answer, Err(Error::Stopped { what }) if what == "PATCH /api/x"));
}

#[tokio::test]
async fn a_page_instead_of_json_is_not_taken_for_an_answer() {
    let (router, _) = answers(|_, _| "<html>hunter2</html>");
    let error = ask(&client(router).await).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }));
    assert!(!error.to_string().contains("hunter2"));
    let (router, _) = answers(|_, _| (StatusCode::FORBIDDEN, " the proxy says no \n"));
    let error = ask(&client(router).await).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().message, "the proxy says no");
    let (router, _) = answers(|_, _| (StatusCode::FORBIDDEN, "<html><title>Log in</title>"));
    let error = ask(&client(router).await).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().message, "Log in");
}

#[tokio::test]
async fn the_version_comes_with_the_servers_clock() {
    let (router, _) = answers(|_, _| {
        let date = [("date", "Sun, 22 Nov 2026 10:00:00 GMT")];
        (date, axum::Json(json!({ "gitVersion": "v1.33.8" })))
    });
    let (version, clock) = client(router).await.version(&patience()).await.unwrap();
    assert_eq!(version, "v1.33.8");
    assert_eq!(clock.to_string(), "2026-11-22T10:00:00Z");
}

/// A plugin whose `n`th token is `n`, and a server that takes only the token `accepted`.
async fn with_plugin(
    folder: &std::path::Path,
    accepted: u32,
    expires: &str,
) -> (Client, Arc<AtomicU32>) {
    let wanted = format!("Bearer {accepted}");
    let (router, calls) = answers(move |_, request| {
        if request.headers()["authorization"] == *wanted {
            axum::Json(json!("in")).into_response()
        } else {
            status(StatusCode::UNAUTHORIZED, "Unauthorized")
        }
    });
    let count = folder.join("count");
    let script = format!(
        r#"echo x >> {0}; n=$(wc -l < {0}); printf '{{"apiVersion":"v","status":{{"token":"%d"{expires}}}}}' $n"#,
        count.display()
    );
    let settings = Settings {
        exec: Some(Exec {
            api_version: "v".to_owned(),
            command: "/bin/sh".to_owned(),
            args: vec!["-c".to_owned(), script],
            ..Exec::default()
        }),
        ..host(serve(router).await)
    };
    (Client::with_limits(access(&settings), limits(1)), calls)
}

fn runs(folder: &std::path::Path) -> usize {
    std::fs::read_to_string(folder.join("count")).map_or(0, |text| text.lines().count())
}

#[tokio::test]
async fn a_plugin_runs_at_the_first_call_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let (client, _) = with_plugin(folder.path(), 1, "").await;
    assert_eq!(runs(folder.path()), 0);
    for _ in 0..3 {
        assert_eq!(ask(&client).await.unwrap(), "in");
    }
    assert_eq!(runs(folder.path()), 1);
}

#[tokio::test]
async fn a_plugin_is_asked_again_when_its_token_is_refused_or_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (client, calls) = with_plugin(folder.path(), 2, "").await;
    assert_eq!(ask(&client).await.unwrap(), "in");
    assert_eq!((runs(folder.path()), calls.load(Ordering::SeqCst)), (2, 2));

    let folder = tempfile::tempdir().unwrap();
    let (client, calls) = with_plugin(folder.path(), 9, "").await;
    assert!(matches!(ask(&client).await, Err(Error::Unauthorized(_))));
    assert_eq!(calls.load(Ordering::SeqCst), 2);

    let folder = tempfile::tempdir().unwrap();
    let ended = r#","expirationTimestamp":"2020-01-01T00:00:00Z""#;
    let (client, _) = with_plugin(folder.path(), 1, ended).await;
    ask(&client).await.unwrap();
    assert!(ask(&client).await.is_err());
    assert!(runs(folder.path()) > 1);
}

#[tokio::test]
async fn unusable_certificates_are_an_error_of_the_access() {
    let pem = |text: &str| format!("-----BEGIN {text}-----\nAAAA\n-----END {text}-----\n");
    let settings = Settings {
        client_certificate: Some(pem("CERTIFICATE")),
        client_key: Some(SecretString::from(pem("PRIVATE KEY"))),
        ..host("https://127.0.0.1:1")
    };
    let error = ask(&Client::new(access(&settings))).await.unwrap_err();
    assert!(matches!(error, Error::Access(_)), "{error:?}");
}

/// White space around a token is none of it; a login that cannot be sent is an error, never anonymous.
#[tokio::test]
async fn nobody_is_anonymous_by_accident() {
    let (router, calls) = answers(|_, request| {
        let login =
            request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        axum::Json(json!(login))
    });
    let address = serve(router).await;
    let by = |authorization| {
        let mut access = access(&host(address.clone()));
        access.login.authorization = authorization;
        Client::new(access)
    };
    let token = Authorization::Token(" t \r\n".into());
    assert_eq!(ask(&by(token)).await.unwrap(), "Bearer t");
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, " \n").unwrap();
    let two = folder.path().join("two");
    std::fs::write(&two, "one\ntwo\n").unwrap();
    let cases = [
        (Authorization::Token("a\nb".into()), "header authorization"),
        (Authorization::TokenFile(two), "two holds a text that has a line break"),
        (Authorization::TokenFile(folder.path().join("missing")), "missing cannot be read"),
        (Authorization::TokenFile(empty), "empty is empty"),
        (Authorization::TokenFile("/dev/zero".into()), "/dev/zero cannot be read"),
    ];
    for (authorization, word) in cases {
        let error = ask(&by(authorization)).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut other = access(&host(address.clone()));
    other.impersonation.0 = vec![("impersonate-user".to_owned(), "a\nb".to_owned())];
    let error = ask(&Client::new(other)).await.unwrap_err();
    assert!(matches!(error, Error::Unsendable { .. }), "{error}");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// A 401 that comes late belongs to the login that it was sent with.
#[tokio::test]
async fn a_late_refusal_does_not_throw_away_a_newer_login() {
    let folder = tempfile::tempdir().unwrap();
    let (client, _) = with_plugin(folder.path(), 1, "").await;
    let spent = client.open(&patience(), "").await.unwrap();
    client.forget(&spent).await;
    let newer = client.open(&patience(), "").await.unwrap();
    client.forget(&spent).await;
    assert!(Arc::ptr_eq(&newer, &client.open(&patience(), "").await.unwrap()));
    assert_eq!(runs(folder.path()), 2);
}

#[tokio::test]
async fn an_end_far_beyond_or_before_all_time_is_no_trouble() {
    for day in ["9999-01-02", "-009999-01-03"] {
        let folder = tempfile::tempdir().unwrap();
        let end = format!(r#","expirationTimestamp":"{day}T00:00:00Z""#);
        let (client, _) = with_plugin(folder.path(), 1, &end).await;
        assert_eq!(ask(&client).await.unwrap(), "in", "{day}");
    }
}
