//! A cluster as it truly is, for a test: also what the API does not tell.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::events::UnknownCluster;
use super::model::Magnum;

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

impl Magnum {
    /// The cluster of that uuid or name as it is now; the newest where several have the name.
    pub(crate) fn seen(&mut self, id: &str, now: Timestamp) -> Result<ClusterSeen, UnknownCluster> {
        let cluster = self.known(id)?;
        Ok(ClusterSeen {
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
        })
    }
}
