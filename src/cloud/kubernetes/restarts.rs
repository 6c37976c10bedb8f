//! Several workloads restarted and followed side by side: what becomes of one does not keep the others on what they had.

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::client::Client;
use super::error::Error;
use super::rollout::Rollout;
use super::workload::Workload;
use crate::cloud::http::Patience;

impl Client {
    /// Asks for the restart of each and waits for each. `done` hears of each that has come back; what is returned
    /// are those that have not, in the order given, each with its reason.
    pub async fn restart_all(
        &self,
        workloads: &[&Workload],
        stamp: Timestamp,
        patience: &Patience,
        mut done: impl FnMut(&Workload, &Rollout),
    ) -> Vec<(Workload, Error)> {
        let mut failed = Vec::new();
        let mut waits = JoinSet::new();
        for (position, workload) in workloads.iter().enumerate() {
            if let Err(error) = self.restart(workload, stamp, patience).await {
                failed.push((position, (*workload).clone(), error));
                continue;
            }
            let (client, workload, patience) =
                (self.clone(), (*workload).clone(), patience.clone());
            waits.spawn(async move {
                let ended = Box::pin(client.wait_for_rollout(&workload, stamp, &patience)).await;
                (position, workload, ended)
            });
        }
        // a task that panicked is one less to hear of, and its workload stays among those that are left
        while let Some(ended) = waits.join_next().await {
            match ended {
                Ok((_, workload, Ok(rollout))) => done(&workload, &rollout),
                Ok((position, workload, Err(error))) => failed.push((position, workload, error)),
                Err(_) => {}
            }
        }
        failed.sort_by_key(|(position, ..)| *position);
        failed.into_iter().map(|(_, workload, error)| (workload, error)).collect()
    }
}
