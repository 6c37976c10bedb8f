//! The seam: how the cluster is found, what is seen of it, and what changes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cloud::oci::container_engine::{Cluster as OkeShows, ClusterLifecycle};
use crate::cloud::oci::{Error, Patience, RetryToken, Session};
use crate::provider::arguments::{period, written};
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::oke::cluster::{OkeCluster, deadline};
use crate::provider::cluster_credential_rotation::oke::notes::Notes;
use crate::provider::cluster_credential_rotation::oke::{
    Memory, NAME, OkePlatform, follow, inside, refusals, told, workloads,
};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster, Failure, Known, Look, Opened, Stage, When, Which,
};
use crate::provider::oci::{NotYet, call};
use crate::provider::oke::{Entrance, entrance};
use crate::provider::openstack::patience;
use crate::rotation::course::{Phase, Standing, Trace};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};

/// Finds the cluster: the state's, else the one that the block names.
pub async fn open(platform: &OkePlatform, cx: &Context, which: Which<'_>) -> Result<Opened> {
    let session = match platform.services.oci.session().await? {
        Ok(session) => session,
        Err(NotYet(setting)) => return Ok(Opened::NotYet(setting)),
    };
    let patience = patience(cx);
    let known = which.known();
    let of_state = known.and_then(|known| known.state.id.known());
    let id = of_state.or(platform.block.cluster_id.known()).cloned().unwrap_or_default();
    let shows = match (session.container_engine().cluster(&id, &patience).await, known) {
        (Ok(shows), Some(_)) if shows.lifecycle_state == ClusterLifecycle::Deleted => {
            return Ok(Opened::Gone(told::gone(&told::called(Some(&shows.name), &id))));
        }
        (Ok(shows), _) => OkeShows { id, ..shows },
        (Err(error), Some(known)) if error.status() == Some(404) => {
            let memory = Memory::of(known.memory);
            let called = told::called(memory.name.as_deref(), &id);
            let gone = is_gone(&session, &memory, &id, &patience).await;
            return Ok(if gone {
                Opened::Gone(told::gone(&called))
            } else {
                Opened::Hidden(told::hidden(&called, &session.account().whose, &error))
            });
        }
        (Err(error), _) => {
            let doing = format!("read the cluster {id}");
            let told =
                call("The cluster cannot be read", &doing, &error, "Nothing was changed.", "");
            return Err(told.at(inside("cluster_id")).into());
        }
    };
    // Who may not have a kubeconfig may rotate all the same: the proof is then the status.
    let kubeconfig = match shows.lifecycle_state {
        ClusterLifecycle::Deleting | ClusterLifecycle::Deleted | ClusterLifecycle::Creating => None,
        _ => session.container_engine().kubeconfig(&shows.id, None, &patience).await.ok(),
    };
    let entrance = kubeconfig.as_deref().and_then(entrance);
    let kubernetes = Arc::clone(&platform.services.kubernetes);
    let block = platform.block.clone();
    let cluster = OkeCluster { session, patience, shows, entrance, kubernetes, block };
    Ok(Opened::Here(Box::new(cluster)))
}

/// 404 is "not there" and "not allowed" at once: the compartment's list tells them apart.
async fn is_gone(session: &Session, memory: &Memory, id: &str, patience: &Patience) -> bool {
    let Some(compartment) = &memory.compartment_id else { return false };
    match session.container_engine().clusters(compartment, patience).await {
        Ok(listed) => listed.iter().all(|cluster| {
            cluster.id != id || cluster.lifecycle_state == ClusterLifecycle::Deleted
        }),
        Err(_) => false,
    }
}

fn signs(cas: Option<&[String]>, expires_at: Option<&str>) -> Option<Value> {
    (cas.is_some() || expires_at.is_some()).then(|| json!({ "cas": cas, "expires_at": expires_at }))
}

fn cas(signs: &Value) -> BTreeSet<&str> {
    signs["cas"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether all CAs of then are gone, or, where none were seen, the expiry has moved.
pub(super) fn another(then: &Value, now: &Value) -> bool {
    let (before, after) = (cas(then), cas(now));
    if !before.is_empty() && !after.is_empty() {
        return before.is_disjoint(&after);
    }
    let expiry = |signs: &Value| {
        signs["expires_at"].as_str().and_then(|text| text.parse::<Timestamp>().ok())
    };
    match (expiry(then), expiry(now)) {
        (Some(then), Some(now)) => now.duration_since(then) > SignedDuration::from_hours(24),
        _ => false,
    }
}

/// A start that was lost on its way has left its trace by then.
const MAY_STILL_COME: SignedDuration = SignedDuration::from_mins(2);

#[async_trait]
impl Cluster for OkeCluster {
    fn platform(&self) -> &'static str {
        NAME
    }

    fn id(&self) -> String {
        self.shows.id.clone()
    }

    fn called(&self) -> String {
        told::called(Some(&self.shows.name), &self.shows.id)
    }

    fn memory(&self) -> Value {
        let memory = Memory {
            name: Some(self.shows.name.clone()).filter(|name| !name.is_empty()),
            compartment_id: Some(self.shows.compartment_id.clone()),
            issued_at: self.entrance.as_ref().and_then(Entrance::issued_at),
        };
        serde_json::to_value(memory).unwrap_or_default()
    }

    async fn look(&self, _cx: &Context, state: &ClusterRotation) -> Result<Look> {
        let status = self.status().await.map_err(|error| {
            let doing = format!("read how far the rotation of {} is", self.called());
            call("The cluster cannot be read", &doing, &error, "Nothing was changed.", "")
        })?;
        let expires_at = self.shows.credentials_expire_at().map(written);
        let prints = self.prints();
        let mut look = Look {
            own: true,
            phase: self.as_followed(status.phase, state),
            signs: signs(prints.as_deref(), expires_at.as_deref()),
            lifetime: self.entrance.as_ref().and_then(|entrance| {
                let oldest = entrance.cas.iter().min_by_key(|ca| ca.not_before)?;
                Some(oldest.not_after.duration_since(oldest.not_before))
            }),
            ..Look::default()
        };
        look.facts.set(Fact::AutoCompletesAt, deadline(status.phase, &status.rotation));
        if let Some(prints) = prints {
            look.facts.set(Fact::CaCertificateSha256s, prints);
        }
        if expires_at.is_some() || state.expires_at.is_null() {
            look.facts.set(Fact::ExpiresAt, expires_at);
        }
        Ok(look)
    }

    fn signs_of(&self, state: &ClusterRotation) -> Option<Value> {
        signs(
            state.ca_certificate_sha256s.known().map(Vec::as_slice),
            state.expires_at.known().map(String::as_str),
        )
    }

    fn standing(&self, then: Option<&Value>, now: &Look) -> Standing {
        if now.phase.is_some_and(Phase::is_under_way) {
            return Standing::UnderWay;
        }
        match (then, &now.signs) {
            (Some(then), Some(now)) if another(then, now) => Standing::Newer,
            (Some(_), Some(_)) => Standing::Same,
            _ => Standing::Unseen,
        }
    }

    async fn refusals(&self, _cx: &Context, when: When) -> Vec<Diagnostic> {
        refusals::all(self, when).await
    }

    async fn against_completing(&self) -> Vec<Diagnostic> {
        refusals::against_completing(self).await
    }

    async fn forewarn(&self, _cx: &Context, known: Option<Known<'_>>) -> Vec<Diagnostic> {
        let mut warnings: Vec<_> = refusals::nodes(self).await.into_iter().collect();
        // A create's lines show them; those of an update hide what does not change.
        let named = workloads::names(&self.block);
        if known.is_some() && !named.is_empty() {
            warnings.push(told::restarts(&self.called(), &named));
        }
        // A create takes up what is under way.
        if known.is_none()
            && let Ok(status) = self.status().await
            && let Some(phase) = status.phase.filter(|phase| phase.is_under_way())
        {
            warnings.push(told::takes_up(&self.called(), phase));
        }
        warnings
    }

    async fn mark(&self, _state: &ClusterRotation) -> Result<Value> {
        let notes = Notes {
            cas_before: self.prints().unwrap_or_default().into_iter().collect(),
            start_token: Some(RetryToken::new().as_str().to_owned()),
            left: workloads::names(&self.block),
            ..Notes::default()
        };
        Ok(notes.write())
    }

    fn found(&self, state: &ClusterRotation, then: Option<&Value>) -> Value {
        let known = then.map(cas).unwrap_or_default();
        // Of one that rests, or that is retired, they have been restarted.
        let over = matches!(state.at(), Phase::Overlap | Phase::Retiring);
        let left = if over { BTreeSet::new() } else { workloads::names(&self.block) };
        let notes = Notes {
            left,
            cas_before: known.into_iter().map(str::to_owned).collect(),
            work_request_id: state.work_request_id.known().cloned(),
            ..Notes::default()
        };
        notes.write()
    }

    async fn send(
        &self,
        cx: &Context,
        state: &ClusterRotation,
        notes: &mut Value,
    ) -> Result<(), Failure> {
        let mut written = Notes::of(notes);
        let token = written.start_token.clone().map_or_else(RetryToken::new, RetryToken::named);
        let Some(delay) = period(&state.overlap) else {
            return Err(Failure::Refused(told::overlap_must_be_said().into()));
        };
        let engine = self.session.container_engine();
        let delay = told::iso(delay.seconds());
        let sent =
            engine.start_credential_rotation(self.id(), &delay, &token, &self.patience).await;
        let error = match sent {
            Ok(accepted) => {
                written.follow(accepted.work_request_id);
                *notes = written.write();
                return Ok(());
            }
            Err(error) => error,
        };
        // Whatever the answer was: what the service shows is what counts.
        match self.status().await {
            Ok(status) if status.phase.is_some_and(Phase::is_under_way) => {
                cx.tell(told::begun_all_the_same(&self.called(), &error));
                Ok(())
            }
            _ if error.is_ambiguous() => {
                Err(Failure::Unknown(told::start_unknown(&self.called(), &error).into()))
            }
            _ => Err(Failure::Refused(told::start_refused(&self.called(), &error).into())),
        }
    }

    async fn trace(&self, notes: &Value) -> Result<Trace> {
        let status = self.status().await.map_err(|error| {
            let doing = format!("learn what became of the last rotation of {}", self.called());
            call("The cluster cannot be read", &doing, &error, told::MAY_HAVE_BEGUN, "")
        })?;
        let before = Notes::of(notes).cas_before;
        let now = self.prints().unwrap_or_default();
        let others = !before.is_empty() && now.iter().any(|ca| !before.contains(ca));
        let begun = status.phase.is_some_and(Phase::is_under_way) || others;
        Ok(if begun { Trace::Found } else { Trace::NotFound })
    }

    fn settled_by(&self, sent_at: Timestamp) -> Timestamp {
        sent_at.saturating_add(MAY_STILL_COME).unwrap_or(Timestamp::MAX)
    }

    async fn advance(&self, stage: &mut Stage<'_>) -> Result<Advance, Failure> {
        let mut notes = Notes::of(stage.notes);
        let done = follow::advance(self, stage, &mut notes).await;
        *stage.notes = notes.write();
        done
    }

    async fn complete(&self, stage: &mut Stage<'_>) -> Result<(), Failure> {
        let mut notes = Notes::of(stage.notes);
        let done = self.completed(stage.cx, &mut notes).await;
        *stage.notes = notes.write();
        if done.is_ok() {
            stage.facts.set(Fact::WorkRequestId, notes.work_request_id.as_ref());
        }
        done
    }
}

impl OkeCluster {
    /// OKE knows nothing of the workloads that are to be restarted: those of a rotation whose apply did not come so far,
    /// and of one that somebody else began and that is found in its overlap.
    fn as_followed(&self, phase: Option<Phase>, state: &ClusterRotation) -> Option<Phase> {
        let waits = match (phase, state.at()) {
            (Some(Phase::Completed), known) => known == Phase::Restarting,
            (Some(Phase::Overlap | Phase::Retiring), known) => {
                !matches!(known, Phase::Overlap | Phase::Retiring)
            }
            _ => false,
        };
        if waits && !workloads::names(&self.block).is_empty() {
            return Some(Phase::Restarting);
        }
        phase
    }

    /// Asks for the retirement of the old credentials, where it is not under way or over already.
    async fn completed(&self, cx: &Context, notes: &mut Notes) -> Result<(), Failure> {
        let unread = |error: &Error| {
            let doing = format!("read how far the rotation of {} is", self.called());
            let valid = "Nothing was sent. Old and new credentials are both valid.";
            Failure::Refused(
                call("The rotation was not completed", &doing, error, valid, "").into(),
            )
        };
        let before = self.status().await.map_err(|error| unread(&error))?;
        if matches!(before.phase, Some(Phase::Retiring | Phase::Completed)) {
            notes.follow(None);
            return Ok(());
        }
        let token =
            notes.complete_token.get_or_insert_with(|| RetryToken::new().as_str().to_owned());
        let token = RetryToken::named(token.clone());
        let engine = self.session.container_engine();
        let sent = engine.complete_credential_rotation(self.id(), &token, &self.patience).await;
        let error = match sent {
            Ok(accepted) => {
                notes.follow(accepted.work_request_id);
                return Ok(());
            }
            Err(error) => error,
        };
        match self.status().await {
            Ok(status) if matches!(status.phase, Some(Phase::Retiring | Phase::Completed)) => {
                cx.tell(told::begun_all_the_same(&self.called(), &error));
                notes.follow(None);
                Ok(())
            }
            _ if error.is_ambiguous() => {
                Err(Failure::Unknown(told::completion_unknown(&self.called(), &error).into()))
            }
            _ => {
                // Asked for anew, it is another call.
                notes.complete_token = None;
                Err(Failure::Refused(told::completion_refused(&self.called(), &error).into()))
            }
        }
    }
}
