//! A cluster that was found: what this login sees of it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::cloud::oci::container_engine::{Cluster as OkeShows, CredentialRotation, WorkRequest};
use crate::cloud::oci::{Error, Patience, Session};
use crate::provider::arguments::written;
use crate::provider::cluster_credential_rotation::oke::block::Oke;
use crate::provider::cluster_credential_rotation::oke::shown;
use crate::provider::kubernetes::Shared;
use crate::provider::oke::{Entrance, entrance};
use crate::rotation::course::Phase;

/// A cluster, as this login sees it.
#[derive(Debug)]
pub struct OkeCluster {
    pub(super) session: Session,
    pub(super) patience: Patience,
    pub(super) shows: OkeShows,
    /// None: it shows no CA to this login now.
    pub(super) entrance: Option<Entrance>,
    pub(super) kubernetes: Arc<Shared>,
    pub(super) block: Oke,
}

/// How a rotation stands, and what works on it.
#[derive(Clone, Debug)]
pub struct Status {
    pub rotation: CredentialRotation,
    /// None: nothing is under way, or it cannot be said.
    pub phase: Option<Phase>,
}

impl OkeCluster {
    pub(super) fn id(&self) -> &str {
        &self.shows.id
    }

    /// The status as the service tells it; 404 is one that was never rotated, as the cluster itself was read.
    pub(super) async fn told(&self) -> std::result::Result<CredentialRotation, Error> {
        let engine = self.session.container_engine();
        match engine.credential_rotation_status(self.id(), &self.patience).await {
            Err(error) if error.status() == Some(404) => Ok(CredentialRotation::default()),
            other => other,
        }
    }

    /// The status, read together with the newest work request where it shows a phase that runs.
    pub(super) async fn status(&self) -> std::result::Result<Status, Error> {
        let rotation = self.told().await?;
        let mut phase = shown::phase(&rotation);
        if matches!(phase, Some(Phase::Issuing | Phase::Retiring)) {
            // Who may not list them has the status alone.
            let listed = self.work_requests().await.unwrap_or_default();
            phase = shown::standing(phase, listed.first());
        }
        Ok(Status { rotation, phase })
    }

    /// The newest first.
    pub(super) async fn work_requests(&self) -> std::result::Result<Vec<WorkRequest>, Error> {
        let engine = self.session.container_engine();
        let compartment = &self.shows.compartment_id;
        let mut listed = engine.work_requests(compartment, self.id(), &self.patience).await?;
        listed.sort_by_key(|work| std::cmp::Reverse(work.time_accepted));
        Ok(listed)
    }

    /// The CAs of this moment; None where the login gets no kubeconfig.
    pub(super) async fn cas(&self) -> Option<Vec<String>> {
        let engine = self.session.container_engine();
        let kubeconfig = engine.kubeconfig(self.id(), None, &self.patience).await.ok()?;
        entrance(&kubeconfig).map(|entrance| entrance.fingerprints())
    }

    /// When the cluster's credentials expire, asked anew.
    pub(super) async fn expires_at(&self) -> Option<Timestamp> {
        let engine = self.session.container_engine();
        let cluster = engine.cluster(self.id(), &self.patience).await.ok();
        cluster.as_ref().unwrap_or(&self.shows).credentials_expire_at()
    }

    pub(super) fn prints(&self) -> Option<Vec<String>> {
        self.entrance.as_ref().map(Entrance::fingerprints)
    }
}

/// Which date is the deadline of the phase.
pub(super) fn deadline(phase: Option<Phase>, rotation: &CredentialRotation) -> Option<String> {
    let waits = matches!(phase, Some(Phase::Issuing | Phase::Overlap | Phase::Retiring));
    rotation.time_auto_completion_scheduled.filter(|_| waits).map(written)
}
