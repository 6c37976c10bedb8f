//! One OKE, and what it works with.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::FromRef;

use super::model::Oke;
use crate::neighbours::Neighbours;
use crate::world::{World, locked};

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) world: Arc<World>,
    pub(crate) oke: Arc<Mutex<Oke>>,
    /// For its clusters' API servers.
    pub(crate) neighbours: Arc<dyn Neighbours>,
}

impl Site {
    pub(crate) fn oke(&self) -> MutexGuard<'_, Oke> {
        locked(&self.oke)
    }
}

impl FromRef<Site> for Arc<World> {
    fn from_ref(site: &Site) -> Self {
        Self::clone(&site.world)
    }
}
