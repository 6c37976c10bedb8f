//! How far a rollout is, by the rules of `kubectl rollout status`, and which pods are from before it. Pure.

use jiff::Timestamp;

use super::objects::Item;
use super::pod::{Pod, RESTARTED_AT};
use super::restart::{Observed, whole_seconds};
use super::workload::Kind;

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All pods are of the newest template and available.
    Done,
    /// It is given up (`ProgressDeadlineExceeded`).
    Failed(String),
    /// What it waits for.
    Waiting(String),
}

impl Observed {
    /// How far its rollout is, as `kubectl rollout status` judges it.
    pub fn progress(&self) -> Progress {
        match self.workload.kind() {
            Kind::DaemonSet => daemon_set(&self.item),
            Kind::Deployment => deployment(&self.item),
            Kind::StatefulSet => stateful_set(&self.item),
        }
    }

    /// Those of `pods` that are from before `since`, or from another template than the present one.
    pub fn outdated<'p>(&self, pods: &'p [Pod], since: Timestamp) -> Vec<&'p Pod> {
        let since = whole_seconds(since);
        let restarted_at = self.item.spec.template.metadata.annotations.get(RESTARTED_AT);
        let outdated = |pod: &&Pod| {
            pod.created_at.is_none_or(|created| created < since)
                || restarted_at.is_some_and(|at| pod.restarted_at.as_ref() != Some(at))
        };
        pods.iter().filter(outdated).collect()
    }
}

fn deployment(item: &Item) -> Progress {
    let status = &item.status;
    if item.metadata.generation > status.observed_generation {
        return not_observed();
    }
    let progressing = status.conditions.iter().find(|condition| condition.kind == "Progressing");
    if progressing.is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded") {
        return Progress::Failed("it exceeded its progress deadline".to_owned());
    }
    let wanted = item.spec.replicas.unwrap_or(1);
    if status.updated_replicas < wanted {
        return waiting("replicas are updated", status.updated_replicas, wanted);
    }
    if status.replicas > status.updated_replicas {
        let old = status.replicas - status.updated_replicas;
        return Progress::Waiting(format!("{old} old replicas are still there"));
    }
    if status.available_replicas < status.updated_replicas {
        let (available, updated) = (status.available_replicas, status.updated_replicas);
        return waiting("updated replicas are available", available, updated);
    }
    Progress::Done
}

fn daemon_set(item: &Item) -> Progress {
    let status = &item.status;
    if item.metadata.generation > status.observed_generation {
        return not_observed();
    }
    let wanted = status.desired_number_scheduled;
    if status.updated_number_scheduled < wanted {
        return waiting("pods are updated", status.updated_number_scheduled, wanted);
    }
    if status.number_available < wanted {
        return waiting("updated pods are available", status.number_available, wanted);
    }
    Progress::Done
}

fn stateful_set(item: &Item) -> Progress {
    let status = &item.status;
    if status.observed_generation == 0 || item.metadata.generation > status.observed_generation {
        return not_observed();
    }
    let wanted = item.spec.replicas.unwrap_or(1);
    if status.ready_replicas < wanted {
        return waiting("pods are ready", status.ready_replicas, wanted);
    }
    let partition = item.spec.update_strategy.partition();
    if partition > 0 {
        let wanted = wanted - partition;
        if status.updated_replicas < wanted {
            return waiting(
                "pods above the partition are updated",
                status.updated_replicas,
                wanted,
            );
        }
        return Progress::Done;
    }
    if status.update_revision != status.current_revision {
        return waiting("pods are updated", status.updated_replicas, wanted);
    }
    Progress::Done
}

fn not_observed() -> Progress {
    Progress::Waiting("its controller has not seen the change yet".to_owned())
}

fn waiting(what: &str, have: i64, wanted: i64) -> Progress {
    Progress::Waiting(format!("{have} of {wanted} {what}"))
}

#[cfg(test)]
mod tests;
