//! What can happen to OKE's clusters behind a client's back, and how they behave. Also over HTTP, see `control`.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::answers::OkeAnswers;
use super::course::{authority, expiry};
use super::model::{Cluster, Node, Oke, Pace, Phase, Pool, Trouble, WorkKind};
use super::ocid::regional_ocid;
use super::site::Site;
use crate::kubernetes::{Kind, Kubernetes};

/// Something that happens; clusters are named by their name or id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event", deny_unknown_fields)]
pub enum OkeEvent {
    /// Another work request begins, and takes so many seconds.
    BeginOkeWork { cluster: String, seconds: i64 },
    /// Somebody completes the rotation in the console; whatever its age.
    CompleteOkeRotation { cluster: String },
    CreateOkeCluster {
        name: String,
        /// `v1.33.1` where it is not said.
        #[serde(default)]
        kubernetes_version: Option<String>,
        /// Two where it is not said.
        #[serde(default)]
        nodes: Option<usize>,
        #[serde(default)]
        virtual_nodes: bool,
    },
    /// From now on it is not found.
    DeleteOkeCluster { cluster: String },
    /// What comes of the phase that runs, or of the next one.
    FailOkePhase {
        cluster: String,
        message: String,
        /// It has its effect all the same.
        #[serde(default)]
        after_effect: bool,
    },
    /// No API key of this user is good any more.
    ForgetApiKeys { user: String },
    /// How the service answers where nobody has seen it; what is not named is as at the start.
    SetOkeAnswers { answers: OkeAnswers },
    /// Whether OKE begins rotations of this cluster by itself; it does at the start.
    SetOkeAutomatic { cluster: String, automatic: bool },
    /// Its credentials expire in so many seconds from now.
    SetOkeExpiry { cluster: String, seconds: i64 },
    /// A node, counted from 0 over all pools: its state, an error, and whether Kubernetes has it READY.
    SetOkeNode {
        cluster: String,
        node: usize,
        state: String,
        #[serde(default)]
        error: Option<String>,
        ready: bool,
    },
    /// How many seconds things take: until a work request begins, the new credentials, the end of the old ones.
    /// Nothing at the start: a phase is over when somebody looks.
    SetOkePace { cluster: String, accept: i64, issue: i64, retire: i64 },
    SetOkeState {
        cluster: String,
        state: String,
        #[serde(default)]
        details: Option<String>,
    },
    /// Somebody starts a rotation in the console.
    StartOkeRotation { cluster: String, delay_days: i64 },
    /// One more API key, the PEM of its public half.
    UploadApiKey { user: String, public_key: String },
}

/// Their names in JSON.
const NAMES: [&str; 14] = [
    "begin_oke_work",
    "complete_oke_rotation",
    "create_oke_cluster",
    "delete_oke_cluster",
    "fail_oke_phase",
    "forget_api_keys",
    "set_oke_answers",
    "set_oke_automatic",
    "set_oke_expiry",
    "set_oke_node",
    "set_oke_pace",
    "set_oke_state",
    "start_oke_rotation",
    "upload_api_key",
];

/// An event names something that is not there, or that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOke(String);

impl fmt::Display for UnknownOke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownOke {}

impl OkeEvent {
    /// Whether an event of that name is one of these.
    pub(crate) fn is_one(name: &str) -> bool {
        NAMES.contains(&name)
    }

    /// Makes it happen.
    pub(crate) fn happen(&self, site: &Site) -> Result<(), UnknownOke> {
        let now = site.world.clock.now();
        let mut oke = site.oke();
        oke.sync(now);
        let seconds = SignedDuration::from_secs;
        match self {
            Self::BeginOkeWork { cluster, seconds: takes } => {
                let place = oke.place(cluster)?;
                oke.clusters[place].pace.issue = seconds(*takes);
                oke.begin_by_hand(place, WorkKind::Other, now);
                oke.clusters[place].pace = Pace::default();
            }
            Self::CompleteOkeRotation { cluster } => {
                let place = oke.place(cluster)?;
                let rotation = oke.clusters[place].rotation.as_ref();
                if rotation.is_none_or(|rotation| rotation.phase != Phase::Overlap) {
                    return Err(UnknownOke(format!("`{cluster}` is in no overlap")));
                }
                oke.clusters[place].retiring();
                oke.begin_by_hand(place, WorkKind::Complete, now);
            }
            Self::CreateOkeCluster { name, kubernetes_version, nodes, virtual_nodes } => {
                let version = kubernetes_version.as_deref().unwrap_or("v1.33.1");
                let made = create(site, &mut oke, name, version, nodes.unwrap_or(2))?;
                if *virtual_nodes {
                    let id = regional_ocid("virtualnodepool", &mut oke.ids);
                    oke.clusters[made].virtual_pools.push(id);
                }
            }
            Self::DeleteOkeCluster { cluster } => {
                let place = oke.place(cluster)?;
                oke.clusters.remove(place);
            }
            Self::FailOkePhase { cluster, message, after_effect } => {
                let trouble = Trouble { message: message.clone(), after_effect: *after_effect };
                let cluster = oke.known(cluster)?;
                match &mut cluster.work {
                    Some(work) => work.trouble = Some(trouble),
                    None => cluster.trouble = Some(trouble),
                }
            }
            Self::ForgetApiKeys { user } => {
                oke.people.forget_keys(user).ok_or_else(|| nobody(user))?;
            }
            Self::SetOkeAnswers { answers } => oke.answers = answers.clone(),
            Self::SetOkeAutomatic { cluster, automatic } => {
                oke.known(cluster)?.automatic = *automatic;
            }
            Self::SetOkeExpiry { cluster, seconds: left } => {
                let cluster = oke.known(cluster)?;
                let at = now.saturating_add(seconds(*left)).unwrap_or(now);
                cluster.authority = authority(&cluster.name, at).map_err(|e| broken(&*e))?;
                cluster.kubernetes.serve_by(&cluster.authority, now);
                cluster.expires_at = at;
            }
            Self::SetOkeNode { cluster, node, state, error, ready } => {
                let place = oke.place(cluster)?;
                let Oke { clusters, requests, .. } = &mut *oke;
                let cluster = &mut clusters[place];
                let nodes = cluster.pools.iter_mut().flat_map(|pool| &mut pool.nodes);
                let found = nodes.into_iter().nth(*node);
                let found = found.ok_or_else(|| UnknownOke(format!("there is no node {node}")))?;
                state.clone_into(&mut found.state);
                found.error.clone_from(error);
                found.ready = *ready;
                cluster.nodes_changed(requests, now);
            }
            Self::SetOkePace { cluster, accept, issue, retire } => {
                let (accept, issue, retire) = (seconds(*accept), seconds(*issue), seconds(*retire));
                oke.known(cluster)?.pace = Pace { accept, issue, retire };
            }
            Self::SetOkeState { cluster, state, details } => {
                let cluster = oke.known(cluster)?;
                state.clone_into(&mut cluster.state);
                cluster.state_details.clone_from(details);
            }
            Self::StartOkeRotation { cluster, delay_days } => {
                let place = oke.place(cluster)?;
                if oke.clusters[place].work.is_some() {
                    return Err(UnknownOke(format!("`{cluster}` has a work request in progress")));
                }
                let delay = SignedDuration::from_hours(24 * delay_days);
                oke.clusters[place].start(delay, false, now);
                oke.begin_by_hand(place, WorkKind::Start, now);
            }
            Self::UploadApiKey { user, public_key } => {
                oke.people.upload(user, public_key).ok_or_else(|| nobody(user))?;
            }
        }
        oke.sync(now);
        Ok(())
    }
}

fn nobody(user: &str) -> UnknownOke {
    UnknownOke(format!("OKE has no user `{user}`, or that is no key"))
}

fn broken(error: &(dyn std::error::Error + Send + Sync)) -> UnknownOke {
    UnknownOke(error.to_string())
}

/// Makes a cluster that was made just now; its place.
fn create(
    site: &Site,
    oke: &mut Oke,
    name: &str,
    version: &str,
    nodes: usize,
) -> Result<usize, UnknownOke> {
    let now = site.world.clock.now();
    let expires_at = expiry(now);
    let authority = authority(name, expires_at).map_err(|e| broken(&*e))?;
    let kubernetes =
        Kubernetes::start(&site.world, &site.neighbours, &authority, Some(version.to_owned()), now);
    let kubernetes = kubernetes.map_err(|error| UnknownOke(error.to_string()))?;
    let names = (0..nodes).map(|number| format!("10.0.10.{}", number + 2)).collect();
    let workloads = [(Kind::Deployment, "apps", "web"), (Kind::DaemonSet, "apps", "node-agent")];
    kubernetes.run(names, &workloads, now);
    let node = |number: usize, ids: &mut crate::ids::Ids| Node {
        id: regional_ocid("instance", ids),
        name: format!("oke-{name}-{number}"),
        address: format!("10.0.10.{}", number + 2),
        state: "ACTIVE".to_owned(),
        error: None,
        ready: true,
    };
    let pool = Pool {
        id: regional_ocid("nodepool", &mut oke.ids),
        name: "pool1".to_owned(),
        state: "ACTIVE".to_owned(),
        nodes: (0..nodes).map(|number| node(number, &mut oke.ids)).collect(),
    };
    oke.clusters.push(Cluster {
        id: regional_ocid("cluster", &mut oke.ids),
        name: name.to_owned(),
        compartment: oke.people.compartment.clone(),
        kubernetes_version: version.to_owned(),
        state: "ACTIVE".to_owned(),
        state_details: None,
        created_at: now,
        updated_at: now,
        authority,
        next: None,
        expires_at,
        next_expires_at: None,
        rotation: None,
        work: None,
        pace: Pace::default(),
        automatic: true,
        trouble: None,
        pools: vec![pool],
        virtual_pools: Vec::new(),
        kubernetes,
        version: 1,
        lag: None,
        starts: 0,
        completions: 0,
    });
    Ok(oke.clusters.len() - 1)
}

impl Oke {
    fn place(&self, id: &str) -> Result<usize, UnknownOke> {
        let suits = |cluster: &Cluster| cluster.id == id || cluster.name == id;
        let found = self.clusters.iter().rposition(suits);
        found.ok_or_else(|| UnknownOke(format!("OKE has no cluster `{id}`")))
    }

    pub(crate) fn known(&mut self, id: &str) -> Result<&mut Cluster, UnknownOke> {
        let place = self.place(id)?;
        Ok(&mut self.clusters[place])
    }

    fn begin_by_hand(&mut self, place: usize, kind: WorkKind, now: jiff::Timestamp) {
        let id = regional_ocid("clustersworkrequest", &mut self.ids);
        let Self { answers, clusters, requests, .. } = self;
        clusters[place].begin(answers, requests, id, kind, false, now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_event_is_known_by_its_name_in_json() {
        for name in NAMES {
            let bare = serde_json::json!({ "event": name });
            let error = serde_json::from_value::<OkeEvent>(bare).unwrap_err().to_string();
            assert!(error.contains("missing field"), "{name}: {error}");
        }
        let set = OkeEvent::SetOkeAnswers { answers: OkeAnswers::default() };
        let name = serde_json::to_value(set).unwrap()["event"].clone();
        assert!(OkeEvent::is_one(name.as_str().unwrap()));
        assert!(!OkeEvent::is_one("disable_user"));
    }
}
