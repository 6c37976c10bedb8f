//! Waits for a phase: its work request, as often as the service says, then the status and the CAs, which are the proof.
//!
//! A work request tells when a phase is over; what it has come to is told by the status alone.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cloud::oci::container_engine::{WorkRequest, WorkStatus};
use crate::cloud::oci::{Error, RetryToken};
use crate::provider::arguments::written;
use crate::provider::cluster_credential_rotation::model::Fact;
use crate::provider::cluster_credential_rotation::oke::cluster::{OkeCluster, Status, deadline};
use crate::provider::cluster_credential_rotation::oke::notes::Notes;
use crate::provider::cluster_credential_rotation::oke::{shown, told, workloads};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster as _, Failure, Proof, Stage,
};
use crate::provider::oci::call;
use crate::rotation::course::Phase;
use crate::tfplugin::diagnostics::{Diagnostic, Severity};

/// How often a status that lags behind is looked at again, once nothing works on it any more.
const MOST_LOOKS: u32 = 12;
/// Between two looks where the service does not say.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

pub async fn advance(
    cluster: &OkeCluster,
    stage: &mut Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    stage.facts.set(Fact::WorkRequestId, notes.work_request_id.as_ref());
    match stage.phase {
        Phase::Issuing => issued(cluster, stage, notes).await,
        Phase::Retiring => retired(cluster, stage, notes).await,
        Phase::Restarting => workloads::advance(cluster, stage, notes).await,
        // Sent just now, or found: the status says where it is.
        _ => {
            let status = read(cluster).await?;
            let phase = status.phase.filter(|phase| phase.is_under_way());
            Ok(Advance::More(match phase {
                Some(Phase::Overlap) if notes.work_request_id.is_none() => {
                    return rests(cluster, stage, notes, &status).await;
                }
                Some(Phase::Retiring) => Phase::Retiring,
                _ => Phase::Issuing,
            }))
        }
    }
}

/// Until old and new credentials are both there.
async fn issued(
    cluster: &OkeCluster,
    stage: &mut Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    let mut looks = Looks::default();
    loop {
        let work = look_at(cluster, stage, notes).await?;
        if let Work::Running(wait) = work {
            looks.pause(cluster, Phase::Issuing, wait).await?;
            continue;
        }
        let status = read(cluster).await?;
        if let Work::Lost(work) = &work {
            let (called, story) = (cluster.called(), story(cluster, work).await);
            match status.phase {
                Some(Phase::Overlap) => stage.cx.tell(told::issued_all_the_same(&called, &story)),
                Some(Phase::Retiring) => {}
                Some(Phase::Completed) if notes.start_token.is_none() => {}
                // They are there; the status lags behind.
                _ if any_new(cluster, notes).await => {}
                _ => return Err(Failure::Ended(told::issue_failed(&called, &story).into())),
            }
        }
        match status.phase {
            Some(Phase::Overlap) => return rests(cluster, stage, notes, &status).await,
            Some(Phase::Retiring) => {
                notes.follow(None);
                return Ok(Advance::More(Phase::Retiring));
            }
            // Of one that was found under way it cannot be the former one's.
            Some(Phase::Completed)
                if notes.start_token.is_none() || all_new(cluster, notes).await =>
            {
                notes.follow(None);
                return Ok(Advance::More(Phase::Retiring));
            }
            Some(Phase::Issuing) if matches!(work, Work::Hidden) => {}
            Some(Phase::Issuing) if matches!(work, Work::Succeeded) => notes.follow(None),
            _ if looks.are_enough() => {
                let odd = told::odd(&cluster.called(), &status.rotation, work.odd());
                return Err(Failure::Unfinished(odd.into()));
            }
            _ => {}
        }
        looks.pause(cluster, Phase::Issuing, None).await?;
    }
}

/// Until the old credentials are gone.
async fn retired(
    cluster: &OkeCluster,
    stage: &mut Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    let mut looks = Looks::default();
    loop {
        let work = look_at(cluster, stage, notes).await?;
        if let Work::Running(wait) = work {
            looks.pause(cluster, Phase::Retiring, wait).await?;
            continue;
        }
        let status = read(cluster).await?;
        if let Work::Lost(work) = &work
            && status.phase != Some(Phase::Completed)
        {
            let story = story(cluster, work).await;
            tell_failure(cluster, stage, &story);
            return Ok(back(stage, notes, &status));
        }
        match status.phase {
            Some(Phase::Completed) => {
                let cas = cluster.cas().await;
                if cas.as_ref().is_none_or(|cas| cas.len() == 1) || looks.are_enough() {
                    if !notes.left.is_empty() {
                        return Ok(Advance::More(Phase::Restarting));
                    }
                    done(cluster, stage, notes, cas).await;
                    return Ok(Advance::Done(Proof::seen()));
                }
            }
            Some(Phase::Retiring) if matches!(work, Work::Hidden) => {}
            // It was another's: what runs is looked for.
            Some(Phase::Retiring) if matches!(work, Work::Succeeded) => notes.follow(None),
            // The service has put it back, and says no more than that.
            Some(Phase::Overlap) if looks.are_enough() => {
                tell_failure(cluster, stage, "");
                return Ok(back(stage, notes, &status));
            }
            _ if looks.are_enough() => {
                let odd = told::odd(&cluster.called(), &status.rotation, work.odd());
                return Err(Failure::Unfinished(odd.into()));
            }
            _ => {}
        }
        looks.pause(cluster, Phase::Retiring, None).await?;
    }
}

/// The overlap: both are seen, and OKE waits.
async fn rests(
    cluster: &OkeCluster,
    stage: &mut Stage<'_>,
    notes: &mut Notes,
    status: &Status,
) -> Result<Advance, Failure> {
    let mut looks = Looks::default();
    let cas = loop {
        let cas = cluster.cas().await;
        if cas.as_ref().is_none_or(|cas| cas.len() > 1) || looks.are_enough() {
            break cas;
        }
        looks.pause(cluster, Phase::Issuing, None).await?;
    };
    match &cas {
        None => stage.cx.tell(told::no_bundle(&cluster.called())),
        Some(cas) if cas.len() < 2 => stage.cx.tell(told::one_ca_in_overlap(&cluster.called())),
        Some(_) => {}
    }
    if let Some(cas) = cas {
        stage.facts.set(Fact::CaCertificateSha256s, cas);
    }
    stage.facts.set(Fact::AutoCompletesAt, deadline(status.phase, &status.rotation));
    stage.facts.set(Fact::ExpiresAt, cluster.expires_at().await.map(written));
    notes.follow(None);
    // Asked for in the overlap, a completion is a call of its own.
    notes.complete_token = Some(RetryToken::new().as_str().to_owned());
    if !notes.left.is_empty() {
        return Ok(Advance::More(Phase::Restarting));
    }
    Ok(Advance::Rests(Phase::Overlap))
}

/// A create that took up the retirement goes on without it.
fn tell_failure(cluster: &OkeCluster, stage: &Stage<'_>, story: &str) {
    let told = told::retirement_failed(&cluster.called(), story);
    let severity = if stage.creates { Severity::Warning } else { told.severity };
    stage.cx.tell(Diagnostic { severity, ..told });
}

/// A retirement that failed: the old credentials are there still.
fn back(stage: &mut Stage<'_>, notes: &mut Notes, status: &Status) -> Advance {
    stage.facts.set(Fact::AutoCompletesAt, deadline(Some(Phase::Overlap), &status.rotation));
    notes.follow(None);
    notes.complete_token = None;
    Advance::Rests(Phase::Overlap)
}

async fn done(
    cluster: &OkeCluster,
    stage: &mut Stage<'_>,
    notes: &Notes,
    cas: Option<Vec<String>>,
) {
    match &cas {
        None => stage.cx.tell(told::no_bundle(&cluster.called())),
        Some(cas) => {
            let former = cas.iter().any(|ca| notes.cas_before.contains(ca));
            if former || cas.len() > 1 {
                stage.cx.tell(told::old_ca_still_there(&cluster.called()));
            }
        }
    }
    if let Some(cas) = cas {
        stage.facts.set(Fact::CaCertificateSha256s, cas);
    }
    stage.facts.set(Fact::AutoCompletesAt, serde_json::Value::Null);
    stage.facts.set(Fact::ExpiresAt, cluster.expires_at().await.map(written));
}

/// None of the CAs from before the start is left: it was completed meanwhile.
async fn all_new(cluster: &OkeCluster, notes: &Notes) -> bool {
    let Some(cas) = cluster.cas().await else { return false };
    let now: BTreeSet<String> = cas.into_iter().collect();
    !notes.cas_before.is_empty() && now.is_disjoint(&notes.cas_before)
}

/// A CA that was not there before the start: new credentials were issued.
async fn any_new(cluster: &OkeCluster, notes: &Notes) -> bool {
    let now = cluster.cas().await.unwrap_or_default();
    !notes.cas_before.is_empty() && now.iter().any(|ca| !notes.cas_before.contains(ca))
}

/// What works on the phase.
#[derive(Debug)]
enum Work {
    /// Ask again after this time, where the service says so.
    Running(Option<Duration>),
    Succeeded,
    Lost(Box<WorkRequest>),
    /// Nothing does, and nothing that did can be seen.
    Nothing,
    /// It is over, with a status that nobody knows.
    Odd(String),
    /// This login may not see it.
    Hidden,
}

impl Work {
    fn odd(&self) -> Option<&str> {
        match self {
            Self::Odd(status) => Some(status),
            _ => None,
        }
    }
}

/// The work request that is known, or the one that is in flight; tells what its log says that is new.
async fn look_at(
    cluster: &OkeCluster,
    stage: &mut Stage<'_>,
    notes: &mut Notes,
) -> Result<Work, Failure> {
    if notes.work_request_id.is_none() {
        let Ok(listed) = cluster.work_requests().await else { return Ok(Work::Hidden) };
        let of_this = |work: &&WorkRequest| {
            shown::is_running(work)
                || work.time_accepted.is_some_and(|at| at >= stage.sent_at)
                    && shown::is_lost(&work.status)
        };
        let Some(found) = listed.iter().take(1).find(of_this) else { return Ok(Work::Nothing) };
        notes.follow(Some(found.id.clone()));
        stage.facts.set(Fact::WorkRequestId, &found.id);
    }
    let id = notes.work_request_id.clone().unwrap_or_default();
    let engine = cluster.session.container_engine();
    let (work, wait) = match engine.work_request(&id, &cluster.patience).await {
        Ok(found) => found,
        // It is kept no longer, or was never to be seen by this login.
        Err(error) if error.status() == Some(404) => return Ok(Work::Hidden),
        Err(error) => return Err(unread(cluster, &error)),
    };
    tell_log(cluster, &work, notes).await;
    Ok(if shown::is_running(&work) {
        Work::Running(wait)
    } else if shown::is_lost(&work.status) {
        Work::Lost(Box::new(work))
    } else if work.status == WorkStatus::Succeeded {
        Work::Succeeded
    } else {
        Work::Odd(work.status.to_string())
    })
}

/// For the log of the run: what the service does, line by line.
async fn tell_log(cluster: &OkeCluster, work: &WorkRequest, notes: &mut Notes) {
    let engine = cluster.session.container_engine();
    let logs = engine.work_request_logs(&work.id, &work.compartment_id, &cluster.patience).await;
    let mut logs = logs.unwrap_or_default();
    logs.sort_by(|one, other| one.timestamp.cmp(&other.timestamp));
    for line in logs.iter().skip(notes.told) {
        tracing::info!(cluster = %cluster.id(), work_request = %work.id, at = %line.timestamp, "OKE: {}", line.message);
    }
    notes.told = notes.told.max(logs.len());
}

/// Why it failed, in the service's words.
async fn story(cluster: &OkeCluster, work: &WorkRequest) -> String {
    let engine = cluster.session.container_engine();
    let compartment = &work.compartment_id;
    let errors = engine.work_request_errors(&work.id, compartment, &cluster.patience).await;
    let mut said: Vec<String> =
        errors.unwrap_or_default().into_iter().map(|error| error.message).collect();
    if said.is_empty() {
        let logs = engine.work_request_logs(&work.id, compartment, &cluster.patience).await;
        said.extend(logs.unwrap_or_default().into_iter().next_back().map(|line| line.message));
    }
    said.retain(|line| !line.trim().is_empty());
    let said = if said.is_empty() { "OKE says no more".to_owned() } else { said.join(" ") };
    format!("the work request {} is {}: {said}", work.id, work.status)
}

async fn read(cluster: &OkeCluster) -> Result<Status, Failure> {
    cluster.status().await.map_err(|error| unread(cluster, &error))
}

fn unread(cluster: &OkeCluster, error: &Error) -> Failure {
    let doing = format!("follow the rotation of {}", cluster.called());
    let told = call("The rotation could not be followed", &doing, error, told::GOES_ON, "");
    Failure::Unfinished(told.into())
}

/// Waits that grow, and an end of them where nothing works any more.
#[derive(Debug, Default)]
struct Looks(u32);

impl Looks {
    fn are_enough(&self) -> bool {
        self.0 >= MOST_LOOKS
    }

    async fn pause(
        &mut self,
        cluster: &OkeCluster,
        phase: Phase,
        told: Option<Duration>,
    ) -> Result<(), Failure> {
        let own = Duration::from_millis(250) * 2_u32.saturating_pow(self.0.min(6));
        let wait = told.unwrap_or(own.min(LONGEST_PAUSE));
        if told.is_none() {
            self.0 += 1;
        }
        cluster
            .patience
            .sleep(wait)
            .await
            .map_err(|_| Failure::Unfinished(told::still_running(&cluster.called(), phase).into()))
    }
}
