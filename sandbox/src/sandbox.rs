//! The handle that tests and programs hold: how a sandbox starts and ends, its time, its faults and its log of calls. What
//! they do with its clouds is in a file for each of these, beside.

mod keystone;
mod magnum;
mod oke;
mod openshift;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

use crate::app::app;
use crate::calls::Call;
use crate::clouds::Clouds;
use crate::fault::FaultRule;
use crate::ids::Ids;
use crate::keystone::Seed;
use crate::magnum::{Magnum, SERVICE};
use crate::oke::Oke;
use crate::server;
use crate::world::{World, locked};

/// A running sandbox; ends when dropped.
///
/// Methods that name a user, project, role or credential take its name or id, and panic when there
/// is none: a test has then asked for something that it never made. [`Sandbox::apply`] does not.
pub struct Sandbox {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    clouds: Clouds,
}

/// How a sandbox starts.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    port: u16,
    seed: Seed,
    seed_of_ids: Option<u64>,
}

impl Builder {
    /// A fixed port; without it any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    #[must_use]
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// Makes ids, tokens and generated secrets the same in every run with the same calls.
    #[must_use]
    pub fn repeatable(mut self, seed_of_ids: u64) -> Self {
        self.seed_of_ids = Some(seed_of_ids);
        self
    }

    /// Starts; it serves when this returns.
    pub async fn start(self) -> io::Result<Sandbox> {
        let (ready, running) = oneshot::channel();
        let (stop, thread) = server::spawn(self.port, ready, move |address| {
            let clouds = self.clouds(address);
            let app = app(&clouds);
            (clouds, app)
        })?;
        let (address, clouds) =
            running.await.map_err(|_| io::Error::other("the sandbox's thread ended"))??;
        Ok(Sandbox { address, stop: Some(stop), thread: Some(thread), clouds })
    }

    /// All that is there at the start.
    fn clouds(&self, address: SocketAddr) -> Clouds {
        let (ids, requests) = match self.seed_of_ids {
            Some(seed) => (Ids::seeded(seed), Ids::seeded(!seed)),
            None => (Ids::random(), Ids::random()),
        };
        let base = format!("http://{address}");
        let keystone = self.seed.plant(base.clone(), ids, vec![SERVICE]);
        let mut magnum = Magnum::new(match self.seed_of_ids {
            Some(seed) => Ids::seeded(seed.rotate_left(32)),
            None => Ids::random(),
        });
        let maker = match self.seed {
            Seed::Bootstrap => keystone.caller_for("admin", "admin"),
            Seed::Demo => keystone.caller_for("alice", "demo"),
        };
        if let Ok(maker) = maker {
            let project = maker.project_id.unwrap_or_default();
            magnum.plant_templates(&project, &maker.user_id, Timestamp::now());
        }
        let oke = Oke::new(match self.seed_of_ids {
            Some(seed) => Ids::seeded(seed.rotate_left(16)),
            None => Ids::random(),
        });
        Clouds::new(World::new(base, requests), keystone, magnum, oke)
    }
}

impl Sandbox {
    /// Starts with the demo's users on any free port of 127.0.0.1.
    ///
    /// # Panics
    /// When the machine lets nobody listen on loopback.
    pub async fn start() -> Self {
        match Self::builder().start().await {
            Ok(sandbox) => sandbox,
            Err(error) => panic!("the sandbox could not listen on loopback: {error}"),
        }
    }

    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT/v3`.
    pub fn auth_url(&self) -> String {
        format!("http://{}/v3", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the controls are, for other processes.
    pub fn control_url(&self) -> String {
        format!("http://{}{}", self.address, crate::control::PREFIX)
    }

    /// What the controls ask for in `X-Sandbox-Token`.
    pub fn control_token(&self) -> String {
        self.clouds.world.control_token.clone()
    }

    // Time.

    /// What the cloud takes for the present.
    pub fn now(&self) -> Timestamp {
        self.clouds.world.clock.now()
    }

    /// Moves the cloud's clock on (or back, by a negative duration).
    pub fn advance(&self, by: SignedDuration) {
        self.clouds.world.clock.advance(by);
    }

    /// Sets how far the cloud's clock is ahead of the machine's.
    pub fn set_clock_offset(&self, offset: SignedDuration) {
        self.clouds.world.clock.set_offset(offset);
    }

    // Faults.

    /// Adds a rule to those in force.
    pub fn inject(&self, rule: FaultRule) {
        locked(&self.clouds.world.faults).inject(rule);
    }

    pub fn clear_faults(&self) {
        locked(&self.clouds.world.faults).clear();
    }

    /// The rules that have not run out.
    pub fn pending_faults(&self) -> Vec<FaultRule> {
        locked(&self.clouds.world.faults).pending().to_vec()
    }

    // The log of calls.

    /// All calls since the start or the last reset.
    pub fn calls(&self) -> Vec<Call> {
        locked(&self.clouds.world.calls).all().to_vec()
    }

    /// Forgets all calls; numbers begin at 1 again.
    pub fn reset_calls(&self) {
        locked(&self.clouds.world.calls).reset();
    }

    /// How many calls of that method (or `*`) whose path begins so.
    pub fn count(&self, method: &str, path_prefix: &str) -> usize {
        locked(&self.clouds.world.calls).count(method, path_prefix)
    }

    /// How many calls of each kind: method and route, such as `POST /v3/auth/tokens`.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        locked(&self.clouds.world.calls).counts()
    }

    /// Bytes of all bodies: asked, answered.
    pub fn bytes(&self) -> (u64, u64) {
        locked(&self.clouds.world.calls).bytes()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

// The clouds hold passwords and secrets.
impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}
