//! The ground that all clouds of one sandbox share: its address, the clock, the log of calls, the faults. Knows none of
//! the clouds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::calls::CallLog;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::ids::Ids;

/// One sandbox, without its clouds.
pub(crate) struct World {
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    pub(crate) calls: Mutex<CallLog>,
    pub(crate) clock: Arc<Clock>,
    /// Guards the controls.
    pub(crate) control_token: String,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) request_ids: Mutex<Ids>,
    /// What goes on beside the calls runs here.
    pub(crate) runtime: tokio::runtime::Handle,
}

impl World {
    /// To be made where the sandbox's own runtime is entered.
    pub(crate) fn new(base: String, mut ids: Ids) -> Self {
        Self {
            base,
            calls: Mutex::default(),
            clock: Arc::default(),
            control_token: ids.url_safe(43),
            faults: Mutex::default(),
            request_ids: Mutex::new(ids),
            runtime: tokio::runtime::Handle::current(),
        }
    }
}

/// Locks, also after somebody panicked while holding it: a handler that did must not take the others' tests with it.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
