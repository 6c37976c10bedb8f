//! Sends a rotation once, and finds out what became of it: by its answer where that is clear, else by looking
//! at the cluster. Never by sending it again.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::openstack::magnum::Cluster;
use crate::cloud::openstack::{Error, Patience, Session, Token};
use crate::provider::cluster_rotation::checks::{inside, unreadable};
use crate::provider::cluster_rotation::observe::{fingerprint, of_cluster};
use crate::provider::cluster_rotation::private::UnderWay;
use crate::provider::cluster_rotation::told::called;
use crate::provider::errors;
use crate::provider::openstack::Openstack;
use crate::tfplugin::diagnostics::Diagnostic;

use super::decide::Credential;

/// What became of a rotation.
#[derive(Debug)]
pub enum Outcome {
    Accepted,
    /// It was refused or has failed; the cluster has its old credential.
    Refused(Box<Diagnostic>),
    /// Nothing can be seen of it, and it may still come.
    Unknown(Box<Diagnostic>),
}

/// How long a rotation without an answer is looked for: Magnum waits 60 seconds for its driver and goes on
/// after that.
const LOOKED_FOR: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_secs(2);

/// Looks at a cluster while its credential is rotated.
#[derive(Debug)]
pub struct Watch<'a> {
    pub openstack: &'a Openstack,
    pub session: &'a Session,
    pub caller: &'a Token,
    pub credential: Credential,
    pub patience: &'a Patience,
}

impl Watch<'_> {
    /// Sends it.
    pub async fn send(&self, cluster: &Cluster, under_way: &UnderWay) -> Outcome {
        let magnum = self.session.magnum();
        self.openstack.forget(&self.caller.user.id);
        let sent = match self.credential {
            Credential::ApplicationCredential => {
                magnum.rotate_credential(&cluster.uuid, self.patience).await
            }
            Credential::CaCertificate => magnum.rotate_ca(&cluster.uuid, self.patience).await,
        };
        self.openstack.forget(&self.caller.user.id);
        match sent {
            Ok(()) => Outcome::Accepted,
            Err(error) if error.is_ambiguous() => self.look(cluster, under_way, &error).await,
            Err(error) => Outcome::Refused(Box::new(self.refused(cluster, &error).await)),
        }
    }

    /// Whether a rotation that was sent has taken effect by now.
    pub async fn has_happened(&self, uuid: &str, under_way: &UnderWay) -> Result<bool, Error> {
        match self.credential {
            Credential::ApplicationCredential => {
                Ok(!self.new_credentials(uuid, under_way).await?.is_empty())
            }
            Credential::CaCertificate => {
                let now = self.session.magnum().ca(uuid, self.patience).await?;
                let now = fingerprint(&now).map(|(sha256, _)| sha256);
                Ok(under_way.ca_sha256_before.is_some() && now != under_way.ca_sha256_before)
            }
        }
    }

    /// The sender's application credentials of the cluster that were not there before.
    pub async fn new_credentials(
        &self,
        uuid: &str,
        under_way: &UnderWay,
    ) -> Result<BTreeSet<String>, Error> {
        let sender = &under_way.sender;
        self.openstack.forget(sender);
        let now = of_cluster(self.openstack, self.session, sender, uuid, self.patience).await?;
        Ok(now.difference(&under_way.known).cloned().collect())
    }

    /// Waits until the cluster is in a state that is not on the way to another.
    pub async fn settled(&self, uuid: &str) -> Result<Cluster, Diagnostic> {
        loop {
            let cluster = self.session.magnum().cluster(uuid, self.patience).await;
            let cluster =
                cluster.map_err(|error| unreadable(&format!("read the cluster {uuid}"), &error))?;
            let status = cluster.status.as_deref().unwrap_or("");
            if !status.ends_with("_IN_PROGRESS") {
                return Ok(cluster);
            }
            if self.patience.sleep(PAUSE).await.is_err() {
                return Err(Diagnostic::error(
                    "The cluster has not come back yet",
                    format!(
                        "The cluster {} is still {status}. The rotation was accepted and goes on; the next apply takes it up \
                         here and does not send it again.",
                        called(&cluster)
                    ),
                ));
            }
        }
    }

    /// No clear answer: the cluster is watched until one can be seen.
    async fn look(&self, before: &Cluster, under_way: &UnderWay, error: &Error) -> Outcome {
        let end = Instant::now() + LOOKED_FOR;
        // What a stopped operation has sent is looked for all the same, once.
        loop {
            let now = self.session.magnum().cluster(&before.uuid, self.patience).await;
            let happened = self.has_happened(&before.uuid, under_way).await;
            if let Ok(now) = &now {
                let status = now.status.as_deref().unwrap_or("");
                let news = now.updated_at != before.updated_at
                    || now.status != before.status
                    || now.status_reason != before.status_reason;
                // A second failure for the same reason changes nothing that Magnum shows.
                let reason = now.status_reason.as_deref().unwrap_or_default();
                let told = matches!(error, Error::Api(answer)
                    if !reason.is_empty() && answer.message.contains(reason));
                if status.ends_with("_FAILED") && (news || told) {
                    return Outcome::Refused(Box::new(failed(now)));
                }
                if status.ends_with("_COMPLETE") && matches!(happened, Ok(true)) {
                    return Outcome::Accepted;
                }
            }
            if Instant::now() >= end || self.patience.sleep(PAUSE).await.is_err() {
                return Outcome::Unknown(Box::new(unknown(before, error)));
            }
        }
    }

    async fn refused(&self, cluster: &Cluster, error: &Error) -> Diagnostic {
        let mut valid = "The cluster has its old credential.".to_owned();
        if self.credential == Credential::CaCertificate
            && let Ok(now) = self.session.magnum().cluster(&cluster.uuid, self.patience).await
            && now.status != cluster.status
        {
            valid = format!(
                "The cluster is now {}: Magnum may have stored a new CA that its servers do not use. Compare `openstack coe ca show` \
                 with what the API server shows before anything else, and ask the cloud's operators.",
                now.status.unwrap_or_default()
            );
        }
        let next = match error.status() {
            Some(400) => {
                "Its driver does not support this, or the cluster is not in a state that allows it."
            }
            Some(403) => {
                "The login does not have the role that Magnum's policy wants (\"member\")."
            }
            Some(404) => "The cluster is gone, or belongs to another project.",
            Some(406) => {
                "This Magnum is older than 21.0.0 (API version 1.12) and cannot rotate credentials."
            }
            _ => "",
        };
        errors::call(
            "The cluster's credential was not rotated",
            &format!("rotate the {} of the cluster {}", self.credential.name(), called(cluster)),
            error,
            &valid,
            next,
        )
        .at(inside("credential"))
    }
}

/// The driver gave up.
pub fn failed(cluster: &Cluster) -> Diagnostic {
    let reason = cluster.status_reason.as_deref().unwrap_or("no reason given");
    Diagnostic::error(
        "The rotation of the cluster's credential has failed",
        format!(
            "The cluster {} is {}: {reason}.\n\nIts workloads go on with the old credential as far as that is still valid. Mend what the \
             reason names and apply again: a failed rotation may simply be repeated.",
            called(cluster),
            cluster.status.as_deref().unwrap_or("in an unknown state")
        ),
    )
}

/// It was accepted, and the cluster has failed after that.
pub fn failed_since(cluster: &Cluster) -> Diagnostic {
    let reason = cluster.status_reason.as_deref().unwrap_or("no reason given");
    Diagnostic::error(
        "The cluster has failed after the rotation was accepted",
        format!(
            "The cluster {} is {}: {reason}.\n\nMagnum has what is new already (of a CA: what `openstack coe ca show` shows), and the \
             cluster may still use what is old. The rotation is not sent again: bring the cluster back to a status that ends in \
             _COMPLETE, with the help of the cloud's operators, and apply; it is then proven from here. To rotate once more \
             instead, change triggers.",
            called(cluster),
            cluster.status.as_deref().unwrap_or("in an unknown state")
        ),
    )
}

fn unknown(cluster: &Cluster, error: &Error) -> Diagnostic {
    errors::call(
        "It is not known whether the cluster's credential was rotated",
        &format!("learn what became of the rotation of the cluster {}", called(cluster)),
        error,
        "It was sent, and nothing of it can be seen so far. It may still come.",
        "Apply again: it is looked for first, and sent only once it is certain that it never took effect.",
    )
}
