//! The pods of a workload: those that its controller made, whatever else its selector matches.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::client::Client;
use super::error::Error;
use super::objects::{Owned, Owner, PodItem};
use super::pod::Pod;
use super::restart::Observed;
use super::workload::Kind;
use crate::cloud::http::Patience;

/// Whose pods are a workload's own.
enum Makers {
    /// Of these: the workload itself, or a Deployment's replica sets.
    Uids(BTreeSet<String>),
    /// Of the replica sets that are named after this Deployment, where this login may not list them.
    Named(String),
}

impl Client {
    /// The pods that the workload's controller keeps, except those that have ended. Pods that are on their way
    /// out are there until they are gone.
    pub async fn pods(&self, observed: &Observed, patience: &Patience) -> Result<Vec<Pod>, Error> {
        Ok(self.pods_at(observed, patience).await?.0)
    }

    /// Also what the server's clock says.
    pub(super) async fn pods_at(
        &self,
        observed: &Observed,
        patience: &Patience,
    ) -> Result<(Vec<Pod>, Option<Timestamp>), Error> {
        let selector = observed.item.spec.selector.query();
        if selector.is_empty() {
            return Ok((Vec::new(), None));
        }
        let path = format!("/api/v1/namespaces/{}/pods", observed.workload.namespace());
        let query = [("labelSelector", &*selector)];
        let listed = self.list::<PodItem>(&path, &query, patience).await?;
        let makers = self.makers(observed, &selector, patience).await?;
        let mut pods: Vec<_> = listed
            .items
            .into_iter()
            .filter(|pod| makers.made(pod) && !matches!(&*pod.status.phase, "Failed" | "Succeeded"))
            .map(Pod::from)
            .collect();
        pods.sort_by(|one, other| one.name.cmp(&other.name));
        Ok((pods, listed.date))
    }

    /// A selector may match another Deployment's pods too: a canary beside it, for one.
    async fn makers(
        &self,
        observed: &Observed,
        selector: &str,
        patience: &Patience,
    ) -> Result<Makers, Error> {
        let workload = &observed.workload;
        let uid = &observed.item.metadata.uid;
        if workload.kind() != Kind::Deployment {
            return Ok(Makers::Uids([uid.clone()].into()));
        }
        let path = format!("/apis/apps/v1/namespaces/{}/replicasets", workload.namespace());
        match self.list::<Owned>(&path, &[("labelSelector", selector)], patience).await {
            Ok(listed) => {
                let own = listed.items.into_iter().map(|set| set.metadata);
                let own = own.filter(|set| {
                    controller(&set.owner_references).is_some_and(|owner| owner.uid == *uid)
                });
                Ok(Makers::Uids(own.map(|set| set.uid).collect()))
            }
            Err(Error::Forbidden(_)) => Ok(Makers::Named(workload.name().to_owned())),
            Err(error) => Err(error),
        }
    }
}

impl Makers {
    fn made(&self, pod: &PodItem) -> bool {
        let Some(owner) = controller(&pod.metadata.owner_references) else { return false };
        match self {
            Self::Uids(uids) => uids.contains(&owner.uid),
            // the controller names a replica set so, and its pods carry the second half as a label
            Self::Named(deployment) => {
                let hash = pod.metadata.labels.get("pod-template-hash");
                owner.kind == "ReplicaSet"
                    && hash.is_some_and(|hash| owner.name == format!("{deployment}-{hash}"))
            }
        }
    }
}

fn controller(owners: &[Owner]) -> Option<&Owner> {
    owners.iter().find(|owner| owner.controller)
}
