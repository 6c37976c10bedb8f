//! The clouds of one sandbox: their states, the order in which these are locked, and what each is given of the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::FromRef;
use jiff::Timestamp;

use crate::authority::Subject;
use crate::keystone::{self, Keystone};
use crate::magnum::{self, Magnum};
use crate::neighbours::Neighbours;
use crate::oke::{self, Oke};
use crate::openshift::ClusterHandle;
use crate::world::{World, locked};

/// All of them; cheap to clone. Another cloud is a module with its state, its `Site` and its `routes`, a field and a
/// `FromRef` here, its line in `app`, and, if it is an `OpenStack` service, its entry in Keystone's catalog.
///
/// Where several are locked at once, it is in this order: OKE, Magnum, Keystone, a cluster's Kubernetes.
#[derive(Clone)]
pub(crate) struct Clouds {
    pub(crate) world: Arc<World>,
    keystone: Arc<Mutex<Keystone>>,
    magnum: Arc<Mutex<Magnum>>,
    oke: Arc<Mutex<Oke>>,
    /// The clusters of `OpenShift`, by their names: kept, so that they live as long.
    openshift: Arc<Mutex<BTreeMap<String, Arc<ClusterHandle>>>>,
}

impl Clouds {
    pub(crate) fn new(world: World, keystone: Keystone, magnum: Magnum, oke: Oke) -> Self {
        Self {
            world: Arc::new(world),
            keystone: Arc::new(Mutex::new(keystone)),
            magnum: Arc::new(Mutex::new(magnum)),
            oke: Arc::new(Mutex::new(oke)),
            openshift: Arc::default(),
        }
    }

    pub(crate) fn keystone(&self) -> MutexGuard<'_, Keystone> {
        locked(&self.keystone)
    }

    pub(crate) fn oke(&self) -> MutexGuard<'_, Oke> {
        locked(&self.oke)
    }

    /// Keeps a cluster of `OpenShift`, in place of the one that had its name.
    pub(crate) fn keep(&self, name: String, cluster: Arc<ClusterHandle>) {
        locked(&self.openshift).insert(name, cluster);
    }

    /// For those who ask them without knowing them.
    pub(crate) fn neighbours(&self) -> Arc<dyn Neighbours> {
        Arc::new(self.clone())
    }
}

impl Neighbours for Clouds {
    fn catch_up(&self, now: Timestamp) {
        locked(&self.oke).sync(now);
        locked(&self.magnum).sync(&self.keystone, now);
    }

    fn user_of_token(&self, token: &str) -> Option<String> {
        locked(&self.keystone).user_name_of_token(token)
    }

    fn signer(&self, authorization: &str) -> Option<String> {
        locked(&self.oke).signer(authorization)
    }

    /// Only OKE's clusters know tokens that are not their own.
    fn bearer(&self, token: &str, address: &str, now: Timestamp) -> Option<Subject> {
        locked(&self.oke).bearer(token, address, now)
    }
}

impl FromRef<Clouds> for Arc<World> {
    fn from_ref(clouds: &Clouds) -> Self {
        Self::clone(&clouds.world)
    }
}

impl FromRef<Clouds> for keystone::Site {
    fn from_ref(clouds: &Clouds) -> Self {
        Self { world: Arc::clone(&clouds.world), keystone: Arc::clone(&clouds.keystone) }
    }
}

impl FromRef<Clouds> for magnum::Site {
    fn from_ref(clouds: &Clouds) -> Self {
        Self {
            world: Arc::clone(&clouds.world),
            keystone: Arc::clone(&clouds.keystone),
            magnum: Arc::clone(&clouds.magnum),
            neighbours: clouds.neighbours(),
        }
    }
}

impl FromRef<Clouds> for oke::Site {
    fn from_ref(clouds: &Clouds) -> Self {
        Self {
            world: Arc::clone(&clouds.world),
            oke: Arc::clone(&clouds.oke),
            neighbours: clouds.neighbours(),
        }
    }
}
