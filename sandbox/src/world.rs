//! What all clouds of one sandbox share: the clock, the log of calls, the faults.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::calls::CallLog;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::ids::Ids;
use crate::keystone::Keystone;

/// One sandbox. Another cloud is a module with its state and its `routes()`, a field here, its
/// line in `server::app`, and, if it is an OpenStack service, its entry in Keystone's catalog.
pub(crate) struct World {
    pub(crate) calls: Mutex<CallLog>,
    pub(crate) clock: Clock,
    /// Guards the controls.
    pub(crate) control_token: String,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) keystone: Mutex<Keystone>,
    pub(crate) request_ids: Mutex<Ids>,
}

impl World {
    pub(crate) fn new(keystone: Keystone, mut ids: Ids) -> Self {
        Self {
            calls: Mutex::default(),
            clock: Clock::default(),
            control_token: ids.url_safe(43),
            faults: Mutex::default(),
            keystone: Mutex::new(keystone),
            request_ids: Mutex::new(ids),
        }
    }

    /// Keystone's state. A handler that panicked must not take the others' tests with it.
    pub(crate) fn keystone(&self) -> MutexGuard<'_, Keystone> {
        locked(&self.keystone)
    }
}

/// Locks, also after somebody panicked while holding it.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
