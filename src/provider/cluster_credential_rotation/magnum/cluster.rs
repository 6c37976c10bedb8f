//! A cluster that was found: what this login sees of it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use crate::cloud::kubernetes::Certificate;
use crate::cloud::openstack::magnum::{Cluster as MagnumShows, FoundCluster};
use crate::cloud::openstack::{Error, Patience, Session, Token};
use crate::provider::cluster_credential_rotation::magnum::block::Magnum;
use crate::provider::cluster_credential_rotation::magnum::notes::Notes;
use crate::provider::cluster_credential_rotation::magnum::{Credential, Owner};
use crate::provider::cluster_credential_rotation::services::Services;

/// Between two looks at it.
pub const PAUSE: Duration = Duration::from_secs(2);

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
    /// The user whose refresh the plan was made from; None where nothing tells.
    pub(super) planned_by: Option<String>,
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

    /// Whether a rotation that was sent has begun to take effect.
    pub(super) async fn has_rotated(&self, notes: &Notes) -> std::result::Result<bool, Error> {
        match self.credential {
            Credential::ApplicationCredential => {
                Ok(self.of_cluster().await?.difference(&notes.known).next().is_some())
            }
            Credential::CaCertificate => {
                let now = self.session.magnum().ca(self.uuid(), &self.patience).await?;
                let now = first(&now).map(|ca| ca.sha256);
                Ok(notes.ca_sha256_before.is_some() && now != notes.ca_sha256_before)
            }
        }
    }

    pub(super) fn is_owner(&self) -> bool {
        self.shown().user_id.as_ref() == Some(&self.caller.user.id)
    }
}

/// The first certificate of a CA.
pub(super) fn first(pem: &str) -> Option<Certificate> {
    Certificate::parse(pem).ok()?.into_iter().next()
}
