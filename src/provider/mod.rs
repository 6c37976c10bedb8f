//! The Terraform face; one file for each type; each reads as schema, observe, decide, act, save.

pub mod address;
pub mod application_credential;
pub mod arguments;
pub mod cluster_credential_rotation;
pub mod clusters;
pub mod config;
pub mod data;
pub mod ephemeral;
pub mod errors;
pub mod functions;
pub mod kubernetes;
pub mod magnum;
pub mod oci;
pub mod oke;
pub mod openstack;
pub mod plan_checks;
pub mod schedule;
pub mod timeouts;
pub mod walk;

use std::sync::Arc;

use async_trait::async_trait;

use crate::cloud::Surroundings;
use crate::cloud::oci::config::Settings as OciSettings;
use crate::cloud::openstack::config::{Caveat, Settings};
use crate::provider::application_credential::ApplicationCredentialResource;
use crate::provider::cluster_credential_rotation::ClusterRotationResource;
use crate::provider::cluster_credential_rotation::services::Services;
use crate::provider::clusters::Clusters;
use crate::provider::config::Config;
use crate::provider::data::{
    ApplicationCredentials, ClusterCredentials, OneApplicationCredential, OpenshiftCredentialsMode,
};
use crate::provider::ephemeral::{
    EphemeralApplicationCredential, KubeconfigResource, OpenstackToken,
};
use crate::provider::functions::{CloudsYaml, DurationSeconds, Openrc};
use crate::provider::kubernetes::Shared;
use crate::provider::oci::Oci;
use crate::provider::openstack::Openstack;
use crate::provider::plan_checks::PlanChecks;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::Attr;
use crate::tfplugin::server::Registry;
use crate::tfplugin::traits::Provider;

/// Everything that the provider serves.
pub fn registry() -> Registry {
    serving(Oci::default(), Openstack::default())
}

/// The same with surroundings of its own instead of the process's: for tests in their own process.
pub fn registry_in(surroundings: Surroundings) -> Registry {
    serving(Oci::in_surroundings(surroundings.clone()), Openstack::in_surroundings(surroundings))
}

fn serving(oci: Oci, openstack: Openstack) -> Registry {
    let oci = Arc::new(oci);
    let openstack = Arc::new(openstack);
    let kubernetes = Arc::new(Shared::default());
    let clusters = Arc::new(Clusters::default());
    Registry::new(Rekey {
        kubernetes: Arc::clone(&kubernetes),
        oci: Arc::clone(&oci),
        openstack: Arc::clone(&openstack),
    })
    .resource(ApplicationCredentialResource::new(Arc::clone(&openstack)))
    .resource(ClusterRotationResource::new(Services {
        clusters: Arc::clone(&clusters),
        kubernetes: Arc::clone(&kubernetes),
        oci: Arc::clone(&oci),
        openstack: Arc::clone(&openstack),
        #[cfg(test)]
        stand_in: None,
    }))
    .data_source(OneApplicationCredential::new(Arc::clone(&openstack)))
    .data_source(ApplicationCredentials::new(Arc::clone(&openstack)))
    .data_source(ClusterCredentials::new(Arc::clone(&openstack), clusters, Arc::clone(&oci)))
    .data_source(OpenshiftCredentialsMode::new(kubernetes))
    .ephemeral(EphemeralApplicationCredential::new(Arc::clone(&openstack)))
    .ephemeral(KubeconfigResource::new(Arc::clone(&openstack), oci))
    .ephemeral(OpenstackToken::new(openstack))
    .function(CloudsYaml)
    .function(DurationSeconds)
    .function(Openrc)
}

/// The provider block, and what all types share.
#[derive(Debug)]
struct Rekey {
    kubernetes: Arc<Shared>,
    oci: Arc<Oci>,
    openstack: Arc<Openstack>,
}

#[async_trait]
impl Provider for Rekey {
    type Config = Config;

    const NAME: &'static str = "rekey";

    async fn configure(&self, cx: &Context, config: Config) -> Result<()> {
        let settings = match &config.openstack {
            Attr::Null => Ok(Settings::default()),
            Attr::Unknown => Err("openstack"),
            Attr::Known(openstack) => openstack.settings(),
        };
        let oci = match &config.oci {
            Attr::Null => Ok(OciSettings::default()),
            Attr::Unknown => Err("oci"),
            Attr::Known(oci) => oci.settings(),
        };
        let plan_checks = PlanChecks::named(config.plan_checks.known().map(String::as_str));
        self.kubernetes.configure(&config.kubernetes);
        self.oci.configure(oci);
        self.openstack.configure(settings, plan_checks);
        for caveat in self.openstack.caveats().await {
            cx.tell(warning(&caveat));
        }
        if let Some(caveat) = self.kubernetes.caveat(&Surroundings::of_process()) {
            cx.tell(caveat);
        }
        Ok(())
    }
}

fn warning(caveat: &Caveat) -> Diagnostic {
    match caveat {
        Caveat::NotVerified => Diagnostic::warning(
            "Certificates are not verified",
            "Whoever answers in the cloud's place is trusted and gets the login: `insecure = true` in the provider block, \
             `verify` or `insecure` in clouds.yaml, or OS_INSECURE says so. Use cacert instead.",
        ),
        Caveat::PlainText { setting, address } => Diagnostic::warning(
            "A login goes over the network in plain text",
            format!(
                "{setting} is {address}, which is not encrypted: whoever listens on the way gets the password or token, and \
                 everything that is issued. Use https."
            ),
        ),
        Caveat::ProfileNotUsed { profile, whose, place } => Diagnostic::warning(
            "A profile is not used",
            format!(
                "The profile {profile:?} of {whose} is expected in {place} and is not there; what it would set is not set. Write \
                 that into clouds.yaml, or take the profile out."
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn core_takes_every_schema() {
        assert_eq!(super::registry().problems(), [] as [String; 0]);
    }
}
