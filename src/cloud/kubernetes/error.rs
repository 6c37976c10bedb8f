//! What a call to a Kubernetes API server can end in.

use std::time::Duration;

use super::access::AccessError;
use super::permissions::Permission;
use super::stuck::Stuck;
use super::workload::{Obstacle, Workload};

/// Why a call did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The access cannot be used as it is written.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The server answered and refused, for none of the reasons below.
    #[error("{}", .0)]
    Api(Box<Refusal>),
    /// The workload is not one that a restart would renew; nothing was touched.
    #[error("{workload} cannot be restarted: {obstacle}")]
    CannotRestart { workload: Workload, obstacle: Obstacle },
    /// The credential plugin gave no credential.
    #[error("the credential plugin {command} {reason}")]
    Exec { command: String, reason: String, install_hint: Option<String> },
    /// 403: the login is known and may not do this.
    #[error("{}", .0)]
    Forbidden(Box<Refusal>),
    /// The pods are not what they should be, in the time given.
    #[error("{}", .0)]
    Stuck(Box<Stuck>),
    /// Stopped by the caller while waiting; nothing is in flight.
    #[error("{what} was given up because the operation was stopped")]
    Stopped { what: String },
    /// The operation's own time is up.
    #[error("{what} was given up after {after:?}")]
    TimedOut { what: String, after: Duration },
    /// 401: the server does not know the login.
    #[error("{}", .0)]
    Unauthorized(Box<Refusal>),
    /// No answer. A change may have been made all the same where `may_have_acted`.
    #[error("the API server {server} cannot be reached: {reason}")]
    Unreachable { server: String, cause: Unreachable, reason: String, may_have_acted: bool },
    /// An answer that is not one of a Kubernetes API server.
    #[error("{request} gave an answer that cannot be read: {reason}")]
    Unreadable { request: String, reason: String },
    /// 404. `namespace_exists` is None where this login may not look.
    #[error("there is no {workload}{}", .namespace_exists.map_or("", in_namespace))]
    WorkloadNotFound { workload: Workload, namespace_exists: Option<bool> },
}

/// How far an attempt to reach the API server came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The connection broke before the answer.
    Broken,
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
    /// Another certificate than one that is trusted: an old or wrong CA, another host.
    Untrusted,
}

/// A refusal in the server's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{server} answered {request} with {status}: {message}")]
pub struct Refusal {
    pub server: String,
    /// `PATCH /apis/apps/v1/namespaces/openstack-system/daemonsets/…`; without query.
    pub request: String,
    pub status: u16,
    /// `Forbidden`, `NotFound`, `Conflict`, `Invalid`; may be empty.
    pub reason: String,
    pub message: String,
    /// `Audit-Id`, by which the audit log of the cluster knows the request.
    pub audit_id: Option<String>,
}

impl Error {
    /// The refusal, where the server answered with one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Api(refusal) | Self::Forbidden(refusal) | Self::Unauthorized(refusal) => {
                Some(refusal)
            }
            _ => None,
        }
    }

    /// The status, where the server answered.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// True where the same call may well succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Api(refusal) => {
                matches!(refusal.status, 429 | 500 | 502..=504) && refusal.reason != "Expired"
            }
            Self::Unreachable { cause, .. } => {
                matches!(cause, Unreachable::Broken | Unreachable::Refused | Unreachable::TimedOut)
            }
            _ => false,
        }
    }

    /// What an operator can do about it, in one or two sentences; None where the message says it all.
    pub fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::CannotRestart { obstacle, .. } => obstacle.advice().to_owned(),
            Self::Exec { install_hint, .. } => return install_hint.clone(),
            Self::Forbidden(refusal) => match Permission::of_request(&refusal.request) {
                Some(permission) => format!("A role that would allow it: {}", permission.role()),
                None => return None,
            },
            Self::Unauthorized(_) => {
                "The server does not know this login: an expired token or certificate, or a client \
                 certificate that another CA than the cluster's present one signed."
                    .to_owned()
            }
            Self::Unreachable { cause, .. } => cause.advice().to_owned(),
            Self::WorkloadNotFound { .. } => {
                "If this cluster runs these workloads elsewhere, or none of them, name the ones that it has."
                    .to_owned()
            }
            _ => return None,
        };
        Some(advice)
    }
}

impl Unreachable {
    fn advice(self) -> &'static str {
        match self {
            Self::Broken | Self::TimedOut => {
                "Something accepted the connection and did not answer in time: an overloaded or hanging API \
                 server, or a load balancer without a healthy one behind it."
            }
            Self::Name => "The server's name cannot be resolved from this machine.",
            Self::Proxy => "Look at proxy_url, HTTPS_PROXY and NO_PROXY.",
            Self::Refused => {
                "Nothing listens there: the API server is down, or this machine has no way to it (a private \
                 cluster is reached from inside its network only)."
            }
            Self::Tls => {
                "What listens there does not speak TLS as an API server does: is the address right?"
            }
            Self::Untrusted => {
                "The server shows a certificate that the known CA did not sign. After a rotation of the \
                 cluster's CA, kubeconfigs from before it fail like this: fetch a new one."
            }
        }
    }
}

fn in_namespace(exists: bool) -> &'static str {
    if exists { "" } else { ": the namespace does not exist" }
}

#[cfg(test)]
mod tests;
