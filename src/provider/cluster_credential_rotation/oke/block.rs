//! The block `oke`.

use crate::tfplugin::model::{Attr, Model};

/// A cluster of Oracle's Kubernetes Engine (OKE), all of whose credentials are rotated: its CAs, and the keys and
/// certificates of the control plane and the worker nodes.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Oke {
    /// The OCID of the cluster.
    #[attr(required)]
    pub cluster_id: Attr<String>,
}
