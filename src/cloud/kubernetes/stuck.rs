//! What to tell of a rollout that does not come to its end: which pods, why, and what the cluster noted of them. Plain
//! data; it is gathered in `gather`.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::objects::EventItem;
use super::pod::Pod;
use super::workload::Workload;
use crate::cloud::http::one_line;

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

impl From<EventItem> for Event {
    fn from(item: EventItem) -> Self {
        let series = item.series.unwrap_or_default();
        let created = item.metadata.creation_timestamp;
        Self {
            kind: one_line(&item.kind),
            reason: one_line(&item.reason),
            message: one_line(&item.message),
            count: item.count.unwrap_or(1).max(series.count),
            last_seen: series
                .last_observed_time
                .or(item.last_timestamp)
                .or(item.event_time)
                .or(created),
        }
    }
}

#[cfg(test)]
mod tests;
