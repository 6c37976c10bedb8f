//! A cluster that was found: what this login sees of it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::cloud::kubernetes::Certificate;
use crate::cloud::openstack::magnum::{Cluster as MagnumShows, FoundCluster};
use crate::cloud::openstack::{Error, Patience, Session, Token};
use crate::provider::cluster_credential_rotation::magnum::block::Magnum;
use crate::provider::cluster_credential_rotation::magnum::{Credential, Owner};
use crate::provider::cluster_credential_rotation::services::Services;

/// A cluster, as this login sees it.
#[derive(Debug)]
pub struct MagnumCluster {
    pub(super) services: Services,
    pub(super) session: Session,
    pub(super) caller: Token,
    pub(super) patience: Patience,
    pub(super) block: Magnum,
    pub(super) credential: Credential,
    pub(super) found: FoundCluster,
    /// As last seen by themselves.
    pub(super) owner: Option<Owner>,
    /// The way into its Kubernetes, once it was found and seen to lead there.
    pub(super) entered: Mutex<Option<crate::cloud::kubernetes::Client>>,
}

impl MagnumCluster {
    /// As Magnum shows it.
    pub(super) fn shown(&self) -> &MagnumShows {
        &self.found.cluster
    }

    pub(super) fn uuid(&self) -> &str {
        &self.found.cluster.uuid
    }

    /// Ids of the application credentials that this login's user has for the cluster, asked anew.
    pub(super) async fn of_cluster(&self) -> std::result::Result<BTreeSet<String>, Error> {
        self.services.openstack.forget(&self.caller.user.id);
        self.listed().await
    }

    pub(super) async fn listed(&self) -> std::result::Result<BTreeSet<String>, Error> {
        let openstack = &self.services.openstack;
        let user = &self.caller.user.id;
        let listed = openstack.credentials(&self.session, user, &self.patience).await?;
        let prefix = format!("magnum-{}", self.uuid());
        let named = listed.iter().filter(|credential| credential.name.starts_with(&prefix));
        Ok(named.map(|credential| credential.id.clone()).collect())
    }

    pub(super) fn is_owner(&self) -> bool {
        self.shown().user_id.as_ref() == Some(&self.caller.user.id)
    }
}

/// The first certificate of a CA.
pub(super) fn first(pem: &str) -> Option<Certificate> {
    Certificate::parse(pem).ok()?.into_iter().next()
}
