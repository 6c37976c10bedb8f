//! What becomes of a plan that finds the login unable to do what the apply must do; one rule for all types.

use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result, Severity};

/// The provider block's `plan_checks`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlanChecks {
    #[default]
    Error,
    Warn,
}

impl PlanChecks {
    /// By its name in the provider block; the validator lets no other through.
    pub fn named(name: Option<&str>) -> Self {
        if name == Some("warn") { Self::Warn } else { Self::Error }
    }

    /// Stops the plan, or warns and lets it go on: apply checks again before its first effect.
    pub fn refuse(self, cx: &Context, refusals: Vec<Diagnostic>) -> Result<()> {
        if refusals.is_empty() {
            return Ok(());
        }
        if self == Self::Error {
            return Err(Diagnostics(refusals));
        }
        for refusal in refusals {
            cx.tell(Diagnostic { severity: Severity::Warning, ..refusal });
        }
        Ok(())
    }
}
