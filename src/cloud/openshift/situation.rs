//! All that is to be known of a cluster's cloud credentials, read together; the other modules draw their conclusions
//! from it alone. A view of several calls, each a little later than the one before: whoever acts on it names the
//! version or uid that it acts on.

use std::collections::BTreeMap;

use super::api::{Client, Error};
use super::name::Name;
use super::objects::{
    Conditioned, CredentialsRequest, Infrastructure, KubeControllerManager, Secret,
};
use super::platform::Platform;
use crate::cloud::http::Patience;

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    pub infrastructure: Infrastructure,
    /// `CloudCredential/cluster.spec.credentialsMode`. None: there is no such object.
    pub operator_mode: Option<String>,
    /// What the legacy config map says under `disabled`, as it is written. None: nothing.
    pub legacy_disabled: Option<String>,
    /// `Authentication/cluster.spec.serviceAccountIssuer`
    pub issuer: String,
    /// None: a platform that the operator has nothing to rotate on.
    pub platform: Option<Platform>,
    pub root: Option<Secret>,
    /// Of all namespaces and platforms.
    pub requests: Vec<CredentialsRequest>,
    /// The component secrets that are there, of this platform's requests.
    pub components: BTreeMap<Name, Secret>,
    pub operators: Vec<Conditioned>,
    /// The Cloud Credential Operator's Deployment.
    pub operator: Option<Conditioned>,
    pub version: Option<Conditioned>,
    /// vSphere only.
    pub kube_controller_manager: Option<KubeControllerManager>,
    /// vSphere only: the CSI driver has an operator, which follows the secret by itself.
    pub has_csi_operator: bool,
    /// OpenStack only: the cloud's CA bundle as the cluster has it, PEM.
    pub ca_bundle: Option<String>,
}

impl Situation {
    /// Everything.
    pub async fn read(client: &Client, patience: &Patience) -> Result<Self, Error> {
        let infrastructure = client.infrastructure(patience).await?;
        let platform = infrastructure.platform().parse().ok();
        let mut situation = Self { infrastructure, platform, ..Self::default() };
        situation.legacy_disabled =
            client.legacy_config(patience).await?.and_then(|map| map.data.get("disabled").cloned());
        let authentication = client.authentication(patience).await?.unwrap_or_default();
        situation.issuer = authentication.spec.service_account_issuer;
        situation.version = client.cluster_version(patience).await?;
        match platform {
            Some(Platform::Vsphere) => {
                let driver = client.vsphere_csi_driver(patience).await?;
                situation.has_csi_operator = driver.is_some_and(|driver| {
                    matches!(&*driver.spec.management_state, "" | "Managed" | "Force")
                });
            }
            Some(Platform::Openstack) => {
                let config = client.cloud_config(patience).await?.unwrap_or_default();
                situation.ca_bundle =
                    config.data.get("ca-bundle.pem").filter(|pem| !pem.trim().is_empty()).cloned();
            }
            _ => {}
        }
        situation.look_again(client, patience).await?;
        situation.look_at_consumers(client, patience).await?;
        Ok(situation)
    }

    /// What changes in the course of a rotation, but for the consumers.
    pub async fn look_again(&mut self, client: &Client, patience: &Patience) -> Result<(), Error> {
        let settings = client.cloud_credential(patience).await?;
        self.operator_mode = settings.map(|settings| settings.spec.credentials_mode);
        self.requests = client.requests(patience).await?;
        let Some(platform) = self.platform else { return Ok(()) };
        self.components.clear();
        let ours = self
            .requests
            .iter()
            .filter(|request| request.spec.provider_spec.kind == platform.provider_spec());
        for name in ours.filter_map(|request| request.secret().ok()) {
            if !self.components.contains_key(&name)
                && let Some(secret) = client.secret(&name, patience).await?
            {
                self.components.insert(name, secret);
            }
        }
        // After what is made of it: what is found to differ differs from a root that was there before.
        self.root = client.root(platform, patience).await?;
        Ok(())
    }

    /// The consumers: whatever reads the components' secrets.
    pub async fn look_at_consumers(
        &mut self,
        client: &Client,
        patience: &Patience,
    ) -> Result<(), Error> {
        self.operators = client.operators(patience).await?;
        self.operator = client.operator(patience).await?;
        if self.platform == Some(Platform::Vsphere) {
            self.kube_controller_manager = client.kube_controller_manager(patience).await?;
        }
        Ok(())
    }

    /// The root secret's version, where there is one.
    pub fn root_version(&self) -> Option<&str> {
        self.root.as_ref().map(|root| root.metadata.resource_version.as_str())
    }
}
