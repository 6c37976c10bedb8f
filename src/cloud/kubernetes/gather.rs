//! Gathers what there is to tell of a rollout that is stuck.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::client::{Client, within};
use super::error::Error;
use super::objects::EventItem;
use super::stuck::{Event, Stuck, StuckPod};
use super::workload::Workload;
use crate::cloud::http::{Patience, one_line};

impl Client {
    /// Gathers what can be found out in a moment; what cannot be is left out.
    pub(super) async fn stuck(
        &self,
        workload: &Workload,
        reason: String,
        since: Timestamp,
        begun: Instant,
        patience: &Patience,
    ) -> Error {
        let mut stuck = Stuck {
            workload: workload.clone(),
            reason,
            after: begun.elapsed(),
            pods: Vec::new(),
            more_pods: 0,
            notes: Vec::new(),
        };
        // The operation's own time is up by now.
        let patience = Patience {
            cancel: patience.cancel.clone(),
            deadline: Some(Instant::now() + GATHERING),
        };
        let gathering = self.gather(&mut stuck, since, &patience);
        if let Err(error) = within(&patience, "", begun, Box::pin(gathering)).await {
            tracing::debug!(%error, "the report on the rollout is incomplete");
        }
        Error::Stuck(Box::new(stuck))
    }

    async fn gather(&self, stuck: &mut Stuck, since: Timestamp, patience: &Patience) {
        let Ok(observed) = self.workload(&stuck.workload, patience).await else {
            return;
        };
        let failures = observed.item.status.conditions.iter();
        let failures = failures
            .filter(|condition| condition.kind == "ReplicaFailure" && condition.status == "True");
        stuck.notes.extend(
            failures.map(|failure| one_line(&format!("{}: {}", failure.reason, failure.message))),
        );
        let events = self.events(&stuck.workload, &observed.item.metadata.uid, patience).await;
        let warnings = events.iter().filter(|event| event.kind == "Warning");
        stuck.notes.extend(warnings.map(ToString::to_string));
        let Ok(pods) = self.pods(&observed, patience).await else {
            return;
        };
        let outdated: Vec<_> =
            observed.outdated(&pods, since).into_iter().map(|pod| pod.uid.clone()).collect();
        let mut held_up: Vec<_> = pods
            .into_iter()
            .filter(|pod| pod.trouble.is_some() || outdated.contains(&pod.uid))
            .collect();
        // New pods in trouble tell more than old ones that wait for them.
        held_up.sort_by_key(|pod| (pod.trouble.is_none(), outdated.contains(&pod.uid)));
        stuck.more_pods = held_up.len().saturating_sub(PODS);
        for pod in held_up.into_iter().take(PODS) {
            let events = self.events(&stuck.workload, &pod.uid, patience).await;
            stuck.pods.push(StuckPod { pod, events });
        }
    }

    /// The latest events of an object, the latest first.
    async fn events(&self, workload: &Workload, uid: &str, patience: &Patience) -> Vec<Event> {
        let path = format!("/api/v1/namespaces/{}/events", workload.namespace());
        let field = format!("involvedObject.uid={uid}");
        let listed = self.list::<EventItem>(&path, &[("fieldSelector", &*field)], patience).await;
        let mut events: Vec<Event> = match listed {
            Ok(listed) => listed.items.into_iter().map(Event::from).collect(),
            Err(error) => {
                tracing::debug!(%error, "events are left out of the report");
                Vec::new()
            }
        };
        events.sort_by_key(|event| std::cmp::Reverse(event.last_seen));
        events.truncate(EVENTS);
        events
    }
}

const EVENTS: usize = 5;
const GATHERING: Duration = Duration::from_secs(15);
const PODS: usize = 5;
