//! `data "rekey_cluster_credentials"`: whose clusters they are, and which are due.

mod oke;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock;
use crate::cloud::kubernetes::Certificate;
use crate::cloud::openstack::magnum::{Cluster, FoundCluster, Restarts};
use crate::cloud::openstack::{Patience, Session, Token};
use crate::provider::arguments::written;
use crate::provider::clusters::Clusters as Shown;
use crate::provider::magnum::{not_found, unreadable};
use crate::provider::oci::Oci;
use crate::provider::openstack::{Openstack, patience, token};
use crate::rotation::Moment;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Result;
use crate::tfplugin::model::{Attr, Model};
use crate::tfplugin::traits::DataSource;
use oke::{OkeClusters, OkeCredential};

/// The credentials of clusters, of Magnum's, or with `oke` of Oracle's Kubernetes Engine.
///
/// Of Magnum: who owns each, whether that user can still be relied on, which version it
/// runs, when its CA expires, and whether a rotation is recommended.
///
/// One call for all clusters, one for each CA, and one, two or three for each template and each owner: their number
/// does not grow with what a cluster holds.
///
/// Keystone does not tell when an application credential was made, so its age cannot be told; it is not older than the
/// cluster (`created_at`), and where a `rekey_cluster_credential_rotation` rotates it, it is as old as that one's
/// `completed_at`.
#[derive(Clone, Debug, Default, Model)]
pub struct Clusters {
    /// Only this one of Magnum's, by name or uuid; default all of the project.
    #[attr(optional, conflicts_with("oke"))]
    pub cluster: Attr<String>,
    /// What was found of Magnum's.
    #[attr(computed)]
    pub clusters: Attr<Vec<ClusterCredential>>,
    /// Clusters of Oracle's Kubernetes Engine instead.
    #[attr(optional)]
    pub oke: Attr<OkeClusters>,
    /// What was found of OKE's.
    #[attr(computed)]
    pub oke_clusters: Attr<Vec<OkeCredential>>,
}

/// A cluster and its credentials.
#[derive(Clone, Debug, Default, Model)]
pub struct ClusterCredential {
    /// The id of the cluster's application credential, where the login is its owner: the one that Keystone lists last,
    /// should there be several.
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
    /// When the cluster was created: none of its credentials is older.
    #[attr(computed)]
    pub created_at: Attr<String>,
    /// The version of Kubernetes, such as `1.33`, as the cluster's labels, its template or its driver tell it; null where
    /// none does.
    #[attr(computed)]
    pub kubernetes_version: Attr<String>,
    /// Its name.
    #[attr(computed)]
    pub name: Attr<String>,
    /// Whether the owner's account is enabled; null where the login may not see it.
    #[attr(computed)]
    pub owner_enabled: Attr<bool>,
    /// Whether the owner's account is there; null where the login may not see it.
    #[attr(computed)]
    pub owner_exists: Attr<bool>,
    /// Whether the owner has a role on the cluster's project; null where the login may not see it.
    #[attr(computed)]
    pub owner_in_project: Attr<bool>,
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
    clusters: Arc<Shown>,
    oci: Arc<Oci>,
    openstack: Arc<Openstack>,
}

impl ClusterCredentials {
    pub fn new(openstack: Arc<Openstack>, clusters: Arc<Shown>, oci: Arc<Oci>) -> Self {
        Self { clusters, oci, openstack }
    }
}

#[async_trait]
impl DataSource for ClusterCredentials {
    type Model = Clusters;

    const NAME: &'static str = "cluster_credentials";

    async fn read(&self, cx: &Context, config: Clusters) -> Result<Clusters> {
        if let Some(wanted) = config.oke.known() {
            let found = oke::read(&self.oci, wanted, &patience(cx)).await?;
            let (clusters, oke_clusters) = (Attr::Known(Vec::new()), Attr::Known(found));
            return Ok(Clusters { clusters, oke_clusters, ..config });
        }
        let session = self.openstack.session_now().await?;
        let patience = patience(cx);
        let caller = token(&session, &patience).await?;
        let mut look = Look {
            caller: &caller,
            openstack: &self.openstack,
            owners: BTreeMap::new(),
            patience: &patience,
            session: &session,
        };
        let targets = if let Some(id) = config.cluster.known() {
            let found = self.clusters.fresh(&session, id, &patience).await;
            match found {
                Ok(found) => vec![found],
                Err(error) => {
                    let why = not_found(&session, id, &error, &patience).await;
                    return Err(why.at_attribute("cluster").into());
                }
            }
        } else {
            let all = self.clusters.all(&session, &patience).await;
            all.map_err(|error| unreadable("list the clusters", &error))?
        };
        let mut found = BTreeMap::new();
        for target in targets {
            let key = (target.cluster.name.clone(), target.cluster.uuid.clone());
            found.insert(key, look.at(target).await);
        }
        let clusters = Attr::Known(found.into_values().collect());
        Ok(Clusters { clusters, oke_clusters: Attr::Known(Vec::new()), ..config })
    }
}

/// What is asked once for all clusters of a read.
struct Look<'a> {
    caller: &'a Token,
    openstack: &'a Openstack,
    owners: BTreeMap<String, Owner>,
    patience: &'a Patience,
    session: &'a Session,
}

/// What can be seen of an owner; None what this login may not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Owner {
    enabled: Option<bool>,
    exists: Option<bool>,
    in_project: Option<bool>,
}

impl Look<'_> {
    async fn owner(&mut self, cluster: &Cluster) -> Owner {
        let id = cluster.user_id.clone().unwrap_or_default();
        if id == self.caller.user.id {
            // Keystone has just issued a token for it.
            return Owner { enabled: Some(true), exists: Some(true), in_project: Some(true) };
        }
        if let Some(known) = self.owners.get(&id) {
            return *known;
        }
        let keystone = self.session.keystone();
        let mut owner = Owner::default();
        match keystone.user_enabled(&id, self.patience).await {
            Ok(enabled) => {
                owner.exists = Some(true);
                owner.enabled = Some(enabled);
                let project = cluster.project_id.as_deref().unwrap_or_default();
                owner.in_project = keystone.has_role(&id, project, self.patience).await.ok();
            }
            Err(error) if error.status() == Some(404) => owner.exists = Some(false),
            Err(_) => {}
        }
        self.owners.insert(id, owner);
        owner
    }

    /// The id of the cluster's credential, where it can be listed.
    async fn credential(&self, cluster: &Cluster) -> Option<String> {
        let user = &self.caller.user.id;
        if cluster.user_id.as_ref() != Some(user) {
            return None;
        }
        let listed = self.openstack.credentials(self.session, user, self.patience).await.ok()?;
        let prefix = format!("magnum-{}", cluster.uuid);
        let last = listed.iter().rfind(|found| found.name.starts_with(&prefix));
        last.map(|found| found.id.clone())
    }

    async fn at(&mut self, target: FoundCluster) -> ClusterCredential {
        let (version, restarts) = (target.version(), target.restarts());
        let cluster = target.cluster;
        let ca = self.session.magnum().ca(&cluster.uuid, self.patience).await;
        let ca = ca.ok().and_then(|pem| Certificate::parse(&pem).ok()?.into_iter().next());
        let ca = ca.map(|ca| (ca.sha256, ca.not_after));
        let owner = self.owner(&cluster).await;
        let own = cluster.user_id.as_ref() == Some(&self.caller.user.id);
        let credential = self.credential(&cluster).await;
        let reasons = reasons(&cluster, own, owner, credential.as_ref(), ca.as_ref());
        let (sha256, expiry) = ca.unzip();
        ClusterCredential {
            application_credential_id: credential.into(),
            ca_certificate_expires_at: expiry.map(written).into(),
            ca_certificate_sha256: sha256.into(),
            cluster_id: Attr::Known(cluster.uuid),
            created_at: cluster.created_at.into(),
            kubernetes_version: version.map(|(major, minor)| format!("{major}.{minor}")).into(),
            name: Attr::Known(cluster.name),
            owner_enabled: owner.enabled.into(),
            owner_exists: owner.exists.into(),
            owner_in_project: owner.in_project.into(),
            owner_user_id: cluster.user_id.into(),
            restart_needed: match restarts {
                Restarts::Needed => Attr::Known(true),
                Restarts::NotNeeded => Attr::Known(false),
                Restarts::Unknown => Attr::Null,
            },
            rotation_recommended: Attr::Known(!reasons.is_empty()),
            rotation_reasons: Attr::Known(reasons),
            status: cluster.status.into(),
            status_reason: cluster.status_reason.into(),
            template_name: target.template.and_then(|template| template.name).into(),
        }
    }
}

/// How long before the CA's expiry its rotation is recommended.
const CA_DAYS: i64 = 90;

fn reasons(
    cluster: &Cluster,
    own: bool,
    owner: Owner,
    credential: Option<&String>,
    ca: Option<&(String, jiff::Timestamp)>,
) -> Vec<String> {
    let mut reasons = Vec::new();
    if owner.exists == Some(false) {
        reasons.push("the owner's account is gone: the cluster cannot use the cloud".to_owned());
    }
    if owner.enabled == Some(false) {
        reasons
            .push("the owner's account is disabled: the cluster cannot use the cloud".to_owned());
    }
    if owner.in_project == Some(false) {
        reasons.push(
            "the owner has no role on the project: the cluster cannot use the cloud".to_owned(),
        );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_is_wrong_with_a_cluster_is_a_reason_of_its_own() {
        let well = Owner { enabled: Some(true), exists: Some(true), in_project: Some(true) };
        let id = "a1b2".to_owned();
        let later = |days: i64| {
            let seconds = clock::now().as_second() + days * 86_400;
            ("00".to_owned(), jiff::Timestamp::from_second(seconds).unwrap())
        };
        let cluster = |status: &str| Cluster { status: Some(status.into()), ..Cluster::default() };
        let fine = cluster("UPDATE_COMPLETE");
        let none: &[String] = &[];
        assert_eq!(reasons(&fine, true, well, Some(&id), Some(&later(91))), none);
        // What may not be seen is no reason.
        assert_eq!(reasons(&fine, false, Owner::default(), None, None), none);
        let told = |cluster: &Cluster, own, owner, credential, days| {
            let all = reasons(cluster, own, owner, credential, Some(&later(days)));
            assert_eq!(all.len(), 1, "{all:?}");
            all[0].clone()
        };
        let gone = Owner { exists: Some(false), ..Owner::default() };
        assert!(told(&fine, false, gone, None, 91).contains("account is gone"));
        let disabled = Owner { enabled: Some(false), ..well };
        assert!(told(&fine, false, disabled, None, 91).contains("is disabled"));
        let outside = Owner { in_project: Some(false), ..well };
        assert!(told(&fine, false, outside, None, 91).contains("no role on the project"));
        assert!(told(&fine, true, well, None, 91).contains("no application credential"));
        assert!(told(&cluster("UPDATE_FAILED"), true, well, Some(&id), 91).contains("failed"));
        assert!(told(&fine, true, well, Some(&id), 89).contains("the CA expires at 20"));
    }
}
