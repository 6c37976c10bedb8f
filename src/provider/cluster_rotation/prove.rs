//! What counts as proof that a rotation took place, and what the operator learns from it.

use crate::clock;
use crate::cloud::Surroundings;
use crate::cloud::kubernetes::{Access, Client, Settings, Verdict};
use crate::cloud::openstack::magnum::Cluster;
use crate::provider::arguments::written;
use crate::provider::cluster_rotation::decide::Credential;
use crate::provider::cluster_rotation::observe::{fingerprint, listed, of_cluster};
use crate::provider::cluster_rotation::private::UnderWay;
use crate::provider::cluster_rotation::run::Run;
use crate::provider::cluster_rotation::{Kept, checks, told};
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::Attr;

impl Run<'_> {
    /// The caller owns a credential of the cluster that was not there before.
    pub async fn prove_credential(
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
        if new.is_empty() && cluster.user_id.as_ref() != Some(&under_way.sender) {
            // Its credential replaced the one that this run had asked for.
            self.cx.tell(told::superseded(cluster, &under_way.sender));
            kept.state.application_credential_ids = Attr::Null;
            return Ok(());
        }
        if new.is_empty() {
            return Err(Diagnostic::error(
                "The cluster's new credential cannot be seen",
                format!(
                    "Magnum accepted the rotation and the cluster {} is {}, but user {} has no application credential named \
                     magnum-{uuid}-… that was not there before. The rotation is not taken as proven; the next apply looks again. To rotate once more instead, change triggers.",
                    told::called(cluster),
                    cluster.status.as_deref().unwrap_or_default(),
                    under_way.sender
                ),
            ));
        }
        if new.len() > 1 {
            self.cx.tell(told::several(cluster, &new));
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
        kept.state.application_credential_ids = listed(&new);
        Ok(())
    }

    /// Magnum has another CA, and what the API server shows is signed by it.
    pub async fn prove_ca(
        &self,
        cluster: &Cluster,
        under_way: &UnderWay,
        kept: &mut Kept,
    ) -> std::result::Result<(), Diagnostic> {
        kept.state.application_credential_ids = Attr::Null;
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
        let sha256_before = under_way.ca_sha256_before.as_ref();
        if new.as_ref().is_some_and(|(sha256, _)| Some(sha256) == sha256_before) {
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
            Ok(_) if old.is_none() => format!(
                "The API server {server} does not show a certificate of the new CA: new kubeconfigs are refused until its servers \
                 are replaced."
            ),
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
    pub async fn see(&self, uuid: &str, kept: &mut Kept) -> Result<()> {
        let openstack = &self.resource.openstack;
        match self.credential {
            Credential::ApplicationCredential => {
                let user = &self.caller.user.id;
                let seen = of_cluster(openstack, &self.session, user, uuid, &self.patience).await;
                let own = kept.state.owner_user_id.known() == Some(user);
                let seen = seen.ok().filter(|_| own);
                kept.state.application_credential_ids = seen.as_ref().map_or(Attr::Null, listed);
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
