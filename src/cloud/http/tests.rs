//! The engine against a server that misbehaves: every fault, with and without idempotency.

mod reaching;

use std::time::Duration;

use tokio::time::Instant;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::*;
use crate::cloud::stub::{Reply, Stub, closed_port};
use crate::redaction::SecretString;

fn client() -> Client {
    Client::new(options())
}

fn options() -> Options {
    Options {
        timeout: Duration::from_millis(300),
        backoff: Backoff {
            attempts: 3,
            first: Duration::from_millis(1),
            longest: Duration::from_millis(2),
            longest_told: Duration::from_secs(3),
        },
        largest_body: 10_000,
        ..Options::default()
    }
}

fn request(method: Method, stub: &Stub) -> Request {
    Request::new(method, stub.url("/v3/things?name=x"))
}

async fn send(request: &Request) -> Result<Response, Error> {
    client().send(request, &Patience::default()).await
}

/// Every fault, then a success: how many requests arrive, and what comes of it.
#[tokio::test]
async fn each_fault_is_retried_only_as_far_as_is_safe() {
    let ok = || Reply::status(200);
    let told = |status| Reply::status(status).with("retry-after", "0");
    let truncated = |status| Reply::Truncated { status, body: "half".to_owned() };
    // fault, requests and outcome if idempotent, the same if not
    let table = [
        ("429", Reply::status(429), (2, "200"), (2, "200")),
        ("429 told", told(429), (2, "200"), (2, "200")),
        ("503", Reply::status(503), (2, "200"), (1, "503")),
        ("503 told", told(503), (2, "200"), (2, "200")),
        ("500", Reply::status(500), (2, "200"), (1, "500")),
        ("500 told", told(500), (2, "200"), (1, "500")),
        ("502", Reply::status(502), (2, "200"), (1, "502")),
        ("504", Reply::status(504), (2, "200"), (1, "504")),
        ("cut", Reply::Cut, (2, "200"), (1, "lost, may have acted")),
        ("truncated", truncated(200), (2, "200"), (1, "lost, may have acted")),
        ("500 truncated", truncated(500), (2, "200"), (1, "500")),
        ("401 truncated", truncated(401), (1, "401"), (1, "401")),
        ("silence", Reply::Silence, (2, "200"), (1, "lost, may have acted")),
        ("400", Reply::status(400), (1, "400"), (1, "400")),
        ("401", told(401), (1, "401"), (1, "401")),
        ("404", Reply::status(404), (1, "404"), (1, "404")),
        ("409", Reply::status(409), (1, "409"), (1, "409")),
    ];
    for (name, fault, idempotent, once) in table {
        let methods = [
            (Method::GET, idempotent),
            (Method::DELETE, idempotent),
            (Method::POST, once),
            (Method::PATCH, once),
        ];
        for (method, (requests, outcome)) in methods {
            let stub = Stub::replies(vec![fault.clone(), ok()]).await;
            let got = match send(&request(method.clone(), &stub)).await {
                Ok(answer) => answer.status.as_str().to_owned(),
                Err(Error::NoAnswer { may_have_acted: true, .. }) => {
                    "lost, may have acted".to_owned()
                }
                Err(error) => error.to_string(),
            };
            assert_eq!((stub.seen().len(), got.as_str()), (requests, outcome), "{name}, {method}");
        }
    }
}

/// Who speaks something else will not speak HTTP at the next attempt.
#[tokio::test]
async fn what_does_not_speak_http_is_asked_once() {
    for (method, changes) in [(Method::GET, false), (Method::DELETE, true), (Method::POST, true)] {
        let stub = Stub::replies(vec![Reply::NoHttp("SSH-2.0-OpenSSH_9.9\r\n")]).await;
        let error = send(&request(method.clone(), &stub)).await.unwrap_err();
        let Error::NoAnswer { cause, reason, may_have_acted, .. } = error else {
            panic!("{method}: {error}")
        };
        assert_eq!((cause, may_have_acted), (Unreachable::Broken, changes), "{method}");
        let place = stub.url("/").port().unwrap();
        let said = format!("what 127.0.0.1:{place} answers is not HTTP");
        assert!(reason.starts_with(&said), "{method}: {reason}");
        assert_eq!(stub.seen().len(), 1, "{method}");
    }
}

#[tokio::test]
async fn a_post_that_may_be_repeated_is() {
    let stub = Stub::replies(vec![Reply::Cut, Reply::status(500), Reply::status(201)]).await;
    let login = request(Method::POST, &stub).repeatable();
    assert_eq!(send(&login).await.unwrap().status, StatusCode::CREATED);
    assert_eq!(stub.seen().len(), 3);
}

#[tokio::test]
async fn attempts_are_limited_and_the_last_answer_is_handed_up() {
    let reply =
        Reply::json(500, &serde_json::json!({ "error": { "message": "database is locked" } }))
            .with("x-openstack-request-id", "req-1");
    let stub = Stub::replies(vec![reply]).await;
    let delete = request(Method::DELETE, &stub);
    let answer = send(&delete).await.unwrap();
    assert_eq!(stub.seen().len(), 3);
    assert_eq!(delete.message(&answer), "database is locked");
    assert_eq!(answer.request_id().as_deref(), Some("req-1"));
}

#[tokio::test]
async fn nobody_listening_has_no_effect_and_is_tried_again() {
    let port = closed_port().await;
    let url = Url::parse(&format!("http://127.0.0.1:{port}/v3")).unwrap();
    let before = traffic().calls;
    let error = send(&Request::new(Method::POST, url)).await.unwrap_err();
    assert!(traffic().calls >= before + 3);
    let Error::NoAnswer { request, reason, may_have_acted, cause } = error else {
        panic!("{error}")
    };
    assert_eq!(
        (request.as_str(), may_have_acted, cause),
        ("POST /v3", false, Unreachable::Refused)
    );
    assert!(reason.starts_with(&format!("no connection to 127.0.0.1:{port}: ")), "{reason}");
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn what_is_sent_arrives_and_what_is_not_meant_does_not() {
    let stub = Stub::replies(vec![Reply::status(204)]).await;
    let secret = SecretString::from("token-1");
    let name = HeaderName::from_static("x-auth-token");
    let post = request(Method::POST, &stub)
        .secret_header(name, &secret)
        .json(&serde_json::json!({ "a": "ü" }))
        .unwrap();
    send(&post).await.unwrap();
    let seen = &stub.seen()[0];
    assert_eq!(seen.line, "POST /v3/things?name=x");
    assert_eq!(seen.body, r#"{"a":"ü"}"#);
    assert_eq!(seen.headers["x-auth-token"], "token-1");
    assert_eq!(seen.headers["content-type"], "application/json");
    assert!(seen.headers["user-agent"].starts_with("terraform-provider-rekey/"));
    assert!(!format!("{post:?}").contains("token-1"));
    assert_eq!(post.label(), "POST /v3/things");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Stub::replies(vec![Reply::status(200)]).await;
    let target = elsewhere.url("/v3").to_string();
    let stub = Stub::replies(vec![Reply::status(302).with("location", &target)]).await;
    assert_eq!(send(&request(Method::GET, &stub)).await.unwrap().status, StatusCode::FOUND);
    assert_eq!(elsewhere.seen().len(), 0);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read_and_not_asked_for_again() {
    let body = "x".repeat(20_000);
    let big = Reply::Answer { status: 200, headers: Vec::new(), body };
    let stub = Stub::replies(vec![big.with("x-openstack-request-id", "req-9")]).await;
    let error = send(&request(Method::GET, &stub)).await.unwrap_err();
    let Error::Unreadable { reason, request_id, .. } = error else { panic!("{error}") };
    assert_eq!(reason, "it is larger than 10000 bytes");
    assert_eq!(request_id.as_deref(), Some("req-9"));
    assert_eq!(stub.seen().len(), 1);
}

/// Whoever is refused must know it, however much else is said.
#[tokio::test]
async fn the_status_of_a_refusal_is_known_whatever_becomes_of_its_words() {
    let big = Reply::Answer { status: 401, headers: Vec::new(), body: "x".repeat(20_000) };
    for refusal in [big, Reply::Truncated { status: 401, body: "{\"error\"".to_owned() }] {
        let stub = Stub::replies(vec![refusal]).await;
        let login = request(Method::POST, &stub).repeatable();
        let answer = send(&login).await.unwrap();
        assert_eq!((answer.status, stub.seen().len()), (StatusCode::UNAUTHORIZED, 1));
        assert!(answer.body.len() <= 10_000);
    }
}

#[tokio::test]
async fn nothing_is_sent_once_stopped_or_out_of_time() {
    let stub = Stub::replies(vec![Reply::status(200)]).await;
    let stopped = Patience::default();
    stopped.cancel.cancel();
    let late = Patience { deadline: Some(Instant::now()), ..Patience::default() };
    let get = request(Method::GET, &stub);
    let error = client().send(&get, &stopped).await.unwrap_err();
    assert_eq!(error, Error::Stopped { request: "GET /v3/things".to_owned() });
    let error = client().send(&get, &late).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { may_have_acted: false, .. }), "{error}");
    assert_eq!(stub.seen().len(), 0);
}

#[tokio::test]
async fn stopping_ends_waits_and_reads_but_no_change_in_flight() {
    // stopped while the first request is on its way
    let stopping = async |method: Method| {
        let patience = Patience::default();
        let cancel = patience.cancel.clone();
        let stub = Stub::start(move |_, _| {
            cancel.cancel();
            let refusal = Reply::status(503).with("retry-after", "3");
            Reply::Slow(Duration::from_millis(50), Box::new(refusal))
        })
        .await;
        let outcome = client().send(&request(method, &stub), &patience).await;
        assert_eq!(stub.seen().len(), 1);
        outcome
    };
    // a change's answer is awaited, the wait after it is not
    for method in [Method::POST, Method::PATCH, Method::DELETE] {
        assert_eq!(stopping(method).await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
    }
    let stopped = Error::Stopped { request: "GET /v3/things".to_owned() };
    assert_eq!(stopping(Method::GET).await.unwrap_err(), stopped);
}

/// A server that hangs holds nobody who has no time left, unless something may have been changed.
#[tokio::test]
async fn the_deadline_ends_a_read_in_flight() {
    let stub = Stub::replies(vec![Reply::Silence]).await;
    let deadline = Some(Instant::now() + Duration::from_millis(100));
    let patience = Patience { deadline, ..Patience::default() };
    let patient = Client::new(Options { timeout: Duration::from_hours(1), ..options() });
    let error = patient.send(&request(Method::GET, &stub), &patience).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { may_have_acted: false, .. }), "{error}");
    let asking = request(Method::POST, &stub).reads();
    let error = patient.send(&asking, &patience).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { may_have_acted: false, .. }), "{error}");
}

/// Left out, a login would make a stranger of the caller.
#[tokio::test]
async fn a_header_that_cannot_be_sent_is_an_error() {
    let stub = Stub::replies(vec![Reply::status(200)]).await;
    let name = HeaderName::from_static("x-auth-token");
    for token in ["two\nlines", "bell\u{7}"] {
        let get = request(Method::GET, &stub).secret_header(name.clone(), &token.into());
        let error = send(&get).await.unwrap_err();
        assert!(matches!(error, Error::Unsendable { .. }), "{error}");
        assert!(error.to_string().contains("x-auth-token") && !error.to_string().contains("bell"));
    }
    let get = request(Method::GET, &stub).secret_header(name, &"für".into());
    send(&get).await.unwrap();
    assert_eq!(stub.seen().len(), 1);
}

/// Whoever waits behind a limit is not taken for a failure: all calls come through in the end.
#[tokio::test]
async fn a_rate_limit_is_waited_for_by_all_calls() {
    let stub = Stub::start(|number, _| {
        let status = if (5..9).contains(&number) { 429 } else { 200 };
        Reply::status(status)
    })
    .await;
    let client = Client::new(Options {
        backoff: Backoff { longest_told: Duration::from_mins(1), ..options().backoff },
        ..options()
    });
    let calls = (0..8).map(|_| {
        let (client, post) = (client.clone(), request(Method::POST, &stub));
        tokio::spawn(async move { client.send(&post, &Patience::default()).await.unwrap().status })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(stub.seen().len(), 12);
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_handed_up() {
    // beyond the deadline, or longer than anybody should wait
    let soon = Some(Duration::from_secs(1));
    for (told, deadline) in [("2", soon), ("4", None), ("18446744073709551615", soon)] {
        let stub = Stub::replies(vec![Reply::status(429).with("retry-after", told)]).await;
        let deadline = deadline.map(|length| Instant::now() + length);
        let patience = Patience { deadline, ..Patience::default() };
        let answer = client().send(&request(Method::GET, &stub), &patience).await.unwrap();
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(stub.seen().len(), 1);
    }
}

#[tokio::test]
async fn patience_ends_with_its_deadline() {
    let patience = Patience {
        deadline: Some(Instant::now() + Duration::from_millis(5)),
        ..Patience::default()
    };
    assert!(patience.check().is_ok());
    assert!(!patience.allows(Duration::from_secs(1)));
    assert_eq!(patience.sleep(Duration::from_mins(10)).await, Err(Interruption::OutOfTime));
    assert_eq!(patience.check(), Err(Interruption::OutOfTime));
    let free = Patience::default();
    assert!(free.allows(Duration::from_hours(1000)));
    assert_eq!(free.sleep(Duration::ZERO).await, Ok(()));
}

#[test]
fn request_ids_of_every_cloud_are_found() {
    let check = |name: &'static str, value: &str, expected: Option<&str>| {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        let answer =
            Response { status: StatusCode::OK, headers, body: Zeroizing::new(b"secret".to_vec()) };
        assert_eq!(answer.request_id().as_deref(), expected);
        assert!(!format!("{answer:?}").contains("115"), "the body is shown");
    };
    check("x-openstack-request-id", "req-1", Some("req-1"));
    check("x-compute-request-id", "req-2", Some("req-2"));
    check("opc-request-id", "ABC/DEF", Some("ABC/DEF"));
    check("x-openstack-request-id", "", None);
    check("x-other", "x", None);
}
