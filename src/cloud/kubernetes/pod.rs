//! A pod as far as a rollout goes: how old it is, and what is wrong with it. Plain data.

use jiff::Timestamp;

use super::objects::{ContainerStatus, PodItem};
use crate::cloud::http::one_line;

/// The pod template's note of a restart, which its pods carry too.
pub(super) const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

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
    /// It is on its way out, and was to be gone by then.
    pub leaving_by: Option<Timestamp>,
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

impl From<PodItem> for Pod {
    fn from(item: PodItem) -> Self {
        Self {
            trouble: trouble(&item),
            name: item.metadata.name,
            uid: item.metadata.uid,
            node: item.spec.node_name,
            created_at: item.metadata.creation_timestamp,
            leaving_by: item.metadata.deletion_timestamp,
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
        Some(Trouble { reason: one_line(reason), message: one_line(message) })
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
    Some(Trouble { reason: one_line(&waiting.reason), message: one_line(&message) })
}

#[cfg(test)]
mod tests;
