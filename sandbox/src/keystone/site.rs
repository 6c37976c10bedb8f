//! One Keystone, and what it works with.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::FromRef;

use super::model::Keystone;
use crate::world::{World, locked};

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) world: Arc<World>,
    pub(crate) keystone: Arc<Mutex<Keystone>>,
}

impl Site {
    pub(crate) fn keystone(&self) -> MutexGuard<'_, Keystone> {
        locked(&self.keystone)
    }
}

impl FromRef<Site> for Arc<World> {
    fn from_ref(site: &Site) -> Self {
        Self::clone(&site.world)
    }
}
