//! The pods of a workload: how old they are, and what is wrong with them.

use jiff::Timestamp;

use super::objects::{ContainerStatus, PodItem};
use super::workload::{Observed, RESTARTED_AT};
use super::{Client, Error, Kind};
use crate::cloud::http::Patience;

/// A pod that runs or is about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub name: String,
    pub uid: String,
    /// None until it has been scheduled.
    pub node: Option<String>,
    /// By the server's clock, in whole seconds.
    pub created_at: Option<Timestamp>,
    /// Of the template that it was made from.
    pub restarted_at: Option<String>,
    /// What keeps it from being ready; None when it is.
    pub trouble: Option<Trouble>,
}

/// What a pod suffers from, in the words of whoever noticed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// `Unschedulable`, `ImagePullBackOff`, `CrashLoopBackOff`, `Terminating`, …
    pub reason: String,
    /// May be empty.
    pub message: String,
}

impl Client {
    /// The pods that the workload's controller keeps, except those that have ended. Pods that are on their way
    /// out are there until they are gone.
    pub async fn pods(&self, observed: &Observed, patience: &Patience) -> Result<Vec<Pod>, Error> {
        let selector = observed.item.spec.selector.query();
        if selector.is_empty() {
            return Ok(Vec::new());
        }
        let workload = &observed.workload;
        let path = format!("/api/v1/namespaces/{}/pods", workload.namespace());
        let query = [("labelSelector", &*selector)];
        let all: Vec<PodItem> = self.list(&path, &query, patience).await?;
        let owner = &observed.item.metadata.uid;
        let own = |pod: &PodItem| {
            pod.metadata.owner_references.iter().any(|reference| {
                reference.controller
                    && match workload.kind() {
                        // Which of its replica sets does not matter: the selector tells the Deployment.
                        Kind::Deployment => reference.kind == "ReplicaSet",
                        Kind::DaemonSet | Kind::StatefulSet => reference.uid == *owner,
                    }
            })
        };
        let mut pods: Vec<_> = all
            .into_iter()
            .filter(|pod| own(pod) && !matches!(&*pod.status.phase, "Failed" | "Succeeded"))
            .map(Pod::from)
            .collect();
        pods.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(pods)
    }
}

impl From<PodItem> for Pod {
    fn from(item: PodItem) -> Self {
        Self {
            trouble: trouble(&item),
            name: item.metadata.name,
            uid: item.metadata.uid,
            node: item.spec.node_name,
            created_at: item.metadata.creation_timestamp,
            restarted_at: item.metadata.annotations.get(RESTARTED_AT).cloned(),
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.reason)?;
        if self.message.is_empty() { Ok(()) } else { write!(formatter, ": {}", self.message) }
    }
}

/// The most telling of what is known: leaving, a container that will not start, no node, not ready.
fn trouble(item: &PodItem) -> Option<Trouble> {
    let trouble = |reason: &str, message: &str| {
        Some(Trouble { reason: reason.to_owned(), message: message.to_owned() })
    };
    let status = &item.status;
    if let Some(since) = item.metadata.deletion_timestamp {
        return trouble("Terminating", &format!("it was to be gone by {since}"));
    }
    let condition = |kind: &str| status.conditions.iter().find(|condition| condition.kind == kind);
    if condition("Ready").is_some_and(|ready| ready.status == "True") {
        return None;
    }
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses);
    if let Some(found) = containers.clone().find_map(container_trouble) {
        return Some(found);
    }
    if let Some(scheduled) = condition("PodScheduled")
        && scheduled.status == "False"
    {
        return trouble(&scheduled.reason, &scheduled.message);
    }
    if !status.reason.is_empty() {
        return trouble(&status.reason, &status.message);
    }
    match condition("Ready") {
        Some(ready) if !ready.reason.is_empty() => trouble(&ready.reason, &ready.message),
        _ if status.phase.is_empty() => trouble("NotReady", ""),
        _ => trouble(&status.phase, "it is not ready"),
    }
}

fn container_trouble(container: &ContainerStatus) -> Option<Trouble> {
    let waiting = container.state.waiting.as_ref()?;
    // What every container goes through says nothing.
    if matches!(&*waiting.reason, "" | "ContainerCreating" | "PodInitializing") {
        return None;
    }
    let mut message = format!("container {}", container.name);
    if !waiting.message.is_empty() {
        message = format!("{message}: {}", waiting.message);
    }
    if let Some(last) = &container.last_state.terminated {
        let code = last.exit_code;
        message = format!("{message}; it last ended with {} (exit code {code})", last.reason);
        let said = last.message.trim();
        if !said.is_empty() {
            message = format!("{message}: {said}");
        }
    }
    if container.restart_count > 0 {
        message = format!("{message}; {} restarts", container.restart_count);
    }
    Some(Trouble { reason: waiting.reason.clone(), message })
}

#[cfg(test)]
mod tests;
