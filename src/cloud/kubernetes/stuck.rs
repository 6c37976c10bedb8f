//! What to tell of a rollout that does not come to its end: which pods, why, and what the cluster noted of them.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::client::within;
use super::objects::EventItem;
use super::pods::Pod;
use super::{Client, Error, Workload};
use crate::cloud::http::Patience;

/// A rollout that failed, or took too long.
#[derive(Clone, Debug)]
pub struct Stuck {
    pub workload: Workload,
    /// What it waits for, or why it was given up.
    pub reason: String,
    /// How long it was waited for.
    pub after: Duration,
    /// The pods that are in trouble or from before: the first few of them.
    pub pods: Vec<StuckPod>,
    /// How many more there are.
    pub more_pods: usize,
    /// What was noted of the workload itself: why it cannot make pods.
    pub notes: Vec<String>,
}

/// A pod that holds a rollout up.
#[derive(Clone, Debug)]
pub struct StuckPod {
    pub pod: Pod,
    /// The latest first; empty where this login may not read them.
    pub events: Vec<Event>,
}

/// Something that the cluster noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    pub reason: String,
    pub message: String,
    pub count: i64,
    pub last_seen: Option<Timestamp>,
}

impl Stuck {
    /// Everything, in several lines: for a diagnostic's detail.
    pub fn report(&self) -> String {
        let mut lines = vec![format!("{self}")];
        for StuckPod { pod, events } in &self.pods {
            let node = pod.node.as_deref().unwrap_or("no node");
            let trouble = match &pod.trouble {
                Some(trouble) => trouble.to_string(),
                None => "ready, but from before the restart".to_owned(),
            };
            lines.push(format!("  pod {} on {node}: {trouble}", pod.name));
            lines.extend(events.iter().map(|event| format!("    {event}")));
        }
        if self.more_pods > 0 {
            lines.push(format!("  and {} more pods", self.more_pods));
        }
        lines.extend(self.notes.iter().map(|note| format!("  {note}")));
        lines.join("\n")
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.after.as_secs();
        write!(formatter, "{} is not rolled out after {seconds} s: {}", self.workload, self.reason)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, reason, message, count, .. } = self;
        if let Some(time) = self.last_seen {
            write!(formatter, "{time} ")?;
        }
        write!(formatter, "{kind} {reason}: {message}")?;
        if *count > 1 { write!(formatter, " ({count} times)") } else { Ok(()) }
    }
}

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
        if let Err(error) = within(&patience, "", begun, gathering).await {
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
        stuck
            .notes
            .extend(failures.map(|failure| format!("{}: {}", failure.reason, failure.message)));
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
        let listed = self.list(&path, &[("fieldSelector", &*field)], patience).await;
        let mut events: Vec<Event> = match listed {
            Ok(items) => items.into_iter().map(|item: EventItem| Event::from(item)).collect(),
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

impl From<EventItem> for Event {
    fn from(item: EventItem) -> Self {
        let series = item.series.unwrap_or_default();
        let created = item.metadata.creation_timestamp;
        Self {
            kind: item.kind,
            reason: item.reason,
            message: item.message,
            count: item.count.unwrap_or(1).max(series.count),
            last_seen: series
                .last_observed_time
                .or(item.last_timestamp)
                .or(item.event_time)
                .or(created),
        }
    }
}

const EVENTS: usize = 5;
const GATHERING: Duration = Duration::from_secs(15);
const PODS: usize = 5;

#[cfg(test)]
mod tests;
