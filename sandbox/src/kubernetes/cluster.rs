//! One cluster: what its API server has, shows and trusts, at which address. That it serves is `server`'s business.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use rustls::ServerConfig;

use super::state::{Kind, State};
use super::tls;
use crate::authority::Authority;
use crate::ids::Ids;
use crate::world::locked;

/// One cluster's API server.
pub(crate) struct Kubernetes {
    address: SocketAddr,
    version: String,
    serving: Mutex<Serving>,
    state: Mutex<State>,
}

/// What its servers were given last: not always what Magnum has stored.
struct Serving {
    authority: Arc<Authority>,
    tls: Arc<ServerConfig>,
}

impl Kubernetes {
    /// With the workloads that a cloud's template brings. Nobody serves yet.
    pub(super) fn new(
        address: SocketAddr,
        authority: &Arc<Authority>,
        version: Option<String>,
        now: Timestamp,
    ) -> io::Result<Self> {
        Ok(Self {
            address,
            version: version.unwrap_or_else(|| "v1.34.2".to_owned()),
            serving: Mutex::new(Serving::new(authority, now)?),
            state: Mutex::new(State::new(Ids::random(), now)),
        })
    }

    /// `v1.34.2`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// `https://127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Has its servers use another authority from now on, for what they show and for whom they know.
    pub(crate) fn serve_by(&self, authority: &Arc<Authority>, now: Timestamp) {
        // Only random numbers can fail here; the old one then goes on.
        if let Ok(serving) = Serving::new(authority, now) {
            *locked(&self.serving) = serving;
        }
    }

    /// Runs these from now on, each in a namespace, in place of what a template of Magnum's brings.
    pub(crate) fn run(&self, nodes: Vec<String>, workloads: &[(Kind, &str, &str)], now: Timestamp) {
        let mut state = self.state();
        state.nodes = nodes;
        state.workloads.clear();
        for (kind, namespace, name) in workloads {
            state.add_namespace(namespace, now);
            state.add(*kind, namespace, name, now);
        }
    }

    /// Everything in it, locked.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// How often each workload was restarted.
    pub(crate) fn restarts(&self, now: Timestamp) -> BTreeMap<String, i64> {
        let mut state = self.state();
        state.advance(now);
        state.workloads.iter().map(|w| (w.name.clone(), w.revision - 1)).collect()
    }

    /// The authority that its servers use.
    pub(super) fn authority(&self) -> Arc<Authority> {
        Arc::clone(&locked(&self.serving).authority)
    }

    pub(super) fn tls(&self) -> Arc<ServerConfig> {
        Arc::clone(&locked(&self.serving).tls)
    }
}

impl Serving {
    fn new(authority: &Arc<Authority>, now: Timestamp) -> io::Result<Self> {
        let tls = tls::config(authority, now).map_err(io::Error::other)?;
        Ok(Self { authority: Arc::clone(authority), tls: Arc::new(tls) })
    }
}
