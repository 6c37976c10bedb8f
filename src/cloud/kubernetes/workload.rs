//! The workloads that keep pods running: how they are named, where they are in the API, what a restart of them takes
//! and what would keep it from renewing pods. Plain data.

use std::fmt;
use std::str::FromStr;

use super::permission::Permission;

/// A workload's name: a checked one, so that it can stand in a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    namespace: String,
    kind: Kind,
    name: String,
}

/// What keeps pods running and replaces them one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    DaemonSet,
    Deployment,
    StatefulSet,
}

/// Why a restart would not renew all pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is being deleted.
    Deleting,
    /// Pods are replaced only when somebody deletes them (`updateStrategy: OnDelete`).
    OnDelete,
    /// Pods with smaller ordinals are left alone (`rollingUpdate.partition`).
    Partition(i64),
    /// `spec.paused`.
    Paused,
}

/// Not a workload's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(String);

impl Workload {
    pub fn new(namespace: &str, kind: Kind, name: &str) -> Result<Self, NameError> {
        for (what, value) in [("namespace", namespace), ("name", name)] {
            if !is_dns_name(value) {
                let rule = "lower-case letters, digits, - and .";
                return Err(NameError(format!("{value:?} is no {what} of a workload: {rule}")));
            }
        }
        Ok(Self { namespace: namespace.to_owned(), kind, name: name.to_owned() })
    }

    /// As the server names one: it has checked it.
    pub(super) fn as_listed(namespace: &str, kind: Kind, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), kind, name: name.to_owned() }
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What restarting it and waiting for the outcome takes. Events are left out: they only adorn a report.
    pub fn permissions(&self) -> Vec<Permission> {
        let on_it = |verb: &str| Permission {
            verb: verb.to_owned(),
            group: "apps".to_owned(),
            resource: self.kind.plural().to_owned(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        };
        let pods = Permission {
            verb: "list".to_owned(),
            group: String::new(),
            resource: "pods".to_owned(),
            namespace: self.namespace.clone(),
            name: String::new(),
        };
        vec![on_it("get"), on_it("patch"), pods]
    }

    pub(super) fn path(&self) -> String {
        format!("{}/{}", collection(&self.namespace, self.kind), self.name)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::DaemonSet, Self::Deployment, Self::StatefulSet];

    /// As in `kind:` of a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::DaemonSet => "DaemonSet",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::DaemonSet => "daemonsets",
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = NameError;

    /// As in a manifest; also in lower case, in the plural, and as `kubectl` abbreviates.
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.to_ascii_lowercase().as_str() {
            "daemonset" | "daemonsets" | "ds" => Ok(Self::DaemonSet),
            "deployment" | "deployments" | "deploy" => Ok(Self::Deployment),
            "statefulset" | "statefulsets" | "sts" => Ok(Self::StatefulSet),
            _ => Err(NameError(format!(
                "{text:?} is no kind of workload: DaemonSet, Deployment or StatefulSet"
            ))),
        }
    }
}

impl Obstacle {
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Deleting => "Somebody deletes it: leave it out, or make it again first.",
            Self::OnDelete => {
                "Delete its pods one by one, or give it the update strategy RollingUpdate."
            }
            Self::Partition(_) => {
                "Set its rolling update's partition to 0, or delete those pods yourself."
            }
            Self::Paused => "Run `kubectl rollout resume` on it first.",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleting => formatter.write_str("it is being deleted"),
            Self::OnDelete => {
                formatter.write_str("its update strategy is OnDelete, so a restart replaces no pod")
            }
            Self::Partition(first) => {
                write!(formatter, "its partition {first} leaves the pods below that ordinal alone")
            }
            Self::Paused => formatter.write_str("it is paused"),
        }
    }
}

/// Where the workloads of one kind are.
pub(super) fn collection(namespace: &str, kind: Kind) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/{}", kind.plural())
}

/// RFC 1123: what every name in a path is made of.
pub(in crate::cloud) fn is_dns_name(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 253
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(byte))
}

#[cfg(test)]
mod tests;
