//! What is in this stand-in: clusters, their node pools, work requests. What becomes of them with time is `course`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answers::{AfterFailure, OkeAnswers};
use super::people::People;
use crate::authority::{Authority, Subject};
use crate::ids::Ids;
use crate::kubernetes::Kubernetes;

/// Everything in it.
pub(crate) struct Oke {
    pub(crate) answers: OkeAnswers,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) ids: Ids,
    pub(crate) people: People,
    /// In the order in which they were accepted.
    pub(crate) requests: Vec<WorkRequest>,
    /// Retry tokens, and what came of the call.
    pub(crate) tokens: Vec<Token>,
}

impl Oke {
    pub(crate) fn new(mut ids: Ids) -> Self {
        Self {
            answers: OkeAnswers::default(),
            clusters: Vec::new(),
            people: People::new(&mut ids),
            ids,
            requests: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// The name of whoever a request claims to be from.
    pub(crate) fn signer(&self, authorization: &str) -> Option<String> {
        self.people.name_in(authorization)
    }

    /// Whom a bearer token is for that comes to a cluster's API server at that address.
    pub(crate) fn bearer(&self, token: &str, address: &str, now: Timestamp) -> Option<Subject> {
        let here = |cluster: &&Cluster| cluster.kubernetes.address() == address;
        let cluster = self.clusters.iter().find(here)?;
        self.people.bearer(token, &cluster.id, now)
    }
}

pub(crate) struct Token {
    pub(crate) text: String,
    /// Method and path.
    pub(crate) call: String,
    pub(crate) request: String,
    pub(crate) at: Timestamp,
}

pub(crate) struct Cluster {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) compartment: String,
    pub(crate) kubernetes_version: String,
    pub(crate) state: String,
    pub(crate) state_details: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// What it trusts; of the two in an overlap the old one.
    pub(crate) authority: Arc<Authority>,
    pub(crate) next: Option<Arc<Authority>>,
    /// Of `authority`, and of `next`.
    pub(crate) expires_at: Timestamp,
    pub(crate) next_expires_at: Option<Timestamp>,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) work: Option<Work>,
    pub(crate) pace: Pace,
    /// Whether OKE begins rotations by itself.
    pub(crate) automatic: bool,
    /// What comes of the phase that begins next.
    pub(crate) trouble: Option<Trouble>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) virtual_pools: Vec<String>,
    pub(crate) kubernetes: Arc<Kubernetes>,
    /// Grows with whatever changes.
    pub(crate) version: u64,
    /// The status that is still told, and how often.
    pub(crate) lag: Option<(Option<Shown>, u32)>,
    pub(crate) starts: usize,
    pub(crate) completions: usize,
}

/// The last rotation.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    pub(crate) phase: Phase,
    /// By OKE itself.
    pub(crate) automatic: bool,
    pub(crate) delay: SignedDuration,
    pub(crate) started_at: Timestamp,
    pub(crate) issued_at: Option<Timestamp>,
    pub(crate) completes_at: Option<Timestamp>,
    /// When a completion that failed is tried again.
    pub(crate) again_at: Option<Timestamp>,
    pub(crate) failed: bool,
    /// The one before.
    pub(crate) former: Option<Box<Rotation>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Issuing,
    Overlap,
    Retiring,
    Completed,
}

/// A status as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) status: &'static str,
    pub(crate) details: &'static str,
    pub(crate) completes_at: Option<Timestamp>,
}

/// A work request of a cluster that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) request: String,
    pub(crate) kind: WorkKind,
    pub(crate) ends_at: Timestamp,
    pub(crate) paused_since: Option<Timestamp>,
    /// Begun by OKE itself: nodes are not looked at.
    pub(crate) automatic: bool,
    pub(crate) trouble: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkKind {
    Start,
    Complete,
    Other,
}

/// A failure to come.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) message: String,
    /// The phase has its effect all the same.
    pub(crate) after_effect: bool,
}

/// How long things take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// From the acceptance of a work request to its begin.
    pub(crate) accept: SignedDuration,
    pub(crate) issue: SignedDuration,
    pub(crate) retire: SignedDuration,
}

pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) nodes: Vec<Node>,
}

pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) state: String,
    pub(crate) error: Option<String>,
    /// In Kubernetes' sense; the API does not tell it.
    pub(crate) ready: bool,
}

pub(crate) struct WorkRequest {
    pub(crate) id: String,
    pub(crate) cluster: String,
    pub(crate) compartment: String,
    pub(crate) operation: String,
    pub(crate) action: Option<String>,
    pub(crate) accepted_at: Timestamp,
    pub(crate) begins_at: Timestamp,
    /// `SUCCEEDED` or `FAILED`, and since when.
    pub(crate) ended: Option<(&'static str, Timestamp)>,
    pub(crate) errors: Vec<(String, String, Timestamp)>,
    pub(crate) logs: Vec<(String, Timestamp)>,
}

impl WorkRequest {
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        match self.ended {
            Some((status, _)) => status,
            None if now < self.begins_at => "ACCEPTED",
            None => "IN_PROGRESS",
        }
    }
}

impl Cluster {
    pub(crate) fn nodes_are_ready(&self) -> bool {
        self.pools.iter().flat_map(|pool| &pool.nodes).all(|node| node.ready)
    }

    /// What it trusts, the old one first.
    pub(crate) fn authorities(&self) -> Vec<&Arc<Authority>> {
        std::iter::once(&self.authority).chain(&self.next).collect()
    }

    /// The status as it is; none: never rotated.
    pub(crate) fn shown(&self, answers: &OkeAnswers) -> Option<Shown> {
        let rotation = self.rotation.as_ref()?;
        let (status, details) = match rotation.phase {
            Phase::Issuing => ("IN_PROGRESS", "ISSUING_NEW_CREDENTIALS"),
            Phase::Overlap => ("WAITING", "NEW_CREDENTIALS_ISSUED"),
            Phase::Retiring => ("IN_PROGRESS", "RETIRING_OLD_CREDENTIALS"),
            Phase::Completed => ("COMPLETED", "COMPLETED"),
        };
        let told_failed = rotation.failed && answers.after_failure == AfterFailure::Failed;
        let (status, details) = if told_failed { ("FAILED", "FAILED") } else { (status, details) };
        let completes_at = rotation.completes_at.filter(|_| rotation.phase == Phase::Overlap);
        Some(Shown { status, details, completes_at })
    }
}
