//! The block `oke`.

use crate::provider::cluster_credential_rotation::workloads::Named;
use crate::tfplugin::model::{Attr, Model};

/// A cluster of Oracle's Kubernetes Engine (OKE), all of whose credentials are rotated: its CAs, and the keys and
/// certificates of the control plane and the worker nodes.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Oke {
    /// The OCID of the cluster.
    #[attr(required)]
    pub cluster_id: Attr<String>,
    /// Workloads that are to be restarted once the new credentials are there, because they read the cluster's CA only
    /// when they start, such as controllers that hold a kubeconfig of their own.
    /// Old and new credentials are both valid meanwhile.
    /// The way into the cluster is OKE's kubeconfig with a token of the provider's `oci` login, or the provider's
    /// `kubernetes` block where it has one.
    #[attr(optional)]
    pub workloads: Attr<Vec<Named>>,
}
