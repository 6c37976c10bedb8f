//! How a rollout goes on: one pod after the other, by the clock; or not, where something holds it up.

use jiff::{SignedDuration, Timestamp};

use super::state::{Kind, State, Trouble, Workload};
use crate::ids::Ids;

impl State {
    /// Takes every rollout to where it is by now.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let Self { ids, nodes, pace, workloads, .. } = self;
        for workload in workloads {
            workload.advance(now, *pace, nodes, ids);
        }
    }
}

impl Workload {
    /// Pods of the present template.
    pub(crate) fn updated(&self) -> usize {
        self.pods.iter().filter(|pod| pod.revision == self.revision).count()
    }

    pub(crate) fn ready(&self) -> usize {
        self.pods.iter().filter(|pod| pod.ready).count()
    }

    /// From now on new pods do not become ready, or do again.
    pub(crate) fn hold_up(
        &mut self,
        reason: Option<&str>,
        message: &str,
        given_up: bool,
        now: Timestamp,
    ) {
        self.trouble = reason.map(|reason| Trouble {
            reason: reason.to_owned(),
            message: message.to_owned(),
            given_up,
        });
        self.version += 1;
        if self.trouble.is_none() && self.since.is_some() {
            self.since = Some(now);
        }
    }

    fn advance(&mut self, now: Timestamp, pace: SignedDuration, nodes: &[String], ids: &mut Ids) {
        let Some(since) = self.since else { return };
        let step = pace.as_millis().max(1);
        let steps = usize::try_from(now.duration_since(since).as_millis() / step).unwrap_or(0);
        if let Some(trouble) = &self.trouble {
            if steps > 0 || trouble.given_up {
                self.stall(now, nodes, ids);
            }
            return;
        }
        if self.pods.iter().any(|pod| !pod.ready) {
            // The first one of a rollout that was held up.
            self.pods.iter_mut().for_each(|pod| pod.ready = true);
            self.version += 1;
        }
        while self.updated() < steps.min(self.wanted) {
            let ordinal = self.updated();
            let after = pace.checked_mul(i32::try_from(ordinal + 1).unwrap_or(1)).unwrap_or(pace);
            let created_at = since.saturating_add(after).unwrap_or(now).min(now);
            let pod = self.new_pod(ordinal, created_at, nodes, ids);
            match self.oldest() {
                Some(old) => self.pods[old] = pod,
                None => self.pods.push(pod),
            }
            self.version += 1;
        }
        if self.updated() >= self.wanted {
            let revision = self.revision;
            self.pods.retain(|pod| pod.revision == revision);
            self.since = None;
            self.version += 1;
        }
    }

    /// One new pod that is not ready: beside the old ones of a Deployment, in place of the first of others.
    fn stall(&mut self, now: Timestamp, nodes: &[String], ids: &mut Ids) {
        let Some(trouble) = self.trouble.clone() else { return };
        if self.pods.iter().any(|pod| pod.revision == self.revision && !pod.ready) {
            return;
        }
        let mut pod = self.new_pod(self.updated(), now, nodes, ids);
        pod.ready = false;
        if trouble.reason == "Unschedulable" {
            pod.node = None;
        }
        self.version += 1;
        match self.oldest().filter(|_| self.kind != Kind::Deployment) {
            Some(old) => self.pods[old] = pod,
            None => self.pods.push(pod),
        }
    }

    fn oldest(&self) -> Option<usize> {
        self.pods.iter().position(|pod| pod.revision != self.revision)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn later(since: Timestamp, milliseconds: i64) -> Timestamp {
        since + SignedDuration::from_millis(milliseconds)
    }

    fn restart(state: &mut State, now: Timestamp) {
        let note =
            json!({ "spec": { "template": { "metadata": { "annotations": { "at": now } } } } });
        for workload in &mut state.workloads {
            workload.patch(&note, now);
        }
    }

    #[test]
    fn a_rollout_replaces_one_pod_after_the_other() {
        let begun = Timestamp::now();
        let mut state = State::new(Ids::seeded(1), begun);
        let before: Vec<String> = state.workloads[0].pods.iter().map(|p| p.uid.clone()).collect();
        restart(&mut state, begun);
        let mut seen = Vec::new();
        for milliseconds in [50, 150, 250] {
            state.advance(later(begun, milliseconds));
            seen.push(state.workloads[0].updated());
        }
        assert_eq!(seen, [0, 1, 2]);
        let workload = &state.workloads[0];
        assert!(workload.pods.iter().all(|pod| pod.ready && !before.contains(&pod.uid)));
        assert!(workload.pods.iter().all(|pod| pod.created_at >= begun));
        assert!(workload.since.is_none());
    }

    #[test]
    fn what_is_held_up_keeps_an_old_pod_until_it_goes_on() {
        let begun = Timestamp::now();
        let mut state = State::new(Ids::seeded(1), begun);
        for workload in &mut state.workloads {
            workload.hold_up(Some("ImagePullBackOff"), "", false, begun);
        }
        restart(&mut state, begun);
        state.advance(later(begun, 60_000));
        for workload in &mut state.workloads {
            let surge = usize::from(workload.kind == Kind::Deployment);
            assert_eq!((workload.pods.len(), workload.updated()), (2 + surge, 1));
            assert_eq!(workload.ready(), workload.pods.len() - 1);
            workload.hold_up(None, "", false, later(begun, 60_000));
        }
        state.advance(later(begun, 61_000));
        for workload in &state.workloads {
            assert_eq!((workload.pods.len(), workload.updated(), workload.ready()), (2, 2, 2));
        }
    }
}
