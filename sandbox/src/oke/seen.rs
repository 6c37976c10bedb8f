//! A cluster as it truly is, for a test: also what the API does not tell.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::events::UnknownOke;
use super::model::Oke;

/// A cluster as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OkeSeen {
    pub id: String,
    pub name: String,
    pub compartment: String,
    /// `statusDetails` as it truly is; none where it was never rotated.
    pub phase: Option<&'static str>,
    pub started_at: Option<Timestamp>,
    pub completes_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    /// What the cluster trusts (PEM), the old one first.
    pub authorities: Vec<String>,
    pub api_address: String,
    /// Rotations that were begun, by whomever, and those that were completed.
    pub starts: usize,
    pub completions: usize,
    /// How often each workload, by its name, was restarted: `web` and `node-agent` in the namespace `apps`.
    pub restarts: BTreeMap<String, i64>,
    /// Of this cluster, in their order.
    pub work: Vec<OkeWork>,
}

/// A work request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OkeWork {
    pub id: String,
    pub status: &'static str,
    pub logs: Vec<String>,
}

impl Oke {
    /// The cluster of that name or id as it is by now; the newest where several have the name.
    pub(crate) fn seen(&mut self, id: &str, now: Timestamp) -> Result<OkeSeen, UnknownOke> {
        self.sync(now);
        let answers = self.answers.clone();
        let cluster = self.known(id)?;
        let seen = OkeSeen {
            id: cluster.id.clone(),
            name: cluster.name.clone(),
            compartment: cluster.compartment.clone(),
            phase: cluster.shown(&answers).map(|shown| shown.details),
            started_at: cluster.rotation.as_ref().map(|rotation| rotation.started_at),
            completes_at: cluster.shown(&answers).and_then(|shown| shown.completes_at),
            expires_at: cluster.expires_at,
            authorities: cluster.authorities().iter().map(|ca| ca.pem().to_owned()).collect(),
            api_address: cluster.kubernetes.address(),
            starts: cluster.starts,
            completions: cluster.completions,
            restarts: cluster.kubernetes.restarts(now),
            work: Vec::new(),
        };
        let of_cluster = self.requests.iter().filter(|request| request.cluster == seen.id);
        let work = of_cluster.map(|request| OkeWork {
            id: request.id.clone(),
            status: request.status(now),
            logs: request.logs.iter().map(|(message, _)| message.clone()).collect(),
        });
        Ok(OkeSeen { work: work.collect(), ..seen })
    }
}
