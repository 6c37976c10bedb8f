//! What a call to OCI can end in.

use std::time::Duration;

use super::config::ConfigError;
use crate::cloud::http;

/// An answer that refuses: status, OCI's own code and words, and the id that its operators ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    /// `NotAuthorizedOrNotFound` and the like; None where somebody else answered, such as a proxy.
    pub code: Option<String>,
    /// From the body; of an HTML page only its title.
    pub message: String,
    pub request_id: Option<String>,
    /// `POST /20180222/clusters/…`; without query, never with a secret.
    pub request: String,
    /// The host that answered, with its port.
    pub host: String,
}

/// Why a call did not give what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The service answered and refused.
    #[error("{0}")]
    Api(Box<ApiError>),
    /// The configuration cannot be used as it is.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no token to call with: who should give one refuses, or is not there. The call was not made.
    /// `trouble` is a whole sentence.
    #[error("{trouble}")]
    Login { trouble: String, status: Option<u16>, request_id: Option<String> },
    /// No answer; the service may have acted all the same if the request was sent.
    #[error("{request} got no answer: {reason}")]
    NoAnswer { request: String, reason: String, may_have_acted: bool, request_id: Option<String> },
    /// Stopped by the caller while waiting, before anything was sent.
    #[error("{request} was given up because the operation was stopped")]
    Stopped { request: String },
    /// The operation's own time is up.
    #[error("{request} was given up: the operation's time was over after {after:.1?}")]
    TimedOut { request: String, after: Duration, may_have_acted: bool },
    /// An answer that cannot be read (truncated JSON, a proxy's page with status 200).
    #[error("{request} gave an answer that cannot be read: {reason}")]
    Unreadable { request: String, reason: String, request_id: Option<String> },
}

impl Error {
    /// The status, where the service answered what was asked. None for a refused login.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api(answer) => Some(answer.status),
            _ => None,
        }
    }

    /// OCI's code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api(answer) => answer.code.as_deref(),
            _ => None,
        }
    }

    /// The id to quote to Oracle, where there is one: its own, or else the one that was sent.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api(answer) => answer.request_id.as_deref(),
            Self::Login { request_id, .. }
            | Self::NoAnswer { request_id, .. }
            | Self::Unreadable { request_id, .. } => request_id.as_deref(),
            Self::Config(_) | Self::Stopped { .. } | Self::TimedOut { .. } => None,
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
            Self::Config(_) | Self::Login { .. } | Self::Stopped { .. } => false,
        }
    }

    /// The same with the id that the request carried, where the service told none.
    pub(super) fn sent_as(mut self, id: &str) -> Self {
        match &mut self {
            Self::Api(answer) => answer.request_id.get_or_insert_with(|| id.to_owned()),
            Self::NoAnswer { request_id, .. } | Self::Unreadable { request_id, .. } => {
                request_id.get_or_insert_with(|| id.to_owned())
            }
            Self::Config(_) | Self::Login { .. } | Self::Stopped { .. } | Self::TimedOut { .. } => {
                return self;
            }
        };
        self
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { request, host, status, message, .. } = self;
        let code = self.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
        write!(f, "{request} was answered {status}{code} by {host}: {message}")
    }
}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::NoAnswer { request, reason, may_have_acted, .. } => {
                Self::NoAnswer { request, reason, may_have_acted, request_id: None }
            }
            http::Error::Setup { setting, reason } => Self::Config(ConfigError {
                message: format!("{setting}: {reason}"),
                setting: Some(setting),
            }),
            http::Error::Stopped { request } => Self::Stopped { request },
            http::Error::TimedOut { request, after, may_have_acted } => {
                Self::TimedOut { request, after, may_have_acted }
            }
            http::Error::Unreadable { request, reason, request_id } => {
                Self::Unreadable { request, reason, request_id }
            }
            http::Error::Unsendable { request, reason } => {
                Self::NoAnswer { request, reason, may_have_acted: false, request_id: None }
            }
        }
    }
}
