//! The modelled platform behind the seam: as little as a platform can show. Which credentials there are, and whether
//! the driver is at work or has failed; no rotation tells its sender.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::cloud::{Cloud, Fault, Sending};
use crate::clock;
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster, Failure, Known, Look, Opened, Platform, Proof, Stage, When, Which,
};
use crate::provider::openstack::patience;
use crate::provider::timeouts::Defaults;
use crate::rotation::course::{Phase, Standing, Trace};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Result};

#[derive(Debug)]
pub struct StandIn(pub Arc<Cloud>);

fn trouble(what: &str) -> Diagnostic {
    Diagnostic::error("Trouble", what)
}

fn ids(alive: &BTreeSet<u64>) -> Vec<String> {
    alive.iter().map(ToString::to_string).collect()
}

fn marks(signs: Option<&Value>) -> BTreeSet<String> {
    let list = signs.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

impl StandIn {
    /// A call that only reads. Err: it failed.
    async fn reads(&self) -> Result<()> {
        self.0.tick();
        match self.0.call() {
            Some(Fault::Kill | Fault::KillAfter) => self.0.die().await,
            Some(Fault::LostBefore | Fault::LostAfter) => Err(trouble("no answer").into()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Platform for StandIn {
    fn name(&self) -> &'static str {
        "magnum"
    }

    fn validate(&self, _config: &ClusterRotation) -> Vec<Diagnostic> {
        Vec::new()
    }

    fn facts(&self) -> &'static [Fact] {
        &[Fact::ApplicationCredentialIds]
    }

    fn changed_by_rotation(&self) -> &'static [Fact] {
        self.facts()
    }

    fn evidence(&self) -> &'static [Fact] {
        self.facts()
    }

    fn ends_in(&self) -> Option<Phase> {
        Some(Phase::Completed)
    }

    fn timeouts(&self) -> Defaults {
        let short = Duration::from_secs(30);
        Defaults { create: short, delete: short, read: short, update: short }
    }

    fn replaced(&self, _prior: &ClusterRotation, _memory: &Value) -> Vec<AttributePath> {
        Vec::new()
    }

    fn called(&self, _known: Known<'_>) -> String {
        "the cluster".into()
    }

    fn stays(&self, _known: Known<'_>) -> String {
        "all".into()
    }

    async fn open(&self, _cx: &Context, _which: Which<'_>) -> Result<Opened> {
        self.reads().await?;
        Ok(Opened::Here(Box::new(Self(Arc::clone(&self.0)))))
    }
}

#[async_trait]
impl Cluster for StandIn {
    fn platform(&self) -> &'static str {
        "magnum"
    }

    fn id(&self) -> String {
        "cluster".into()
    }

    fn called(&self) -> String {
        "the cluster".into()
    }

    fn memory(&self) -> Value {
        Value::Null
    }

    async fn look(&self, _cx: &Context, _state: &ClusterRotation) -> Result<Look> {
        self.reads().await?;
        let alive = ids(&self.0.truth().alive);
        let mut look = Look { signs: Some(json!(alive)), own: true, ..Look::default() };
        look.facts.set(Fact::ApplicationCredentialIds, alive);
        Ok(look)
    }

    fn signs_of(&self, state: &ClusterRotation) -> Option<Value> {
        state.application_credential_ids.known().map(|ids| json!(ids))
    }

    fn standing(&self, then: Option<&Value>, now: &Look) -> Standing {
        let (then, now) = (marks(then), marks(now.signs.as_ref()));
        if then.is_empty() || now.is_empty() {
            Standing::Unseen
        } else if !now.is_subset(&then) && !then.is_subset(&now) {
            Standing::Newer
        } else {
            Standing::Same
        }
    }

    async fn refusals(&self, _cx: &Context, when: When) -> Vec<Diagnostic> {
        match self.reads().await {
            Ok(()) if when != When::PlanningAfterwards && self.0.truth().working.is_some() => {
                vec![trouble("busy")]
            }
            Ok(()) => Vec::new(),
            Err(why) => why.0,
        }
    }

    async fn forewarn(&self, _cx: &Context, _known: Option<Known<'_>>) -> Vec<Diagnostic> {
        Vec::new()
    }

    async fn mark(&self, _state: &ClusterRotation) -> Result<Value> {
        self.reads().await?;
        Ok(json!({ "known": ids(&self.0.truth().alive) }))
    }

    fn found(&self, _state: &ClusterRotation, then: Option<&Value>) -> Value {
        json!({ "known": marks(then) })
    }

    async fn send(
        &self,
        _cx: &Context,
        state: &ClusterRotation,
        notes: &mut Value,
    ) -> Result<(), Failure> {
        let fault = self.0.call();
        match fault {
            Some(Fault::Kill) => self.0.die().await,
            Some(Fault::LostBefore) => return Err(Failure::Unknown(trouble("no answer").into())),
            Some(Fault::Refused) => return Err(Failure::Refused(trouble("refused").into())),
            _ => {}
        }
        let reason = state.rotation_reason.known().cloned().unwrap_or_default();
        {
            let mut truth = self.0.truth();
            let new = truth.make();
            truth.sent.push(Sending {
                generation: state.counted(),
                at: clock::now(),
                by_schedule: reason.contains("rotation_period") && !reason.contains("triggers"),
                holds: !matches!(fault, Some(Fault::FailsAfterCreating | Fault::FailsLate)),
            });
            match fault {
                Some(Fault::FailsAfterCreating) => truth.failed = true,
                Some(Fault::Slow) => truth.working = Some((new, 3)),
                Some(Fault::VerySlow | Fault::FailsLate) => {
                    truth.working = Some((new, 25));
                    truth.will_fail = fault == Some(Fault::FailsLate);
                }
                _ => truth.hand_over(new),
            }
        }
        match fault {
            Some(Fault::KillAfter) => self.0.die().await,
            Some(Fault::LostAfter) => Err(Failure::Unknown(trouble("no answer").into())),
            Some(Fault::Slow | Fault::VerySlow | Fault::FailsLate) => Ok(()),
            Some(Fault::FailsAfterCreating) => Err(Failure::Ended(trouble("driver failed").into())),
            _ => {
                notes["answered"] = json!(true);
                Ok(())
            }
        }
    }

    async fn trace(&self, notes: &Value) -> Result<Trace> {
        self.reads().await?;
        let known = marks(notes.get("known"));
        let alive = ids(&self.0.truth().alive);
        let found = alive.iter().any(|id| !known.contains(id));
        Ok(if found { Trace::Found } else { Trace::NotFound })
    }

    fn settled_by(&self, sent_at: Timestamp) -> Timestamp {
        sent_at + SignedDuration::from_mins(2)
    }

    async fn advance(&self, stage: &mut Stage<'_>) -> Result<Advance, Failure> {
        let known = marks(stage.notes.get("known"));
        loop {
            self.reads().await.map_err(Failure::Unfinished)?;
            let (alive, failed, works) = {
                let truth = self.0.truth();
                (ids(&truth.alive), truth.failed, truth.working.is_some())
            };
            let new: Vec<String> =
                alive.iter().filter(|id| !known.contains(*id)).cloned().collect();
            let one_is_gone = alive.iter().filter(|id| known.contains(*id)).count() < known.len();
            let answered = stage.notes["answered"] == json!(true);
            if !works && !new.is_empty() && (answered || one_is_gone || known.is_empty()) {
                stage.facts.set(Fact::ApplicationCredentialIds, alive);
                return Ok(Advance::Done(Proof::seen()));
            }
            if failed || answered && new.is_empty() {
                return Err(Failure::Ended(trouble("the driver failed").into()));
            }
            if patience(stage.cx).sleep(Duration::from_secs(2)).await.is_err() {
                return Err(Failure::Unfinished(trouble("not done yet").into()));
            }
        }
    }
}
