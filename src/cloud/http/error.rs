//! Why there is no answer.

use std::time::Duration;

/// Why there is no answer. Whatever a server, a proxy or a library said stands in it in one cleaned line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{request} got no answer: {reason}")]
    NoAnswer { request: String, cause: Unreachable, reason: String, may_have_acted: bool },
    /// The client cannot be built: a certificate that cannot be read, a proxy that is none, and the like.
    #[error("{setting}: {reason}")]
    Setup { setting: &'static str, reason: String },
    /// Stopped by the caller: nothing was sent, or only what changes nothing.
    #[error("{request} was given up because the operation was stopped")]
    Stopped { request: String },
    #[error("{request} was given up: the operation's time of {after:.1?} was over")]
    TimedOut { request: String, after: Duration, may_have_acted: bool },
    /// An answer too large to be one.
    #[error("{request} gave an answer that cannot be read: {reason}")]
    Unreadable { request: String, reason: String, request_id: Option<String> },
    /// Not sent, because it cannot be sent as it is meant.
    #[error("{request} cannot be sent: {reason}")]
    Unsendable { request: String, reason: String },
}

/// How far an attempt to reach a server came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The connection broke before the answer.
    Broken,
    /// A certificate that has ended, or has not begun.
    Expired,
    /// The name has no address.
    Name,
    /// The proxy is not there or does not let through.
    Proxy,
    /// Nobody listens there.
    Refused,
    /// Silence.
    TimedOut,
    /// No TLS can be agreed on.
    Tls,
    /// A certificate that none which is trusted has signed: an old or wrong CA.
    Untrusted,
    /// A certificate for another name.
    WrongName,
    /// A certificate that is not for servers.
    WrongUse,
}
