//! Terraform, as far as it matters here: refresh, plan, the second plan in apply, what becomes of a state when a call
//! errs or its process dies, saved plans, taints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cloud::{Cloud, Fault};
use crate::provider::cluster_credential_rotation::model::ClusterRotation;
use crate::provider::cluster_credential_rotation::private::Private;
use crate::provider::cluster_credential_rotation::services::Services;
use crate::provider::cluster_credential_rotation::{ClusterRotationResource, Record};
use crate::tfplugin::context::{ClientCapabilities, Context};
use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::Diagnostics;
use crate::tfplugin::model::Model as _;
use crate::tfplugin::traits::{Change, PlanRequest, Resource as _, StateCell};

/// How a run goes.
#[derive(Clone, Debug)]
pub struct Options {
    pub refresh: bool,
    pub faults: Vec<(usize, Fault)>,
    /// A kill takes Terraform with it: the state file is as before the run.
    pub kills_all: bool,
}

#[derive(Clone, Debug)]
pub struct PlanFile {
    /// The state file's serial at the time.
    serial: u64,
    prior: Option<Record>,
    config: ClusterRotation,
    planned: ClusterRotation,
    private: Private,
}

/// A working directory.
#[derive(Debug)]
pub struct Workspace {
    resource: ClusterRotationResource,
    cloud: Arc<Cloud>,
    pub config: ClusterRotation,
    pub stored: Option<Record>,
    pub tainted: bool,
    serial: u64,
}

/// The state file before a run.
struct Before {
    stored: Option<Record>,
    tainted: bool,
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Run {
    Done,
    /// The plan is empty.
    Empty,
    Failed,
    /// The provider died, or all of the run.
    Died,
    /// The saved plan is stale.
    Stale,
}

impl Workspace {
    pub fn new(cloud: &Arc<Cloud>, config: ClusterRotation) -> Self {
        let services = Services {
            clusters: Arc::default(),
            kubernetes: Arc::default(),
            oci: Arc::default(),
            openstack: Arc::default(),
            stand_in: Some(Arc::clone(cloud)),
        };
        let resource = ClusterRotationResource::new(services);
        Self { resource, cloud: Arc::clone(cloud), config, stored: None, tainted: false, serial: 0 }
    }

    fn context() -> Context {
        let deadline = Instant::now() + Duration::from_secs(30);
        Context::new(ClientCapabilities::default(), CancellationToken::new(), Some(deadline))
    }

    /// None: the provider died.
    async fn alive<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.cloud.killed.notified() => None,
            done = call => Some(done),
        }
    }

    /// None: no plan was made.
    pub async fn plan(&self, refresh: bool) -> Option<PlanFile> {
        let mut prior = self.stored.clone();
        if let Some(stored) = prior.clone().filter(|_| refresh) {
            let cx = Self::context();
            prior = self.alive(self.resource.read(&cx, stored)).await?.ok()?;
        }
        let considered = prior.clone().filter(|_| !self.tainted);
        let request = PlanRequest {
            prior: considered.as_ref().map(|prior| prior.state.clone()),
            config: self.config.clone(),
            proposed: proposed(considered.as_ref(), &self.config),
            private: considered.map_or_else(Private::default, |prior| prior.private),
        };
        let cx = Self::context();
        let plan = self.alive(self.resource.plan(&cx, request)).await?.ok()?;
        Some(PlanFile {
            serial: self.serial,
            prior,
            config: self.config.clone(),
            planned: plan.planned,
            private: plan.private,
        })
    }

    pub async fn refresh_only(&mut self) {
        let Some(stored) = self.stored.clone() else { return };
        let cx = Self::context();
        if let Some(Ok(read)) = self.alive(self.resource.read(&cx, stored)).await {
            self.store(read);
        }
    }

    pub fn taint(&mut self) {
        self.tainted = true;
        self.serial += 1;
    }

    fn store(&mut self, stored: Option<Record>) {
        self.stored = stored;
        self.serial += 1;
    }

    pub async fn apply(&mut self, plan: PlanFile, options: &Options) -> Result<Run, String> {
        if plan.serial != self.serial {
            return Ok(Run::Stale);
        }
        let replaces = self.tainted && plan.prior.is_some();
        let prior = plan.prior.clone().filter(|_| !replaces);
        if let Some(prior) = &prior
            && flat(&prior.state) == flat(&plan.planned)
        {
            return Ok(Run::Empty);
        }
        self.cloud.arm(&options.faults);
        let run = self.act(plan, prior, replaces, options).await;
        self.cloud.arm(&[]);
        run
    }

    async fn act(
        &mut self,
        plan: PlanFile,
        prior: Option<Record>,
        replaces: bool,
        options: &Options,
    ) -> Result<Run, String> {
        let before = Before { stored: self.stored.clone(), tainted: self.tainted };
        if replaces {
            self.store(None);
            self.tainted = false;
        }
        // Core plans again.
        let request = PlanRequest {
            prior: prior.as_ref().map(|prior| prior.state.clone()),
            config: plan.config.clone(),
            proposed: proposed(prior.as_ref(), &plan.config),
            private: prior.as_ref().map_or_else(Private::default, |prior| prior.private.clone()),
        };
        let cx = Self::context();
        match self.alive(self.resource.plan(&cx, request)).await {
            None => return Ok(self.died(before, options)),
            Some(Err(_)) => return Ok(Run::Failed),
            Some(Ok(again)) if flat(&again.planned) != flat(&plan.planned) => {
                return Err(format!(
                    "the second plan differs: {:#?} {:#?}",
                    again.planned, plan.planned
                ));
            }
            Some(Ok(_)) => {}
        }
        let cell = StateCell::new(prior.clone());
        let change = Change {
            prior: prior.as_ref().map(|prior| prior.state.clone()),
            planned: plan.planned.clone(),
            config: plan.config.clone(),
            private: plan.private.clone(),
        };
        let cx = Self::context();
        let applied = match &prior {
            None => self.alive(self.resource.create(&cx, change, &cell)).await,
            Some(_) => self.alive(self.resource.update(&cx, change, &cell)).await,
        };
        let Some(applied) = applied else { return Ok(self.died_in(prior, before, options)) };
        let result = cell.current();
        if let Some(result) = &result {
            whole(&result.state)?;
        }
        if let Err(Diagnostics(_)) = applied {
            self.tainted = prior.is_none() && result.is_some();
            self.store(result);
            return Ok(Run::Failed);
        }
        let result = result.ok_or("an apply that succeeded left nothing")?;
        consistent(&plan.planned, &result.state)?;
        self.store(Some(result));
        Ok(Run::Done)
    }

    fn back_to(&mut self, before: Before) {
        self.stored = before.stored;
        self.tainted = before.tainted;
        self.serial += 1;
    }

    fn died(&mut self, before: Before, options: &Options) -> Run {
        if options.kills_all {
            self.back_to(before);
        }
        Run::Died
    }

    /// In an update: core keeps the attributes of before, and drops the private data.
    fn died_in(&mut self, prior: Option<Record>, before: Before, options: &Options) -> Run {
        if options.kills_all {
            self.back_to(before);
            return Run::Died;
        }
        let kept =
            prior.map(|prior| Record { private: Private::default(), identity: None, ..prior });
        self.store(kept);
        Run::Died
    }
}

/// Core's merge: what is configured, and what was computed before.
fn proposed(prior: Option<&Record>, config: &ClusterRotation) -> ClusterRotation {
    let Some(prior) = prior else { return config.clone() };
    ClusterRotation {
        complete_generation: config.complete_generation,
        magnum: config.magnum.clone(),
        overlap: config.overlap.clone(),
        renew_before: config.renew_before.clone(),
        rotate: config.rotate,
        rotate_on_create: config.rotate_on_create,
        rotation_period: config.rotation_period.clone(),
        timeouts: config.timeouts.clone(),
        triggers: config.triggers.clone(),
        ..prior.state.clone()
    }
}

fn flat(state: &ClusterRotation) -> BTreeMap<String, Value> {
    match state.clone().into_object() {
        Value::Object(attributes) => attributes,
        _ => BTreeMap::new(),
    }
}

fn whole(state: &ClusterRotation) -> Result<(), String> {
    let unknown = flat(state).into_iter().find(|(_, value)| *value == Value::Unknown);
    unknown.map_or(Ok(()), |(name, _)| Err(format!("{name} is unknown after apply")))
}

fn consistent(planned: &ClusterRotation, result: &ClusterRotation) -> Result<(), String> {
    let result = flat(result);
    for (name, value) in flat(planned) {
        if value != Value::Unknown && result[&name] != value {
            return Err(format!("{name} was planned as {value:?} and is {:?}", result[&name]));
        }
    }
    Ok(())
}
