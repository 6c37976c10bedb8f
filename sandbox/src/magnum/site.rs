//! One Magnum, and what it works with: its state, where it is, and the Keystone beside it.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::FromRef;

use super::model::Magnum;
use crate::keystone::Keystone;
use crate::neighbours::Neighbours;
use crate::world::{World, locked};

/// Where it begins on the sandbox's port.
pub(crate) const PREFIX: &str = "/container-infra";

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) world: Arc<World>,
    pub(crate) keystone: Arc<Mutex<Keystone>>,
    pub(crate) magnum: Arc<Mutex<Magnum>>,
    /// For its clusters' API servers.
    pub(crate) neighbours: Arc<dyn Neighbours>,
}

impl Site {
    /// Where this Magnum is.
    pub(crate) fn base(&self) -> String {
        format!("{}{PREFIX}", self.world.base)
    }

    /// Of two locks, the second one.
    pub(crate) fn keystone(&self) -> MutexGuard<'_, Keystone> {
        locked(&self.keystone)
    }

    pub(crate) fn magnum(&self) -> MutexGuard<'_, Magnum> {
        locked(&self.magnum)
    }
}

impl FromRef<Site> for Arc<World> {
    fn from_ref(site: &Site) -> Self {
        Self::clone(&site.world)
    }
}
