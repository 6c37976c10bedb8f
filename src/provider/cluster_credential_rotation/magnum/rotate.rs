//! Sends a rotation once, and finds out what became of it: by its answer where that is clear, else by looking at the
//! cluster. Never by sending it again.

use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::openstack::Error;
use crate::provider::cluster_credential_rotation::magnum::cluster::{MagnumCluster, PAUSE};
use crate::provider::cluster_credential_rotation::magnum::notes::Notes;
use crate::provider::cluster_credential_rotation::magnum::{Credential, inside};
use crate::provider::cluster_credential_rotation::platform::{Cluster as _, Failure};
use crate::provider::errors;
use crate::tfplugin::diagnostics::Diagnostic;

/// How long a rotation without an answer is looked for in the apply that sent it.
const LOOKED_FOR: Duration = Duration::from_mins(2);

/// Sends it. Ok also where the answer was lost and its effect is seen to have begun.
pub async fn send(cluster: &MagnumCluster, notes: &mut Notes) -> Result<(), Failure> {
    let magnum = cluster.session.magnum();
    let uuid = cluster.uuid();
    let sent = match cluster.credential {
        Credential::ApplicationCredential => {
            magnum.rotate_credential(uuid, &cluster.patience).await
        }
        Credential::CaCertificate => magnum.rotate_ca(uuid, &cluster.patience).await,
    };
    cluster.services.openstack.forget(&cluster.caller.user.id);
    cluster.services.clusters.forget();
    match sent {
        Ok(()) => {
            notes.answered = true;
            Ok(())
        }
        Err(error) if error.is_ambiguous() => look(cluster, notes, &error).await,
        Err(error) => Err(Failure::Refused(refused(cluster, &error).await.into())),
    }
}

/// No clear answer: the cluster is watched until something can be seen of it.
async fn look(cluster: &MagnumCluster, notes: &Notes, error: &Error) -> Result<(), Failure> {
    let before = cluster.shown();
    let end = Instant::now() + LOOKED_FOR;
    // What a stopped operation has sent is looked for all the same, once.
    loop {
        let now = cluster.session.magnum().cluster(cluster.uuid(), &cluster.patience).await;
        let happened = cluster.has_rotated(notes).await;
        if let Ok(now) = &now {
            let news = now.updated_at != before.updated_at
                || now.status != before.status
                || now.status_reason != before.status_reason;
            // A second failure for the same reason changes nothing that Magnum shows.
            let reason = now.status_reason.as_deref().unwrap_or_default();
            let said = matches!(error, Error::Api(answer)
                if !reason.is_empty() && answer.message.contains(reason));
            let failed = now.status.as_deref().is_some_and(|status| status.ends_with("_FAILED"));
            if failed && (news || said) {
                return Err(super::prove::failed(cluster, now, notes).await);
            }
        }
        if matches!(happened, Ok(true)) {
            return Ok(());
        }
        if Instant::now() >= end || cluster.patience.sleep(PAUSE).await.is_err() {
            return Err(Failure::Unknown(unknown(cluster, error).into()));
        }
    }
}

async fn refused(cluster: &MagnumCluster, error: &Error) -> Diagnostic {
    let before = cluster.shown();
    let mut valid = "The cluster has its old credential.".to_owned();
    if cluster.credential == Credential::CaCertificate
        && let Ok(now) = cluster.session.magnum().cluster(&before.uuid, &cluster.patience).await
        && now.status != before.status
    {
        valid = format!(
            "The cluster is now {}: Magnum may have stored a new CA that its servers do not use. Compare `openstack coe ca show` with what \
             the API server shows before anything else, and ask the cloud's operators.",
            now.status.unwrap_or_default()
        );
    }
    let next = match error.status() {
        Some(400) => {
            "Its driver does not support this, or the cluster is not in a state that allows it."
        }
        Some(403) => "The login does not have the role that Magnum's policy wants (\"member\").",
        Some(404) => "The cluster is gone, or belongs to another project.",
        Some(406) => {
            "This Magnum is older than 21.0.0 (API version 1.12) and cannot rotate credentials."
        }
        _ => "",
    };
    let doing = format!("rotate the {} of {}", cluster.credential.name(), cluster.called());
    errors::call("The cluster's credential was not rotated", &doing, error, &valid, next)
        .at(inside("credential"))
}

fn unknown(cluster: &MagnumCluster, error: &Error) -> Diagnostic {
    errors::call(
        "It is not known whether the cluster's credential was rotated",
        &format!("learn what became of the rotation of {}", cluster.called()),
        error,
        "It was sent, and nothing of it can be seen so far. It may still come.",
        "Apply again: it is looked for first, and sent only once it is certain that it never took effect.",
    )
}
