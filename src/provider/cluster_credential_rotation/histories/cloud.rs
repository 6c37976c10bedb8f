//! The truth of the modelled platform: which credential the cluster uses, which others are left, what was sent, and
//! what goes wrong at which call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::clock;

/// What happens at one call of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The provider's process dies before the call takes effect.
    Kill,
    /// It dies after that.
    KillAfter,
    /// No answer, and no effect.
    LostBefore,
    /// No answer, and an effect.
    LostAfter,
    /// From here on neither, until the run ends.
    Down,
    /// The driver makes the new credential and fails before it hands it over.
    FailsAfterCreating,
    /// The driver takes its time: new and former are both there for a while.
    Slow,
    /// So much time that an apply does not see its end.
    VerySlow,
    /// So much time, and then the driver fails.
    FailsLate,
    /// The platform refuses.
    Refused,
}

/// One sending that the platform accepted.
#[derive(Clone, Debug)]
pub struct Sending {
    pub generation: u64,
    pub at: Timestamp,
    pub by_schedule: bool,
    /// False where the driver failed.
    pub holds: bool,
}

#[derive(Debug, Default)]
pub struct Truth {
    pub in_use: u64,
    pub alive: BTreeSet<u64>,
    next: u64,
    /// A driver that is not done: the new credential, and how many looks it still takes.
    pub working: Option<(u64, u32)>,
    pub failed: bool,
    /// So will the one that is at work.
    pub will_fail: bool,
    pub sent: Vec<Sending>,
    pub by_hand: Vec<Timestamp>,
    faults: BTreeMap<usize, Fault>,
    calls: usize,
    down: bool,
}

/// The platform, shared by the provider and the people.
#[derive(Debug, Default)]
pub struct Cloud {
    truth: Mutex<Truth>,
    /// Somebody's process has died.
    pub killed: Notify,
}

impl Cloud {
    pub fn new() -> Self {
        let cloud = Self::default();
        {
            let mut truth = cloud.truth();
            truth.next = 2;
            truth.in_use = 1;
            truth.alive.insert(1);
        }
        cloud
    }

    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What goes wrong in the run that begins.
    pub fn arm(&self, faults: &[(usize, Fault)]) {
        let mut truth = self.truth();
        (truth.calls, truth.down) = (0, false);
        truth.faults = faults.iter().copied().collect();
    }

    /// A call is made: what happens to it.
    pub fn call(&self) -> Option<Fault> {
        let mut truth = self.truth();
        truth.calls += 1;
        let number = truth.calls;
        let fault = truth.faults.remove(&number);
        truth.down |= fault == Some(Fault::Down);
        if truth.down { Some(Fault::LostBefore) } else { fault }
    }

    pub async fn die(&self) -> ! {
        self.killed.notify_one();
        std::future::pending().await
    }

    /// A look: a slow driver goes on meanwhile.
    pub fn tick(&self) {
        let mut truth = self.truth();
        if let Some((new, left)) = truth.working.take() {
            if left > 0 {
                truth.working = Some((new, left - 1));
            } else if std::mem::take(&mut truth.will_fail) {
                truth.failed = true;
            } else {
                truth.hand_over(new);
            }
        }
    }
}

impl Truth {
    pub fn make(&mut self) -> u64 {
        let new = self.next;
        self.next += 1;
        self.alive.insert(new);
        new
    }

    pub fn hand_over(&mut self, new: u64) {
        let former = std::mem::replace(&mut self.in_use, new);
        self.alive.remove(&former);
        self.failed = false;
    }

    /// Somebody rotates by hand, and the driver is quick.
    pub fn by_hand(&mut self) {
        if self.working.is_some() {
            return;
        }
        let new = self.make();
        self.hand_over(new);
        self.by_hand.push(clock::now());
    }
}
