//! OKE: new credentials are issued, both work for an overlap, the old ones are retired; or OKE does all of it by itself.
//!
//! `shown` says what the service's answers mean, `follow` waits for a work request, `cluster` is the seam. Nothing here
//! remembers a step: each run reads the status, and goes on from there.

pub mod block;
pub mod cluster;
pub mod follow;
pub mod notes;
pub mod refusals;
pub mod seam;
pub mod shown;
pub mod told;
pub mod workloads;

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::provider::arguments::{moment, period};
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::platform::{Known, Opened, Platform, Which};
use crate::provider::cluster_credential_rotation::services::Services;
use crate::provider::cluster_credential_rotation::workloads::{are_known, named_in_state};
use crate::provider::timeouts::Defaults;
use crate::rotation::course::Phase;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Result, Step};
use crate::tfplugin::model::Attr;
use block::Oke;

/// The name of the block.
pub const NAME: &str = "oke";

const DAY: i64 = 86_400;
/// OKE's own bounds for the overlap.
const SHORTEST: i64 = DAY;
const LONGEST: i64 = 90 * DAY;
/// How old new credentials must be before the old ones may be retired.
const AGE: SignedDuration = SignedDuration::from_hours(24);

/// What is known of a cluster without asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub name: Option<String>,
    /// Whose list says whether a cluster that is not found is gone.
    pub compartment_id: Option<String>,
    /// When its newest credentials were issued, where the CA tells.
    pub issued_at: Option<Timestamp>,
}

impl Memory {
    pub fn of(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }
}

/// The platform with its block.
#[derive(Debug)]
pub struct OkePlatform {
    services: Services,
    block: Oke,
}

impl OkePlatform {
    pub fn new(services: Services, block: Oke) -> Self {
        Self { services, block }
    }

    /// Whether an import is of such a cluster.
    pub fn is_id(id: &str) -> bool {
        id.starts_with("ocid1.cluster.")
    }

    /// OKE does not tell the overlap of a rotation, and a configuration that is generated from an import needs one.
    pub const IMPORTED_OVERLAP: &str = "P14D";

    /// What an import's id means.
    pub fn block_of_import(id: &str) -> Oke {
        Oke { cluster_id: Attr::Known(id.to_owned()), workloads: Attr::Null }
    }
}

#[async_trait]
impl Platform for OkePlatform {
    fn name(&self) -> &'static str {
        NAME
    }

    fn validate(&self, config: &ClusterRotation) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        if self.block.cluster_id.known().is_some_and(|id| !Self::is_id(id)) {
            errors.push(told::no_cluster_id());
        }
        if are_known(&self.block.workloads) {
            errors.extend(workloads::wanted(&self.block).err());
        }
        match period(&config.overlap).map(crate::rotation::Period::seconds) {
            Some(seconds) if !(SHORTEST..=LONGEST).contains(&seconds) => {
                errors.push(told::overlap_out_of_bounds());
            }
            None if config.overlap.is_null() => errors.push(told::overlap_must_be_said()),
            _ => {}
        }
        errors
    }

    fn facts(&self) -> &'static [Fact] {
        &[Fact::AutoCompletesAt, Fact::CaCertificateSha256s, Fact::ExpiresAt, Fact::WorkRequestId]
    }

    fn changed_by_rotation(&self) -> &'static [Fact] {
        self.facts()
    }

    /// A start ends in the overlap, a completion is the end.
    fn ends_in(&self) -> Option<Phase> {
        None
    }

    /// A phase waits up to 24 hours for nodes that are not ready.
    fn timeouts(&self) -> Defaults {
        let phase = Duration::from_hours(26);
        let moments = Duration::from_mins(5);
        Defaults { create: phase, delete: moments, read: moments, update: phase }
    }

    fn replaced(&self, prior: &ClusterRotation, _memory: &Value) -> Vec<AttributePath> {
        let before = prior.oke.known().and_then(|block| block.cluster_id.known());
        match (&self.block.cluster_id, before) {
            (Attr::Known(wanted), Some(before)) if wanted == before => Vec::new(),
            (Attr::Unknown, Some(_)) => Vec::new(),
            (_, Some(_)) => vec![inside("cluster_id")],
            (_, None) => vec![AttributePath::attribute(NAME)],
        }
    }

    fn restarts(&self, _memory: &Value) -> Attr<Vec<String>> {
        named_in_state(&self.block.workloads)
    }

    fn is_unnamed(&self) -> bool {
        self.block.cluster_id.is_unknown()
    }

    fn called(&self, known: Known<'_>) -> String {
        let id = known.state.id.known().or(self.block.cluster_id.known());
        told::called(Memory::of(known.memory).name.as_deref(), id.map_or("", String::as_str))
    }

    fn expiring(&self, known: Known<'_>, now: Timestamp) -> Option<Diagnostic> {
        told::dates(&self.called(known), known.state, now)
    }

    fn stays(&self, _known: Known<'_>) -> String {
        "the cluster's credentials".into()
    }

    fn changed(&self, known: Known<'_>, config: &ClusterRotation) -> Vec<Diagnostic> {
        let (before, now) = (period(&known.state.overlap), period(&config.overlap));
        let moved = now.is_some() && before.is_some() && before != now;
        if moved && known.state.at().is_under_way() {
            vec![told::overlap_not_moved(&self.called(known), known.state)]
        } else {
            Vec::new()
        }
    }

    fn too_young(&self, known: Known<'_>, now: Timestamp) -> Option<Diagnostic> {
        let from = may_complete_from(known)?;
        (now < from).then(|| told::too_young(&self.called(known), from))
    }

    async fn open(&self, cx: &Context, which: Which<'_>) -> Result<Opened> {
        seam::open(self, cx, which).await
    }
}

/// From when on OKE completes the rotation that is in the state. One that was found was begun before that.
fn may_complete_from(known: Known<'_>) -> Option<Timestamp> {
    let started = moment(&known.state.started_at)?;
    let issued = Memory::of(known.memory).issued_at;
    let hours = |since: Timestamp| started.duration_since(since).as_hours();
    let begun = issued.filter(|issued| hours(*issued) >= 6).unwrap_or(started);
    begun.checked_add(AGE).ok()
}

/// Which of the block's arguments.
fn inside(name: &str) -> AttributePath {
    AttributePath::attribute(NAME).then(Step::Attribute(name.into()))
}
