//! One call as it is to be sent.

use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use serde::Serialize;
use tokio_util::bytes::Bytes;
use zeroize::Zeroizing;

use super::{Error, Response, words};
use crate::redaction::{ExposeSecret, SecretString};

/// What may be done again when the answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Twice is as good as once: retried after any transient failure.
    Idempotent,
    /// Retried only where the first try surely had no effect: no connection came about, 429, or
    /// 503 with `Retry-After`.
    Once,
}

/// What is lost with a call that is dropped on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Perhaps the knowledge of what it did: in flight it is always awaited.
    Changes,
    /// Nothing: an interrupt and the operation's deadline drop it at once.
    Reads,
}

/// One call, to be sent as often as its idempotency allows.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
    pub idempotency: Idempotency,
    pub effect: Effect,
    /// What the request carries and no message may repeat, though a service echo it.
    secrets: Vec<SecretString>,
    /// A header whose value HTTP cannot carry.
    unsendable: Option<HeaderName>,
}

impl Request {
    /// Idempotent as RFC 9110 has it: POST and PATCH are not. GET and HEAD only read.
    pub fn new(method: Method, url: Url) -> Self {
        let idempotency =
            if method.is_idempotent() { Idempotency::Idempotent } else { Idempotency::Once };
        let effect = if method.is_safe() { Effect::Reads } else { Effect::Changes };
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            idempotency,
            effect,
            secrets: Vec::new(),
            unsendable: None,
        }
    }

    /// For a POST that may safely be sent again, such as a login.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.idempotency = Idempotency::Idempotent;
        self
    }

    /// For a PUT or DELETE whose second answer would hide what the first did.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.idempotency = Idempotency::Once;
        self
    }

    /// For a POST that only asks: it may be sent again, and be dropped.
    #[must_use]
    pub fn reads(mut self) -> Self {
        self.effect = Effect::Reads;
        self.repeatable()
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

    /// A header that is a secret: never shown, scrubbed from messages.
    /// One that HTTP cannot carry makes the request an error: it is never sent without.
    #[must_use]
    pub fn secret_header(mut self, name: HeaderName, value: &SecretString) -> Self {
        match HeaderValue::from_bytes(value.expose_secret().as_bytes()) {
            Ok(mut header) => {
                header.set_sensitive(true);
                self.headers.insert(name, header);
            }
            Err(_) => self.unsendable = Some(name),
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

    /// A foreign text about this request, such as a `Location`: without the request's secrets, in one line.
    pub fn cleaned(&self, text: &str) -> String {
        words::cleaned(text.to_owned(), &self.secrets)
    }

    /// What cannot be sent as it is meant is not sent at all.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.unsendable {
            None => Ok(()),
            Some(name) => Err(Error::Unsendable {
                request: self.label(),
                reason: format!(
                    "the value of its header {name} has a line break or another control character"
                ),
            }),
        }
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
