//! What `rekey_cluster_credential_rotation` looks like in HCL and in the state.

use std::collections::BTreeMap;

use crate::provider::arguments::check_period;
use crate::provider::due::Due;
use crate::provider::timeouts::Timeouts;
use crate::tfplugin::model::{Attr, Model, Set};

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
    /// The SHA-256 of the cluster's CA certificate, in hexadecimal; with `ca_certificate`, and where the login may
    /// see it.
    #[attr(computed)]
    pub ca_certificate_sha256: Attr<String>,
    /// When the last rotation was complete.
    #[attr(computed)]
    pub completed_at: Attr<String>,
    /// When the cluster's CA expires; with `ca_certificate`.
    #[attr(computed)]
    pub expires_at: Attr<String>,
    /// Counts the rotations that this resource has made; 0 before the first.
    #[attr(computed)]
    pub generation: Attr<i64>,
    /// The cluster's uuid and what of it is rotated, as in `UUID/application_credential`.
    #[attr(computed)]
    pub id: Attr<String>,
    /// A cluster of OpenStack Magnum.
    #[attr(required)]
    pub magnum: Attr<Magnum>,
    /// The user whom the cluster belongs to: it acts with that user's rights and stops working when they leave.
    #[attr(computed)]
    pub owner_user_id: Attr<String>,
    /// How far the last rotation is: `none` before the first, `rotating`, `verifying`, `restarting`, or `completed`.
    #[attr(computed)]
    pub phase: Attr<String>,
    /// How long before the CA's expiry it is rotated, such as `P90D`; with `ca_certificate`.
    #[attr(optional, validate(custom(check_period)))]
    pub renew_before: Attr<String>,
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
    /// How long after a rotation the next one is due, such as `P90D`; at least an hour.
    #[attr(optional, validate(custom(check_period)))]
    pub rotation_period: Attr<String>,
    /// Why the last rotation was made; null where it came with the create.
    #[attr(computed)]
    pub rotation_reason: Attr<String>,
    /// When the last rotation was begun.
    #[attr(computed)]
    pub started_at: Attr<String>,
    /// How long each operation may take.
    /// Default `PT20M` to create and to update, `PT2M` to refresh; a destroy has nothing to wait for.
    #[attr(optional)]
    pub timeouts: Attr<Timeouts>,
    /// Any values; when one of them changes, the credential is rotated.
    #[attr(optional)]
    pub triggers: Attr<BTreeMap<String, Attr<String>>>,
}

/// A cluster of OpenStack Magnum, and what of it is rotated.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Magnum {
    /// The cluster's name or uuid.
    #[attr(required)]
    pub cluster: Attr<String>,
    /// `application_credential` (the default): what the cluster uses the cloud with.
    /// `ca_certificate`: the CA of its Kubernetes; every kubeconfig stops working.
    #[attr(optional, validate(one_of(&["application_credential", "ca_certificate"])))]
    pub credential: Attr<String>,
    /// Must be `true` for `ca_certificate`: that the cluster's driver can replace a CA.
    /// Magnum cannot be asked, and a driver that cannot leaves the cluster with a stored CA which its servers do not use.
    #[attr(optional)]
    pub driver_supports_ca_rotation: Attr<bool>,
    /// The groups of the certificate that the workloads are restarted with, where the provider has no `kubernetes`
    /// block; default `system:masters`, the only group that may do so in every cluster.
    /// Its key never leaves memory, but the certificate is valid for five years and cannot be revoked: where your
    /// cluster binds a lesser group to the workloads, name that.
    #[attr(optional)]
    pub kubernetes_groups: Attr<Set<String>>,
    /// Whether the OpenStack workloads in the cluster are restarted afterwards, which a template older than v1.34 needs:
    /// `auto` (the default), `always` or `never`.
    #[attr(optional, validate(one_of(&["auto", "always", "never"])))]
    pub restart_workloads: Attr<String>,
    /// Which workloads; default those of `openstack-system` that use the cloud: the cloud controller manager and both
    /// plugins of the Cinder driver.
    #[attr(optional)]
    pub workloads: Attr<Vec<Workload>>,
}

/// A workload to restart.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Workload {
    /// `Deployment`, `DaemonSet` or `StatefulSet`.
    #[attr(required, validate(one_of(&["Deployment", "DaemonSet", "StatefulSet"])))]
    pub kind: Attr<String>,
    /// Its name.
    #[attr(required)]
    pub name: Attr<String>,
    /// Its namespace.
    #[attr(required)]
    pub namespace: Attr<String>,
}

/// What identifies the rotation to Terraform 1.12 and OpenTofu 1.12 or newer.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Identity {
    /// As the attribute `id`.
    #[attr(required)]
    pub id: Attr<String>,
}
