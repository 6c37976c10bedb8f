//! What all clouds of one sandbox share: the clock, the log of calls, the faults.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::calls::CallLog;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::ids::Ids;
use crate::keystone::Keystone;
use crate::magnum::Magnum;
use crate::oke::Oke;
use crate::openshift;

/// One sandbox. Another cloud is a module with its state and its `routes()`, a field here, its
/// line in `server::app`, and, if it is an OpenStack service, its entry in Keystone's catalog.
///
/// Where several are locked at once, it is in this order: OKE, Magnum, Keystone, a cluster's Kubernetes.
pub(crate) struct World {
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    pub(crate) calls: Mutex<CallLog>,
    pub(crate) clock: Arc<Clock>,
    /// Guards the controls.
    pub(crate) control_token: String,
    pub(crate) faults: Mutex<Faults>,
    keystone: Mutex<Keystone>,
    magnum: Mutex<Magnum>,
    oke: Mutex<Oke>,
    openshift: Mutex<Vec<openshift::Cluster>>,
    pub(crate) request_ids: Mutex<Ids>,
    /// What goes on beside the calls runs here.
    pub(crate) runtime: tokio::runtime::Handle,
}

impl World {
    /// To be made where the sandbox's own runtime is entered.
    pub(crate) fn new(keystone: Keystone, magnum: Magnum, oke: Oke, mut ids: Ids) -> Self {
        Self {
            base: keystone.base.clone(),
            calls: Mutex::default(),
            clock: Arc::default(),
            control_token: ids.url_safe(43),
            faults: Mutex::default(),
            keystone: Mutex::new(keystone),
            magnum: Mutex::new(magnum),
            oke: Mutex::new(oke),
            openshift: Mutex::default(),
            request_ids: Mutex::new(ids),
            runtime: tokio::runtime::Handle::current(),
        }
    }

    /// Keystone's state. A handler that panicked must not take the others' tests with it.
    pub(crate) fn keystone(&self) -> MutexGuard<'_, Keystone> {
        locked(&self.keystone)
    }

    /// Magnum's state.
    pub(crate) fn magnum(&self) -> MutexGuard<'_, Magnum> {
        locked(&self.magnum)
    }

    /// OKE's state.
    pub(crate) fn oke(&self) -> MutexGuard<'_, Oke> {
        locked(&self.oke)
    }

    /// Lets the clouds that have clusters do what is due: their servers may have another CA by now.
    pub(crate) fn catch_up(&self, now: Timestamp) {
        self.oke().sync(now);
        self.magnum().sync(self, now);
    }

    /// The clusters of `OpenShift`.
    pub(crate) fn openshift(&self) -> MutexGuard<'_, Vec<openshift::Cluster>> {
        locked(&self.openshift)
    }
}

/// Locks, also after somebody panicked while holding it.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
