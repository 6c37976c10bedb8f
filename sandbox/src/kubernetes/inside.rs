//! A way to an API server for programs of this process: without a connection, a log of calls and faults.

use std::sync::{Arc, Weak};

use axum::http::{HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;

use super::answer::{Served, serve};
use super::cluster::Kubernetes;
use super::store::Event;
use crate::authority::Subject;
use crate::http::{Ask, Content};

/// May do everything, as long as the cluster is there.
#[derive(Clone, Debug)]
pub(crate) struct Inside(Weak<Kubernetes>);

impl Inside {
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// The answer's status and body; none where the cluster is gone.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        kind: &'static str,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Option<(StatusCode, Value)> {
        let cluster = self.0.upgrade()?;
        let mut ask = Ask::by_hand(now);
        (ask.method, ask.path, ask.body) = (method, path.to_owned(), body.into());
        ask.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        ask.headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        let who =
            Subject { user: "system:admin".to_owned(), groups: vec!["system:masters".to_owned()] };
        let (Ok(Served::Reply(reply)) | Err(reply)) = serve(&cluster, &who, &ask) else {
            return None;
        };
        let body = match reply.body {
            Content::Json(text) => serde_json::from_slice(&text).unwrap_or_default(),
            _ => Value::Null,
        };
        Some((reply.status, body))
    }

    /// What happened to objects of a kind after that version, once something has; with the version up to then.
    /// None where the cluster is gone.
    pub(crate) async fn changes(&self, plural: &str, after: u64) -> Option<(u64, Vec<Event>)> {
        let mut changes = self.0.upgrade()?.state().store.changes();
        loop {
            changes.borrow_and_update();
            {
                let cluster = self.0.upgrade()?;
                let state = cluster.state();
                let found: Vec<Event> = state
                    .store
                    .since(after)
                    .iter()
                    .filter(|event| event.key.plural == plural)
                    .cloned()
                    .collect();
                if !found.is_empty() {
                    return Some((state.store.version(), found));
                }
            }
            changes.changed().await.ok()?;
        }
    }
}

impl Kubernetes {
    /// Its API server, for whoever has no connection.
    pub(crate) fn inside(self: &Arc<Self>) -> Inside {
        Inside(Arc::downgrade(self))
    }
}

const AGENT: &str = "cloud-credential-operator";
