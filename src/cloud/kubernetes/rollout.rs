//! Follows a rollout to its end, by the rules of `kubectl rollout status`, and beyond: until no pod is left from
//! before. By asking again and again, not by a watch: a rollout takes minutes, and an API server that restarts
//! meanwhile is no reason to give up.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::client::within;
use super::objects::Item;
use super::pods::Pod;
use super::workload::{Observed, RESTARTED_AT, whole_seconds};
use super::{Client, Error, Kind, Workload};
use crate::cloud::http::Patience;

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

/// A rollout that has ended well.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// All of the workload's pods; none where none is wanted.
    pub pods: Vec<Pod>,
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

impl Client {
    /// Waits until the newest template is rolled out and every pod is from `since` or later, on the server's
    /// clock ([`Client::version`]). Ends as [`Error::Stuck`] when the rollout fails or the deadline passes.
    pub async fn wait_for_rollout(
        &self,
        workload: &Workload,
        since: Timestamp,
        patience: &Patience,
    ) -> Result<Rollout, Error> {
        let begun = Instant::now();
        match self.follow(workload, since, patience, begun).await {
            Ok(rollout) => Ok(rollout),
            Err(Halt::Broken(error)) => Err(error),
            Err(Halt::Stuck(reason)) => {
                Err(self.stuck(workload, reason, since, begun, patience).await)
            }
        }
    }

    async fn follow(
        &self,
        workload: &Workload,
        since: Timestamp,
        patience: &Patience,
        begun: Instant,
    ) -> Result<Rollout, Halt> {
        let what = format!("waiting for {workload}");
        let mut pause = FIRST_PAUSE;
        let mut waiting = "its state is not known yet".to_owned();
        // Why the last look failed: what nobody could look at in the end is not said to be stuck.
        let mut blind = None;
        loop {
            let asked = Instant::now();
            match self.step(workload, since, patience).await {
                Ok(Step::Done(rollout)) => return Ok(rollout),
                Ok(Step::Failed(why)) => return Err(Halt::Stuck(why)),
                Ok(Step::Waiting(why)) => (waiting, blind) = (why, None),
                Err(error @ Error::TimedOut { .. }) => {
                    let silent = (asked.elapsed() >= SILENCE).then_some(error);
                    let halt = blind.or(silent).map(Halt::Broken);
                    return Err(halt.unwrap_or(Halt::Stuck(waiting)));
                }
                Err(error) if error.is_transient() => blind = Some(error),
                Err(error) => return Err(Halt::Broken(error)),
            }
            match within(patience, &what, begun, tokio::time::sleep(pause)).await {
                Ok(()) => pause = (pause * 3 / 2).min(LAST_PAUSE),
                Err(Error::TimedOut { .. }) => {
                    return Err(blind.map_or(Halt::Stuck(waiting), Halt::Broken));
                }
                Err(error) => return Err(Halt::Broken(error)),
            }
        }
    }

    async fn step(
        &self,
        workload: &Workload,
        since: Timestamp,
        patience: &Patience,
    ) -> Result<Step, Error> {
        let observed = self.workload(workload, patience).await?;
        match observed.progress() {
            Progress::Failed(why) => return Ok(Step::Failed(why)),
            Progress::Waiting(why) => return Ok(Step::Waiting(why)),
            Progress::Done => {}
        }
        let pods = self.pods(&observed, patience).await?;
        let outdated = observed.outdated(&pods, since);
        if outdated.is_empty() {
            return Ok(Step::Done(Rollout { pods }));
        }
        let names: Vec<_> = outdated.iter().take(NAMES).map(|pod| &*pod.name).collect();
        let more = if outdated.len() > NAMES { ", …" } else { "" };
        let count = outdated.len();
        let are = if count == 1 { "pod is" } else { "pods are" };
        Ok(Step::Waiting(format!("{count} {are} from before: {}{more}", names.join(", "))))
    }
}

/// How following a rollout ends, if not well.
enum Halt {
    Broken(Error),
    Stuck(String),
}

enum Step {
    Done(Rollout),
    Failed(String),
    Waiting(String),
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

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(2);
const NAMES: usize = 5;
/// A server that has not answered for so long hangs: that is what is wrong then, not the rollout.
const SILENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
