//! What is noted of one rotation, in the resource's private data.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cloud::openshift::procedure::Flight;

/// See the module. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Notes {
    /// None where nothing could be noted before.
    pub(super) flight: Option<Flight>,
    /// Workloads whose pods are not all new yet.
    pub(super) left: BTreeSet<String>,
    /// When they were asked to restart, by the cluster's own clock: the note that they carry.
    pub(super) restarted_at: Option<Timestamp>,
}

impl Notes {
    pub(super) fn of(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    pub(super) fn write(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
