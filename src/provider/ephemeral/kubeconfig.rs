//! `ephemeral "rekey_kubeconfig"`: access to a cluster for the length of a run, always with its present CA.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::provider::magnum::{not_found, signed};
use crate::provider::openstack::{Openstack, patience};
use crate::redaction::ExposeSecret as _;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::{Attr, Model, Secret, Set};
use crate::tfplugin::traits::{Ephemeral, Opened};

/// Access to a Magnum cluster for this run: a key that is made in memory, a certificate that the cluster's CA signs
/// for it, and the CA as it is now, so that it never goes stale after a rotation.
/// Nothing of it is in the state.
///
/// Only the owner of the cluster may have certificates signed.
/// Such a certificate is valid for five years and cannot be revoked, so ask for no more than you need.
#[derive(Clone, Debug, Default, Model)]
pub struct Kubeconfig {
    /// The client certificate, PEM.
    #[attr(computed)]
    pub client_certificate: Attr<String>,
    /// Its key, PEM.
    #[attr(computed, sensitive)]
    pub client_key: Attr<Secret>,
    /// The cluster's name or uuid.
    #[attr(required)]
    pub cluster: Attr<String>,
    /// The cluster's CA, PEM.
    #[attr(computed)]
    pub cluster_ca_certificate: Attr<String>,
    /// The groups of the user, as Kubernetes' RBAC knows them.
    /// Default none: the user then may do what is granted to `username` and to everybody who is logged in.
    /// `system:masters` may do everything.
    #[attr(optional)]
    pub groups: Attr<Set<String>>,
    /// The API server's address.
    #[attr(computed)]
    pub host: Attr<String>,
    /// The whole as a kubeconfig.
    #[attr(computed, sensitive)]
    pub raw: Attr<Secret>,
    /// The user's name, as Kubernetes' RBAC knows it; default the name of the login's user.
    #[attr(optional, computed)]
    pub username: Attr<String>,
}

/// Nothing is left to close: a certificate cannot be revoked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Private {}

/// See the module.
#[derive(Debug)]
pub struct KubeconfigResource {
    openstack: Arc<Openstack>,
}

impl KubeconfigResource {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self { openstack }
    }
}

#[async_trait]
impl Ephemeral for KubeconfigResource {
    type Model = Kubeconfig;
    type Private = Private;

    const NAME: &'static str = "kubeconfig";

    async fn open(&self, cx: &Context, config: Kubeconfig) -> Result<Opened<Kubeconfig, Private>> {
        let session = self.openstack.session_now().await?;
        let patience = patience(cx);
        let id = config.cluster.known().cloned().unwrap_or_default();
        let cluster = match session.magnum().cluster(&id, &patience).await {
            Ok(cluster) => cluster,
            Err(error) => {
                let why = not_found(&session, &id, &error, &patience).await;
                return Err(why.at_attribute("cluster").into());
            }
        };
        let Some(host) = cluster.api_address.clone().filter(|host| !host.is_empty()) else {
            return Err(Diagnostic::error(
                "The cluster has no address",
                format!("Magnum does not tell the API address of the cluster {id:?} yet."),
            )
            .at_attribute("cluster")
            .into());
        };
        let username = match config.username.known() {
            Some(username) => username.clone(),
            None => crate::provider::openstack::token(&session, &patience).await?.user.name,
        };
        let groups = config.groups.known().map(|groups| groups.0.clone()).unwrap_or_default();
        let certificate = signed(&session, &cluster, &username, &groups, &patience).await?;
        let key = Secret(certificate.key);
        let raw = raw(&cluster.name, &host, &username, &certificate.ca, &certificate.pem, &key);
        let result = Kubeconfig {
            client_certificate: Attr::Known(certificate.pem),
            client_key: Attr::Known(key),
            cluster_ca_certificate: Attr::Known(certificate.ca),
            host: Attr::Known(host),
            raw: Attr::Known(raw),
            username: Attr::Known(username),
            ..config
        };
        Ok(Opened { result, private: Private {}, renew_at: None })
    }

    async fn close(&self, _cx: &Context, _private: Private) -> Result<()> {
        Ok(())
    }
}

/// A kubeconfig, as JSON, which is YAML.
fn raw(cluster: &str, host: &str, user: &str, ca: &str, certificate: &str, key: &Secret) -> Secret {
    let encoded = |pem: &str| BASE64_STANDARD.encode(pem);
    let text = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": cluster,
            "cluster": { "server": host, "certificate-authority-data": encoded(ca) },
        }],
        "users": [{
            "name": user,
            "user": {
                "client-certificate-data": encoded(certificate),
                "client-key-data": encoded(key.0.expose_secret()),
            },
        }],
        "contexts": [{ "name": cluster, "context": { "cluster": cluster, "user": user } }],
        "current-context": cluster,
    });
    Secret(text.to_string().into())
}
