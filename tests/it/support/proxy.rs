//! A proxy before a service: holds a reply back, loses it, or refuses, at the call that a test names.
//!
//! No time is involved: a test waits until the call was seen, and says when it goes on.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::{Semaphore, watch};

use super::openstack::http_client;

/// What happens to the calls that match a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The service acts and answers; the answer waits until [`Proxy::release`].
    HoldReply,
    /// The service acts; the connection breaks before its answer.
    LoseReply,
    /// The service never hears of it; this status comes back.
    Refuse(u16),
}

#[derive(Clone, Debug)]
struct Rule {
    method: Method,
    /// Part of the path.
    path: &'static str,
    fate: Fate,
    /// How many calls pass untouched first.
    skip: usize,
    /// How many more times.
    times: usize,
}

/// One call that came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// None while the answer is held back, or when it was lost.
    pub(crate) status: Option<u16>,
}

#[derive(Debug)]
struct Shared {
    /// Scheme, host and port of the service.
    origin: String,
    http: reqwest::Client,
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<Vec<Call>>,
    /// How often a rule's call has been carried out.
    struck: watch::Sender<usize>,
    gate: Semaphore,
}

/// Lives as long as this value.
#[derive(Debug)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    /// Where the service is found through the proxy, path and all.
    pub(crate) url: String,
    server: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Stands before the service at `url`.
    pub(crate) async fn before(url: &str) -> Self {
        let (origin, path) = split(url);
        let shared = Arc::new(Shared {
            origin: origin.to_owned(),
            http: http_client(),
            rules: Mutex::default(),
            calls: Mutex::default(),
            struck: watch::Sender::new(0),
            gate: Semaphore::new(0),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, url, server }
    }

    /// The next `times` calls of this method whose path holds `path` meet this fate.
    pub(crate) fn rule(&self, method: Method, path: &'static str, fate: Fate, times: usize) {
        self.rule_after(0, method, path, fate, times);
    }

    /// The same, after the first `skip` such calls have passed.
    pub(crate) fn rule_after(
        &self,
        skip: usize,
        method: Method,
        path: &'static str,
        fate: Fate,
        times: usize,
    ) {
        self.shared.rules.lock().unwrap().push(Rule { method, path, fate, skip, times });
    }

    /// Waits until rules have struck this many times in all.
    pub(crate) async fn struck(&self, times: usize) {
        self.shared.struck.subscribe().wait_for(|count| *count >= times).await.unwrap();
    }

    /// Lets one held answer go.
    pub(crate) fn release(&self) {
        self.shared.gate.add_permits(1);
    }

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// How many calls of this method had this in their path.
    pub(crate) fn count(&self, method: &Method, path: &str) -> usize {
        self.calls()
            .iter()
            .filter(|call| call.method == *method && call.path.contains(path))
            .count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let fate = take_fate(&shared, &request);
    let call = remember(&shared, &request);
    if let Some(Fate::Refuse(status)) = fate {
        shared.calls.lock().unwrap()[call].status = Some(status);
        shared.struck.send_modify(|count| *count += 1);
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    // A task of its own: the service must hear of the call even when its caller is killed meanwhile.
    let reply = tokio::spawn(forward(Arc::clone(&shared), request)).await.unwrap();
    match fate {
        Some(Fate::HoldReply) => {
            shared.struck.send_modify(|count| *count += 1);
            shared.gate.acquire().await.unwrap().forget();
        }
        Some(Fate::LoseReply) => {
            shared.struck.send_modify(|count| *count += 1);
            // Ends the connection's task, silently and without a byte of an answer.
            std::panic::resume_unwind(Box::new("the connection is cut here"));
        }
        _ => {}
    }
    shared.calls.lock().unwrap()[call].status = Some(reply.status().as_u16());
    reply
}

fn take_fate(shared: &Shared, request: &Request) -> Option<Fate> {
    let mut rules = shared.rules.lock().unwrap();
    let rule = rules.iter_mut().find(|rule| {
        rule.times > 0
            && rule.method == *request.method()
            && request.uri().path().contains(rule.path)
    })?;
    if rule.skip > 0 {
        rule.skip -= 1;
        return None;
    }
    rule.times -= 1;
    Some(rule.fate)
}

fn remember(shared: &Shared, request: &Request) -> usize {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let mut calls = shared.calls.lock().unwrap();
    calls.push(Call { method: request.method().clone(), path, status: None });
    calls.len() - 1
}

async fn forward(shared: Arc<Shared>, request: Request) -> Response {
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

fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or((url, ""), |at| url.split_at(host + at))
}
