//! What `rekey_cluster_credential_rotation` looks like in HCL and in the state, and which of its attributes a platform
//! fills.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::provider::arguments::check_period;
use crate::provider::cluster_credential_rotation::magnum::block::Magnum;
use crate::provider::cluster_credential_rotation::oke::block::Oke;
use crate::provider::cluster_credential_rotation::openshift::block::Openshift;
use crate::provider::schedule::due::Due;
use crate::provider::timeouts::Timeouts;
use crate::tfplugin::model::{Attr, Model};

/// Rotates a credential of a Kubernetes cluster, proves that the cluster came back, and restarts what still holds
/// the old one.
///
/// A change of `triggers` or a due schedule is the next rotation, an update in place.
/// A rotation that the platform accepted is never sent again because a later step failed: the next apply takes up
/// where the last one stopped.
/// Destroying this resource undoes nothing; the cluster keeps the credential that it has.
#[derive(Clone, Debug, Default, Model)]
pub struct ClusterRotation {
    /// The ids of the application credentials that the cluster's owner has for it, where the login is the owner: the one
    /// in use, and what was left behind, if anything; with `application_credential`.
    #[attr(computed)]
    pub application_credential_ids: Attr<Vec<String>>,
    /// When the platform ends the overlap by itself, and clients that still use the old credentials are cut off.
    #[attr(computed)]
    pub auto_completes_at: Attr<String>,
    /// The SHA-256 of the cluster's CA certificate, in hexadecimal; with `ca_certificate`, and where the login may
    /// see it.
    #[attr(computed)]
    pub ca_certificate_sha256: Attr<String>,
    /// The SHA-256 of each CA that clients of the cluster trust, the oldest first: two in an overlap, one after it; with
    /// `oke`. Dependents that hold a kubeconfig follow it.
    #[attr(computed)]
    pub ca_certificate_sha256s: Attr<Vec<String>>,
    /// End the overlap of the rotation of this `generation` now, on platforms that have one.
    /// Any other generation's is left alone, and so is everything while it is what the resource was created with.
    #[attr(optional)]
    pub complete_generation: Attr<i64>,
    /// When the last rotation was complete.
    #[attr(computed)]
    pub completed_at: Attr<String>,
    /// When what is rotated expires, such as the cluster's CA; null where it does not.
    #[attr(computed)]
    pub expires_at: Attr<String>,
    /// Counts the rotations that this resource has made; 0 before the first.
    #[attr(computed)]
    pub generation: Attr<i64>,
    /// The cluster and what of it is rotated, as in `UUID/application_credential` or `NAME/cloud_credentials`.
    #[attr(computed)]
    pub id: Attr<String>,
    /// A cluster of OpenStack Magnum.
    #[attr(optional, exactly_one_of("oke", "openshift"))]
    pub magnum: Attr<Magnum>,
    /// A cluster of Oracle's Kubernetes Engine.
    #[attr(optional)]
    pub oke: Attr<Oke>,
    /// The cloud credentials of an OpenShift cluster.
    #[attr(optional)]
    pub openshift: Attr<Openshift>,
    /// How long old and new credentials are both valid, such as `14d`, on platforms that have such an overlap.
    #[attr(optional, validate(custom(check_period)))]
    pub overlap: Attr<String>,
    /// The user whom the cluster belongs to: it acts with that user's rights and stops working when they leave.
    #[attr(computed)]
    pub owner_user_id: Attr<String>,
    /// How far the last rotation is: `none` before the first; `rotating` (sent, and nothing can be seen of it yet),
    /// `verifying`, `restarting`, `issuing`, `overlap` (it waits; a plan is empty), `retiring`; or `completed`.
    #[attr(computed)]
    pub phase: Attr<String>,
    /// How long before its expiry it is rotated, such as `90d`.
    /// Only for what expires, and shorter than the time for which it is valid.
    #[attr(optional, validate(custom(check_period)))]
    pub renew_before: Attr<String>,
    /// The workloads that a rotation restarts, as in `Deployment openstack-system/web`.
    #[attr(computed)]
    pub restarts: Attr<Vec<String>>,
    /// `false` holds every scheduled rotation; each plan then warns of what is overdue.
    /// Default `true`.
    #[attr(optional)]
    pub rotate: Attr<bool>,
    /// Whether to rotate when this resource is created; `true` where it is not given.
    /// With `ca_certificate` it must be given, so that nobody replaces a CA by adding a resource.
    /// An import never rotates.
    #[attr(optional)]
    pub rotate_on_create: Attr<bool>,
    /// What is due, found by the last refresh.
    #[attr(computed)]
    pub rotation_due: Attr<Vec<Due>>,
    /// When the schedule next calls for a rotation; null without a schedule.
    #[attr(computed)]
    pub rotation_due_at: Attr<String>,
    /// How long after a rotation the next one is due, such as `90d`; at least an hour.
    #[attr(optional, validate(custom(check_period)))]
    pub rotation_period: Attr<String>,
    /// Why the last rotation was made; null before the first.
    #[attr(computed)]
    pub rotation_reason: Attr<String>,
    /// When the last rotation was sent, or taken up; a schedule counts from it.
    #[attr(computed)]
    pub started_at: Attr<String>,
    /// How long each operation may take.
    /// Default `20m` to create and to update, `2m` to refresh; a destroy has nothing to wait for.
    #[attr(optional)]
    pub timeouts: Attr<Timeouts>,
    /// Any values; when one of them changes, the credential is rotated.
    #[attr(optional)]
    pub triggers: Attr<BTreeMap<String, Attr<String>>>,
    /// The platform's id for the work that it does for the rotation, to quote to its operators.
    #[attr(computed)]
    pub work_request_id: Attr<String>,
}

/// An attribute that a platform fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    ApplicationCredentialIds,
    AutoCompletesAt,
    CaCertificateSha256,
    CaCertificateSha256s,
    ExpiresAt,
    OwnerUserId,
    WorkRequestId,
}

impl Fact {
    pub const ALL: [Self; 7] = [
        Self::ApplicationCredentialIds,
        Self::AutoCompletesAt,
        Self::CaCertificateSha256,
        Self::CaCertificateSha256s,
        Self::ExpiresAt,
        Self::OwnerUserId,
        Self::WorkRequestId,
    ];

    /// Not known before apply.
    pub fn unknown(self, model: &mut ClusterRotation) {
        self.put(model, Attr::Unknown, Attr::Unknown);
    }

    pub fn null(self, model: &mut ClusterRotation) {
        self.put(model, Attr::Null, Attr::Null);
    }

    /// What it was, or null, where it is unknown still.
    pub fn fill(self, model: &mut ClusterRotation, prior: Option<&ClusterRotation>) {
        let none = ClusterRotation::default();
        let prior = prior.unwrap_or(&none);
        if let (Some(list), Some(before)) = (self.list(model), self.list(&mut prior.clone())) {
            *list = std::mem::take(list).or_if_unknown(std::mem::take(before));
        }
        if let (Some(text), Some(before)) = (self.text(model), self.text(&mut prior.clone())) {
            *text = std::mem::take(text).or_if_unknown(std::mem::take(before));
        }
    }

    /// A text, a list of texts, or null.
    pub fn write(self, model: &mut ClusterRotation, value: &Value) {
        let text = value.as_str().map(str::to_owned);
        let list = value.as_array().map(|list| {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        });
        self.put(model, text.into(), list.into());
    }

    fn put(self, model: &mut ClusterRotation, text: Attr<String>, list: Attr<Vec<String>>) {
        if let Some(attribute) = self.text(model) {
            *attribute = text;
        } else if let Some(attribute) = self.list(model) {
            *attribute = list;
        }
    }

    /// The attribute, where it is a list.
    fn list(self, model: &mut ClusterRotation) -> Option<&mut Attr<Vec<String>>> {
        match self {
            Self::ApplicationCredentialIds => Some(&mut model.application_credential_ids),
            Self::CaCertificateSha256s => Some(&mut model.ca_certificate_sha256s),
            Self::AutoCompletesAt
            | Self::CaCertificateSha256
            | Self::ExpiresAt
            | Self::OwnerUserId
            | Self::WorkRequestId => None,
        }
    }

    /// The attribute, where it is a text.
    fn text(self, model: &mut ClusterRotation) -> Option<&mut Attr<String>> {
        match self {
            Self::ApplicationCredentialIds | Self::CaCertificateSha256s => None,
            Self::AutoCompletesAt => Some(&mut model.auto_completes_at),
            Self::CaCertificateSha256 => Some(&mut model.ca_certificate_sha256),
            Self::ExpiresAt => Some(&mut model.expires_at),
            Self::OwnerUserId => Some(&mut model.owner_user_id),
            Self::WorkRequestId => Some(&mut model.work_request_id),
        }
    }
}

/// What identifies the rotation to Terraform 1.12 and OpenTofu 1.12 or newer.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Identity {
    /// As the attribute `id`.
    #[attr(required)]
    pub id: Attr<String>,
}
