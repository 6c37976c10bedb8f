//! One API server, and what it works with.

use std::sync::{Arc, Weak};

use axum::extract::FromRef;

use super::cluster::Kubernetes;
use crate::neighbours::Neighbours;
use crate::world::World;

#[derive(Clone)]
pub(super) struct Site {
    pub(super) world: Arc<World>,
    /// The clouds, of which it is one's.
    pub(super) neighbours: Arc<dyn Neighbours>,
    /// It ends with its last owner, whom it does not become by serving.
    pub(super) cluster: Weak<Kubernetes>,
}

impl FromRef<Site> for Arc<World> {
    fn from_ref(site: &Site) -> Self {
        Self::clone(&site.world)
    }
}
