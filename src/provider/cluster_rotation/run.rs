//! One rotation from sending it to the last new pod. What has been accepted is written down at once, so that
//! whatever happens later the next run takes it up and sends nothing again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::clock;
use crate::cloud::openstack::magnum::Cluster;
use crate::cloud::openstack::{Patience, Session, Token};
use crate::provider::arguments::{moment, whole_seconds, written};
use crate::provider::cluster_rotation::checks::{self, Target};
use crate::provider::cluster_rotation::decide::{self, Credential, phase};
use crate::provider::cluster_rotation::model::{ClusterRotation, Magnum};
use crate::provider::cluster_rotation::observe::{fingerprint, known, of_cluster};
use crate::provider::cluster_rotation::private::{Owner, UnderWay};
use crate::provider::cluster_rotation::settle::{self, Outcome, Watch};
use crate::provider::cluster_rotation::{ClusterRotationResource, Kept, identity, told, workloads};
use crate::provider::openstack::{patience, token};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::StateCell;

/// Where a rotation stopped.
#[derive(Debug)]
pub enum Stop {
    /// The cluster has its old credential: nothing has happened.
    Before(Diagnostics),
    /// It was accepted, or may have been.
    After(Diagnostics),
}

/// An operation on one cluster.
#[derive(Debug)]
pub struct Run<'a> {
    pub(super) resource: &'a ClusterRotationResource,
    pub(super) cx: &'a Context,
    pub(super) session: Session,
    pub(super) caller: Token,
    pub(super) patience: Patience,
    pub(super) magnum: Magnum,
    pub(super) credential: Credential,
}

impl<'a> Run<'a> {
    pub async fn begin(
        resource: &'a ClusterRotationResource,
        cx: &'a Context,
        config: &ClusterRotation,
    ) -> Result<Self> {
        let session = resource.openstack.session_now().await?;
        let patience = patience(cx);
        let caller = token(&session, &patience).await?;
        let magnum = config.magnum.known().cloned().unwrap_or_default();
        let credential = Credential::of(config);
        Ok(Self { resource, cx, session, caller, patience, magnum, credential })
    }

    pub(super) fn watch(&self) -> Watch<'_> {
        Watch {
            openstack: &self.resource.openstack,
            session: &self.session,
            caller: &self.caller,
            credential: self.credential,
            patience: &self.patience,
        }
    }
}

impl Run<'_> {
    /// One rotation, from wherever it is.
    pub async fn rotate(
        &self,
        mut target: Target,
        config: &ClusterRotation,
        kept: &mut Kept,
        cell: &StateCell<ClusterRotationResource>,
    ) -> std::result::Result<(), Stop> {
        let one = self.resource.one_at_a_time(&target.cluster.uuid);
        let _one = if let Ok(free) = one.try_lock() {
            free
        } else {
            let free = one.lock().await;
            // What was seen of the cluster is from before the other's rotation.
            let uuid = &target.cluster.uuid;
            target = checks::find(&self.session, &self.magnum, uuid, &self.patience)
                .await
                .map_err(|failure| Stop::Before(failure.into()))?;
            free
        };
        let after = |diagnostic: Diagnostic| Stop::After(diagnostic.into());
        let save = |kept: &mut Kept, under_way: &UnderWay, phase: &str| {
            kept.state.phase = Attr::Known(phase.to_owned());
            kept.state.started_at = Attr::Known(written(under_way.sent_at));
            kept.state.completed_at = kept.state.completed_at.clone().or_if_unknown(Attr::Null);
            kept.state.application_credential_ids =
                kept.state.application_credential_ids.clone().or_if_unknown(Attr::Null);
            for field in [&mut kept.state.ca_certificate_sha256, &mut kept.state.expires_at] {
                *field = field.clone().or_if_unknown(Attr::Null);
            }
            kept.private.under_way = Some(under_way.clone());
            kept.state.rotation_due_at = decide::next_due(config, &kept.state, &kept.private);
            cell.save(kept.clone());
        };

        let mut under_way = self.accepted(&target, kept, &save).await?;
        save(kept, &under_way, phase::VERIFYING);
        let cluster = self.watch().settled(&target.cluster.uuid).await.map_err(after)?;
        if cluster.status.as_deref().is_some_and(|status| status.ends_with("_FAILED")) {
            return Err(self.gave_up(&cluster, &under_way).await);
        }
        kept.state.owner_user_id = cluster.user_id.clone().into();
        kept.private.owner = Owner::seen(&cluster, &self.caller).or(kept.private.owner.take());
        match self.credential {
            Credential::ApplicationCredential => {
                self.prove_credential(&cluster, &under_way, kept).await.map_err(after)?;
            }
            Credential::CaCertificate => {
                self.prove_ca(&cluster, &under_way, kept).await.map_err(after)?;
            }
        }

        let restarts = self.credential == Credential::ApplicationCredential
            && target.restarts.unwrap_or(false);
        let mut without_pods = Vec::new();
        if restarts {
            let wanted = workloads::wanted(&self.magnum).map_err(after)?;
            under_way.workloads.get_or_insert_with(|| workloads::names(&wanted));
            save(kept, &under_way, phase::RESTARTING);
            let kubernetes = self.resource.kubernetes.configured();
            let client = workloads::enter(
                kubernetes.as_ref(),
                &self.session,
                &cluster,
                &self.magnum,
                &self.patience,
            );
            let client = client.await.map_err(after)?;
            let restarted =
                workloads::restart(&client, &wanted, &mut under_way, &self.patience, |now| {
                    save(kept, now, phase::RESTARTING);
                });
            without_pods = Box::pin(restarted).await.map_err(after)?;
        }
        if !without_pods.is_empty() {
            self.cx.tell(told::no_pods(&cluster, &without_pods));
        }
        complete(config, kept, clock::now());
        cell.save(kept.clone());
        Ok(())
    }

    /// The rotation that is under way and accepted; sent now if none is.
    async fn accepted(
        &self,
        target: &Target,
        kept: &mut Kept,
        save: &impl Fn(&mut Kept, &UnderWay, &str),
    ) -> std::result::Result<UnderWay, Stop> {
        let uuid = &target.cluster.uuid;
        let before = |diagnostic: Diagnostic| Stop::Before(diagnostic.into());
        let mut under_way = match kept.private.under_way.clone() {
            Some(under_way) if under_way.accepted => return Ok(under_way),
            Some(under_way) => {
                // The last run did not learn what became of it.
                let happened = self.watch().has_happened(uuid, &under_way).await;
                let happened = happened.map_err(|error| {
                    let doing = format!("learn what became of the last rotation of {uuid}");
                    Stop::After(checks::unreadable(&doing, &error).into())
                })?;
                if happened {
                    return Ok(UnderWay { accepted: true, ..under_way });
                }
                self.begun(uuid, under_way.sent_at, kept).await?
            }
            None => self.begun(uuid, whole_seconds(clock::now()), kept).await?,
        };
        let outside = kept.private.rotated_outside.take().is_some();
        // Somebody else's rotation is not the one that this login was asked for.
        let own = self.credential == Credential::CaCertificate
            || target.cluster.user_id.as_ref() == Some(&self.caller.user.id);
        if outside && own {
            under_way.accepted = true;
            under_way.ca_before = None;
            under_way.ca_sha256_before = None;
            under_way.known = known(&kept.state);
            return Ok(under_way);
        }
        let refusals = checks::may_rotate(
            &self.session,
            &self.caller,
            target,
            &self.magnum,
            self.credential,
            &self.patience,
        );
        let refusals = refusals.await;
        if !refusals.is_empty() {
            return Err(Stop::Before(Diagnostics(refusals)));
        }
        match self.watch().send(&target.cluster, &under_way).await {
            Outcome::Accepted => under_way.accepted = true,
            Outcome::Refused(why) => return Err(before(*why)),
            Outcome::Unknown(why) => {
                save(kept, &under_way, phase::ROTATING);
                return Err(Stop::After((*why).into()));
            }
        }
        Ok(under_way)
    }

    /// It was accepted, and the cluster has failed since: is it the rotation that failed?
    async fn gave_up(&self, cluster: &Cluster, under_way: &UnderWay) -> Stop {
        let happened = self.watch().has_happened(&cluster.uuid, under_way).await;
        match (self.credential, happened) {
            // Nothing has changed: the next apply may begin anew.
            (Credential::ApplicationCredential, Ok(false)) => {
                Stop::Before(settle::failed(cluster).into())
            }
            // A stored CA is not put back.
            _ => Stop::After(settle::failed_since(cluster).into()),
        }
    }

    /// What is to be known from before a rotation is sent.
    async fn begun(
        &self,
        uuid: &str,
        sent_at: Timestamp,
        kept: &Kept,
    ) -> std::result::Result<UnderWay, Stop> {
        let sender = self.caller.user.id.clone();
        self.resource.openstack.forget(&sender);
        let openstack = &self.resource.openstack;
        let known = of_cluster(openstack, &self.session, &sender, uuid, &self.patience).await;
        let known = known.map_err(|error| {
            Stop::Before(
                crate::provider::errors::call(
                    "Cannot read application credentials",
                    "list the application credentials of the login before the rotation",
                    &error,
                    "Nothing was sent.",
                    "",
                )
                .into(),
            )
        })?;
        let ca_before = match self.credential {
            Credential::CaCertificate => self.session.magnum().ca(uuid, &self.patience).await.ok(),
            Credential::ApplicationCredential => None,
        };
        let ca_sha256_before = ca_before.as_deref().and_then(fingerprint).map(|(sha256, _)| sha256);
        Ok(UnderWay {
            accepted: false,
            ca_before,
            ca_sha256_before,
            known,
            owner_before: kept.state.owner_user_id.known().cloned(),
            restart: None,
            sender,
            sent_at,
            workloads: None,
        })
    }
}

/// What can be said of a rotation whose private data is lost: that of a process that died while it took up what
/// an earlier run had left unfinished.
pub fn remembered(state: &ClusterRotation, caller: &Token) -> UnderWay {
    let accepted = state.phase.known().is_none_or(|phase| phase != phase::ROTATING);
    UnderWay {
        accepted,
        ca_before: None,
        ca_sha256_before: state.ca_certificate_sha256.known().filter(|_| !accepted).cloned(),
        known: if accepted { BTreeSet::new() } else { known(state) },
        owner_before: state.owner_user_id.known().cloned(),
        restart: None,
        sender: caller.user.id.clone(),
        sent_at: moment(&state.started_at).unwrap_or_else(|| whole_seconds(clock::now())),
        workloads: None,
    }
}

fn complete(config: &ClusterRotation, kept: &mut Kept, now: Timestamp) {
    kept.state.phase = Attr::Known(phase::COMPLETED.into());
    kept.state.completed_at = Attr::Known(written(whole_seconds(now)));
    kept.private.since = None;
    kept.private.under_way = None;
    kept.private.rotated_outside = None;
    kept.state.rotation_due_at = decide::next_due(config, &kept.state, &kept.private);
    kept.identity = Some(identity(&kept.state));
}
