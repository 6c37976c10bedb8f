use std::io::ErrorKind;
use std::time::Duration;

use serde_json::json;

use super::{ask, send, token};
use crate::{Fault, FaultRule, Sandbox};

/// A sandbox, and alice's token there.
async fn started() -> (Sandbox, String) {
    let sandbox = Sandbox::start().await;
    let token = token(&sandbox, "alice", "demo");
    sandbox.reset_calls();
    (sandbox, token)
}

#[tokio::test]
async fn a_reset_before_does_nothing_and_answers_nothing() {
    let (sandbox, token) = started().await;
    sandbox.inject(FaultRule::new(Fault::ResetBefore));
    let error = ask(&sandbox, &token, &json!({ "name": "one" })).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(sandbox.credentials("alice").is_empty());
    let call = &sandbox.calls()[0];
    assert_eq!((call.status, call.fault, call.bytes_out), (None, Some("reset_before"), 0));
    assert_eq!(ask(&sandbox, &token, &json!({ "name": "one" })).unwrap().status, 201);
}

#[tokio::test]
async fn a_reset_after_commit_does_it_and_answers_nothing() {
    let (sandbox, token) = started().await;
    sandbox.inject(FaultRule::new(Fault::ResetAfterCommit).on("POST", "/v3/users/"));
    let error = ask(&sandbox, &token, &json!({ "name": "one" })).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(sandbox.credentials("alice").len(), 1);
    assert_eq!(ask(&sandbox, &token, &json!({ "name": "one" })).unwrap().status, 409);
}

#[tokio::test]
async fn a_reset_in_the_body_sends_the_head_and_half_of_it() {
    let (sandbox, token) = started().await;
    sandbox.inject(FaultRule::new(Fault::ResetAfterHalfTheBody));
    let error = ask(&sandbox, &token, &json!({ "name": "one" })).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(sandbox.credentials("alice").len(), 1);
}

#[tokio::test]
async fn truncated_json_is_a_whole_answer_that_cannot_be_read() {
    let (sandbox, token) = started().await;
    sandbox.inject(FaultRule::new(Fault::TruncatedJson));
    let answer = ask(&sandbox, &token, &json!({ "name": "one" })).unwrap();
    assert_eq!(answer.status, 201);
    assert!(answer.text.starts_with("{\"application_credential\""));
    assert!(serde_json::from_str::<serde_json::Value>(&answer.text).is_err());
    assert_eq!(answer.header("content-length"), Some(answer.text.len().to_string().as_str()));
    assert_eq!(sandbox.credentials("alice").len(), 1);
}

#[tokio::test]
async fn answers_instead_of_work_leave_nothing_behind() {
    let (sandbox, token) = started().await;
    for (fault, status, retry_after) in [
        (Fault::HtmlGarbage, 200, None),
        (Fault::InternalError, 500, None),
        (Fault::NotFound, 404, None),
        (Fault::ServiceUnavailable { retry_after: None }, 503, None),
        (Fault::ServiceUnavailable { retry_after: Some(1) }, 503, Some("1")),
        (Fault::TooManyRequests { retry_after: Some(2) }, 429, Some("2")),
        (Fault::TooManyRequests { retry_after: None }, 429, None),
    ] {
        sandbox.inject(FaultRule::new(fault));
        let answer = ask(&sandbox, &token, &json!({ "name": "one" })).unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after"), retry_after);
        assert_eq!(answer.header("content-type"), Some("text/html"));
        assert_eq!(answer.header("x-openstack-request-id"), None);
    }
    assert!(sandbox.credentials("alice").is_empty());
    assert!(sandbox.pending_faults().is_empty());
}

#[tokio::test]
async fn a_timeout_lasts_until_the_client_gives_up() {
    let (sandbox, token) = started().await;
    for (fault, made) in [(Fault::Timeout, 0), (Fault::TimeoutAfterCommit, 1)] {
        sandbox.inject(FaultRule::new(fault));
        let path = format!("/v3/users/{}/application_credentials", sandbox.user("alice").id);
        let body = json!({ "application_credential": { "name": "one" } }).to_string();
        let mut stream = std::net::TcpStream::connect(sandbox.address()).unwrap();
        let length = body.len();
        let text = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\nContent-Type: \
             application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let error = std::io::Read::read(&mut stream, &mut [0]).unwrap_err();
        assert!([ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()), "{error}");
        assert_eq!(sandbox.credentials("alice").len(), made);
    }
    assert!(sandbox.calls().iter().all(|call| call.status.is_none()));
    // Others are served meanwhile, and the end of the sandbox does not wait for them.
    assert_eq!(send(&sandbox, "GET /v3", &[], None).unwrap().status, 200);
}

#[tokio::test]
async fn a_slow_call_is_served_all_the_same() {
    let (sandbox, token) = started().await;
    sandbox.inject(FaultRule::new(Fault::slow(Duration::from_millis(50))));
    assert_eq!(ask(&sandbox, &token, &json!({ "name": "one" })).unwrap().status, 201);
    assert_eq!(sandbox.calls()[0].fault, Some("slow"));
}

#[tokio::test]
async fn a_fault_strikes_at_the_call_of_that_number() {
    let (sandbox, _) = started().await;
    sandbox.inject(FaultRule::new(Fault::InternalError).at_call(3));
    let statuses: Vec<u16> =
        (0..4).map(|_| send(&sandbox, "GET /v3", &[], None).unwrap().status).collect();
    assert_eq!(statuses, [200, 200, 500, 200]);
}

#[tokio::test]
async fn the_log_tells_who_called_what_and_how_much_was_said() {
    let (sandbox, token) = started().await;
    let answer = ask(&sandbox, &token, &json!({ "name": "one" })).unwrap();
    super::token(&sandbox, "bob", "demo");
    let calls = sandbox.calls();
    let numbers: Vec<u64> = calls.iter().map(|call| call.number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(calls[0].user.as_deref(), Some("alice"));
    assert_eq!(calls[0].status, Some(201));
    assert_eq!(calls[0].kind(), "POST /v3/users/{user_id}/application_credentials");
    assert_eq!(Some(calls[0].request_id.as_str()), answer.header("x-openstack-request-id"));
    assert_eq!(calls[0].bytes_out, answer.text.len() as u64);
    assert_eq!(calls[1].user.as_deref(), Some("bob"));
    assert_eq!(sandbox.counts()["POST /v3/auth/tokens"], 1);
    assert_eq!(sandbox.count("POST", "/v3/"), 2);
    assert_eq!(sandbox.bytes().1, calls[0].bytes_out + calls[1].bytes_out);
}
