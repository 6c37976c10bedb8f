//! `data "rekey_cluster_credentials"`: whose clusters they are, and which are due.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock;
use crate::cloud::openstack::magnum::Cluster;
use crate::cloud::openstack::{Patience, Session, Token};
use crate::provider::arguments::written;
use crate::provider::cluster_rotation::checks;
use crate::provider::cluster_rotation::model::Magnum;
use crate::provider::cluster_rotation::observe::fingerprint;
use crate::provider::openstack::{Openstack, patience, token};
use crate::rotation::Moment;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Result;
use crate::tfplugin::model::{Attr, Model};
use crate::tfplugin::traits::DataSource;

/// The credentials of Magnum clusters: who owns each, whether that user can still be relied on, which version it
/// runs, when its CA expires, and whether a rotation is recommended.
///
/// Three calls for each cluster at most, and one for the owner's application credentials.
#[derive(Clone, Debug, Default, Model)]
pub struct Clusters {
    /// Only this one, by name or uuid; default all of the project.
    #[attr(optional)]
    pub cluster: Attr<String>,
    /// What was found.
    #[attr(computed)]
    pub clusters: Attr<Vec<ClusterCredential>>,
}

/// A cluster and its credentials.
#[derive(Clone, Debug, Default, Model)]
pub struct ClusterCredential {
    /// The id of the newest application credential of the cluster, where the login is its owner.
    #[attr(computed)]
    pub application_credential_id: Attr<String>,
    /// When the CA expires; null where the login may not see it.
    #[attr(computed)]
    pub ca_certificate_expires_at: Attr<String>,
    /// The CA's SHA-256; null where the login may not see it.
    #[attr(computed)]
    pub ca_certificate_sha256: Attr<String>,
    /// The cluster's uuid.
    #[attr(computed)]
    pub cluster_id: Attr<String>,
    /// Its name.
    #[attr(computed)]
    pub name: Attr<String>,
    /// Whether the owner's account is there; null where the login may not see it.
    #[attr(computed)]
    pub owner_exists: Attr<bool>,
    /// The user who created the cluster or rotated its credential last.
    #[attr(computed)]
    pub owner_user_id: Attr<String>,
    /// Whether the workloads must restart after a rotation (a template older than v1.34); null where that cannot be told.
    #[attr(computed)]
    pub restart_needed: Attr<bool>,
    /// Whether one of the `rotation_reasons` calls for a rotation.
    #[attr(computed)]
    pub rotation_recommended: Attr<bool>,
    /// Why.
    #[attr(computed)]
    pub rotation_reasons: Attr<Vec<String>>,
    /// What Magnum says of the cluster, such as `UPDATE_COMPLETE`.
    #[attr(computed)]
    pub status: Attr<String>,
    /// Why, where Magnum says so.
    #[attr(computed)]
    pub status_reason: Attr<String>,
    /// The name of the cluster's template.
    #[attr(computed)]
    pub template_name: Attr<String>,
}

/// See the module.
#[derive(Debug)]
pub struct ClusterCredentials {
    openstack: Arc<Openstack>,
}

impl ClusterCredentials {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self { openstack }
    }

    async fn one(
        &self,
        session: &Session,
        caller: &Token,
        target: checks::Target,
        patience: &Patience,
    ) -> ClusterCredential {
        let cluster = target.cluster;
        let ca = session.magnum().ca(&cluster.uuid, patience).await;
        let ca = ca.ok().as_deref().and_then(fingerprint);
        let owner = cluster.user_id.clone().unwrap_or_default();
        let own = owner == caller.user.id;
        let newest = if own {
            let listed = self.openstack.credentials(session, &owner, patience).await.ok();
            let prefix = format!("magnum-{}", cluster.uuid);
            listed.and_then(|listed| {
                let of_cluster = listed.iter().rfind(|found| found.name.starts_with(&prefix));
                of_cluster.map(|found| found.id.clone())
            })
        } else {
            None
        };
        let exists = if own {
            Some(true)
        } else {
            match session.keystone().user(&owner, patience).await {
                Ok(_) => Some(true),
                Err(error) if error.status() == Some(404) => Some(false),
                Err(_) => None,
            }
        };
        let reasons = reasons(&cluster, own, exists, newest.as_ref(), ca.as_ref());
        let (sha256, expiry) = ca.unzip();
        ClusterCredential {
            application_credential_id: newest.into(),
            ca_certificate_expires_at: expiry.map(written).into(),
            ca_certificate_sha256: sha256.into(),
            cluster_id: Attr::Known(cluster.uuid),
            name: Attr::Known(cluster.name),
            owner_exists: exists.into(),
            owner_user_id: cluster.user_id.into(),
            restart_needed: target.restarts.into(),
            rotation_recommended: Attr::Known(!reasons.is_empty()),
            rotation_reasons: Attr::Known(reasons),
            status: cluster.status.into(),
            status_reason: cluster.status_reason.into(),
            template_name: target.template.and_then(|template| template.name).into(),
        }
    }
}

#[async_trait]
impl DataSource for ClusterCredentials {
    type Model = Clusters;

    const NAME: &'static str = "cluster_credentials";

    async fn read(&self, cx: &Context, config: Clusters) -> Result<Clusters> {
        let session = self.openstack.session_now().await?;
        let patience = patience(cx);
        let caller = token(&session, &patience).await?;
        let ids: Vec<String> = if let Some(cluster) = config.cluster.known() {
            vec![cluster.clone()]
        } else {
            let all = session.magnum().clusters(&patience).await;
            let all = all.map_err(|error| checks::unreadable("list the clusters", &error))?;
            all.into_iter().map(|cluster| cluster.uuid).collect()
        };
        let mut found = BTreeMap::new();
        for id in ids {
            let target = checks::find(&session, &Magnum::default(), &id, &patience)
                .await
                .map_err(|failure| failure.at_attribute("cluster"))?;
            let key = (target.cluster.name.clone(), target.cluster.uuid.clone());
            found.insert(key, self.one(&session, &caller, target, &patience).await);
        }
        Ok(Clusters { clusters: Attr::Known(found.into_values().collect()), ..config })
    }
}

/// How long before the CA's expiry its rotation is recommended.
const CA_DAYS: i64 = 90;

fn reasons(
    cluster: &Cluster,
    own: bool,
    owner_exists: Option<bool>,
    credential: Option<&String>,
    ca: Option<&(String, jiff::Timestamp)>,
) -> Vec<String> {
    let mut reasons = Vec::new();
    if owner_exists == Some(false) {
        reasons.push("the owner's account is gone: the cluster cannot use the cloud".to_owned());
    }
    if own && credential.is_none() {
        reasons.push("the owner has no application credential of this cluster".to_owned());
    }
    if cluster.status.as_deref() == Some("UPDATE_FAILED") {
        reasons.push("the last update or rotation failed".to_owned());
    }
    let near = clock::now().as_second() + CA_DAYS * 86_400;
    if let Some((_, expiry)) = ca.filter(|(_, expiry)| expiry.as_second() <= near) {
        reasons.push(format!("the CA expires at {}", Moment(*expiry)));
    }
    reasons
}
