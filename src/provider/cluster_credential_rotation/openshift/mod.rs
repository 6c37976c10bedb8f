//! OpenShift: the cloud credentials that the Cloud Credential Operator hands on or mints.
//!
//! What is done next is said by `cloud::openshift::procedure`; here it is asked, carried out and told.

pub mod block;
mod cluster;
mod notes;
mod refusals;
mod rotate;
mod seam;
mod told;
mod workloads;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cloud::Surroundings;
use crate::cloud::openshift::Client;
use crate::cloud::openshift::procedure::Limits;
use crate::provider::arguments::period;
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::platform::{
    Inputs, Known, Opened, Platform, Which,
};
use crate::provider::cluster_credential_rotation::services::Services;
use crate::provider::cluster_credential_rotation::workloads::named_in_state;
use crate::provider::kubernetes::Shared;
use crate::provider::timeouts::Defaults;
use crate::rotation::Change;
use crate::rotation::course::Phase;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Result, Step};
use crate::tfplugin::model::Attr;
use block::Openshift;

/// The name of the block.
pub const NAME: &str = "openshift";
/// What an id ends in.
pub const ID: &str = "/cloud_credentials";

/// What is known of a cluster without asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    /// The operator's mode and the platform, as last seen.
    mode: String,
    platform: String,
}

/// The platform with its block.
#[derive(Debug)]
pub struct OpenshiftPlatform {
    services: Services,
    block: Openshift,
}

impl OpenshiftPlatform {
    pub fn new(services: Services, block: Openshift) -> Self {
        Self { services, block }
    }

    /// Whether an import's id is one of these.
    pub fn is_import(id: &str) -> bool {
        id == NAME || id.ends_with(ID)
    }
}

/// The cluster that the provider's `kubernetes` block leads to.
pub fn client(kubernetes: &Shared) -> std::result::Result<Client, Diagnostic> {
    let configured = kubernetes.configured().ok_or_else(told::no_way_in)?;
    let access = configured
        .resolve(&Surroundings::of_process())
        .map_err(|error| Diagnostic::error("Kubernetes is not configured", error.message))?;
    Ok(Client::new(crate::cloud::kubernetes::Client::new(access)))
}

#[async_trait]
impl Platform for OpenshiftPlatform {
    fn name(&self) -> &'static str {
        NAME
    }

    fn validate(&self, config: &ClusterRotation) -> Vec<Diagnostic> {
        let mut errors: Vec<_> =
            self.block.complaints().into_iter().map(|error| error.at_attribute(NAME)).collect();
        for (name, given) in [
            ("overlap", !config.overlap.is_null()),
            ("complete_generation", !config.complete_generation.is_null()),
            ("renew_before", !config.renew_before.is_null()),
        ] {
            if given {
                errors.push(told::not_here(name));
            }
        }
        errors
    }

    fn facts(&self) -> &'static [Fact] {
        &[]
    }

    fn changed_by_rotation(&self) -> &'static [Fact] {
        &[]
    }

    /// What would be proven is the credential that is given now, and that may be the former one again.
    fn counts_dead_runs(&self) -> bool {
        false
    }

    fn ends_in(&self) -> Option<Phase> {
        Some(Phase::Completed)
    }

    fn timeouts(&self) -> Defaults {
        let minutes = std::time::Duration::from_mins;
        Defaults { create: minutes(60), delete: minutes(2), read: minutes(5), update: minutes(60) }
    }

    fn replaced(&self, prior: &ClusterRotation, _memory: &Value) -> Vec<AttributePath> {
        if prior.openshift.is_known() { Vec::new() } else { vec![AttributePath::attribute(NAME)] }
    }

    fn inputs(&self, prior: &ClusterRotation, imported: bool) -> Inputs {
        let none = Openshift::default();
        let prior = prior.openshift.known().unwrap_or(&none);
        let mut inputs = Inputs::default();
        for ((name, wanted), (_, before)) in self.block.versions().into_iter().zip(prior.versions())
        {
            let records = imported && before.is_null() && !wanted.is_null();
            compare(&mut inputs, name, wanted, before, records);
        }
        for ((name, wanted), (_, before)) in self.block.shown().into_iter().zip(prior.shown()) {
            // What is not given stays as it is in the cluster.
            let records = wanted.is_null() || imported && before.is_null();
            compare(&mut inputs, name, wanted, before, records);
        }
        inputs
    }

    fn restarts(&self, _memory: &Value) -> Attr<Vec<String>> {
        named_in_state(&self.block.workloads)
    }

    fn called(&self, known: Known<'_>) -> String {
        told::called(&infrastructure(known.state))
    }

    fn stays(&self, _known: Known<'_>) -> String {
        "the cluster's root credential and the components' secrets".into()
    }

    async fn open(&self, cx: &Context, which: Which<'_>) -> Result<Opened> {
        seam::open(self, cx, which).await
    }
}

impl OpenshiftPlatform {
    fn limits(&self) -> Limits {
        let usual = Limits::default();
        let given = |attr: &Attr<String>| {
            let seconds = period(attr)?.seconds();
            Some(SignedDuration::from_secs(seconds))
        };
        let silence = given(&self.block.component_timeout).unwrap_or(usual.silence);
        Limits {
            silence,
            failing: silence / 5,
            poke: usual.poke.min(silence / 10),
            consumers: usual.consumers.max(silence),
            redeployment: usual.redeployment.max(silence),
            settle: given(&self.block.settle_time).unwrap_or(usual.settle),
        }
    }
}

/// `records`: a difference is written down, and asks for nothing.
fn compare<T: PartialEq>(
    inputs: &mut Inputs,
    name: &'static str,
    wanted: &Attr<T>,
    before: &Attr<T>,
    records: bool,
) {
    match wanted {
        Attr::Unknown => inputs.unknown.push(name),
        wanted if wanted != before && !records => inputs.changes.push(Change::Argument(name)),
        _ => {}
    }
}

/// The cluster's own name for itself, from the attribute `id`.
fn infrastructure(state: &ClusterRotation) -> String {
    let id = state.id.known().map_or("", String::as_str);
    id.strip_suffix(ID).unwrap_or(id).to_owned()
}

/// Which of the block's arguments.
fn inside(name: &str) -> AttributePath {
    AttributePath::attribute(NAME).then(Step::Attribute(name.into()))
}
