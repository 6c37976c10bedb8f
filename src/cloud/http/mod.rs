//! One HTTP engine for all clouds: a client built on first use, retries, time limits, request ids.
//!
//! Knows no cloud and no login: an answer is handed up whatever its status, once retrying it has no
//! sense (any more). What a status means, and which secret goes into which header, is for the
//! layer above. Nothing here logs a body, a header's value or a query.

mod client;
mod patience;
mod retry;
mod trust;
mod words;

#[cfg(test)]
mod tests;

use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
pub use http::{Method, StatusCode};
pub use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio_util::bytes::Bytes;
use zeroize::Zeroizing;

pub use client::{Client, Options, Traffic, traffic};
pub use patience::{Interruption, Patience};
pub use retry::Backoff;
pub use trust::{Pem, Trust};

/// What may be done again when the answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Twice is as good as once: retried after any transient failure.
    Idempotent,
    /// Retried only where the first try surely had no effect: no connection came about, 429, or
    /// 503 with `Retry-After`.
    Once,
}

/// One call, to be sent as often as its idempotency allows.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
    pub idempotency: Idempotency,
    /// What the request carries and no message may repeat, though a service echo it.
    secrets: Vec<SecretString>,
}

impl Request {
    /// Idempotent as RFC 9110 has it: POST and PATCH are not.
    pub fn new(method: Method, url: Url) -> Self {
        let idempotency =
            if method.is_idempotent() { Idempotency::Idempotent } else { Idempotency::Once };
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            idempotency,
            secrets: Vec::new(),
        }
    }

    /// For a POST that may safely be sent again, such as a login.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.idempotency = Idempotency::Idempotent;
        self
    }

    /// The body, in memory that is wiped afterwards.
    pub fn json(mut self, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut buffer = Zeroizing::new(Vec::with_capacity(1024));
        serde_json::to_writer(&mut *buffer, value)?;
        self.body = Some(Bytes::from_owner(buffer));
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// A header that is a secret: never shown, never indexed by HTTP/2, scrubbed from messages.
    /// One that cannot be a header's value is left out, so the service says that it is missing.
    #[must_use]
    pub fn secret_header(mut self, name: HeaderName, value: &SecretString) -> Self {
        if let Ok(mut header) = HeaderValue::from_str(value.expose_secret()) {
            header.set_sensitive(true);
            self.headers.insert(name, header);
        }
        self.hides(value)
    }

    /// Scrubs this value from whatever the service says in return.
    #[must_use]
    pub fn hides(mut self, secret: &SecretString) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// `POST /v3/auth/tokens`: without host and query.
    pub fn label(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }

    /// What the service says of this request in an answer's body, without the request's secrets.
    pub fn message(&self, answer: &Response) -> String {
        words::of(answer, &self.secrets)
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("label", &self.label())
            .field("idempotency", &self.idempotency)
            .finish_non_exhaustive()
    }
}

/// An answer of any status. Its body may hold a secret: it is wiped on drop and not shown.
#[derive(Clone)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// The id that the service's operators find the call by.
    pub fn request_id(&self) -> Option<String> {
        const NAMES: [&str; 3] =
            ["x-openstack-request-id", "x-compute-request-id", "opc-request-id"];
        NAMES
            .iter()
            .find_map(|name| self.headers.get(*name)?.to_str().ok())
            .filter(|id| !id.is_empty())
            .map(|id| id.chars().take(256).collect())
    }

    /// A body that is not the JSON it should be, in words: an HTML page is named by its title.
    pub fn what_it_is_instead(&self) -> String {
        words::instead_of_json(self)
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{request} got no answer: {reason}")]
    NoAnswer { request: String, reason: String, may_have_acted: bool },
    /// The client cannot be built: a certificate that cannot be read, and the like.
    #[error("{setting}: {reason}")]
    Setup { setting: &'static str, reason: String },
    /// Stopped by the caller before anything was sent.
    #[error("{request} was given up because the operation was stopped")]
    Stopped { request: String },
    #[error("{request} was given up: the operation's time of {after:.1?} was over")]
    TimedOut { request: String, after: Duration, may_have_acted: bool },
    /// An answer too large to be one.
    #[error("{request} gave an answer that cannot be read: {reason}")]
    Unreadable { request: String, reason: String, request_id: Option<String> },
}
