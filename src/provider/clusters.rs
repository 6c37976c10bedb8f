//! The clusters of the login's project and their templates, asked once for everything that a walk refreshes.
//!
//! A copy for reading: whoever changes a cluster, or is about to, asks Magnum itself ([`Clusters::fresh`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::cloud::openstack::magnum::{Cluster, ClusterTemplate, FoundCluster};
use crate::cloud::openstack::{Error, Patience, Session};

/// What was listed; kept for as long as the process, which Terraform starts anew for each walk.
#[derive(Debug, Default)]
pub struct Clusters {
    listed: Mutex<Arc<OnceCell<Arc<Vec<Cluster>>>>>,
    templates: Mutex<HashMap<String, Arc<OnceCell<Option<ClusterTemplate>>>>>,
}

impl Clusters {
    /// All of the project's.
    pub async fn all(
        &self,
        session: &Session,
        patience: &Patience,
    ) -> Result<Vec<FoundCluster>, Error> {
        let listed = self.listed(session, patience).await?;
        let mut all = Vec::with_capacity(listed.len());
        for cluster in listed.iter() {
            all.push(self.with_template(session, cluster.clone(), patience).await);
        }
        Ok(all)
    }

    /// One of them, by its uuid. What the list does not have, or cannot say, Magnum is asked for itself.
    pub async fn cluster(
        &self,
        session: &Session,
        uuid: &str,
        patience: &Patience,
    ) -> Result<FoundCluster, Error> {
        let listed = self.listed(session, patience).await;
        let known = listed.ok().and_then(|all| all.iter().find(|one| one.uuid == uuid).cloned());
        match known {
            Some(cluster) => Ok(self.with_template(session, cluster, patience).await),
            None => self.fresh(session, uuid, patience).await,
        }
    }

    /// By name or uuid, as it is now.
    pub async fn fresh(
        &self,
        session: &Session,
        id: &str,
        patience: &Patience,
    ) -> Result<FoundCluster, Error> {
        let cluster = session.magnum().cluster(id, patience).await?;
        Ok(self.with_template(session, cluster, patience).await)
    }

    /// Nothing of the list is believed any more.
    pub fn forget(&self) {
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    async fn listed(
        &self,
        session: &Session,
        patience: &Patience,
    ) -> Result<Arc<Vec<Cluster>>, Error> {
        let cell = Arc::clone(&self.listed.lock().unwrap_or_else(PoisonError::into_inner));
        let listed = cell
            .get_or_try_init(|| async { session.magnum().clusters(patience).await.map(Arc::new) })
            .await?;
        Ok(Arc::clone(listed))
    }

    async fn with_template(
        &self,
        session: &Session,
        cluster: Cluster,
        patience: &Patience,
    ) -> FoundCluster {
        let id = &cluster.cluster_template_id;
        let cell = {
            let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(templates.entry(id.clone()).or_default())
        };
        let template = cell
            .get_or_try_init(|| async {
                match session.magnum().template(id, patience).await {
                    Ok(template) => Ok(Some(template)),
                    // A template that may not be seen stays so for this walk; a fault may pass.
                    Err(error) if error.status().is_some_and(|status| status < 500) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .await;
        FoundCluster { template: template.ok().cloned().flatten(), cluster }
    }
}
