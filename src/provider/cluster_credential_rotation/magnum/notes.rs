//! What is noted of one rotation, from before it is sent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Kept in the private data's flight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// The cluster's CA before, PEM, where it could be seen.
    pub ca_before: Option<String>,
    pub ca_sha256_before: Option<String>,
    /// Those that did not restart in this run; another run tries them again.
    #[serde(skip)]
    pub failed: BTreeMap<String, String>,
    /// Application credentials of the cluster that the sender had before.
    pub known: BTreeSet<String>,
    /// Workloads whose pods are not all new yet; None before it is known whether any must restart.
    pub left: Option<BTreeSet<String>>,
    /// Those whose controllers want no pod.
    pub no_pods: BTreeSet<String>,
    pub owner_before: Option<String>,
    /// When the workloads were asked to restart, by the cluster's own clock: the note that they carry.
    pub restarted_at: Option<Timestamp>,
    /// Magnum has answered, which it does once the driver is done.
    pub answered: bool,
    /// Sent by this user.
    pub sender: String,
    /// What Magnum showed as the time of its last change.
    pub updated_before: Option<String>,
}

impl Notes {
    pub fn of(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    pub fn write(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
