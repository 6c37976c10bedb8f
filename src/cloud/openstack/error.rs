//! What a call to OpenStack can end in.

use std::time::Duration;

use crate::cloud::http;

/// An answer that refuses: status, the service's own words, and the id its operators ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    /// From the body; of an HTML page only its title.
    pub message: String,
    pub request_id: Option<String>,
    /// `POST /v3/auth/tokens`; without query, never with a secret. Of a login also who logs in, where,
    /// and where that is written down.
    pub request: String,
    /// What the answer tells beside its status.
    pub meaning: Meaning,
}

/// What an answer that refuses means, where more than its status tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    /// What the status says, and no more.
    #[default]
    Status,
    /// It is the identity provider that refuses, not Keystone.
    IdentityProvider,
    /// The user must show more than one proof: the sets of methods, of which one is wanted.
    MoreFactors(Vec<Vec<String>>),
    /// What answers at this address is no Keystone, or not its API.
    NoKeystone,
    /// Plain http to a port that speaks TLS.
    PlainToTls,
    /// A one-time login cannot be made once more: what the login is.
    Spent(&'static str),
}

/// Why a call did not give what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The service answered and refused.
    #[error("{} answered {}: {}", .0.request, .0.status, .0.message)]
    Api(ApiError),
    /// The configuration cannot be used as it is.
    #[error(transparent)]
    Config(#[from] super::config::ConfigError),
    /// Keystone refuses the session's own login, so the call was not made (or not answered: a login
    /// that dies takes its tokens with it). Not [`Error::Api`], lest its 404 be taken for one of
    /// the thing that was asked for.
    #[error("the login was refused: {} answered {}: {}", .0.request, .0.status, .0.message)]
    Login(ApiError),
    /// No answer; the service may have acted all the same if the request was sent.
    #[error("{request} got no answer: {reason}")]
    NoAnswer { request: String, reason: String, may_have_acted: bool },
    /// The catalog has no such service; lists what it has.
    #[error("the service catalog has no {wanted}; it has: {available}")]
    NotInCatalog { wanted: String, available: String },
    /// Keystone offers no way to end this token.
    #[error(
        "{request} cannot revoke a token that is bound by access rules; it ends with its application \
         credential, or by itself"
    )]
    NotRevocable { request: String },
    /// Stopped by the caller while waiting, before anything was sent.
    #[error("{request} was given up because the operation was stopped")]
    Stopped { request: String },
    /// The catalog names an address that the token must not be sent to.
    #[error("the service catalog gives an address at {host} for {service} that is not used: {why}")]
    UnsafeEndpoint { service: String, host: String, why: String },
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

    /// Whether it is the service's own word that it knows nothing of the kind: not a proxy's page.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(answer) if answer.status == 404 && answer.meaning != Meaning::NoKeystone)
    }

    /// The status that a login was refused with: the session's own, or another's.
    pub fn login_status(&self) -> Option<u16> {
        match self {
            Self::Login(answer) => Some(answer.status),
            Self::Api(answer) if answer.request.contains("/auth/tokens") => Some(answer.status),
            _ => None,
        }
    }

    /// The service is busy, or nobody answered: nothing is learned of what was asked.
    pub fn tells_nothing(&self) -> bool {
        match self {
            Self::Api(answer) | Self::Login(answer) => {
                answer.status >= 500 || matches!(answer.status, 408 | 429)
            }
            Self::NoAnswer { .. }
            | Self::Stopped { .. }
            | Self::TimedOut { .. }
            | Self::Unreadable { .. } => true,
            Self::Config(_)
            | Self::NotInCatalog { .. }
            | Self::NotRevocable { .. }
            | Self::UnsafeEndpoint { .. } => false,
        }
    }

    /// The same, of a request that is told with who makes it and where.
    #[must_use]
    pub(super) fn made_by(mut self, whom: &str) -> Self {
        match &mut self {
            Self::Api(ApiError { request, .. })
            | Self::Login(ApiError { request, .. })
            | Self::NoAnswer { request, .. }
            | Self::Stopped { request }
            | Self::TimedOut { request, .. }
            | Self::Unreadable { request, .. } => *request = format!("{request} as {whom}"),
            Self::Config(_)
            | Self::NotInCatalog { .. }
            | Self::NotRevocable { .. }
            | Self::UnsafeEndpoint { .. } => {}
        }
        self
    }

    /// The id to quote to the service's operators, where there is one.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api(answer) | Self::Login(answer) => answer.request_id.as_deref(),
            Self::Unreadable { request_id, .. } => request_id.as_deref(),
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
            Self::Config(_)
            | Self::Login(_)
            | Self::NotInCatalog { .. }
            | Self::NotRevocable { .. }
            | Self::Stopped { .. }
            | Self::UnsafeEndpoint { .. } => false,
        }
    }
}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::NoAnswer { request, reason, may_have_acted, .. } => {
                Self::NoAnswer { request, reason, may_have_acted }
            }
            http::Error::Unsendable { .. } => Self::Config(super::config::ConfigError {
                message: error.to_string(),
                setting: None,
            }),
            http::Error::Setup { setting, reason } => Self::Config(super::config::ConfigError {
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
        }
    }
}
