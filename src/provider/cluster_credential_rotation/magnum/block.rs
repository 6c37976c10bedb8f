//! The block `magnum`.

use crate::provider::cluster_credential_rotation::workloads::Named;
use crate::tfplugin::model::{Attr, Model, Set};

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
    pub workloads: Attr<Vec<Named>>,
}
