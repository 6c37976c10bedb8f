use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::cloud::oci::fixtures::{account, refusal, session, session_of, signatory};
use crate::cloud::stub::{Reply, Stub, closed_port};

fn values(stub: &Stub, name: &str) -> BTreeSet<String> {
    stub.seen().iter().filter_map(|seen| seen.headers.get(name).cloned()).collect()
}

async fn start(stub: &Stub) -> Result<Response, Error> {
    let token = RetryToken::new();
    let call = Call::post(&["clusters", "c"]).token(&token).body(&json!({ "a": 1 })).unwrap();
    session(stub).send(call, &Patience::default()).await
}

async fn read(stub: &Stub) -> Result<Response, Error> {
    let call = Call::get(&["clusters"]).query("compartmentId", "a/b c");
    session(stub).send(call, &Patience::default()).await
}

#[tokio::test]
async fn one_call_has_one_token_however_often_it_is_sent() {
    let stub = Stub::replies(vec![
        refusal(500, "InternalServerError", "sorry"),
        Reply::Cut,
        Reply::status(202).with("opc-work-request-id", "w"),
    ])
    .await;
    start(&stub).await.unwrap();
    assert_eq!(stub.lines(), ["POST /20180222/clusters/c"; 3]);
    assert_eq!(values(&stub, "opc-retry-token").len(), 1);
    assert_eq!(values(&stub, "opc-request-id").len(), 1);
    assert!(stub.seen().iter().all(|seen| seen.body == r#"{"a":1}"#));

    let stub = Stub::replies(vec![Reply::json(200, &json!([]))]).await;
    read(&stub).await.unwrap();
    assert_eq!(stub.lines(), ["GET /20180222/clusters?compartmentId=a%2Fb+c"]);
    assert!(values(&stub, "opc-retry-token").is_empty());
}

#[tokio::test]
async fn a_post_without_a_body_says_so_on_the_wire() {
    let stub = Stub::replies(vec![Reply::status(202)]).await;
    let call = Call::post(&["x"]).token(&RetryToken::new());
    session(&stub).send(call, &Patience::default()).await.unwrap();
    let headers = stub.seen()[0].headers.clone();
    assert_eq!(headers["content-length"], "0");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["x-content-sha256"], "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(headers["host"], format!("127.0.0.1:{}", stub.port));
}

#[tokio::test]
async fn another_state_is_waited_for_by_reads_only() {
    let soon = || refusal(409, "IncorrectState", "being updated");
    let stub = Stub::replies(vec![soon()]).await;
    let error = start(&stub).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(409), Some("IncorrectState")));
    assert_eq!(stub.lines().len(), 1);

    let stub = Stub::replies(vec![soon(), soon(), Reply::json(200, &json!([]))]).await;
    read(&stub).await.unwrap();
    assert_eq!(stub.lines().len(), 3);

    let stub = Stub::replies(vec![refusal(409, "Conflict", "never")]).await;
    read(&stub).await.unwrap_err();
    assert_eq!(stub.lines().len(), 1);
}

#[tokio::test]
async fn an_error_tells_where_what_and_by_which_id() {
    let stub = Stub::replies(vec![refusal(404, "NotAuthorizedOrNotFound", "no cluster.")]).await;
    let error = read(&stub).await.unwrap_err();
    let said = format!(
        "GET /20180222/clusters was answered 404 NotAuthorizedOrNotFound by 127.0.0.1:{}: no cluster.",
        stub.port
    );
    assert_eq!(error.to_string(), said);
    assert_eq!(error.request_id(), Some("theirs"));

    // A proxy knows neither code nor id: the one that was sent is told.
    let page = Reply::Answer { status: 403, headers: Vec::new(), body: "<title>No</title>".into() };
    let stub = Stub::replies(vec![page]).await;
    let error = read(&stub).await.unwrap_err();
    assert_eq!(error.code(), None);
    assert_eq!(error.request_id(), values(&stub, "opc-request-id").first().map(String::as_str));

    let stub = Stub::replies(vec![Reply::Cut]).await;
    let error = start(&stub).await.unwrap_err();
    assert!(error.is_ambiguous());
    assert_eq!(error.request_id(), values(&stub, "opc-request-id").first().map(String::as_str));
    assert_eq!(stub.lines().len(), 3);
}

#[tokio::test]
async fn who_is_not_there_is_asked_no_more_often_than_needed() {
    let stub = Stub::replies(vec![Reply::status(200)]).await;
    let mut away = account(&stub, Login::ApiKey(signatory("t/u/f")));
    away.endpoint = Some(format!("http://127.0.0.1:{}", closed_port().await).parse().unwrap());
    let call = Call::post(&["x"]).token(&RetryToken::new());
    let error = session_of(away).send(call, &Patience::default()).await.unwrap_err();
    assert!(!error.is_ambiguous());
    assert!(error.to_string().contains("no connection"), "{error}");
}

#[tokio::test]
async fn a_refused_key_is_tried_once() {
    let stub = Stub::replies(vec![refusal(401, "NotAuthenticated", "clock or key")]).await;
    assert_eq!(read(&stub).await.unwrap_err().status(), Some(401));
    assert_eq!(stub.lines().len(), 1);
}

#[tokio::test]
async fn waits_end_with_the_patience() {
    let stub =
        Stub::replies(vec![refusal(503, "ServiceUnavailable", "no").with("retry-after", "60")])
            .await;
    let patience = Patience {
        deadline: Some(Instant::now() + Duration::from_secs(20)),
        ..Patience::default()
    };
    let error = session(&stub).send(Call::get(&["x"]), &patience).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(stub.lines().len(), 1);

    let patience = Patience::default();
    patience.cancel.cancel();
    let error = session(&stub).send(Call::get(&["x"]), &patience).await.unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }), "{error:?}");
    assert_eq!(stub.lines().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_asked_for_is_named() {
    let check = |body: &'static str, expected: &'static str| async move {
        let answer = Reply::Answer { status: 200, headers: Vec::new(), body: body.into() };
        let stub = Stub::replies(vec![answer]).await;
        let (session, patience) = (session(&stub), Patience::default());
        let outcome = session.json::<Vec<String>>(Call::get(&["x"]), &patience).await;
        let said = outcome.unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    };
    check("<title>Sign in</title>", "an HTML page, \"Sign in\"").await;
    check("{}", "not what was asked for").await;
    check("", "an empty body").await;
}
