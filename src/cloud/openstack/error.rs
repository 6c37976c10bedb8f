//! What a call to OpenStack can end in.

use std::time::Duration;

/// An answer that refuses: status, the service's own words, and the id its operators ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    /// From the body; of an HTML page only its title.
    pub message: String,
    pub request_id: Option<String>,
    /// `POST /v3/auth/tokens`; without query, never with a secret.
    pub request: String,
}

/// Why a call did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The service answered and refused.
    #[error("{} answered {}: {}", .0.request, .0.status, .0.message)]
    Api(ApiError),
    /// The configuration cannot be used as it is.
    #[error(transparent)]
    Config(#[from] super::config::ConfigError),
    /// An answer that cannot be read (truncated JSON, a proxy's page with status 200).
    #[error("{request} gave an answer that cannot be read: {reason}")]
    Unreadable { request: String, reason: String, request_id: Option<String> },
    /// Stopped by the caller while waiting, before anything was sent.
    #[error("{request} was given up because the operation was stopped")]
    Stopped { request: String },
    /// No answer; the service may have acted all the same if the request was sent.
    #[error("{request} got no answer: {reason}")]
    NoAnswer { request: String, reason: String, may_have_acted: bool },
    /// The operation's own time is up.
    #[error("{request} was given up after {after:?}")]
    TimedOut { request: String, after: Duration, may_have_acted: bool },
    /// The catalog has no such service; lists what it has.
    #[error("the service catalog has no {wanted}; it has: {available}")]
    NotInCatalog { wanted: String, available: String },
}

impl Error {
    /// The status, where the service answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api(answer) => Some(answer.status),
            _ => None,
        }
    }

    /// True where a mutating call failed and nobody knows whether it took effect (no answer after
    /// sending, 5xx, an unreadable answer).
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Api(answer) => answer.status >= 500,
            Self::NoAnswer { may_have_acted, .. } | Self::TimedOut { may_have_acted, .. } => {
                *may_have_acted
            }
            Self::Unreadable { .. } => true,
            Self::Config(_) | Self::NotInCatalog { .. } | Self::Stopped { .. } => false,
        }
    }
}
