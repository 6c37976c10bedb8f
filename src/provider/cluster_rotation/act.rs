//! Create and Update: one rotation from sending it to the last new pod. What has been accepted is written down
//! at once, so that whatever happens later the next run takes it up and sends nothing again.

use jiff::Timestamp;

use crate::clock;
use crate::cloud::Surroundings;
use crate::cloud::kubernetes::{Access, Client, Settings, Verdict};
use crate::cloud::openstack::magnum::Cluster;
use crate::cloud::openstack::{Patience, Session, Token};
use crate::provider::arguments::{whole_seconds, written};
use crate::provider::cluster_rotation::checks::{self, Target};
use crate::provider::cluster_rotation::decide::{self, Credential, phase};
use crate::provider::cluster_rotation::model::{ClusterRotation, Magnum};
use crate::provider::cluster_rotation::observe::{fingerprint, of_cluster};
use crate::provider::cluster_rotation::private::{Private, UnderWay};
use crate::provider::cluster_rotation::settle::{Outcome, Watch, failed};
use crate::provider::cluster_rotation::{ClusterRotationResource, Kept, identity, told, workloads};
use crate::provider::openstack::{patience, token};
use crate::rotation::{left_due, sentence};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result, Severity};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::{Change, StateCell};

/// Where a rotation stopped.
enum Stop {
    /// The cluster has its old credential: nothing has happened.
    Before(Diagnostics),
    /// It was accepted, or may have been.
    After(Diagnostics),
}

struct Run<'a> {
    resource: &'a ClusterRotationResource,
    cx: &'a Context,
    session: Session,
    caller: Token,
    patience: Patience,
    magnum: Magnum,
    credential: Credential,
}

impl<'a> Run<'a> {
    async fn begin(
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

    fn watch(&self) -> Watch<'_> {
        Watch {
            openstack: &self.resource.openstack,
            session: &self.session,
            caller: &self.caller,
            credential: self.credential,
            patience: &self.patience,
        }
    }
}

pub async fn create(
    resource: &ClusterRotationResource,
    cx: &Context,
    change: Change<ClusterRotationResource>,
    cell: &StateCell<ClusterRotationResource>,
) -> Result<()> {
    let Change { planned, config, .. } = change;
    let run = Run::begin(resource, cx, &config).await?;
    let id = run.magnum.cluster.known().cloned().unwrap_or_default();
    let target = checks::find(&run.session, &run.magnum, &id, &run.patience).await?;
    let mut kept = Kept { state: planned, private: Private::default(), identity: None };
    let name = run.credential.name();
    kept.state.id = Attr::Known(format!("{}/{name}", target.cluster.uuid));
    kept.state.owner_user_id = target.cluster.user_id.clone().into();
    kept.private.cluster_name = Some(target.cluster.name.clone());
    kept.private.project_id.clone_from(&target.cluster.project_id);
    kept.private.since = Some(whole_seconds(clock::now()));
    kept.identity = Some(identity(&kept.state));
    if !decide::rotates_on_create(&config) {
        run.see(&target.cluster.uuid, &mut kept).await?;
        kept.state.rotation_due_at = decide::next_due(&config, &kept.state, &kept.private);
        cell.save(kept);
        return Ok(());
    }
    match Box::pin(run.rotate(target, &config, &mut kept, cell)).await {
        Ok(()) => Ok(()),
        Err(Stop::Before(why)) => {
            cell.clear();
            Err(why)
        }
        // An error would taint the resource, and the next apply would rotate again.
        Err(Stop::After(why)) => {
            for diagnostic in why.0 {
                let detail = format!(
                    "{}\n\nResources that depend on this one are applied although the rotation is not complete. The next apply takes \
                     it up where it stopped and does not rotate again.",
                    diagnostic.detail
                );
                cx.tell(Diagnostic { severity: Severity::Warning, detail, ..diagnostic });
            }
            Ok(())
        }
    }
}

pub async fn update(
    resource: &ClusterRotationResource,
    cx: &Context,
    change: Change<ClusterRotationResource>,
    cell: &StateCell<ClusterRotationResource>,
) -> Result<()> {
    let Change { prior, planned, config, private } = change;
    let Some(prior) = prior else {
        let detail = "This is a bug of the provider.";
        return Err(Diagnostic::error("Update without a prior state", detail).into());
    };
    let steps = decide::steps(&prior, &config, &private);
    let resumes = decide::unfinished(&prior);
    let before = cell.current();
    let mut kept = Kept { state: settled(&planned, &prior), private, identity: None };
    kept.private.adopted = false;
    kept.identity = Some(identity(&kept.state));
    if kept.state.rotation_due.is_unknown() {
        kept.state.rotation_due = crate::provider::due::rotation_due(&left_due(&steps));
    }
    kept.state.rotation_due_at = decide::next_due(&config, &kept.state, &kept.private);
    let rotation = decide::rotation(&steps);
    if rotation.is_none() && !resumes {
        kept.state.phase = prior.phase.clone();
        cell.save(kept);
        return Ok(());
    }
    if let Some((generation, reasons)) = rotation {
        kept.state.generation = crate::provider::arguments::number(generation);
        kept.state.rotation_reason = Attr::Known(sentence(generation, reasons));
        // One that may not have been accepted is looked for first, and then counts as this one.
        if kept.private.under_way.as_ref().is_some_and(|under_way| under_way.accepted) {
            kept.private.under_way = None;
        }
    }
    let run = Run::begin(resource, cx, &config).await?;
    let uuid = decide::uuid(&prior);
    let target = checks::find(&run.session, &run.magnum, &uuid, &run.patience).await?;
    match Box::pin(run.rotate(target, &config, &mut kept, cell)).await {
        Ok(()) => Ok(()),
        Err(Stop::Before(why)) => {
            if let Some(before) = before {
                cell.save(before);
            }
            Err(why)
        }
        Err(Stop::After(why)) => Err(why),
    }
}

impl Run<'_> {
    /// One rotation, from wherever it is.
    async fn rotate(
        &self,
        target: Target,
        config: &ClusterRotation,
        kept: &mut Kept,
        cell: &StateCell<ClusterRotationResource>,
    ) -> std::result::Result<(), Stop> {
        let one = self.resource.one_at_a_time(&target.cluster.uuid);
        let _one = one.lock().await;
        let after = |diagnostic: Diagnostic| Stop::After(diagnostic.into());
        let save = |kept: &mut Kept, under_way: &UnderWay, phase: &str| {
            kept.state.phase = Attr::Known(phase.to_owned());
            kept.state.started_at = Attr::Known(written(under_way.sent_at));
            kept.state.completed_at = kept.state.completed_at.clone().or_if_unknown(Attr::Null);
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
            return Err(Stop::Before(failed(&cluster).into()));
        }
        kept.state.owner_user_id = cluster.user_id.clone().into();
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
            Box::pin(restarted).await.map_err(after)?;
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
        if std::mem::take(&mut kept.private.rotated_outside) {
            under_way.accepted = true;
            under_way.known = std::mem::take(&mut kept.private.credentials);
            // What is there now is the new one already.
            under_way.ca_before = None;
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
        Ok(UnderWay {
            accepted: false,
            ca_before,
            known,
            owner_before: kept.state.owner_user_id.known().cloned(),
            restart: None,
            sender,
            sent_at,
            workloads: None,
        })
    }

    /// The caller owns a credential of the cluster that was not there before.
    async fn prove_credential(
        &self,
        cluster: &Cluster,
        under_way: &UnderWay,
        kept: &mut Kept,
    ) -> std::result::Result<(), Diagnostic> {
        let uuid = &cluster.uuid;
        let watch = self.watch();
        let new = watch.new_credentials(uuid, under_way).await.map_err(|error| {
            checks::unreadable("list the application credentials of the cluster", &error)
        })?;
        if new.is_empty() {
            return Err(Diagnostic::error(
                "The cluster's new credential cannot be seen",
                format!(
                    "Magnum accepted the rotation and the cluster {} is {}, but user {} has no application credential named \
                     magnum-{uuid}-… that was not there before. The rotation is not taken as proven; the next apply looks again.",
                    told::called(cluster),
                    cluster.status.as_deref().unwrap_or_default(),
                    under_way.sender
                ),
            ));
        }
        let openstack = &self.resource.openstack;
        let all =
            of_cluster(openstack, &self.session, &under_way.sender, uuid, &self.patience).await;
        let left: Vec<String> =
            all.unwrap_or_default().intersection(&under_way.known).cloned().collect();
        if !left.is_empty() {
            let reason = cluster.status_reason.as_deref().unwrap_or("no reason given");
            self.cx.tell(Diagnostic::warning(
                "The cluster's former credential still exists",
                format!(
                    "The cluster {} has its new credential, but the former one was not deleted: {} ({reason}). It goes on working; \
                     delete it by hand.",
                    told::called(cluster),
                    left.join(", ")
                ),
            ));
        }
        if cluster.health_status.as_deref() == Some("UNHEALTHY") {
            self.cx.tell(Diagnostic::warning(
                "The cluster is unhealthy",
                format!(
                    "Magnum calls the cluster {} UNHEALTHY after the rotation.",
                    told::called(cluster)
                ),
            ));
        }
        kept.private.credentials = new;
        Ok(())
    }

    /// Magnum has another CA, and what the API server shows is signed by it.
    async fn prove_ca(
        &self,
        cluster: &Cluster,
        under_way: &UnderWay,
        kept: &mut Kept,
    ) -> std::result::Result<(), Diagnostic> {
        let pem = match self.session.magnum().ca(&cluster.uuid, &self.patience).await {
            Ok(pem) => pem,
            Err(error) if error.status() == Some(403) => {
                self.cx.tell(told::ca_hidden(&kept.state));
                return Ok(());
            }
            Err(error) => return Err(checks::unreadable("read the cluster's new CA", &error)),
        };
        let new = fingerprint(&pem);
        let before = under_way.ca_before.as_deref();
        if before.and_then(fingerprint) == new {
            return Err(Diagnostic::error(
                "The cluster still has its old CA",
                format!(
                    "Magnum accepted the rotation and the cluster {} is {}, but its CA is the same as before.",
                    told::called(cluster),
                    cluster.status.as_deref().unwrap_or_default()
                ),
            ));
        }
        if let Some((sha256, expiry)) = new {
            kept.state.ca_certificate_sha256 = Attr::Known(sha256);
            kept.state.expires_at = Attr::Known(written(expiry));
        }
        self.cx.tell(self.served(cluster, &pem, before).await);
        Ok(())
    }

    /// Which consumers the API server's chain will please: those with the new CA, or those with the old.
    async fn served(&self, cluster: &Cluster, new: &str, old: Option<&str>) -> Diagnostic {
        let server = cluster.api_address.clone().unwrap_or_default();
        let settings = Settings { host: Some(server.clone()), ..Settings::default() };
        let chain = match Access::resolve(&settings, &Surroundings::of_process()) {
            Ok(access) => Client::new(access)
                .served_chain(&self.patience)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.message),
        };
        let now = clock::now();
        let story = match chain {
            Ok(chain) if chain.verify(new, now) == Verdict::Trusted => format!(
                "The API server {server} shows a certificate of the new CA: new kubeconfigs work, and every one from before is \
                 refused."
            ),
            Ok(chain) if old.is_some_and(|old| chain.verify(old, now) == Verdict::Trusted) => {
                format!(
                    "The API server {server} still shows a certificate of the old CA: kubeconfigs from before go on working, and new ones \
                 are refused until its servers are replaced."
                )
            }
            Ok(_) => format!(
                "The API server {server} shows a certificate of neither the old nor the new CA: look at what stands between."
            ),
            Err(error) => format!("The API server {server} could not be looked at: {error}."),
        };
        Diagnostic::warning(
            "The cluster's CA was replaced",
            format!("The cluster {} has a new CA. {story}", told::called(cluster)),
        )
    }

    /// What is there, for a resource that does not rotate on create.
    async fn see(&self, uuid: &str, kept: &mut Kept) -> Result<()> {
        let openstack = &self.resource.openstack;
        match self.credential {
            Credential::ApplicationCredential => {
                let user = &self.caller.user.id;
                let seen = of_cluster(openstack, &self.session, user, uuid, &self.patience).await;
                kept.private.credentials = seen.unwrap_or_default();
            }
            Credential::CaCertificate => {
                let ca = self.session.magnum().ca(uuid, &self.patience).await;
                let seen = ca.ok().as_deref().and_then(fingerprint);
                let (sha256, expiry) = seen.unzip();
                kept.state.ca_certificate_sha256 = sha256.into();
                kept.state.expires_at = expiry.map(written).into();
            }
        }
        Ok(())
    }
}

fn complete(config: &ClusterRotation, kept: &mut Kept, now: Timestamp) {
    kept.state.phase = Attr::Known(phase::COMPLETED.into());
    kept.state.completed_at = Attr::Known(written(whole_seconds(now)));
    kept.private.since = None;
    kept.private.under_way = None;
    kept.private.rotated_outside = false;
    kept.state.rotation_due_at = decide::next_due(config, &kept.state, &kept.private);
    kept.identity = Some(identity(&kept.state));
}

/// The planned state, what was unknown in it filled from the prior one.
fn settled(planned: &ClusterRotation, prior: &ClusterRotation) -> ClusterRotation {
    let mut state = planned.clone();
    macro_rules! fill {
        ($($field:ident),*) => {
            $(state.$field = state.$field.or_if_unknown(prior.$field.clone());)*
        };
    }
    fill!(
        ca_certificate_sha256,
        completed_at,
        expires_at,
        generation,
        id,
        owner_user_id,
        phase,
        rotation_due_at,
        rotation_reason,
        started_at
    );
    state
}
