use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use serde_json::{Value, json};

use super::super::testing::{client, patience};
use super::*;

type Asked = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A server that answers all with this, and what it was asked: the line, the body's kind, the body.
fn server(status: u16, answer: Value) -> (Router, Asked) {
    let asked = Arc::<Mutex<Vec<_>>>::default();
    let received = Arc::clone(&asked);
    let router = Router::new().fallback(any(async move |request: Request| {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let kind = head.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
        let line = format!("{} {}", head.method, head.uri);
        received.lock().unwrap().push((line, kind.to_owned(), body));
        (StatusCode::from_u16(status).unwrap(), axum::Json(answer))
    }));
    (router, asked)
}

const SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";

#[tokio::test]
async fn each_verb_says_what_it_means() {
    let (router, asked) = server(200, json!({ "kind": "Secret" }));
    let client = client(router).await;
    let (patience, body) = (patience(), json!({ "data": {} }));
    let one = format!("{SECRETS}/creds");
    let got: Value = client.get(&one, &patience).await.unwrap();
    assert_eq!(got["kind"], "Secret");
    client.post::<Value>(SECRETS, &body, &patience).await.unwrap();
    client.merge::<Value>(&one, &body, &patience).await.unwrap();
    let options = json!({ "preconditions": { "uid": "u" } });
    client.delete(&one, &options, &patience).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    let manager = "fieldManager=terraform-provider-rekey";
    let expected = [
        (format!("GET {one}"), "", Value::Null),
        (format!("POST {SECRETS}?{manager}"), "application/json", body.clone()),
        (format!("PATCH {one}?{manager}"), "application/merge-patch+json", body),
        (format!("DELETE {one}"), "application/json", options),
    ];
    assert_eq!(asked, expected.map(|(line, kind, body)| (line, kind.to_owned(), body)));
}

/// Whoever changes something must look before it is done again.
#[tokio::test]
async fn a_change_is_sent_once_and_says_whether_it_may_have_acted() {
    for (status, may_have_acted) in [(500, true), (409, false), (404, false)] {
        let (router, asked) = server(status, json!({ "kind": "Status", "reason": "Why" }));
        let client = client(router).await;
        let patience = patience();
        let errors = [
            client.merge::<Value>(SECRETS, &json!({}), &patience).await.unwrap_err(),
            client.post::<Value>(SECRETS, &json!({}), &patience).await.unwrap_err(),
            client.delete(SECRETS, &json!({}), &patience).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.status(), error.reason()), (Some(status), "Why"));
            assert_eq!(error.may_have_acted(), may_have_acted, "{error}");
        }
        assert_eq!(asked.lock().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn what_is_no_path_is_not_sent() {
    let (router, asked) = server(200, json!({}));
    let client = client(router).await;
    for path in ["", "api/v1", "/api/../metrics", "/api/v1?watch=1", "/api/v1/a b"] {
        let error = client.get::<Value>(path, &patience()).await.unwrap_err();
        assert!(matches!(error, Error::Unsendable { .. }) && !error.may_have_acted(), "{error}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_list_without_an_end_is_an_error() {
    let (router, asked) = server(200, json!({ "metadata": { "continue": "more" }, "items": [] }));
    let error = client(router).await.list::<Value>("/api/v1/pods", &[], &patience()).await;
    assert!(matches!(&error, Err(Error::Unreadable { .. })), "{error:?}");
    assert_eq!(asked.lock().unwrap().len(), 1001);
}

#[tokio::test]
async fn a_list_is_read_to_its_end_and_again_when_it_got_too_old() {
    #[derive(serde::Deserialize)]
    struct Page {
        #[serde(rename = "continue")]
        token: Option<String>,
    }
    let expired = Arc::new(Mutex::new(true));
    let page = move |Query(Page { token }): Query<Page>| {
        let answer = match token.as_deref() {
            None => axum::Json(json!({ "metadata": { "continue": "2" }, "items": ["a"] }))
                .into_response(),
            Some("2") if std::mem::take(&mut *expired.lock().unwrap()) => {
                StatusCode::GONE.into_response()
            }
            Some("2") => axum::Json(json!({ "metadata": {}, "items": ["b", "c"] })).into_response(),
            Some(other) => panic!("{other}"),
        };
        async move { answer }
    };
    let client = client(Router::new().route("/api/things", get(page))).await;
    let all = client.list::<String>("/api/things", &[], &patience()).await.unwrap();
    assert_eq!(all.items, ["a", "b", "c"]);
}
