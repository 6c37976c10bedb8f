//! The one transport of every cloud: names, proxies, trust, TLS, retries, time limits, bounds, request ids.
//!
//! Knows no cloud and no login: an answer is handed up whatever its status, once retrying it has no
//! sense (any more). What a status means, and which secret goes into which header, is for the
//! layer above. Nothing here logs a body, a header's value or a query.

mod answer;
mod attempt;
mod client;
mod error;
mod lost;
mod names;
#[cfg(any(test, fuzzing))]
pub(crate) mod noise;
mod options;
mod pace;
mod patience;
mod proxies;
mod proxy_words;
mod request;
mod retry;
mod shown;
mod signatures;
mod trust;
mod verify;
mod words;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::cloud) mod tls_stub;

pub use http::{Method, StatusCode};
pub use reqwest::Url;

pub use answer::{Pages, Response};
pub use client::{Client, Traffic, traffic};
pub use error::{Error, Unreachable};
pub use options::Options;
pub use patience::{Interruption, Patience};
pub use proxies::{Proxies, ProxyError};
pub use request::{Effect, Idempotency, Request};
pub use retry::Backoff;
pub(in crate::cloud) use signatures::algorithms as signature_algorithms;
pub use trust::{Pem, Trust};
pub use words::{one_line, scrubbed};
