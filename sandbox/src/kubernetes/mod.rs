//! The small part of a cluster's Kubernetes that restarts of workloads and credentials in secrets need: an API server
//! behind the cluster's CA that looks at client certificates and tokens, workloads whose rollouts progress by the
//! sandbox's clock, their pods and events, and a store of secrets and other objects that can be made and watched.
//! No container runs, and no schema is validated; for a real control plane, see tests/kubernetes.

mod access;
mod answer;
mod discovery;
mod fields;
mod inside;
mod kinds;
mod objects;
mod progress;
mod server;
mod state;
mod store;
mod views;
mod watch;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use rustls::ServerConfig;

pub(crate) use access::Grant;
pub(crate) use inside::Inside;
pub(crate) use state::Kind;
use state::State;

use crate::authority::Authority;
use crate::ids::Ids;
use crate::world::{World, locked};

/// One cluster's API server.
pub(crate) struct Kubernetes {
    address: SocketAddr,
    /// `v1.34.2`.
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
    /// Starts one that ends with its last owner. It holds the workloads that a cloud's template brings.
    pub(crate) fn start(
        world: &Arc<World>,
        authority: &Arc<Authority>,
        version: Option<String>,
        now: Timestamp,
    ) -> io::Result<Arc<Self>> {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let kubernetes = Arc::new(Self {
            address: listener.local_addr()?,
            version: version.unwrap_or_else(|| "v1.34.2".to_owned()),
            serving: Mutex::new(Serving::new(authority, now)?),
            state: Mutex::new(State::new(Ids::random(), now)),
        });
        server::spawn(world, listener, Arc::downgrade(&kubernetes));
        Ok(kubernetes)
    }

    /// What its servers are, for whoever has no connection.
    pub(crate) fn inside(self: &Arc<Self>) -> Inside {
        Inside::new(self)
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

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// How often each workload was restarted.
    pub(crate) fn restarts(&self, now: Timestamp) -> BTreeMap<String, i64> {
        let mut state = self.state();
        state.advance(now);
        state.workloads.iter().map(|w| (w.name.clone(), w.revision - 1)).collect()
    }

    fn authority(&self) -> Arc<Authority> {
        Arc::clone(&locked(&self.serving).authority)
    }

    fn tls(&self) -> Arc<ServerConfig> {
        Arc::clone(&locked(&self.serving).tls)
    }
}

impl Serving {
    fn new(authority: &Arc<Authority>, now: Timestamp) -> io::Result<Self> {
        let tls = server::config(authority, now).map_err(io::Error::other)?;
        Ok(Self { authority: Arc::clone(authority), tls: Arc::new(tls) })
    }
}
