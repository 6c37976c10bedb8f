//! What becomes of clusters with time, in the order in which it happens: phases that end, pause or time out,
//! completions and rotations that OKE begins by itself. A clock that goes years ahead goes through all of them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answers::{AfterFailure, CountsFrom, ExpiryMoves, OkeAnswers, Rule};
use super::model::{Cluster, Oke, Phase, Rotation, Shown, Work, WorkKind, WorkRequest};
use super::ocid::regional_ocid;
use crate::authority::Authority;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So long before its expiry OKE rotates a credential by itself, and completes such a rotation.
const STARTS_BEFORE: SignedDuration = SignedDuration::from_hours(24 * 90);
const COMPLETES_BEFORE: SignedDuration = SignedDuration::from_hours(24 * 3);
/// Of the authorities that are made.
const VALID: SignedDuration = SignedDuration::from_hours(24 * 365 * 5);
/// A phase waits so long for nodes that are not ready.
const PATIENCE: SignedDuration = DAY;
/// More than any history has.
const MANY: usize = 10_000;

impl Oke {
    /// Lets everything happen that is due by now.
    pub(crate) fn sync(&mut self, now: Timestamp) {
        let Self { answers, clusters, ids, requests, .. } = self;
        for cluster in clusters {
            for _ in 0..MANY {
                let Some(at) = cluster.next_event().filter(|at| *at <= now) else { break };
                cluster.happen(answers, requests, || regional_ocid("clustersworkrequest", ids), at);
            }
        }
    }
}

/// When an authority that is made at that time expires.
pub(crate) fn expiry(at: Timestamp) -> Timestamp {
    after(at, VALID)
}

/// One made so that it expires then.
pub(crate) fn authority(
    name: &str,
    expires_at: Timestamp,
) -> Result<Arc<Authority>, crate::authority::Broken> {
    Authority::exactly(name, after(expires_at, -VALID)).map(Arc::new)
}

fn after(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

impl Cluster {
    /// Since when the hours of the rule and the delay count.
    pub(crate) fn counted_from(&self, answers: &OkeAnswers) -> Option<Timestamp> {
        let rotation = self.rotation.as_ref()?;
        match answers.counts_from {
            CountsFrom::Start => Some(rotation.started_at),
            CountsFrom::Issue => rotation.issued_at,
        }
    }

    /// When the rotation that waits may be completed.
    pub(crate) fn may_complete_at(&self, answers: &OkeAnswers) -> Option<Timestamp> {
        self.counted_from(answers).map(|from| after(from, DAY))
    }

    /// Begins a work request; its id.
    pub(crate) fn begin(
        &mut self,
        answers: &OkeAnswers,
        requests: &mut Vec<WorkRequest>,
        id: String,
        kind: WorkKind,
        automatic: bool,
        at: Timestamp,
    ) {
        let pace = self.pace;
        let takes = match kind {
            WorkKind::Complete => pace.retire,
            WorkKind::Start | WorkKind::Other => pace.issue,
        };
        let begins_at = after(at, pace.accept);
        let waits = answers.node_rule != Rule::Nowhere
            && kind != WorkKind::Other
            && !automatic
            && !self.nodes_are_ready();
        let mut request = WorkRequest {
            id: id.clone(),
            cluster: self.id.clone(),
            compartment: self.compartment.clone(),
            operation: answers.operation_type.clone(),
            action: answers.action_type.clone(),
            accepted_at: at,
            begins_at,
            ended: None,
            errors: Vec::new(),
            logs: vec![(format!("Accepted: {}.", kind.told()), at)],
        };
        if waits {
            request.logs.push(("Waiting for all worker nodes to be READY.".to_owned(), at));
        }
        requests.push(request);
        self.work = Some(Work {
            request: id,
            kind,
            ends_at: after(begins_at, takes),
            paused_since: waits.then_some(at),
            automatic,
            trouble: if kind == WorkKind::Other { None } else { self.trouble.take() },
        });
        self.updated_at = at;
        self.version += 1;
    }

    /// A rotation begins.
    pub(crate) fn start(&mut self, delay: SignedDuration, automatic: bool, at: Timestamp) {
        self.starts += 1;
        let former = self.rotation.take().map(|rotation| Rotation { former: None, ..rotation });
        self.rotation = Some(Rotation {
            phase: Phase::Issuing,
            automatic,
            delay,
            started_at: at,
            issued_at: None,
            completes_at: None,
            again_at: None,
            failed: false,
            former: former.map(Box::new),
        });
    }

    /// A node has become ready, or is not any more: a phase that runs goes on, or pauses.
    pub(crate) fn nodes_changed(&mut self, requests: &mut [WorkRequest], at: Timestamp) {
        let ready = self.nodes_are_ready();
        let Some(work) = &mut self.work else { return };
        if work.kind == WorkKind::Other || work.automatic {
            return;
        }
        let line = match (work.paused_since, ready) {
            (Some(since), true) => {
                work.ends_at = after(work.ends_at, at.duration_since(since));
                work.paused_since = None;
                "All worker nodes are READY: going on."
            }
            (None, false) => {
                work.paused_since = Some(at);
                "Paused: a worker node is not READY."
            }
            _ => return,
        };
        if let Some(request) = requests.iter_mut().find(|request| request.id == work.request) {
            request.logs.push((line.to_owned(), at));
        }
    }

    fn next_event(&self) -> Option<Timestamp> {
        if self.state == "DELETED" {
            return None;
        }
        if let Some(work) = &self.work {
            return Some(work.paused_since.map_or(work.ends_at, |since| after(since, PATIENCE)));
        }
        let starts_at = after(self.expires_at, -STARTS_BEFORE);
        let starts_at = Some(starts_at).filter(|_| self.automatic);
        match &self.rotation {
            Some(rotation) => match rotation.phase {
                Phase::Overlap => rotation.again_at.or(rotation.completes_at),
                Phase::Retiring => rotation.again_at,
                Phase::Issuing => {
                    starts_at.map(|due| rotation.again_at.map_or(due, |at| at.max(due)))
                }
                Phase::Completed => starts_at,
            },
            None => starts_at,
        }
    }

    /// What `next_event` announced.
    fn happen(
        &mut self,
        answers: &OkeAnswers,
        requests: &mut Vec<WorkRequest>,
        mut new_id: impl FnMut() -> String,
        at: Timestamp,
    ) {
        let before = self.shown(answers);
        if let Some(work) = self.work.take() {
            self.end(answers, requests, work, at);
        } else {
            let waiting = self.rotation.as_ref().map(|rotation| rotation.phase);
            let id = new_id();
            if matches!(waiting, Some(Phase::Overlap | Phase::Retiring)) {
                // Nobody completed it: OKE does, whatever the nodes are like where it also began it.
                let automatic = self.rotation.as_ref().is_some_and(|rotation| rotation.automatic);
                self.begin(answers, requests, id, WorkKind::Complete, automatic, at);
                self.retiring();
            } else {
                self.start(SignedDuration::ZERO, true, at);
                self.begin(answers, requests, id, WorkKind::Start, true, at);
            }
        }
        self.lags_behind(answers, before);
    }

    /// After a change what was shown before is told for a while, if it is to be.
    pub(crate) fn lags_behind(&mut self, answers: &OkeAnswers, before: Option<Shown>) {
        if answers.status_lag > 0 && before != self.shown(answers) {
            self.lag = Some((before, answers.status_lag));
        }
    }

    /// The second phase has begun.
    pub(crate) fn retiring(&mut self) {
        if let Some(rotation) = &mut self.rotation {
            rotation.phase = Phase::Retiring;
            rotation.failed = false;
        }
    }

    fn end(
        &mut self,
        answers: &OkeAnswers,
        requests: &mut [WorkRequest],
        work: Work,
        at: Timestamp,
    ) {
        let failure = match (work.paused_since, work.trouble) {
            (Some(_), _) => Some((
                "Timed out: worker nodes were not READY for 24 hours. The legacy credentials continue to work."
                    .to_owned(),
                false,
            )),
            (None, Some(trouble)) => Some((trouble.message, trouble.after_effect)),
            (None, None) => None,
        };
        if failure.as_ref().is_none_or(|(_, after_effect)| *after_effect) {
            self.effect(answers, work.kind, at);
        } else {
            self.fail(answers, work.kind, at);
        }
        self.updated_at = at;
        self.version += 1;
        let Some(request) = requests.iter_mut().find(|request| request.id == work.request) else {
            return;
        };
        if let Some((message, _)) = failure {
            request.errors.push(("CredentialRotationFailed".to_owned(), message.clone(), at));
            request.logs.push((format!("Failed: {message}"), at));
            request.ended = Some(("FAILED", at));
        } else {
            request.logs.push((format!("Done: {}.", work.kind.told()), at));
            request.ended = Some(("SUCCEEDED", at));
        }
    }

    fn effect(&mut self, answers: &OkeAnswers, kind: WorkKind, at: Timestamp) {
        let from = self.counted_from(answers);
        let Some(rotation) = &mut self.rotation else { return };
        match kind {
            WorkKind::Start => {
                let Ok(next) = authority(&self.name, expiry(at)) else { return };
                let counted = from.unwrap_or(at);
                rotation.phase = Phase::Overlap;
                rotation.issued_at = Some(at);
                rotation.failed = false;
                rotation.completes_at = Some(if rotation.automatic {
                    after(self.expires_at, -COMPLETES_BEFORE).max(at)
                } else {
                    after(counted, rotation.delay)
                });
                self.next = Some(next);
                self.next_expires_at = Some(expiry(at));
            }
            WorkKind::Complete => {
                rotation.phase = Phase::Completed;
                rotation.again_at = None;
                rotation.failed = false;
                self.completions += 1;
                if let Some(next) = self.next.take() {
                    self.kubernetes.serve_by(&next, at);
                    self.authority = next;
                }
                self.expires_at = self.next_expires_at.take().unwrap_or(self.expires_at);
            }
            WorkKind::Other => {}
        }
    }

    fn fail(&mut self, answers: &OkeAnswers, kind: WorkKind, at: Timestamp) {
        let Some(rotation) = &mut self.rotation else { return };
        let back = answers.after_failure == AfterFailure::Back;
        rotation.failed = true;
        match kind {
            WorkKind::Start if back => self.rotation = rotation.former.take().map(|former| *former),
            // Some day OKE tries by itself.
            WorkKind::Start => rotation.again_at = Some(after(at, DAY)),
            WorkKind::Complete => {
                rotation.again_at = rotation.completes_at.map(|due| due.max(after(at, DAY)));
                if back {
                    rotation.phase = Phase::Overlap;
                }
            }
            WorkKind::Other => {}
        }
    }

    /// `timeCredentialExpiration`.
    pub(crate) fn told_expiry(&self, answers: &OkeAnswers) -> Timestamp {
        let next = self.next_expires_at.filter(|_| answers.expiry_moves == ExpiryMoves::AtIssue);
        next.unwrap_or(self.expires_at)
    }
}

impl WorkKind {
    fn told(self) -> &'static str {
        match self {
            Self::Start => "issuing new credentials to the control plane and the worker nodes",
            Self::Complete => "retiring the old credentials",
            Self::Other => "another change of the cluster",
        }
    }
}
