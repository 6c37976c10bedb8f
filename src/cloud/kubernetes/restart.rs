//! Finding Deployments, daemon sets and stateful sets and restarting them as `kubectl rollout restart` does. What a
//! restart then leads to is followed in `rollout`.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::json;

use super::client::Client;
use super::error::Error;
use super::objects::Item;
use super::pod::RESTARTED_AT;
use super::workload::{Kind, Obstacle, Workload, collection};
use crate::cloud::http::{Method, Patience};

/// A workload as the server has it now.
#[derive(Clone, Debug)]
pub struct Observed {
    pub workload: Workload,
    /// The pod template's `kubectl.kubernetes.io/restartedAt`.
    pub restarted_at: Option<String>,
    /// What would keep a restart from renewing its pods.
    pub obstacle: Option<Obstacle>,
    pub(super) item: Item,
}

/// What a call to restart did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// This very restart had been asked for before.
    AlreadyAsked,
    /// The pod template was changed: new pods will come.
    Asked,
}

impl Client {
    /// All workloads of a namespace, in the order of their kinds and names.
    pub async fn workloads(
        &self,
        namespace: &str,
        patience: &Patience,
    ) -> Result<Vec<Observed>, Error> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            let items = self.list(&collection(namespace, kind), &[], patience).await?.items;
            all.extend(items.into_iter().map(|item| Observed::new(namespace, kind, item)));
        }
        Ok(all)
    }

    /// One workload as it is now.
    pub async fn workload(
        &self,
        workload: &Workload,
        patience: &Patience,
    ) -> Result<Observed, Error> {
        match self.get(&workload.path(), patience).await {
            Ok(item) => Ok(Observed::new(workload.namespace(), workload.kind(), item)),
            Err(error) if error.status() == Some(404) => Err(Error::WorkloadNotFound {
                workload: workload.clone(),
                namespace_exists: self.has_namespace(workload.namespace(), patience).await,
            }),
            Err(error) => Err(error),
        }
    }

    /// Asks for new pods, as `kubectl rollout restart` does: by a note in the pod template. `stamp`, in whole
    /// seconds, is that note, so the same restart asked for again is no second one.
    pub async fn restart(
        &self,
        workload: &Workload,
        stamp: Timestamp,
        patience: &Patience,
    ) -> Result<Restart, Error> {
        let stamp = whole_seconds(stamp).to_string();
        let observed = self.workload(workload, patience).await?;
        if observed.restarted_at.as_deref() == Some(&*stamp) {
            return Ok(Restart::AlreadyAsked);
        }
        if let Some(obstacle) = observed.obstacle {
            return Err(Error::CannotRestart { workload: workload.clone(), obstacle });
        }
        let patch = json!({
            "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: stamp } } } }
        });
        let kind = "application/strategic-merge-patch+json";
        // the same stamp twice is one restart
        let request = self.with_body(Method::PATCH, &workload.path(), &patch, kind)?.repeatable();
        self.call::<IgnoredAny>(&request, patience).await?;
        Ok(Restart::Asked)
    }

    /// None where this login may not look.
    async fn has_namespace(&self, namespace: &str, patience: &Patience) -> Option<bool> {
        let path = format!("/api/v1/namespaces/{namespace}");
        match self.get::<IgnoredAny>(&path, patience).await {
            Ok(_) => Some(true),
            Err(error) if error.status() == Some(404) => Some(false),
            Err(_) => None,
        }
    }
}

impl Observed {
    pub(super) fn new(namespace: &str, kind: Kind, item: Item) -> Self {
        Self {
            workload: Workload::as_listed(namespace, kind, &item.metadata.name),
            restarted_at: item.spec.template.metadata.annotations.get(RESTARTED_AT).cloned(),
            obstacle: obstacle(kind, &item),
            item,
        }
    }
}

fn obstacle(kind: Kind, item: &Item) -> Option<Obstacle> {
    let strategy = &item.spec.update_strategy;
    if item.metadata.deletion_timestamp.is_some() {
        Some(Obstacle::Deleting)
    } else if item.spec.paused {
        Some(Obstacle::Paused)
    } else if kind != Kind::Deployment && strategy.is_on_delete() {
        Some(Obstacle::OnDelete)
    } else if kind == Kind::StatefulSet && strategy.partition() > 0 {
        Some(Obstacle::Partition(strategy.partition()))
    } else {
        None
    }
}

/// The server's times have whole seconds, so comparisons are made in them.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests;
