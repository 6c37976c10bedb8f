//! Carries out what the procedure says, step by step, and waits between the steps. Decides nothing itself.

use std::time::Duration;

use crate::clock;
use crate::cloud::openshift::Situation;
use crate::cloud::openshift::api::{Error, RootWrite, Write};
use crate::cloud::openshift::procedure::{self, Action, Flight, MARK};
use crate::provider::cluster_credential_rotation::openshift::cluster::OpenshiftCluster;
use crate::provider::cluster_credential_rotation::openshift::notes::Notes;
use crate::provider::cluster_credential_rotation::openshift::{refusals, told, workloads};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster as _, Failure, Proof, Stage,
};
use crate::rotation::course::Phase;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics};

/// Between two looks: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How often an answer may be lost in a row.
const LOST: u32 = 5;
/// An annotation that only has the operator look.
const POKED: &str = "terraform-provider-rekey/looked-at";

/// The first write, where there is one: that of the root credential.
pub(super) async fn send(cluster: &OpenshiftCluster, notes: &mut Notes) -> Result<(), Failure> {
    let mut lost = 0;
    loop {
        // Once an answer was lost nobody knows, until a look tells.
        let ended = |why: Diagnostic| match lost {
            0 => Failure::Refused(why.into()),
            _ => Failure::Unknown(why.into()),
        };
        let looked = cluster.look_again().await;
        let situation = looked.map_err(|error| match lost {
            0 => ended(told::not_sent(&error)),
            _ => ended(told::after_sending(&error)),
        })?;
        let (Some(platform), Some(mut flight)) = (situation.platform, cluster.flight(notes)) else {
            return Err(Failure::Refused(told::cannot_begin(&cluster.called()).into()));
        };
        let task = cluster.task(platform);
        let action = procedure::next(&task, &situation, &mut flight, clock::now());
        cluster.keep(&flight);
        match action {
            Action::WriteRoot { .. } => {}
            Action::Stop(stopped) => {
                return Err(Failure::Refused(told::stopped(&cluster.called(), &stopped).into()));
            }
            // Nothing to be written first: the rest is for the stages.
            _ => return Ok(()),
        }
        match carry_out(cluster, &action).await {
            Ok(Write::Done) => {
                flight.did(&action, &situation);
                cluster.keep(&flight);
                return Ok(());
            }
            // Somebody else was faster, or an answer was lost and it was this write: a look tells.
            Ok(Write::Superseded | Write::Gone) => {
                if cluster.patience.sleep(PAUSE.0).await.is_err() {
                    return Err(ended(told::contended(&cluster.called(), lost > 0)));
                }
            }
            // It names the version that it changes: once more does no harm, and a look tells whether it is needed.
            Err(error) if error.may_have_acted() => {
                lost += 1;
                if lost >= LOST || cluster.patience.sleep(PAUSE.0).await.is_err() {
                    return Err(Failure::Unknown(told::after_sending(&error).into()));
                }
            }
            Err(error) if lost > 0 => return Err(ended(told::after_sending(&error))),
            Err(error) => return Err(ended(told::not_sent(&error))),
        }
    }
}

/// Until one step is done, or all of them.
pub(super) async fn advance(
    cluster: &OpenshiftCluster,
    stage: &mut Stage<'_>,
) -> Result<Advance, Failure> {
    let mut notes = Notes::of(stage.notes);
    let done = match stage.phase {
        Phase::Restarting => workloads::advance(cluster, stage, &mut notes).await,
        _ => step(cluster, stage, &mut notes).await,
    };
    *stage.notes = notes.write();
    done
}

async fn step(
    cluster: &OpenshiftCluster,
    stage: &Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    let unfinished = |error: &Error| Failure::Unfinished(told::after_sending(error).into());
    if notes.flight.is_none() {
        // Found without anything noted, and nothing could be noted since.
        *notes = Notes::of(&cluster.found(stage.state, None));
    }
    let mut pause = PAUSE.0;
    loop {
        let situation = cluster.look_again().await.map_err(|error| unfinished(&error))?;
        let (Some(platform), Some(mut flight)) = (situation.platform, cluster.flight(notes)) else {
            return Err(Failure::Unfinished(told::cannot_begin(&cluster.called()).into()));
        };
        let task = cluster.task(platform);
        let action = procedure::next(&task, &situation, &mut flight, clock::now());
        keep(cluster, notes, &flight);
        match &action {
            Action::Done(outcome) => {
                if !outcome.unwell.is_empty() {
                    stage.cx.tell(told::still_unwell(&cluster.called(), &outcome.unwell));
                }
                return Ok(if notes.left.is_empty() {
                    Advance::Done(Proof::seen())
                } else {
                    Advance::More(Phase::Restarting)
                });
            }
            Action::Stop(stopped) => {
                let why = told::stopped(&cluster.called(), stopped).into();
                // Before its first deletion a rotation in mint mode has changed the root credential at most, and is
                // to be begun anew, perhaps with another one.
                let begun = flight.route == crate::cloud::openshift::refusal::Route::Passthrough
                    || !flight.deleted.is_empty()
                    || Flight::marked(&situation).is_some();
                return Err(if begun { Failure::Unfinished(why) } else { Failure::Ended(why) });
            }
            Action::Wait { what, seen } => {
                if cluster.patience.sleep(pause).await.is_err() {
                    let why = told::interrupted(&cluster.called(), what, seen.as_deref());
                    return Err(Failure::Unfinished(why.into()));
                }
                pause = (pause * 2).min(PAUSE.1);
            }
            effect => {
                // Given anew, perhaps, since the rotation was begun.
                if let Action::WriteRoot { data, .. } = effect
                    && !data.is_empty()
                {
                    let unfit = refusals::unfit(cluster, stage.cx).await;
                    if !unfit.is_empty() {
                        return Err(Failure::Unfinished(Diagnostics(unfit)));
                    }
                }
                return effected(cluster, notes, flight, &situation, effect)
                    .await
                    .map_err(|error| unfinished(&error));
            }
        }
    }
}

/// Does it, and notes it: what cannot be undone before it is sent.
async fn effected(
    cluster: &OpenshiftCluster,
    notes: &mut Notes,
    mut flight: Flight,
    situation: &Situation,
    effect: &Action,
) -> Result<Advance, Error> {
    let before = !matches!(effect, Action::WriteRoot { .. });
    if before {
        flight.did(effect, situation);
        keep(cluster, notes, &flight);
    }
    let written = match carry_out(cluster, effect).await {
        Ok(written) => written,
        // A look tells what became of it, and everything names what it changes.
        Err(error) if error.may_have_acted() && cluster.patience.sleep(PAUSE.0).await.is_ok() => {
            tracing::warn!(%error, "the answer to a change was lost; the cluster is looked at again");
            Write::Superseded
        }
        Err(error) => return Err(error),
    };
    if !before && written == Write::Done {
        flight.did(effect, situation);
        keep(cluster, notes, &flight);
    }
    Ok(Advance::More(Phase::Verifying))
}

async fn carry_out(cluster: &OpenshiftCluster, action: &Action) -> Result<Write, Error> {
    let (client, patience) = (&cluster.client, &cluster.patience);
    let Some(platform) = cluster.situation().platform else { return Ok(Write::Gone) };
    match action {
        Action::Mark { request, mark } => {
            client.annotate(request, MARK, Some(mark), patience).await
        }
        Action::Unmark { request } => client.annotate(request, MARK, None, patience).await,
        Action::Poke { request } => {
            let now = clock::now().to_string();
            client.annotate(request, POKED, Some(&now), patience).await
        }
        Action::WriteRoot { data, version } => {
            let write = RootWrite { platform, data, version: version.as_deref() };
            client.write_root(&write, patience).await
        }
        Action::Delete { secret, uid } => client.delete_secret(secret, uid, patience).await,
        Action::RemoveRoot { uid } => client.delete_root(platform, uid, patience).await,
        Action::Redeploy { reason } => client.redeploy(reason, patience).await,
        Action::Wait { .. } | Action::Stop(_) | Action::Done(_) => Ok(Write::Done),
    }
}

fn keep(cluster: &OpenshiftCluster, notes: &mut Notes, flight: &Flight) {
    cluster.keep(flight);
    notes.flight = Some(flight.clone());
}
