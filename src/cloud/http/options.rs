//! What a client is made of, and the ways that lead to a server.

use std::time::Duration;

use super::Proxies;
use super::retry::Backoff;
use super::trust::Trust;
use crate::cloud::Surroundings;

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Options {
    pub trust: Trust,
    pub proxies: Proxies,
    /// The name that the server's certificate is for, where it is not the address's host.
    pub server_name: Option<String>,
    /// For a name, TCP, a proxy and TLS together; never more than `timeout`.
    pub connect: Duration,
    /// For one attempt, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// How long an unused connection is kept. Shorter than the server's own keep-alive, lest a call be lost on
    /// a dying one.
    pub idle: Duration,
    pub backoff: Backoff,
    /// The largest body that is read, in bytes.
    pub largest_body: usize,
}

impl Default for Options {
    fn default() -> Self {
        let from = Surroundings::of_process();
        Self {
            trust: Trust::default(),
            proxies: Proxies::of(&from).or_all(&from),
            server_name: None,
            connect: Duration::from_secs(15),
            timeout: Duration::from_mins(1),
            idle: Duration::from_millis(1500),
            backoff: Backoff::default(),
            largest_body: 32 * 1024 * 1024,
        }
    }
}

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Direct,
    /// `http` on loopback, without roots.
    Plain,
    Proxied,
}
