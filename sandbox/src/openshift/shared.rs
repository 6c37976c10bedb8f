//! What the operator's loops share: the API, the clock, the cloud of keys, and how one makes another look.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::api::Api;
use super::cloud::Cloud;
use super::queue::Queue;
use crate::clock::Clock;

/// Of one operator.
pub(super) struct Shared {
    pub(super) api: Api,
    pub(super) clock: Arc<Clock>,
    pub(super) cloud: Cloud,
    /// The annotator is to look.
    pub(super) look: Notify,
    pub(super) queue: Queue,
    /// The `ClusterOperator` is to be written anew.
    pub(super) sum_up: Notify,
    /// The kube controller manager does not come up anew.
    pub(super) redeployment_fails: AtomicBool,
    /// How long the annotator takes for its verdict.
    pub(super) thinks_for: Mutex<Duration>,
    /// Nobody leads before then; none where nobody will.
    pub(super) leads: watch::Sender<Option<Timestamp>>,
    /// Somebody does now.
    pub(super) leading: watch::Sender<bool>,
}
