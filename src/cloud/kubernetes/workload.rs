//! Deployments, daemon sets and stateful sets: finding them and restarting them as `kubectl rollout restart` does.
//! What a restart then leads to is followed in `rollout`.

use std::fmt;
use std::str::FromStr;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use jiff::Timestamp;
use serde_json::json;

use super::client::{Effect, get};
use super::objects::{Item, List};
use super::permissions::Permission;
use super::{Client, Error};
use crate::cloud::http::Patience;

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

/// A workload as the server has it now.
#[derive(Clone, Debug)]
pub struct Observed {
    pub workload: Workload,
    /// The pod template's `kubectl.kubernetes.io/restartedAt`.
    pub restarted_at: Option<String>,
    /// What would keep a restart from renewing its pods.
    pub obstacle: Option<Obstacle>,
    pub(super) item: Item,
}

/// What a call to restart did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// This very restart had been asked for before.
    AlreadyAsked,
    /// The pod template was changed: new pods will come.
    Asked,
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

    fn path(&self) -> String {
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

impl Client {
    /// All workloads of a namespace, in the order of their kinds and names.
    pub async fn workloads(
        &self,
        namespace: &str,
        patience: &Patience,
    ) -> Result<Vec<Observed>, Error> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            let items: Vec<Item> = self.list(&collection(namespace, kind), &[], patience).await?;
            all.extend(items.into_iter().map(|item| Observed::new(namespace, kind, item)));
        }
        Ok(all)
    }

    /// One workload as it is now.
    pub async fn workload(
        &self,
        workload: &Workload,
        patience: &Patience,
    ) -> Result<Observed, Error> {
        match self.call::<Item>(&get(&workload.path(), &[]), Effect::Reads, patience).await {
            Ok(answer) => Ok(Observed::new(&workload.namespace, workload.kind, answer.body)),
            Err(error) if error.status() == Some(404) => Err(Error::WorkloadNotFound {
                workload: workload.clone(),
                namespace_exists: self.has_namespace(&workload.namespace, patience).await,
            }),
            Err(error) => Err(error),
        }
    }

    /// Asks for new pods, as `kubectl rollout restart` does: by a note in the pod template. `stamp`, in whole
    /// seconds, is that note, so the same restart asked for again is no second one.
    pub async fn restart(
        &self,
        workload: &Workload,
        stamp: Timestamp,
        patience: &Patience,
    ) -> Result<Restart, Error> {
        let stamp = whole_seconds(stamp).to_string();
        let observed = self.workload(workload, patience).await?;
        if observed.restarted_at.as_deref() == Some(&*stamp) {
            return Ok(Restart::AlreadyAsked);
        }
        if let Some(obstacle) = observed.obstacle {
            return Err(Error::CannotRestart { workload: workload.clone(), obstacle });
        }
        let patch = json!({
            "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: stamp } } } }
        });
        let mut request = get(&workload.path(), &[("fieldManager", FIELD_MANAGER)])
            .map(|_| patch.to_string().into_bytes());
        *request.method_mut() = Method::PATCH;
        let kind = HeaderValue::from_static("application/strategic-merge-patch+json");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        self.call::<Item>(&request, Effect::Changes, patience).await?;
        Ok(Restart::Asked)
    }

    /// None where this login may not look.
    async fn has_namespace(&self, namespace: &str, patience: &Patience) -> Option<bool> {
        let path = format!("/api/v1/namespaces/{namespace}");
        match self.call::<serde_json::Value>(&get(&path, &[]), Effect::Reads, patience).await {
            Ok(_) => Some(true),
            Err(error) if error.status() == Some(404) => Some(false),
            Err(_) => None,
        }
    }

    /// All pages of a list.
    pub(super) async fn list<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        patience: &Patience,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut token = String::new();
        loop {
            let mut page = query.to_vec();
            page.push(("limit", PAGE));
            if !token.is_empty() {
                page.push(("continue", &token));
            }
            let answer = self.call::<List<T>>(&get(path, &page), Effect::Reads, patience).await;
            match answer {
                Ok(answer) => {
                    all.extend(answer.body.items.unwrap_or_default());
                    token = answer.body.metadata.continuation.unwrap_or_default();
                    if token.is_empty() {
                        return Ok(all);
                    }
                }
                // 410: the pages took too long, what was read is too old to go on from.
                Err(error) if error.status() == Some(410) && !token.is_empty() => {
                    all.clear();
                    token.clear();
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Observed {
    pub(super) fn new(namespace: &str, kind: Kind, item: Item) -> Self {
        Self {
            workload: Workload {
                namespace: namespace.to_owned(),
                kind,
                name: item.metadata.name.clone(),
            },
            restarted_at: item.spec.template.metadata.annotations.get(RESTARTED_AT).cloned(),
            obstacle: obstacle(kind, &item),
            item,
        }
    }
}

fn obstacle(kind: Kind, item: &Item) -> Option<Obstacle> {
    let strategy = &item.spec.update_strategy;
    if item.metadata.deletion_timestamp.is_some() {
        Some(Obstacle::Deleting)
    } else if item.spec.paused {
        Some(Obstacle::Paused)
    } else if kind != Kind::Deployment && strategy.is_on_delete() {
        Some(Obstacle::OnDelete)
    } else if kind == Kind::StatefulSet && strategy.partition() > 0 {
        Some(Obstacle::Partition(strategy.partition()))
    } else {
        None
    }
}

fn collection(namespace: &str, kind: Kind) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/{}", kind.plural())
}

/// The server's times have whole seconds, so comparisons are made in them.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// RFC 1123: what every name in a path is made of.
fn is_dns_name(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 253
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(byte))
}

pub(super) const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

const FIELD_MANAGER: &str = "terraform-provider-rekey";
const PAGE: &str = "500";

#[cfg(test)]
mod tests;
