//! What is noted of one rotation, from before it is sent until it is done.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// In the private data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// The CAs before it.
    pub cas_before: BTreeSet<String>,
    /// The work request of the phase that runs, where it is known.
    pub work_request_id: Option<String>,
    /// How many lines of its log were passed on.
    pub told: usize,
    /// OKE knows the start by it as the same one, for 24 hours.
    pub start_token: Option<String>,
    pub complete_token: Option<String>,
    /// The workloads that are still to be restarted.
    pub left: BTreeSet<String>,
    /// When the restart was asked for, by the cluster's clock.
    pub restarted_at: Option<Timestamp>,
}

impl Notes {
    pub fn of(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    pub fn write(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Of another phase.
    pub fn follow(&mut self, work_request_id: Option<String>) {
        self.work_request_id = work_request_id;
        self.told = 0;
    }
}
