//! The seam: how the cluster is found, what is seen of it, and what changes it.

use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::cloud::openshift::drift::{Drift, KnownRoot, drift};
use crate::cloud::openshift::procedure::Flight;
use crate::cloud::openshift::{Mode, Salt, Situation};
use crate::provider::cluster_credential_rotation::model::ClusterRotation;
use crate::provider::cluster_credential_rotation::openshift::cluster::OpenshiftCluster;
use crate::provider::cluster_credential_rotation::openshift::notes::Notes;
use crate::provider::cluster_credential_rotation::openshift::{
    ID, Memory, NAME, OpenshiftPlatform, client, infrastructure, refusals, rotate, told,
};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster, Failure, Known, Look, Opened, Stage, When, Which,
};
use crate::provider::openstack::patience;
use crate::rotation::course::{Standing, Trace};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};

pub(super) async fn open(
    platform: &OpenshiftPlatform,
    cx: &Context,
    which: Which<'_>,
) -> Result<Opened> {
    let client = client(&platform.services.kubernetes)?;
    let patience = patience(cx);
    let situation = Situation::read(&client, &patience).await;
    let situation = situation.map_err(|error| told::unreadable(&error))?;
    if let Some(known) = which.known() {
        let (expected, found) =
            (infrastructure(known.state), &situation.infrastructure.status.infrastructure_name);
        if expected != *found && expected != NAME {
            return Err(told::another_cluster(&expected, found, &client).into());
        }
    }
    Ok(Opened::Here(Box::new(OpenshiftCluster {
        given: platform.block.root(),
        block: platform.block.clone(),
        limits: platform.limits(),
        client,
        patience,
        looks: matches!(which, Which::LookedAt(_)),
        had_root: which.known().is_some_and(|known| {
            let memory = serde_json::from_value::<Memory>(known.memory.clone());
            memory.is_ok_and(|memory| memory.mode == Mode::Mint.name())
        }),
        situation: Mutex::new(situation),
        flight: Mutex::default(),
    })))
}

#[async_trait]
impl Cluster for OpenshiftCluster {
    fn platform(&self) -> &'static str {
        NAME
    }

    fn id(&self) -> String {
        format!("{}{ID}", self.situation().infrastructure.status.infrastructure_name)
    }

    fn called(&self) -> String {
        told::called(&self.situation().infrastructure.status.infrastructure_name)
    }

    fn memory(&self) -> Value {
        let situation = self.situation();
        let memory = Memory {
            mode: Mode::of(&situation).name().to_owned(),
            platform: situation.infrastructure.platform().to_owned(),
        };
        serde_json::to_value(memory).unwrap_or_default()
    }

    async fn look(&self, cx: &Context, state: &ClusterRotation) -> Result<Look> {
        let situation = self.situation();
        // One that is under way says itself what is amiss.
        if self.looks && !state.at().is_under_way() {
            let removes = self.block.remove_root_after.known() == Some(&true);
            let mut found = drift(&situation, None, removes);
            // In mint mode a root that is gone is no trouble by itself, unless it was there.
            let gone = Mode::of(&situation) == Mode::MintRootRemoved && !removes;
            if let (true, Some(platform)) = (gone && self.had_root, situation.platform) {
                found.push(Drift::RootGone { platform });
            }
            if !found.is_empty() {
                cx.tell(told::drifted(&self.called(), &found));
            }
        }
        Ok(Look { own: true, signs: self.signs_of(state), ..Look::default() })
    }

    /// Of the root credential as it was last seen: no attribute holds anything of it.
    fn signs_of(&self, _state: &ClusterRotation) -> Option<Value> {
        let known = KnownRoot::of(&self.situation(), Salt::random().ok()?)?;
        serde_json::to_value(known).ok()
    }

    fn standing(&self, then: Option<&Value>, _now: &Look) -> Standing {
        let situation = self.situation();
        if Flight::marked(&situation).is_some() {
            return Standing::UnderWay;
        }
        let known = then.and_then(|then| serde_json::from_value::<KnownRoot>(then.clone()).ok());
        match known {
            // That it is gone is told, and nothing new.
            Some(_) if situation.root.is_none() => Standing::Same,
            Some(known) if known.is(&situation) => Standing::Same,
            Some(_) => Standing::Newer,
            None => Standing::Unseen,
        }
    }

    async fn refusals(&self, cx: &Context, when: When) -> Vec<Diagnostic> {
        refusals::all(self, cx, when.sends()).await
    }

    async fn forewarn(&self, _cx: &Context, _known: Option<Known<'_>>) -> Vec<Diagnostic> {
        told::forewarned(&self.called(), &self.situation(), &self.given)
    }

    async fn mark(&self, _state: &ClusterRotation) -> Result<Value> {
        let notes = self.noted(false);
        match notes.flight {
            Some(_) => Ok(notes.write()),
            None => Err(told::cannot_begin(&self.called()).into()),
        }
    }

    fn found(&self, _state: &ClusterRotation, _then: Option<&Value>) -> Value {
        self.noted(true).write()
    }

    async fn send(
        &self,
        _cx: &Context,
        _state: &ClusterRotation,
        notes: &mut Value,
    ) -> Result<(), Failure> {
        let mut written = Notes::of(notes);
        let sent = rotate::send(self, &mut written).await;
        *notes = written.write();
        sent
    }

    /// The root credential is the one that is wanted.
    async fn trace(&self, _notes: &Value) -> Result<Trace> {
        let situation = self.look_again().await.map_err(|error| told::after_sending(&error))?;
        let changes = self.given.root().map(|new| new.changes(situation.root.as_ref()));
        let there = changes.is_none_or(|changes| changes.is_empty());
        Ok(if there { Trace::Found } else { Trace::NotFound })
    }

    /// A write names the version that it changes, so one that comes late changes nothing.
    fn settled_by(&self, sent_at: Timestamp) -> Timestamp {
        sent_at
    }

    async fn advance(&self, stage: &mut Stage<'_>) -> Result<Advance, Failure> {
        rotate::advance(self, stage).await
    }
}
