//! Magnum: the application credential of a cluster, or its CA.

pub mod block;
pub mod cluster;
pub mod notes;
pub mod prove;
pub mod refusals;
pub mod rotate;
pub mod seam;
pub mod told;
pub mod workloads;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cloud::openstack::Token;
use crate::cloud::openstack::magnum::{Cluster as MagnumShows, Restarts};
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::platform::{Known, Opened, Platform, Which};
use crate::provider::cluster_credential_rotation::services::Services;
use crate::provider::timeouts::Defaults;
use crate::rotation::course::Phase;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Result, Step};
use crate::tfplugin::model::Attr;
use block::Magnum;

/// The name of the block.
pub const NAME: &str = "magnum";

/// What of a cluster is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    ApplicationCredential,
    CaCertificate,
}

impl Credential {
    pub fn of(block: &Magnum) -> Self {
        match block.credential.known().map(String::as_str) {
            Some("ca_certificate") => Self::CaCertificate,
            _ => Self::ApplicationCredential,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::ApplicationCredential => "application_credential",
            Self::CaCertificate => "ca_certificate",
        }
    }
}

/// What is known of a cluster without asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// For which its uuid may stand.
    pub cluster_name: Option<String>,
    /// As last seen by a login of their own: only then is the name known to everybody else.
    pub owner: Option<Owner>,
    /// A 404 in another project is not believed.
    pub project_id: Option<String>,
    /// The user who looked last: the plan that follows is theirs.
    pub looked_by: Option<String>,
    /// Whether its version needs the workloads restarted; None where nothing tells.
    pub restarts: Option<bool>,
}

/// A user with their name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    pub id: String,
    pub name: String,
}

impl Owner {
    /// The caller, where the cluster is theirs.
    pub fn seen(cluster: &MagnumShows, caller: &Token) -> Option<Self> {
        let own = cluster.user_id.as_ref() == Some(&caller.user.id);
        own.then(|| Self { id: caller.user.id.clone(), name: caller.user.name.clone() })
    }
}

impl Memory {
    pub fn of(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }
}

/// The platform with its block.
#[derive(Debug)]
pub struct MagnumPlatform {
    services: Services,
    block: Magnum,
    credential: Credential,
}

impl MagnumPlatform {
    pub fn new(services: Services, block: Magnum) -> Self {
        let credential = Credential::of(&block);
        Self { services, block, credential }
    }

    /// What `CLUSTER/credential` means.
    pub fn block_of_import(id: &str) -> Result<Magnum> {
        let (cluster, credential) = id.split_once('/').unwrap_or((id, "application_credential"));
        if cluster.is_empty() || !matches!(credential, "application_credential" | "ca_certificate")
        {
            return Err(Diagnostic::error(
                "That is not the id of a cluster's credential",
                "Import by CLUSTER/application_credential or CLUSTER/ca_certificate, where CLUSTER is the cluster's uuid or name.",
            )
            .into());
        }
        Ok(Magnum {
            cluster: Attr::Known(cluster.to_owned()),
            credential: Attr::Known(credential.to_owned()),
            ..Magnum::default()
        })
    }
}

#[async_trait]
impl Platform for MagnumPlatform {
    fn name(&self) -> &'static str {
        NAME
    }

    fn validate(&self, config: &ClusterRotation) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        let ca = self.credential == Credential::CaCertificate;
        if ca && config.rotate_on_create.is_null() {
            errors.push(told::must_be_said());
        }
        if ca && matches!(self.block.driver_supports_ca_rotation, Attr::Null | Attr::Known(false)) {
            errors.push(refusals::unsupported());
        }
        if !ca && !self.block.credential.is_unknown() && !config.renew_before.is_null() {
            errors.push(told::does_not_expire());
        }
        for (name, given) in [
            ("overlap", !config.overlap.is_null()),
            ("complete_generation", !config.complete_generation.is_null()),
        ] {
            if given {
                errors.push(told::no_overlap(name));
            }
        }
        errors
    }

    fn facts(&self) -> &'static [Fact] {
        match self.credential {
            Credential::ApplicationCredential => {
                &[Fact::ApplicationCredentialIds, Fact::OwnerUserId]
            }
            Credential::CaCertificate => {
                &[Fact::CaCertificateSha256, Fact::ExpiresAt, Fact::OwnerUserId]
            }
        }
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
        let (twenty, two) = (std::time::Duration::from_mins(20), std::time::Duration::from_mins(2));
        Defaults { create: twenty, delete: two, read: two, update: twenty }
    }

    fn replaced(&self, prior: &ClusterRotation, memory: &Value) -> Vec<AttributePath> {
        let Some(before) = prior.magnum.known() else {
            return vec![AttributePath::attribute(NAME)];
        };
        let mut paths = Vec::new();
        let name = Memory::of(memory).cluster_name;
        let same = match &self.block.cluster {
            Attr::Known(wanted) => {
                before.cluster.known() == Some(wanted)
                    || *wanted == uuid(prior)
                    || name.as_ref() == Some(wanted)
            }
            // No replacement on a guess. Should it be another one, the plan that apply makes again refuses it; OpenTofu,
            // which does not tell that one from the first, stops by itself because the plan has changed.
            Attr::Unknown => true,
            Attr::Null => false,
        };
        if !same {
            paths.push(inside("cluster"));
        }
        if !self.block.credential.is_unknown() && Credential::of(before) != self.credential {
            paths.push(inside("credential"));
        }
        paths
    }

    fn restarts(&self, memory: &Value) -> Attr<Vec<String>> {
        if self.credential == Credential::CaCertificate {
            return Attr::Null;
        }
        let said = &self.block.restart_workloads;
        if said.is_unknown() || self.block.workloads.is_unknown() {
            return Attr::Unknown;
        }
        let needed = match said.known().map(String::as_str) {
            Some("always") => Some(true),
            Some("never") => Some(false),
            _ => Memory::of(memory).restarts,
        };
        match (needed, workloads::names(&self.block)) {
            (_, None) | (None, _) => Attr::Unknown,
            (Some(false), _) => Attr::Null,
            (Some(true), Some(names)) => Attr::Known(names),
        }
    }

    fn is_unnamed(&self) -> bool {
        self.block.cluster.is_unknown()
    }

    fn called(&self, known: Known<'_>) -> String {
        let uuid = uuid(known.state);
        let name = Memory::of(known.memory).cluster_name.or_else(|| {
            let block = known.state.magnum.known()?;
            block.cluster.known().filter(|name| **name != uuid).cloned()
        });
        match name {
            Some(name) if !uuid.is_empty() => format!("the cluster {name:?} ({uuid})"),
            Some(name) => format!("the cluster {name:?}"),
            None => format!("the cluster {uuid}"),
        }
    }

    fn expiring(&self, known: Known<'_>, now: Timestamp) -> Option<Diagnostic> {
        told::expiring(&self.called(known), known.state, now)
    }

    fn stays(&self, _known: Known<'_>) -> String {
        match self.credential {
            Credential::ApplicationCredential => {
                "the cluster's application credential, with its owner,".into()
            }
            Credential::CaCertificate => "the cluster's CA".into(),
        }
    }

    async fn open(&self, cx: &Context, which: Which<'_>) -> Result<Opened> {
        seam::open(self, cx, which).await
    }
}

/// Whether a rotation restarts workloads, by the block and the cluster's version; None where nothing tells.
fn restarts(block: &Magnum, by_version: Restarts) -> Option<bool> {
    match block.restart_workloads.known().map(String::as_str) {
        Some("always") => Some(true),
        Some("never") => Some(false),
        _ => match by_version {
            Restarts::Needed => Some(true),
            Restarts::NotNeeded => Some(false),
            Restarts::Unknown => None,
        },
    }
}

/// The cluster's uuid, from the attribute `id`.
fn uuid(state: &ClusterRotation) -> String {
    let id = state.id.known().map_or("", String::as_str);
    id.split('/').next().unwrap_or_default().to_owned()
}

/// Which of the block's arguments.
fn inside(name: &str) -> AttributePath {
    AttributePath::attribute(NAME).then(Step::Attribute(name.into()))
}
