//! What can happen to clusters behind a client's back, and what a test makes of them. Clusters are named by uuid or
//! name.

use std::fmt;
use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::call::Call;
use super::clusters::Wanted;
use super::microversion::{NEWEST, Version};
use super::model::{Cluster, Magnum};
use super::site::Site;
use crate::http::{Ask, Content};
use crate::kubernetes::Grant;

/// One thing that happens to a cluster, or to the Magnum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event", deny_unknown_fields)]
pub enum ClusterEvent {
    /// Binds a role to a group of the cluster's Kubernetes; without any, only `system:masters` may do anything.
    AllowGroup {
        cluster: String,
        group: String,
        namespace: String,
        verbs: Vec<String>,
        resources: Vec<String>,
    },
    /// Made by that user in that project, from that template; its labels steer the driver as those of the test bed's
    /// stub driver do. Complete at once unless `stub_delay` says otherwise.
    CreateCluster {
        name: String,
        owner: String,
        project: String,
        template: String,
        #[serde(default)]
        labels: Map<String, Value>,
    },
    /// With its application credential.
    DeleteCluster {
        cluster: String,
    },
    DeleteWorkload {
        cluster: String,
        namespace: String,
        name: String,
    },
    /// New pods of the workload do not become ready, for this reason; or do again, without one.
    HoldUpWorkload {
        cluster: String,
        namespace: String,
        name: String,
        /// Such as `Unschedulable` or `ImagePullBackOff`.
        reason: Option<String>,
        #[serde(default)]
        message: String,
        /// The rollout is given up: `ProgressDeadlineExceeded`.
        #[serde(default)]
        given_up: bool,
    },
    /// Sets one of the labels, such as those that steer the driver; or takes it away.
    SetClusterLabel {
        cluster: String,
        label: String,
        value: Option<String>,
    },
    SetClusterStatus {
        cluster: String,
        status: String,
        reason: Option<String>,
    },
    SetClusterHealth {
        cluster: String,
        health: Option<String>,
    },
    /// The driver's word on the version of Kubernetes.
    SetCoeVersion {
        cluster: String,
        version: Option<String>,
    },
    /// `[DEFAULT] rpc_response_timeout`: how long a rotation's driver is waited for.
    SetDriverPatience {
        milliseconds: u64,
    },
    /// How long it takes until the next pod of a rollout is replaced; a tenth of a second at the start.
    SetRolloutPace {
        cluster: String,
        milliseconds: u64,
    },
    /// The newest version of the API is 1. and this; 14 at the start.
    SetNewestVersion {
        minor: u32,
    },
}

/// Their names in JSON.
const NAMES: [&str; 12] = [
    "allow_group",
    "create_cluster",
    "delete_cluster",
    "delete_workload",
    "hold_up_workload",
    "set_cluster_label",
    "set_cluster_status",
    "set_cluster_health",
    "set_coe_version",
    "set_driver_patience",
    "set_newest_version",
    "set_rollout_pace",
];

/// An event names something that is not there, or that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCluster(String);

impl fmt::Display for UnknownCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownCluster {}

impl ClusterEvent {
    /// Whether an event of that name is one of these.
    pub(crate) fn is_one(name: &str) -> bool {
        NAMES.contains(&name)
    }

    /// Makes it happen.
    pub(crate) fn happen(&self, site: &Site) -> Result<(), UnknownCluster> {
        let now = site.world.clock.now();
        if let Self::CreateCluster { name, owner, project, template, labels } = self {
            return create(site, name, owner, project, template, labels).map(drop);
        }
        let mut magnum = site.magnum();
        magnum.sync(&site.keystone, now);
        match self {
            Self::AllowGroup { cluster, group, namespace, verbs, resources } => {
                let grant = Grant {
                    group: group.clone(),
                    namespace: namespace.clone(),
                    verbs: verbs.clone(),
                    resources: resources.clone(),
                };
                magnum.known(cluster)?.kubernetes.state().grants.push(grant);
            }
            Self::CreateCluster { .. } => {}
            Self::DeleteCluster { cluster } => {
                let known = magnum.known(cluster)?;
                let uuid = known.uuid.clone();
                if let Some(held) = known.held.take() {
                    site.keystone().remove_credential(&held.id);
                }
                magnum.clusters.retain(|cluster| cluster.uuid != uuid);
            }
            Self::DeleteWorkload { cluster, namespace, name } => {
                let mut state = magnum.known(cluster)?.kubernetes.state();
                state.workloads.retain(|w| w.namespace != *namespace || w.name != *name);
            }
            Self::HoldUpWorkload { cluster, namespace, name, reason, message, given_up } => {
                let mut state = magnum.known(cluster)?.kubernetes.state();
                let unknown = || UnknownCluster(format!("there is no workload {namespace}/{name}"));
                let found = state.find(namespace, name).ok_or_else(unknown)?;
                found.hold_up(reason.as_deref(), message, *given_up, now);
            }
            Self::SetClusterLabel { cluster, label, value } => {
                let labels = &mut magnum.known(cluster)?.labels;
                match value {
                    Some(value) => drop(labels.insert(label.clone(), value.as_str().into())),
                    None => drop(labels.remove(label)),
                }
            }
            Self::SetClusterStatus { cluster, status, reason } => {
                let cluster = magnum.known(cluster)?;
                cluster.work = None;
                let owner = cluster.user_id.clone();
                cluster.set(status, reason.clone(), &owner, now);
            }
            Self::SetClusterHealth { cluster, health } => {
                magnum.known(cluster)?.health_status.clone_from(health);
            }
            Self::SetCoeVersion { cluster, version } => {
                magnum.known(cluster)?.coe_version.clone_from(version);
            }
            Self::SetDriverPatience { milliseconds } => {
                magnum.patience = Duration::from_millis(*milliseconds);
            }
            Self::SetRolloutPace { cluster, milliseconds } => {
                let milliseconds = i64::try_from(*milliseconds).unwrap_or(i64::MAX);
                let pace = jiff::SignedDuration::from_millis(milliseconds);
                magnum.known(cluster)?.kubernetes.state().pace = pace;
            }
            Self::SetNewestVersion { minor } => magnum.newest = Version(*minor).min(NEWEST),
        }
        Ok(())
    }
}

/// Makes a cluster as if its owner had asked; its uuid.
pub(crate) fn create(
    site: &Site,
    name: &str,
    owner: &str,
    project: &str,
    template: &str,
    labels: &Map<String, Value>,
) -> Result<String, UnknownCluster> {
    let caller = site.keystone().caller_for(owner, project);
    let caller = caller.map_err(|unknown| UnknownCluster(unknown.to_string()))?;
    let now = site.world.clock.now();
    let ask = Ask::by_hand(now);
    let mut magnum = site.magnum();
    let project = caller.project_id.clone().unwrap_or_default();
    let found =
        magnum.find_template(template, Some(&project)).map(|template| template.uuid.clone());
    let template =
        found.map_err(|_| UnknownCluster(format!("the sandbox has no template `{template}`")))?;
    let wanted = Wanted {
        name: Some(name.to_owned()),
        template,
        labels: labels.clone(),
        merge_labels: true,
        node_count: 2,
        master_count: 1,
    };
    let call = Call { site, ask: &ask, caller, version: NEWEST };
    let made = magnum.make(&call, wanted).map_err(|refusal| {
        let words = match refusal.body {
            Content::Json(text) => String::from_utf8_lossy(&text).into_owned(),
            _ => StatusCode::INTERNAL_SERVER_ERROR.to_string(),
        };
        UnknownCluster(words)
    });
    magnum.sync(&site.keystone, now);
    made
}

impl Magnum {
    /// The cluster of that uuid or name; the newest where several have the name.
    pub(crate) fn known(&mut self, id: &str) -> Result<&mut Cluster, UnknownCluster> {
        let suits = |cluster: &&mut Cluster| cluster.uuid == id || cluster.name == id;
        let unknown = || UnknownCluster(format!("the sandbox has no cluster `{id}`"));
        self.clusters.iter_mut().rev().find(suits).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_event_is_known_by_its_name_in_json() {
        let name = |event: &ClusterEvent| serde_json::to_value(event).unwrap()["event"].clone();
        let set = ClusterEvent::SetNewestVersion { minor: 11 };
        assert!(ClusterEvent::is_one(name(&set).as_str().unwrap()));
        for name in NAMES {
            let bare = serde_json::json!({ "event": name });
            let error = serde_json::from_value::<ClusterEvent>(bare).unwrap_err().to_string();
            assert!(error.contains("missing field"), "{name}: {error}");
        }
        assert!(!ClusterEvent::is_one("disable_user"));
    }
}
