//! What every handler is given besides its request: cancellation, a deadline, a place for warnings.

use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::diagnostics::{Diagnostic, Diagnostics};

/// What the calling Terraform or OpenTofu understands.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientCapabilities {
    /// Terraform says yes in every apply, and in plans only where it is asked to; OpenTofu says nothing.
    pub deferral_allowed: Option<bool>,
    pub write_only_attributes_allowed: bool,
}

/// One RPC's surroundings.
#[derive(Debug)]
pub struct Context {
    capabilities: ClientCapabilities,
    cancel: CancellationToken,
    deadline: OnceLock<Instant>,
    warnings: Mutex<Vec<Diagnostic>>,
}

impl Context {
    pub fn new(
        capabilities: ClientCapabilities,
        cancel: CancellationToken,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            capabilities,
            cancel,
            deadline: deadline.map(OnceLock::from).unwrap_or_default(),
            warnings: Mutex::default(),
        }
    }

    pub fn capabilities(&self) -> ClientCapabilities {
        self.capabilities
    }

    /// Cancelled by `StopProvider` (Ctrl-C). Ends waits; an effect in flight is finished all the same.
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// When the operation's `timeouts` end, if it has any.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline.get().copied()
    }

    /// For the server, which learns the `timeouts` only after it has read the request. The first
    /// one stays.
    pub(super) fn set_deadline(&self, deadline: Instant) {
        let _ = self.deadline.set(deadline);
    }

    /// Tells the operator something without stopping. Also errors may go here where work goes on.
    pub fn tell(&self, diagnostic: impl Into<Diagnostics>) {
        let mut told = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        told.extend(diagnostic.into().0);
    }

    /// Everything told so far, in order.
    pub fn take(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
