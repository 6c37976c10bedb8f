//! A service that lets so many requests pass in a minute and answers the others 429, without saying when to come
//! back: a real public cloud's rule. Its minute may be shorter, for a client whose clock is as fast.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::openstack::http_client;

/// Lives as long as this value.
#[derive(Debug)]
pub(crate) struct Limited {
    /// Where the service is found.
    pub(crate) url: String,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    origin: String,
    http: reqwest::Client,
    most: usize,
    minute: Duration,
    /// None before the first request: it finds a minute that others have used up, so that no client is too slow to be
    /// refused.
    passed: Mutex<Option<VecDeque<Instant>>>,
    refused: Mutex<usize>,
}

impl Limited {
    /// Stands before the service of this scheme, host and port.
    pub(crate) async fn before(origin: &str, most: usize, minute: Duration) -> Self {
        let shared = Arc::new(Shared {
            origin: origin.to_owned(),
            http: http_client(),
            most,
            minute,
            passed: Mutex::default(),
            refused: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, server }
    }

    /// How many requests were refused.
    pub(crate) fn refused(&self) -> usize {
        *self.shared.refused.lock().unwrap()
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if !shared.lets_pass(Instant::now()) {
        *shared.refused.lock().unwrap() += 1;
        return (StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded").into_response();
    }
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut onward = shared.http.request(parts.method, format!("{}{path}", shared.origin));
    for (name, value) in &parts.headers {
        if name != "host" && name != "content-length" {
            onward = onward.header(name, value);
        }
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let reply = onward.body(body).send().await.unwrap();
    let mut answer = Response::builder().status(reply.status());
    for (name, value) in reply.headers() {
        if name != "transfer-encoding" && name != "connection" {
            answer = answer.header(name, value);
        }
    }
    answer.body(Body::from(reply.bytes().await.unwrap())).unwrap()
}

impl Shared {
    fn lets_pass(&self, now: Instant) -> bool {
        let mut passed = self.passed.lock().unwrap();
        let passed = passed.get_or_insert_with(|| vec![now; self.most].into());
        while passed.front().is_some_and(|at| now.duration_since(*at) > self.minute) {
            passed.pop_front();
        }
        if passed.len() >= self.most {
            return false;
        }
        passed.push_back(now);
        true
    }
}
