//! `rekey_cluster_credential_rotation`: a credential of a cluster is rotated, and the cluster is seen to come back.
//!
//! `model` is the schema, `read`, `plan` and `apply` the life, the same for every platform; what is decided, is decided
//! in `rotation::course`. `platform` is the seam; behind it stands a folder for each of `platforms`.

pub mod apply;
#[cfg(test)]
pub mod histories;
pub mod magnum;
pub mod model;
pub mod oke;
pub mod openshift;
pub mod plan;
pub mod platform;
pub mod platforms;
pub mod private;
pub mod read;
pub mod services;
pub mod told;
pub mod workloads;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::clock;
use crate::provider::arguments::{period, whole_seconds};
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Identity};
use crate::provider::cluster_credential_rotation::plan::Planned;
use crate::provider::cluster_credential_rotation::platform::{
    Known, Opened, Platform, When, Which,
};
use crate::provider::cluster_credential_rotation::private::Private;
use crate::provider::cluster_credential_rotation::services::Services;
use crate::provider::schedule::due::{recorded_due, rotation_due};
use crate::provider::schedule::{Scheduled, known_policy, tell_changed, tell_held, too_early};
use crate::provider::timeouts::Defaults;
use crate::provider::walk::Walk;
use crate::rotation::Due;
use crate::rotation::course::{First, Next, Phase};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result, Severity};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::{
    Change, ImportTarget, Operation, Plan, PlanRequest, Resource, StateCell, Stored,
};

/// The resource. What it asks the clouds for goes through [`Services`].
#[derive(Debug)]
pub struct ClusterRotationResource {
    services: Services,
    /// One rotation at a time for each object, within this process.
    rotating: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    walk: Walk,
}

/// What the state holds of one.
type Record = Stored<ClusterRotationResource>;

const HOUR: i64 = 3_600;

impl ClusterRotationResource {
    pub fn new(services: Services) -> Self {
        Self { services, rotating: Mutex::default(), walk: Walk::default() }
    }

    fn one_at_a_time(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut rotating = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rotating.entry(id.to_owned()).or_default())
    }

    /// What the platform can say of a planned rotation already: diagnostics only.
    async fn check(
        &self,
        cx: &Context,
        platform: &dyn Platform,
        known: Option<Known<'_>>,
        config: &ClusterRotation,
        when: When,
    ) -> Result<()> {
        if known.is_none() && platform.is_unnamed() {
            return Ok(());
        }
        let which = known.map_or(Which::Named, Which::LookedAt);
        let cluster = match platform.open(cx, which).await {
            Ok(Opened::Here(cluster)) => cluster,
            Ok(Opened::NotYet(_)) => return Ok(()),
            Ok(Opened::Gone(why) | Opened::Hidden(why)) => {
                let severity = crate::tfplugin::diagnostics::Severity::Error;
                return self.refuse(cx, vec![Diagnostic { severity, ..why }]);
            }
            Err(Diagnostics(why)) => return self.refuse(cx, why),
        };
        let none = ClusterRotation::default();
        let mut refusals = cluster.refusals(cx, when).await;
        if !config.renew_before.is_null() {
            let look = cluster.look(cx, known.map_or(&none, |known| known.state)).await;
            let lifetime = look.ok().and_then(|look| look.lifetime);
            refusals.extend(too_early(&config.renew_before, lifetime));
        }
        self.refuse(cx, refusals)?;
        // An update's plan has told what it restarts, and its apply restarts just that.
        let told = known.is_some() && self.walk.plans_again(cx);
        for warning in cluster.forewarn(cx, known).await {
            if !(told && warning.summary == workloads::WILL_RESTART) {
                cx.tell(warning);
            }
        }
        Ok(())
    }

    /// What the platform can say of the end of an overlap already.
    async fn completes(
        &self,
        cx: &Context,
        platform: &dyn Platform,
        known: Known<'_>,
    ) -> Result<()> {
        // Who cannot look is told by apply.
        let Ok(Opened::Here(cluster)) = platform.open(cx, Which::LookedAt(known)).await else {
            return Ok(());
        };
        let found = cluster.against_completing().await;
        let (errors, warnings) =
            found.into_iter().partition(|found| found.severity == Severity::Error);
        for warning in warnings {
            cx.tell(warning);
        }
        self.refuse(cx, errors)
    }

    fn refuse(&self, cx: &Context, refusals: Vec<Diagnostic>) -> Result<()> {
        self.services.plan_checks().refuse(cx, refusals)
    }
}

#[async_trait]
impl Resource for ClusterRotationResource {
    type Identity = Identity;
    type Model = ClusterRotation;
    type Private = Private;

    const NAME: &'static str = "cluster_credential_rotation";

    fn timeout(&self, operation: Operation, model: &ClusterRotation) -> Option<Duration> {
        let twenty = Duration::from_mins(20);
        let two = Duration::from_mins(2);
        let usual = Defaults { create: twenty, delete: two, read: two, update: twenty };
        let platform = platforms::of(&self.services, model);
        let defaults = platform.map_or(usual, |platform| platform.timeouts());
        Some(defaults.or(&model.timeouts, operation))
    }

    async fn validate(&self, _cx: &Context, config: &ClusterRotation) -> Result<()> {
        let mut errors = Vec::new();
        if period(&config.rotation_period).is_some_and(|period| period.seconds() < HOUR) {
            errors.push(
                Diagnostic::error(
                    "The duration is too short",
                    "rotation_period must be at least an hour (PT1H, 1h): a cluster is not rotated more often than that.",
                )
                .at_attribute("rotation_period"),
            );
        }
        if config.complete_generation.known().is_some_and(|generation| *generation < 1) {
            errors.push(
                Diagnostic::error(
                    "There is no such generation",
                    "complete_generation is the number of a rotation, and the first one is 1.",
                )
                .at_attribute("complete_generation"),
            );
        }
        if let Some(platform) = platforms::of(&self.services, config) {
            errors.extend(platform.validate(config));
        }
        if errors.is_empty() { Ok(()) } else { Err(Diagnostics(errors)) }
    }

    async fn read(&self, cx: &Context, stored: Record) -> Result<Option<Record>> {
        self.walk.refreshes();
        read::read(self, cx, stored).await
    }

    async fn plan(&self, cx: &Context, request: PlanRequest<Self>) -> Result<Plan<Self>> {
        let PlanRequest { prior, config, proposed, private } = request;
        if config.rotate_on_create.is_unknown() {
            return Err(Diagnostic::error(
                "The rotation policy is not known",
                "rotate_on_create decides whether anything is rotated, so the plan needs its value.",
            )
            .at_attribute("rotate_on_create")
            .into());
        }
        let Some(prior) = prior else {
            let platform = platforms::of(&self.services, &config);
            if let Some(platform) = platform.as_deref().filter(|_| config.rotates_on_create()) {
                self.check(cx, platform, None, &config, When::Planning).await?;
            }
            if config.complete_generation.known().is_some() {
                cx.tell(told::completes_nothing());
            }
            let planned = plan::create(platform.as_deref(), &config, proposed);
            return Ok(Plan { planned, private, requires_replace: Vec::new() });
        };
        known_policy(&config)?;
        // A block that is not known yet is taken for the state's, until apply knows it.
        let platform = platforms::of(&self.services, &config).or_else(|| {
            platforms::of(&self.services, &prior).filter(|_| platforms::unknown(&config))
        });
        let Some(platform) = platform else {
            return Err(told::no_platform().into());
        };
        let planned = plan::update(&*platform, &prior, &config, proposed, &private);
        if !planned.requires_replace.is_empty() && self.walk.plans_again(cx) {
            let known = Known { state: &prior, memory: &private.memory };
            let refusal = told::another_object(&platform.called(known));
            return Err(refusal.at(planned.requires_replace[0].clone()).into());
        }
        self.tell(cx, &*platform, &prior, &config, &private, &planned).await?;
        let Planned { state, requires_replace, .. } = planned;
        Ok(Plan { planned: state, private, requires_replace })
    }

    async fn plan_destroy(&self, cx: &Context, prior: Record) -> Result<()> {
        if let Some(platform) = platforms::of(&self.services, &prior.state) {
            let known = Known { state: &prior.state, memory: &prior.private.memory };
            let (called, stays) = (platform.called(known), platform.stays(known));
            cx.tell(told::nothing_undone(&called, &stays, &prior.state));
        }
        Ok(())
    }

    async fn create(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        self.walk.applies();
        Box::pin(apply::create(self, cx, change, state)).await
    }

    async fn update(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        self.walk.applies();
        Box::pin(apply::update(self, cx, change, state)).await
    }

    async fn delete(&self, _cx: &Context, _prior: Record, state: &StateCell<Self>) -> Result<()> {
        state.clear();
        Ok(())
    }

    async fn import(&self, cx: &Context, target: ImportTarget<Identity>) -> Result<Record> {
        let id = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => identity.id.known_or_default(),
        };
        let (platform, model) = platforms::of_import(&self.services, &id)?;
        let cluster = platform.open(cx, Which::Named).await?.now()?;
        let state = ClusterRotation {
            generation: Attr::Known(0),
            id: Attr::Known(cluster.id()),
            phase: Attr::Known(Phase::None.name().into()),
            rotation_due: rotation_due(&[]),
            ..model
        };
        let private = Private {
            imported: true,
            memory: cluster.memory(),
            since: Some(whole_seconds(clock::now())),
            ..Private::begun()
        };
        let identity = Some(identity(&state));
        Ok(Record { state, private, identity })
    }
}

impl ClusterRotationResource {
    /// What a plan of something that exists says beside its lines, or why there is none.
    async fn tell(
        &self,
        cx: &Context,
        platform: &dyn Platform,
        prior: &ClusterRotation,
        config: &ClusterRotation,
        private: &Private,
        planned: &Planned,
    ) -> Result<()> {
        let known = Known { state: prior, memory: &private.memory };
        let called = platform.called(known);
        if let Some(refusal) = too_early(&config.renew_before, private.lifetime) {
            return Err(refusal.into());
        }
        if !planned.requires_replace.is_empty() {
            if config.rotates_on_create() {
                self.check(cx, platform, None, config, When::Planning).await?;
            }
            return Ok(());
        }
        if let Next::Finish(First::Complete) | Next::Begin { first: Some(First::Complete), .. } =
            &planned.decision.next
            && let Some(refusal) = platform.too_young(known, clock::now())
        {
            return Err(refusal.into());
        }
        if let Next::Finish(First::Complete) | Next::Begin { first: Some(First::Complete), .. } =
            &planned.decision.next
        {
            self.completes(cx, platform, known).await?;
            cx.tell(told::completes(&called));
        }
        // What an import could not know is recorded, and is no change.
        if !private.imported {
            cx.tell(Diagnostics(platform.changed(known, config)));
        }
        match &planned.decision.next {
            Next::Refuse { reasons } => return Err(told::in_overlap(prior, reasons).into()),
            Next::Begin { first, .. } => {
                let after = first.is_some();
                let when = if after { When::PlanningAfterwards } else { When::Planning };
                self.check(cx, platform, Some(known), config, when).await?;
            }
            Next::Recover => cx.tell(told::recovers(&called)),
            Next::Finish(_) | Next::Perhaps { .. } | Next::Rest => {}
        }
        // Read judges by the state, and cannot know yet that the configuration holds it now.
        let due = recorded_due(&prior.rotation_due);
        if prior.rotate.known() != Some(&false) && config.rotate.known() == Some(&false) {
            tell_held(cx, &called, &planned.decision.held, "");
        }
        let begins = matches!(planned.decision.next, Next::Begin { .. });
        let changed = config.policy().changed_from(&prior.policy());
        let dropped = |due: &Due| !begins && due.governors().iter().any(|by| changed.contains(by));
        let dropped: Vec<_> = due.into_iter().filter(dropped).collect();
        // The next plan acts on it; to what is done in this one it is no news.
        let arising = if matches!(planned.decision.next, Next::Rest) && config.policy().rotate {
            let mut due = read::due_by(prior, private, &config.policy(), clock::now());
            due.retain(|due| due.governors().iter().any(|by| changed.contains(by)));
            due
        } else {
            Vec::new()
        };
        tell_changed(cx, &called, &dropped, &arising);
        Ok(())
    }
}

fn identity(state: &ClusterRotation) -> Identity {
    Identity { id: state.id.clone() }
}
