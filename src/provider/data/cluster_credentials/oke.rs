//! Clusters of OKE: how far their rotations are, and when what expires.

use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::cloud::oci::container_engine::{
    Cluster, ClusterLifecycle, CredentialRotation, RotationStatus,
};
use crate::cloud::oci::{Patience, Session};
use crate::provider::arguments::written;
use crate::provider::cluster_credential_rotation::oke::shown;
use crate::provider::oci::{Oci, call};
use crate::provider::oke::{Entrance, entrance};
use crate::rotation::Moment;
use crate::rotation::course::Phase;
use crate::tfplugin::diagnostics::Result;
use crate::tfplugin::model::{Attr, Model};

/// Which clusters of OKE.
#[derive(Clone, Debug, Default, Model)]
pub struct OkeClusters {
    /// Only this one, by its OCID.
    #[attr(optional, exactly_one_of("compartment_id"))]
    pub cluster_id: Attr<String>,
    /// All of this compartment, by its OCID.
    #[attr(optional, exactly_one_of("cluster_id"))]
    pub compartment_id: Attr<String>,
}

/// A cluster of OKE and its credentials.
#[derive(Clone, Debug, Default, Model)]
pub struct OkeCredential {
    /// When OKE retires the old credentials by itself; null outside a rotation.
    #[attr(computed)]
    pub auto_completes_at: Attr<String>,
    /// The SHA-256 of each CA in the cluster's kubeconfig, the oldest first; null where the login gets none.
    #[attr(computed)]
    pub ca_certificate_sha256s: Attr<Vec<String>>,
    /// The cluster's OCID.
    #[attr(computed)]
    pub cluster_id: Attr<String>,
    /// When the credentials expire, where OKE tells it.
    #[attr(computed)]
    pub expires_at: Attr<String>,
    /// The version of Kubernetes, such as `v1.33.1`.
    #[attr(computed)]
    pub kubernetes_version: Attr<String>,
    /// What OKE says of the cluster, such as `ACTIVE`.
    #[attr(computed)]
    pub lifecycle_state: Attr<String>,
    /// Its name.
    #[attr(computed)]
    pub name: Attr<String>,
    /// How far the last rotation is: `none`, `issuing`, `overlap`, `retiring` or `completed`; null where OKE does not say.
    #[attr(computed)]
    pub phase: Attr<String>,
    /// Whether one of the `rotation_reasons` calls for a rotation.
    #[attr(computed)]
    pub rotation_recommended: Attr<bool>,
    /// Why.
    #[attr(computed)]
    pub rotation_reasons: Attr<Vec<String>>,
}

/// In the order of their names.
pub(super) async fn read(
    oci: &Oci,
    wanted: &OkeClusters,
    patience: &Patience,
) -> Result<Vec<OkeCredential>> {
    let session = oci.session_now().await?;
    let engine = session.container_engine();
    let (found, doing) = match (wanted.cluster_id.known(), wanted.compartment_id.known()) {
        (Some(id), _) => {
            let found = engine.cluster(id, patience).await.map(|cluster| vec![cluster]);
            (found, format!("read the cluster {id}"))
        }
        (None, compartment) => {
            let compartment = compartment.cloned().unwrap_or_default();
            let found = engine.clusters(&compartment, patience).await;
            (found, format!("list the clusters of {compartment}"))
        }
    };
    let found = found.map_err(|error| {
        call("The clusters cannot be read", &doing, &error, "", "").at_attribute("oke")
    })?;
    let mut all = Vec::with_capacity(found.len());
    for cluster in found {
        if cluster.lifecycle_state != ClusterLifecycle::Deleted {
            all.push(one(&session, cluster, patience).await);
        }
    }
    all.sort_by_key(|one| (one.name.known().cloned(), one.cluster_id.known().cloned()));
    Ok(all)
}

async fn one(session: &Session, cluster: Cluster, patience: &Patience) -> OkeCredential {
    let engine = session.container_engine();
    let told = match engine.credential_rotation_status(&cluster.id, patience).await {
        Ok(told) => Some(told),
        // The cluster was seen, so this one was never rotated.
        Err(error) if error.status() == Some(404) => Some(CredentialRotation::default()),
        Err(_) => None,
    };
    let kubeconfig = engine.kubeconfig(&cluster.id, None, patience).await.ok();
    let cas = kubeconfig.as_deref().and_then(entrance).as_ref().map(Entrance::fingerprints);
    let phase = told.as_ref().and_then(|told| match shown::phase(told) {
        None if told.status == RotationStatus::default() => Some(Phase::None),
        phase => phase,
    });
    let completes = told.and_then(|told| told.time_auto_completion_scheduled);
    let completes = completes.filter(|_| phase.is_some_and(Phase::is_under_way));
    let expires = cluster.credentials_expire_at();
    let reasons = reasons(expires, phase, clock::now());
    OkeCredential {
        auto_completes_at: completes.map(written).into(),
        ca_certificate_sha256s: cas.into(),
        cluster_id: Attr::Known(cluster.id),
        expires_at: expires.map(written).into(),
        kubernetes_version: Attr::Known(cluster.kubernetes_version),
        lifecycle_state: Attr::Known(cluster.lifecycle_state.to_string()),
        name: Attr::Known(cluster.name),
        phase: phase.map(|phase| phase.name().to_owned()).into(),
        rotation_recommended: Attr::Known(!reasons.is_empty()),
        rotation_reasons: Attr::Known(reasons),
    }
}

/// OKE rotates by itself 90 days before the expiry; whoever wants to choose the time is told a month before that.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 120);

fn reasons(expires: Option<Timestamp>, phase: Option<Phase>, now: Timestamp) -> Vec<String> {
    let under_way = phase.is_some_and(Phase::is_under_way);
    let soon = expires.filter(|at| !under_way && at.duration_since(now) <= SOON);
    soon.map(|at| format!("the credentials expire at {}", Moment(at))).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_that_comes_soon_calls_for_a_rotation_unless_one_is_under_way() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let soon = "2026-06-10T00:00:00Z".parse().ok();
        assert_eq!(reasons(soon, Some(Phase::Completed), now).len(), 1);
        assert_eq!(reasons(soon, None, now).len(), 1);
        assert!(reasons(soon, Some(Phase::Overlap), now).is_empty());
        assert!(reasons("2027-03-01T00:00:00Z".parse().ok(), None, now).is_empty());
        assert!(reasons(None, None, now).is_empty());
    }
}
