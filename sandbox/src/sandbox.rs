//! The handle that tests and programs hold.

mod oke;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::extract::FromRef;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

use crate::app::app;
use crate::calls::Call;
use crate::clouds::Clouds;
use crate::fault::FaultRule;
use crate::ids::Ids;
use crate::keystone::{Event, Seed, UnknownName};
use crate::magnum::{self, ClusterEvent, Magnum, UnknownCluster, create_cluster};
use crate::oke::Oke;
use crate::openshift::{self, Cloud, ClusterHandle, Contents};
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

/// A user and how it logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub password: String,
}

/// A project, a role or a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: String,
    pub name: String,
}

/// A Magnum cluster as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSeen {
    pub uuid: String,
    pub name: String,
    pub status: String,
    pub status_reason: Option<String>,
    pub owner_user_id: String,
    pub api_address: Option<String>,
    /// Id and secret of the application credential that its nodes use.
    pub credential: Option<(String, String)>,
    /// Rotations of the credential that its driver has ended well.
    pub rotations: usize,
    /// Rotations of the CA that its driver has ended well.
    pub ca_rotations: usize,
    /// How often each workload, by its name, was restarted.
    pub restarts: BTreeMap<String, i64>,
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
        let keystone = self.seed.plant(base.clone(), ids, vec![magnum::SERVICE]);
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

    // Who and what is there.

    /// # Panics
    /// When there is no such user.
    pub fn user(&self, name: &str) -> Account {
        let keystone = self.clouds.keystone();
        let user = known(keystone.find_user(name));
        Account { id: user.id.clone(), name: user.name.clone(), password: user.password.clone() }
    }

    /// # Panics
    /// When there is no such project.
    pub fn project(&self, name: &str) -> Named {
        let keystone = self.clouds.keystone();
        let project = known(keystone.find_project(name));
        Named { id: project.id.clone(), name: project.name.clone() }
    }

    /// # Panics
    /// When there is no such role.
    pub fn role(&self, name: &str) -> Named {
        let keystone = self.clouds.keystone();
        let role = known(keystone.find_role(name));
        Named { id: role.id.clone(), name: role.name.clone() }
    }

    /// All of a user's application credentials, by name.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn credentials(&self, user: &str) -> Vec<Named> {
        let keystone = self.clouds.keystone();
        let id = known(keystone.find_user(user)).id.clone();
        let named =
            |c: &crate::keystone::Credential| Named { id: c.id.clone(), name: c.name.clone() };
        keystone.credentials_of(&id).map(named).collect()
    }

    /// How many logins were tried with a credential, refused ones too; none if it is gone.
    pub fn logins(&self, credential: &str) -> Option<usize> {
        self.clouds.keystone().find_credential(credential).ok().map(|found| found.logins)
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

    // What happens behind a client's back.

    /// Lets something happen.
    pub fn apply(&self, event: &Event) -> Result<(), UnknownName> {
        let now = self.clouds.world.clock.now();
        self.clouds.keystone().apply(event, now)
    }

    fn happen(&self, event: &Event) {
        known(self.apply(event));
    }

    pub fn grant_role(&self, user: &str, project: &str, role: &str) {
        let (user, project, role) = (user.into(), project.into(), role.into());
        self.happen(&Event::GrantRole { user, project, role });
    }

    pub fn remove_role(&self, user: &str, project: &str, role: &str) {
        let (user, project, role) = (user.into(), project.into(), role.into());
        self.happen(&Event::RemoveRole { user, project, role });
    }

    pub fn create_role(&self, role: &str) {
        self.happen(&Event::CreateRole { role: role.into() });
    }

    pub fn delete_role(&self, role: &str) {
        self.happen(&Event::DeleteRole { role: role.into() });
    }

    /// With the name and `pw` as the password.
    pub fn create_user(&self, user: &str) {
        self.happen(&Event::CreateUser { user: user.into(), password: None });
    }

    pub fn enable_user(&self, user: &str) {
        self.happen(&Event::EnableUser { user: user.into() });
    }

    pub fn disable_user(&self, user: &str) {
        self.happen(&Event::DisableUser { user: user.into() });
    }

    pub fn delete_user(&self, user: &str) {
        self.happen(&Event::DeleteUser { user: user.into() });
    }

    pub fn change_password(&self, user: &str, password: &str) {
        let (user, password) = (user.into(), password.into());
        self.happen(&Event::ChangePassword { user, password });
    }

    pub fn create_project(&self, project: &str) {
        self.happen(&Event::CreateProject { project: project.into() });
    }

    pub fn enable_project(&self, project: &str) {
        self.happen(&Event::EnableProject { project: project.into() });
    }

    pub fn disable_project(&self, project: &str) {
        self.happen(&Event::DisableProject { project: project.into() });
    }

    pub fn delete_project(&self, project: &str) {
        self.happen(&Event::DeleteProject { project: project.into() });
    }

    /// By id.
    pub fn delete_credential(&self, credential: &str) {
        self.happen(&Event::DeleteCredential { credential: credential.into() });
    }

    /// Makes so many credentials at once, named by the prefix and a number from 0001.
    pub fn create_credentials(&self, user: &str, project: &str, prefix: &str, count: usize) {
        let (user, project, prefix) = (user.into(), project.into(), prefix.into());
        self.happen(&Event::CreateCredentials { user, project, prefix, count });
    }

    /// `[application_credential] user_limit`.
    pub fn set_user_limit(&self, limit: Option<usize>) {
        self.happen(&Event::SetUserLimit { limit });
    }

    /// What a fresh credential's first logins are answered with: 404, 401, or 201 for served as
    /// usual, as in clouds with several Keystone nodes and caches.
    pub fn set_settling(&self, statuses: &[u16]) {
        self.happen(&Event::SetSettling { statuses: statuses.to_vec() });
    }

    /// The one time-based passcode that is right, `123456` at the start; none: that method is not
    /// supported, as in a Keystone that was not set up for it.
    pub fn set_passcode(&self, passcode: Option<&str>) {
        self.happen(&Event::SetPasscode { passcode: passcode.map(str::to_owned) });
    }

    /// Whether a revocation also kills tokens issued later in the same second, as in a real
    /// Keystone; off at the start.
    pub fn set_same_second_revocation(&self, enabled: bool) {
        self.happen(&Event::SetSameSecondRevocation { enabled });
    }

    // Clusters.

    /// Makes a cluster of that user in the project `demo`: from the template `kubernetes-v1.33.8`, `kubernetes-v1.34.2`,
    /// `tpl-full` (no version told) or `tpl-norotate` (a driver that rotates nothing).
    ///
    /// # Panics
    /// When there is no such user or template.
    pub fn create_cluster(&self, owner: &str, name: &str, template: &str) -> ClusterSeen {
        self.create_cluster_with(owner, name, template, &[])
    }

    /// The same, with labels that steer its driver: `stub_delay`, `stub_create`, `stub_rotate_credential`,
    /// `stub_rotate_ca`, `stub_rotate_delay`, `stub_api_address`, see the README.
    ///
    /// # Panics
    /// When there is no such user or template.
    pub fn create_cluster_with(
        &self,
        owner: &str,
        name: &str,
        template: &str,
        labels: &[(&str, &str)],
    ) -> ClusterSeen {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
        let made = create_cluster(&self.magnum(), name, owner, "demo", template, &labels.collect());
        match made {
            Ok(uuid) => self.cluster(&uuid),
            Err(unknown) => panic!("{unknown}"),
        }
    }

    /// By uuid or name; the newest where several have the name.
    ///
    /// # Panics
    /// When there is no such cluster.
    pub fn cluster(&self, id: &str) -> ClusterSeen {
        let site = self.magnum();
        let mut magnum = site.magnum();
        let now = self.now();
        magnum.sync(&site.keystone, now);
        match magnum.known(id) {
            Ok(cluster) => ClusterSeen {
                uuid: cluster.uuid.clone(),
                name: cluster.name.clone(),
                status: cluster.status.clone(),
                status_reason: cluster.status_reason.clone(),
                owner_user_id: cluster.user_id.clone(),
                api_address: cluster.api_address.clone(),
                credential: cluster.held.as_ref().map(|h| (h.id.clone(), h.secret.clone())),
                rotations: cluster.rotations,
                ca_rotations: cluster.ca_rotations,
                restarts: cluster.kubernetes.restarts(now),
            },
            Err(unknown) => panic!("{unknown}"),
        }
    }

    /// Lets something happen to a cluster.
    pub fn apply_to_cluster(&self, event: &ClusterEvent) -> Result<(), UnknownCluster> {
        event.happen(&self.magnum())
    }

    /// Lets something happen to a cluster.
    ///
    /// # Panics
    /// When there is no such cluster.
    pub fn happen_to_cluster(&self, event: &ClusterEvent) {
        if let Err(unknown) = self.apply_to_cluster(event) {
            panic!("{unknown}");
        }
    }

    fn magnum(&self) -> magnum::Site {
        magnum::Site::from_ref(&self.clouds)
    }

    // Clusters of OpenShift.

    /// Makes a cluster of `OpenShift` with a stand-in Cloud Credential Operator, whose keys are in this cloud. It
    /// lives as long as the sandbox, and until another one is made of that name.
    ///
    /// # Panics
    /// Where the machine has no port or no random numbers left.
    pub fn create_openshift(
        &self,
        name: &str,
        contents: &Contents,
        cloud: Cloud,
    ) -> Arc<ClusterHandle> {
        let (tell, told) = std::sync::mpsc::channel();
        let (clouds, name, contents) = (self.clouds.clone(), name.to_owned(), contents.clone());
        self.clouds.world.runtime.spawn(async move {
            let neighbours = clouds.neighbours();
            let made = openshift::create(&clouds.world, &neighbours, &contents, cloud).await;
            if let Ok(cluster) = &made {
                clouds.keep(name, Arc::clone(cluster));
            }
            let _ = tell.send(made.map_err(|error| error.to_string()));
        });
        match told.recv().unwrap_or_else(|_| Err("the sandbox's thread ended".to_owned())) {
            Ok(cluster) => cluster,
            Err(why) => panic!("the cluster could not be made: {why}"),
        }
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

/// What the test asked for, or a panic that says what is not there.
fn known<T>(found: Result<T, UnknownName>) -> T {
    match found {
        Ok(found) => found,
        Err(unknown) => panic!("{unknown}"),
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
