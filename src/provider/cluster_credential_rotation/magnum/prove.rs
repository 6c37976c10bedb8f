//! What counts as proof that a rotation took place, and what the operator learns from it.
//!
//! A driver makes the new credential first, hands it to the cluster, deletes the former one, and sets the status last;
//! when it fails it leaves the new one behind. So a new credential proves nothing by itself: either Magnum has answered,
//! which it does when the driver is done, or the former one is gone, or the driver says that it survives.

use std::collections::BTreeSet;

use crate::clock;
use crate::cloud::Surroundings;
use crate::cloud::kubernetes::{Access, Client, Settings, Verdict};
use crate::cloud::openstack::magnum::Cluster as MagnumShows;
use crate::provider::arguments::written;
use crate::provider::cluster_credential_rotation::magnum::cluster::{MagnumCluster, PAUSE, first};
use crate::provider::cluster_credential_rotation::magnum::notes::Notes;
use crate::provider::cluster_credential_rotation::magnum::{Credential, refusals, told, workloads};
use crate::provider::cluster_credential_rotation::model::Fact;
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster as _, Failure, Proof, Stage,
};
use crate::rotation::course::Phase;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics};

pub async fn advance(cluster: &MagnumCluster, stage: &mut Stage<'_>) -> Result<Advance, Failure> {
    let mut notes = Notes::of(stage.notes);
    let done = if stage.phase == Phase::Restarting {
        Box::pin(workloads::advance(cluster, stage, &mut notes)).await
    } else {
        proven(cluster, stage, &mut notes).await
    };
    *stage.notes = notes.write();
    done
}

/// What the proof of a credential has come to.
enum Evidence {
    Proven,
    /// The driver is not done, as far as can be seen: what to say where the wait ends now.
    NotYet(Box<Diagnostic>),
}

/// Looks until it is proven. Where the operation's time ends in the middle of a call, what it waited for is said, not that.
async fn proven(
    cluster: &MagnumCluster,
    stage: &mut Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    let mut waits = None;
    match watched(cluster, stage, notes, &mut waits).await {
        Err(Failure::Unfinished(why)) => Err(Failure::Unfinished(match waits {
            Some(waits) if cluster.patience.check().is_err() => Diagnostics::from(*waits),
            _ => why,
        })),
        done => done,
    }
}

async fn watched(
    cluster: &MagnumCluster,
    stage: &mut Stage<'_>,
    notes: &mut Notes,
    waits: &mut Option<Box<Diagnostic>>,
) -> Result<Advance, Failure> {
    loop {
        let now = cluster.session.magnum().cluster(cluster.uuid(), &cluster.patience).await;
        let now = now.map_err(|error| {
            let doing = format!("read {}", cluster.called());
            Failure::Unfinished(refusals::after_sending(&doing, &error).into())
        })?;
        let status = now.status.as_deref().unwrap_or_default();
        let mut why = Box::new(not_back(&now));
        if !status.ends_with("_IN_PROGRESS") {
            stage.facts.set(Fact::OwnerUserId, now.user_id.as_ref());
            let evidence = match cluster.credential {
                Credential::ApplicationCredential => {
                    credential(cluster, &now, stage, notes).await?
                }
                Credential::CaCertificate => ca(cluster, &now, stage, notes).await?,
            };
            match evidence {
                Evidence::Proven => {
                    let restarts = notes.left.as_ref().is_some_and(|left| !left.is_empty());
                    return Ok(if restarts {
                        Advance::More(Phase::Restarting)
                    } else {
                        Advance::Done(Proof::seen())
                    });
                }
                Evidence::NotYet(seen) => why = seen,
            }
        }
        let why = waits.insert(why);
        if cluster.patience.sleep(PAUSE).await.is_err() {
            return Err(Failure::Unfinished((**why).clone().into()));
        }
    }
}

/// The sender owns a credential of the cluster that was not there before, and the driver is done with the former one.
async fn credential(
    cluster: &MagnumCluster,
    now: &MagnumShows,
    stage: &mut Stage<'_>,
    notes: &Notes,
) -> Result<Evidence, Failure> {
    let listed = listed(cluster).await?;
    let new: BTreeSet<String> = listed.difference(&notes.known).cloned().collect();
    let owner = now.user_id.as_ref();
    let own = owner == Some(&cluster.caller.user.id);
    let status = now.status.as_deref().unwrap_or_default();
    if new.is_empty() && !own {
        // Its credential replaced the one that this resource had asked for, or was found.
        stage.cx.tell(told::superseded(now, &notes.sender));
        stage.facts.set(Fact::ApplicationCredentialIds, serde_json::Value::Null);
        return Ok(Evidence::Proven);
    }
    if new.is_empty() {
        if status.ends_with("_FAILED") {
            return Err(failed(cluster, now, notes).await);
        }
        return Err(Failure::Unfinished(not_seen(now, &notes.sender).into()));
    }
    let left: Vec<String> = listed.intersection(&notes.known).cloned().collect();
    let survives = now.status_reason.as_deref().is_some_and(|reason| {
        reason.contains("could not be deleted") || reason.contains("Failed to delete")
    });
    let one_is_gone = left.len() < notes.known.len();
    let taken_over = notes.known.is_empty()
        && (notes.owner_before.as_ref() != owner || notes.updated_before != now.updated_at);
    if !(notes.answered || one_is_gone || survives || own && taken_over) {
        if status.ends_with("_FAILED") {
            return Err(failed(cluster, now, notes).await);
        }
        return Ok(Evidence::NotYet(Box::new(not_back(now))));
    }
    if new.len() > 1 {
        stage.cx.tell(told::several(now, &new));
    }
    if !left.is_empty() {
        stage.cx.tell(told::former_survives(now, &left));
    }
    if now.health_status.as_deref() == Some("UNHEALTHY") || status.ends_with("_FAILED") {
        stage.cx.tell(told::unhealthy(now));
    }
    let new: Vec<String> = new.into_iter().collect();
    stage.facts.set(Fact::ApplicationCredentialIds, new);
    Ok(Evidence::Proven)
}

async fn listed(cluster: &MagnumCluster) -> Result<BTreeSet<String>, Failure> {
    cluster.of_cluster().await.map_err(|error| {
        let doing = "list the application credentials of the cluster";
        Failure::Unfinished(refusals::after_sending(doing, &error).into())
    })
}

/// Magnum has another CA, and what the API server shows is signed by it.
async fn ca(
    cluster: &MagnumCluster,
    now: &MagnumShows,
    stage: &mut Stage<'_>,
    notes: &Notes,
) -> Result<Evidence, Failure> {
    let pem = cluster.session.magnum().ca(cluster.uuid(), &cluster.patience).await;
    let pem = pem.map_err(|error| {
        Failure::Unfinished(refusals::after_sending("read the cluster's new CA", &error).into())
    })?;
    let new = first(&pem);
    let same = new.as_ref().is_some_and(|ca| Some(&ca.sha256) == notes.ca_sha256_before.as_ref());
    let failed_now = now.status.as_deref().is_some_and(|status| status.ends_with("_FAILED"));
    if same || failed_now {
        return Err(failed(cluster, now, notes).await);
    }
    if let Some(ca) = new {
        stage.facts.set(Fact::CaCertificateSha256, ca.sha256);
        stage.facts.set(Fact::ExpiresAt, written(ca.not_after));
    }
    match served(cluster, now, &pem, notes.ca_before.as_deref()).await {
        Shown::Old => Ok(Evidence::NotYet(Box::new(not_taken_up(now)))),
        Shown::Told(story) => {
            stage.cx.tell(Diagnostic::warning(
                "The cluster's CA was replaced",
                format!("A new CA was made for {}. {story}", told::called(now)),
            ));
            Ok(Evidence::Proven)
        }
    }
}

enum Shown {
    /// The servers still show what they showed before.
    Old,
    Told(String),
}

/// Which consumers the API server's chain will please: those with the new CA, or those with the old.
async fn served(cluster: &MagnumCluster, now: &MagnumShows, new: &str, old: Option<&str>) -> Shown {
    let server = now.api_address.clone().unwrap_or_default();
    let settings = Settings { host: Some(server.clone()), ..Settings::default() };
    let chain = match Access::resolve(&settings, &Surroundings::of_process()) {
        Ok(access) => Client::new(access)
            .served_chain(&cluster.patience)
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.message),
    };
    let moment = clock::now();
    Shown::Told(match chain {
        Ok(chain) if chain.verify(new, moment) == Verdict::Trusted => format!(
            "The API server {server} shows a certificate of the new CA: new kubeconfigs work, and every one from before is refused."
        ),
        Ok(chain) if old.is_some_and(|old| chain.verify(old, moment) == Verdict::Trusted) => {
            return Shown::Old;
        }
        Ok(_) => format!(
            "The API server {server} does not show a certificate of the new CA, nor of the old one: look at what stands between. Where \
             nothing does, new kubeconfigs are refused until its servers are replaced."
        ),
        Err(error) => format!("The API server {server} could not be looked at: {error}."),
    })
}

/// The platform says that it is over without success.
pub async fn failed(cluster: &MagnumCluster, now: &MagnumShows, notes: &Notes) -> Failure {
    let valid = match cluster.credential {
        Credential::CaCertificate => {
            let changed = cluster.has_rotated(notes).await;
            if !matches!(changed, Ok(false)) {
                return Failure::Unfinished(stored_but_failed(now).into());
            }
            "Magnum has the same CA as before, and so has the cluster.".to_owned()
        }
        Credential::ApplicationCredential => match cluster.of_cluster().await {
            Ok(listed) => {
                let join = |ids: Vec<&String>| {
                    ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
                };
                let former = join(listed.intersection(&notes.known).collect());
                let new = join(listed.difference(&notes.known).collect());
                match (former.is_empty(), new.is_empty()) {
                    (_, true) => {
                        "No new application credential was made; the cluster goes on with the one that it had.".to_owned()
                    }
                    (false, false) => format!(
                        "Still there are the former application credentials ({former}) and what the driver made before it failed ({new}). \
                         The cluster may use either: delete none of them before a rotation has succeeded."
                    ),
                    (true, false) => format!(
                        "The driver made {new} before it failed, and the former ones are not listed any more."
                    ),
                }
            }
            Err(_) => {
                "Which application credentials there are now could not be learned.".to_owned()
            }
        },
    };
    Failure::Ended(
        Diagnostic::error(
            "The rotation of the cluster's credential has failed",
            format!(
                "{} is {}.\n\n{valid}\n\nMend what the reason names and apply again: the next apply sends a new rotation.",
                told::called(now).replacen("the ", "The ", 1),
                told::stands(now),
            ),
        )
        .into(),
    )
}

/// A stored CA is not put back.
fn stored_but_failed(now: &MagnumShows) -> Diagnostic {
    Diagnostic::error(
        "The cluster has failed after its CA was replaced",
        format!(
            "{} is {}.\n\nMagnum has the new CA already (`openstack coe ca show`), and the cluster's servers may still use the old one. The \
             rotation is not sent again: bring the cluster back to a status that ends in _COMPLETE, with the help of the cloud's \
             operators, and apply; it is then proven from here.",
            told::called(now).replacen("the ", "The ", 1),
            told::stands(now),
        ),
    )
}

fn not_seen(now: &MagnumShows, sender: &str) -> Diagnostic {
    Diagnostic::error(
        "The cluster's new credential cannot be seen",
        format!(
            "A rotation was sent and {} is {}, but user {sender} has no application credential named magnum-{}-… that was not there \
             before. The rotation is not taken as proven; the next apply looks again. To rotate once more instead, apply with -replace.",
            told::called(now),
            told::stands(now),
            now.uuid,
        ),
    )
}

fn not_taken_up(now: &MagnumShows) -> Diagnostic {
    Diagnostic::error(
        "The cluster's servers do not use the new CA yet",
        format!(
            "Magnum has a new CA for {}, and its API server {} still shows a certificate of the old CA: kubeconfigs from before work, and new \
             ones are refused. The rotation goes on; the next apply looks again and does not send it again.\n\nIf that does not change, the \
             driver has not given the servers their certificates: ask the cloud's operators.",
            told::called(now),
            now.api_address.as_deref().unwrap_or("(whose address Magnum does not tell)"),
        ),
    )
}

fn not_back(now: &MagnumShows) -> Diagnostic {
    Diagnostic::error(
        "The cluster has not come back yet",
        format!(
            "{} is {}, and that it uses what is new is not proven yet. The rotation goes on; the next apply takes it up here and does not \
             send it again.",
            told::called(now).replacen("the ", "The ", 1),
            told::stands(now),
        ),
    )
}
