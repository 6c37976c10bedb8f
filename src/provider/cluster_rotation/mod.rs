//! `rekey_cluster_credential_rotation`: a credential of a Kubernetes cluster is rotated, and the cluster is seen
//! to come back.
//!
//! `model` is the schema, `observe` is Read, `decide` is Plan, `act` is Create and Update, by a `run`.

pub mod act;
pub mod checks;
pub mod decide;
pub mod model;
pub mod observe;
pub mod private;
pub mod prove;
pub mod run;
pub mod settle;
pub mod told;
pub mod workloads;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::clock;
use crate::provider::arguments::{period, whole_seconds};
use crate::provider::cluster_rotation::decide::{Credential, phase};
use crate::provider::cluster_rotation::model::{ClusterRotation, Identity};
use crate::provider::cluster_rotation::private::Private;
use crate::provider::due::rotation_due;
use crate::provider::kubernetes::Shared;
use crate::provider::openstack::{Openstack, patience, token};
use crate::provider::timeouts::Defaults;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::{
    Change, ImportTarget, Operation, Plan, PlanRequest, Resource, StateCell, Stored,
};

/// See the module.
#[derive(Debug)]
pub struct ClusterRotationResource {
    kubernetes: Arc<Shared>,
    openstack: Arc<Openstack>,
    /// One rotation at a time for each cluster, within this process.
    rotating: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

type Kept = Stored<ClusterRotationResource>;

const HOUR: i64 = 3_600;

impl ClusterRotationResource {
    pub fn new(openstack: Arc<Openstack>, kubernetes: Arc<Shared>) -> Self {
        Self { kubernetes, openstack, rotating: Mutex::default() }
    }

    fn one_at_a_time(&self, uuid: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut rotating = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rotating.entry(uuid.to_owned()).or_default())
    }

    /// What Magnum can say of a planned rotation already.
    async fn check(
        &self,
        cx: &Context,
        prior: Option<(&ClusterRotation, &Private)>,
        config: &ClusterRotation,
    ) -> Result<()> {
        let Some(magnum) = config.magnum.known() else { return Ok(()) };
        let known = prior.map(|(prior, _)| decide::uuid(prior));
        let Some(id) = known.as_ref().or(magnum.cluster.known()) else { return Ok(()) };
        let Ok(session) = self.openstack.session().await? else { return Ok(()) };
        let patience = patience(cx);
        let caller = token(&session, &patience).await?;
        let target = match checks::find(&session, magnum, id, &patience).await {
            Ok(target) => target,
            Err(refusal) => return self.openstack.plan_checks().refuse(cx, vec![refusal]),
        };
        let credential = Credential::of(config);
        let refusals =
            checks::may_rotate(&session, &caller, &target, magnum, credential, &patience).await;
        self.openstack.plan_checks().refuse(cx, refusals)?;
        match credential {
            Credential::ApplicationCredential
                if target.cluster.user_id.as_ref() != Some(&caller.user.id) =>
            {
                let owner = target.cluster.user_id.as_deref().unwrap_or_default();
                let noted = prior.and_then(|(_, private)| private.owner.as_ref());
                let former = match noted.filter(|noted| noted.id == owner) {
                    Some(noted) => Some(noted.name.clone()),
                    None => {
                        session.keystone().user(owner, &patience).await.ok().map(|user| user.name)
                    }
                };
                cx.tell(told::owner_changes(&target.cluster, &caller, former.as_deref()));
            }
            Credential::CaCertificate => cx.tell(told::ca_rotation(&target.cluster)),
            Credential::ApplicationCredential => {}
        }
        Ok(())
    }
}

#[async_trait]
impl Resource for ClusterRotationResource {
    type Identity = Identity;
    type Model = ClusterRotation;
    type Private = Private;

    const NAME: &'static str = "cluster_credential_rotation";

    fn timeout(&self, operation: Operation, model: &ClusterRotation) -> Option<Duration> {
        let (twenty, two) = (Duration::from_mins(20), Duration::from_mins(2));
        let defaults = Defaults { create: twenty, delete: two, read: two, update: twenty };
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
        let magnum = config.magnum.known();
        let ca = magnum.is_some_and(|magnum| {
            magnum.credential.known().is_some_and(|name| name == Credential::CaCertificate.name())
        });
        if ca && config.rotate_on_create.is_null() {
            errors.push(
                Diagnostic::error(
                    "rotate_on_create must be said",
                    "Replacing a CA makes every kubeconfig of the cluster useless. Set rotate_on_create = true to do it when this \
                     resource is created, or false to wait for triggers or the schedule.",
                )
                .at_attribute("rotate_on_create"),
            );
        }
        if let Some(magnum) = magnum.filter(|_| ca)
            && matches!(magnum.driver_supports_ca_rotation, Attr::Null | Attr::Known(false))
        {
            errors.push(checks::unsupported());
        }
        if let Some(magnum) = magnum
            && !ca
            && magnum.credential.is_null() | magnum.credential.is_known()
            && !config.renew_before.is_null()
        {
            errors.push(
                Diagnostic::error(
                    "renew_before needs an expiry",
                    "The application credential of a cluster does not expire. Use rotation_period; renew_before is for \
                     credential = \"ca_certificate\".",
                )
                .at_attribute("renew_before"),
            );
        }
        if errors.is_empty() { Ok(()) } else { Err(Diagnostics(errors)) }
    }

    async fn read(&self, cx: &Context, stored: Kept) -> Result<Option<Kept>> {
        observe::read(self, cx, stored).await
    }

    async fn plan(&self, cx: &Context, request: PlanRequest<Self>) -> Result<Plan<Self>> {
        let PlanRequest { prior, config, proposed, private } = request;
        if config.rotate_on_create.is_unknown() || config.rotate.is_unknown() {
            return Err(Diagnostic::error(
                "The rotation policy is not known",
                "rotate and rotate_on_create decide whether anything is rotated, so the plan needs their values.",
            )
            .into());
        }
        let Some(prior) = prior else {
            if decide::rotates_on_create(&config) {
                self.check(cx, None, &config).await?;
            }
            let planned = decide::create(&config, proposed);
            return Ok(Plan { planned, private, requires_replace: Vec::new() });
        };
        let decision = decide::update(&prior, &config, proposed, &private);
        let replaced = !decision.requires_replace.is_empty();
        if decision.rotation().is_some() {
            self.check(cx, Some((&prior, &private)), &config).await?;
        } else if replaced && decide::rotates_on_create(&config) {
            self.check(cx, None, &config).await?;
        }
        Ok(Plan { planned: decision.planned, private, requires_replace: decision.requires_replace })
    }

    async fn plan_destroy(&self, cx: &Context, prior: Kept) -> Result<()> {
        cx.tell(told::nothing_undone(&prior.state));
        Ok(())
    }

    async fn create(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        Box::pin(act::create(self, cx, change, state)).await
    }

    async fn update(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        Box::pin(act::update(self, cx, change, state)).await
    }

    async fn delete(&self, _cx: &Context, _prior: Kept, state: &StateCell<Self>) -> Result<()> {
        state.clear();
        Ok(())
    }

    async fn import(&self, cx: &Context, target: ImportTarget<Identity>) -> Result<Kept> {
        let id = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => identity.id.known_or_default(),
        };
        let (cluster, credential) = id.split_once('/').unwrap_or((&id, "application_credential"));
        if cluster.is_empty() || !matches!(credential, "application_credential" | "ca_certificate")
        {
            return Err(Diagnostic::error(
                "That is not the id of a cluster's credential",
                "Import by CLUSTER/application_credential or CLUSTER/ca_certificate, where CLUSTER is the cluster's uuid or name.",
            )
            .into());
        }
        let session = self.openstack.session_now().await?;
        let magnum = model::Magnum::default();
        let target = checks::find(&session, &magnum, cluster, &patience(cx)).await?;
        let block = model::Magnum {
            cluster: Attr::Known(cluster.to_owned()),
            credential: Attr::Known(credential.to_owned()),
            ..model::Magnum::default()
        };
        let state = ClusterRotation {
            generation: Attr::Known(0),
            id: Attr::Known(format!("{}/{credential}", target.cluster.uuid)),
            magnum: Attr::Known(block),
            phase: Attr::Known(phase::NONE.into()),
            rotation_due: rotation_due(&[]),
            ..ClusterRotation::default()
        };
        let private = Private {
            adopted: true,
            since: Some(whole_seconds(clock::now())),
            project_id: target.cluster.project_id,
            ..Private::default()
        };
        let identity = Some(identity(&state));
        Ok(Kept { state, private, identity })
    }
}

fn identity(state: &ClusterRotation) -> Identity {
    Identity { id: state.id.clone() }
}
