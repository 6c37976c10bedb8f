//! Which walk of core's a process serves: the one that makes the operator's plan, or an apply, in which core plans once
//! more what the operator has seen.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::tfplugin::context::Context;

/// What this process was asked for so far.
#[derive(Debug, Default)]
pub struct Walk {
    refreshed: AtomicBool,
    applied: AtomicBool,
}

impl Walk {
    /// Something is refreshed.
    pub fn refreshes(&self) {
        self.refreshed.store(true, Ordering::Relaxed);
    }

    /// Something is applied.
    pub fn applies(&self) {
        self.applied.store(true, Ordering::Relaxed);
    }

    /// Whether core plans again in an apply what the operator has seen planned already. Terraform allows a deferral in
    /// each apply, and an apply refreshes nothing. OpenTofu shows no difference until something has been applied.
    pub fn plans_again(&self, cx: &Context) -> bool {
        let applies = cx.capabilities().deferral_allowed == Some(true);
        applies && !self.has_refreshed() || self.applied.load(Ordering::Relaxed)
    }

    /// Whether this is the operator's plan for certain. An error of the planning in an apply would leave the old object of
    /// a replacement behind, where one of the apply itself restores it.
    pub fn plans_first(&self, cx: &Context) -> bool {
        let said = cx.capabilities().deferral_allowed == Some(false);
        (said || self.has_refreshed()) && !self.plans_again(cx)
    }

    fn has_refreshed(&self) -> bool {
        self.refreshed.load(Ordering::Relaxed)
    }
}
