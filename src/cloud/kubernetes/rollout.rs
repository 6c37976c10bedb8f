//! Follows a rollout to its end, and beyond: until no pod is left from before. By asking again and again, not by a
//! watch: a rollout takes minutes, and an API server that restarts meanwhile is no reason to give up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::client::{Client, within};
use super::error::Error;
use super::pod::Pod;
use super::progress::Progress;
use super::workload::Workload;
use crate::cloud::http::Patience;

/// A rollout that has ended well.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// All of the workload's pods; none where none is wanted.
    pub pods: Vec<Pod>,
    /// Pods from before that were to be gone long ago and are not: nobody on their node reports them gone, or a
    /// finalizer holds them. They are not waited for.
    pub lingering: Vec<Pod>,
}

impl Rollout {
    /// What to do about pods that linger; None where none does.
    pub fn advice(&self) -> Option<String> {
        let pods: Vec<_> = self
            .lingering
            .iter()
            .map(|pod| format!("{} on {}", pod.name, pod.node.as_deref().unwrap_or("no node")))
            .collect();
        (!pods.is_empty()).then(|| {
            format!(
                "These pods from before are to be deleted and are still there: {}. Where a node is dead, delete it (`kubectl delete \
                 node`), or each pod with `kubectl delete pod --force`; where a finalizer holds a pod, look at who set it. If a \
                 node is only cut off, its containers may still run, with the credential from before.",
                pods.join(", ")
            )
        })
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
                Err(Box::pin(self.stuck(workload, reason, since, begun, patience)).await)
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
        let (pods, now) = self.pods_at(&observed, patience).await?;
        let (lingering, outdated): (Vec<_>, Vec<_>) =
            observed.outdated(&pods, since).into_iter().partition(|pod| {
                pod.leaving_by.is_some_and(|by| now.is_some_and(|now| now > late(by)))
            });
        if outdated.is_empty() {
            let lingering = lingering.into_iter().cloned().collect();
            return Ok(Step::Done(Rollout { pods, lingering }));
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

fn late(by: Timestamp) -> Timestamp {
    by.saturating_add(OVERDUE).unwrap_or(Timestamp::MAX)
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(2);
const NAMES: usize = 5;
/// After the end of its grace time a pod is gone in a moment, unless something is wrong.
const OVERDUE: SignedDuration = SignedDuration::from_secs(30);
/// A server that has not answered for so long hangs: that is what is wrong then, not the rollout.
const SILENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
