//! The gRPC services, turned into calls of the traits. Not for sockets, which are `serve`'s.

mod apply;
mod call;
pub(super) mod guard;
mod known;
#[cfg(any(test, fuzzing))]
pub(crate) mod noise;
mod others;
mod private;
mod registry;
mod resource;
mod rpc;
mod schema;
mod secrets;
mod typed;
mod wire;
mod write_only;

use std::sync::Arc;

pub use registry::Registry;

/// The provider service over a registry. One for each process.
#[derive(Clone, Debug)]
pub(super) struct Server {
    registry: Arc<Registry>,
    calls: Arc<guard::Calls>,
}

impl Server {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry: Arc::new(registry), calls: Arc::default() }
    }

    /// The calls in flight: the transport waits for them at the end.
    pub(super) fn calls(&self) -> Arc<guard::Calls> {
        Arc::clone(&self.calls)
    }
}

#[cfg(test)]
pub(super) mod tests;
