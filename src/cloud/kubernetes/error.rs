//! What a call to a Kubernetes API server can end in.

use std::time::Duration;

pub use crate::cloud::http::Unreachable;

use super::access::AccessError;
use super::permission::Permission;
use super::stuck::Stuck;
use super::workload::{Obstacle, Workload};
use crate::cloud::http as transport;

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
    /// Not sent, because it cannot be sent as it is meant.
    #[error("{request} cannot be sent: {reason}")]
    Unsendable { request: String, reason: String },
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

    /// Kubernetes' word for why it refused (`NotFound`, `Conflict`, `AlreadyExists`, `Invalid`, `Forbidden`);
    /// empty where it said none, or did not answer.
    pub fn reason(&self) -> &str {
        self.refusal().map_or("", |refusal| &refusal.reason)
    }

    /// True where a change was asked for and nobody knows whether it took effect: no answer after it was sent,
    /// one that cannot be read, or an error within the server.
    pub fn may_have_acted(&self) -> bool {
        match self {
            Self::Api(refusal) => refusal.status >= 500 && refusal.changes(),
            Self::Unreachable { may_have_acted, .. } => *may_have_acted,
            Self::Unreadable { request, .. } => !request.starts_with("GET "),
            _ => false,
        }
    }

    /// What the transport says of a call to this server.
    pub(super) fn from_transport(error: transport::Error, server: &str) -> Self {
        match error {
            transport::Error::NoAnswer { cause, reason, may_have_acted, .. } => {
                Self::Unreachable { server: server.to_owned(), cause, reason, may_have_acted }
            }
            transport::Error::Setup { setting, reason } => Self::Access(unusable(setting, &reason)),
            transport::Error::Stopped { request } => Self::Stopped { what: request },
            transport::Error::TimedOut { request, after, .. } => {
                Self::TimedOut { what: request, after }
            }
            transport::Error::Unreadable { request, reason, .. } => {
                Self::Unreadable { request, reason }
            }
            transport::Error::Unsendable { request, reason } => {
                Self::Unsendable { request, reason }
            }
        }
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
            Self::Forbidden(refusal) => return refusal.advice(),
            Self::Unauthorized(_) => {
                "The server does not know this login: an expired token or certificate, or a client \
                 certificate that another CA than the cluster's present one signed."
                    .to_owned()
            }
            Self::Unreachable { cause, .. } => advice(*cause).to_owned(),
            Self::WorkloadNotFound { .. } => {
                "If this cluster runs these workloads elsewhere, or none of them, name the ones that it has."
                    .to_owned()
            }
            _ => return None,
        };
        Some(advice)
    }
}

/// The transport's setting under the name that it has for a cluster.
fn unusable(setting: &str, reason: &str) -> AccessError {
    let (part, setting) = match setting {
        "cacert" => ("the cluster's CA cannot be used: ", Some("cluster_ca_certificate")),
        "cert" => ("the client certificate cannot be used: ", Some("client_certificate")),
        "key" => ("the client key cannot be used: ", Some("client_key")),
        "tls_server_name" => ("tls_server_name cannot be used: ", Some("tls_server_name")),
        _ => ("the proxy cannot be used: ", Some("proxy_url")),
    };
    AccessError { message: format!("{part}{reason}"), setting }
}

impl Refusal {
    /// A role helps whom the server knows and has no role; nobody else.
    fn advice(&self) -> Option<String> {
        if self.message.contains("\"system:anonymous\"") {
            let advice = "The server takes the caller for nobody: this access has no login, or one that was left out on the way.";
            return Some(advice.to_owned());
        }
        if [
            "admission webhook",
            "denied the request",
            "ValidatingAdmissionPolicy",
            "violates PodSecurity",
        ]
        .iter()
        .any(|word| self.message.contains(word))
        {
            let advice = "A policy of the cluster refuses it, whoever asks: no role changes that.";
            return Some(advice.to_owned());
        }
        let permission = Permission::of_request(&self.request)?;
        Some(format!("A role that would allow it: {}", permission.role()))
    }

    /// Whether it was asked to change something.
    fn changes(&self) -> bool {
        !self.request.starts_with("GET ")
    }
}

fn advice(cause: Unreachable) -> &'static str {
    match cause {
        Unreachable::Broken | Unreachable::TimedOut => {
            "Something accepted the connection and did not answer in time: an overloaded or hanging API \
                 server, or a load balancer without a healthy one behind it."
        }
        Unreachable::Expired => {
            "Look at the clock of this machine first; else the API server's certificate has to be renewed."
        }
        Unreachable::Name => "The server's name cannot be resolved from this machine.",
        Unreachable::Proxy => "Look at proxy_url, HTTPS_PROXY and NO_PROXY.",
        Unreachable::Refused => {
            "Nothing listens there: the API server is down, or this machine has no way to it (a private \
                 cluster is reached from inside its network only)."
        }
        Unreachable::Tls => {
            "What listens there does not speak TLS as an API server does, or wants a client certificate that \
                 this login does not have: look at the address and at the login."
        }
        Unreachable::Untrusted => {
            "The server shows a certificate that the known CA did not sign. After a rotation of the \
                 cluster's CA, kubeconfigs from before it fail like this: fetch a new one."
        }
        Unreachable::WrongName => {
            "Use an address that the certificate is for, or give its name as tls_server_name."
        }
        Unreachable::WrongUse => {
            "The server needs a certificate whose extended key usage is serverAuth: a client's will not do."
        }
    }
}

fn in_namespace(exists: bool) -> &'static str {
    if exists { "" } else { ": the namespace does not exist" }
}

#[cfg(test)]
mod tests;
