//! What the resource remembers of a rotation that is under way, so that the next run can take it up.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::openstack::Token;
use crate::cloud::openstack::magnum::Cluster;

/// The resource's private data. A provider process that dies takes it with it, while the attributes of the last
/// state stay: nothing that keeps a rotation from being made twice stands here alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Private {
    /// Imported, and not updated since: `triggers` are recorded, not acted on.
    pub adopted: bool,
    /// The cluster's name, for which its uuid may stand.
    pub cluster_name: Option<String>,
    /// The owner as last seen by a login of their own: only then is the name known to everybody else.
    pub owner: Option<Owner>,
    /// When Read first saw that it was rotated, and not by what the state knows: by a run that was killed, or
    /// by hand. A rotation that is asked for soon after is then already made.
    pub rotated_outside: Option<Timestamp>,
    /// Where a schedule begins that has not seen a rotation: import, or a create that did not rotate.
    pub since: Option<Timestamp>,
    /// The cluster's project: a 404 elsewhere is not believed.
    pub project_id: Option<String>,
    /// The rotation that has been sent and is not complete.
    pub under_way: Option<UnderWay>,
}

/// A user with their name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    pub id: String,
    pub name: String,
}

impl Owner {
    /// The caller, where the cluster is theirs.
    pub fn seen(cluster: &Cluster, caller: &Token) -> Option<Self> {
        let own = cluster.user_id.as_ref() == Some(&caller.user.id);
        own.then(|| Self { id: caller.user.id.clone(), name: caller.user.name.clone() })
    }
}

/// One rotation, from before it was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnderWay {
    /// The cluster's CA before, PEM, where it could be seen.
    pub ca_before: Option<String>,
    /// The fingerprint of the CA before.
    pub ca_sha256_before: Option<String>,
    /// Application credentials of the cluster that the caller had before.
    pub known: BTreeSet<String>,
    /// The owner before.
    pub owner_before: Option<String>,
    /// Magnum is known to have accepted it.
    pub accepted: bool,
    /// Sent by this user.
    pub sender: String,
    pub sent_at: Timestamp,
    /// When the workloads were asked to restart, by the cluster's own clock: the note that they carry.
    pub restart: Option<Timestamp>,
    /// Workloads whose pods are not all new yet; None before it is known whether any must restart.
    pub workloads: Option<BTreeSet<String>>,
}
