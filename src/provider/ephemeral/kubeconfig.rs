//! `ephemeral "rekey_kubeconfig"`: access to a cluster for the length of a run, always with its present CA.

mod oke;

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::provider::magnum::{not_found, signed};
use crate::provider::oci::Oci;
use crate::provider::openstack::{Openstack, patience};
use crate::redaction::ExposeSecret as _;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::{Attr, Model, Secret, Set};
use crate::tfplugin::traits::{Ephemeral, Opened};

/// Access to a cluster for this run, with its CA as it is now, so that it never goes stale after a rotation.
/// Nothing of it is in the state.
///
/// Magnum (`cluster`): a key that is made in memory, and a certificate that the cluster's CA signs for it.
/// Only the owner of the cluster may have certificates signed.
/// Such a certificate is valid for five years and cannot be revoked, so ask for no more than you need.
///
/// OKE (`oke`): the token that `oci ce cluster generate-token` would give, made here, valid for a few minutes.
/// In the overlap of a rotation `cluster_ca_certificate` holds the old and the new CA.
#[derive(Clone, Debug, Default, Model)]
pub struct Kubeconfig {
    /// The client certificate, PEM; of Magnum.
    #[attr(computed)]
    pub client_certificate: Attr<String>,
    /// Its key, PEM; of Magnum.
    #[attr(computed, sensitive)]
    pub client_key: Attr<Secret>,
    /// The name or uuid of a Magnum cluster.
    #[attr(optional, exactly_one_of("oke"))]
    pub cluster: Attr<String>,
    /// The cluster's CA, PEM; in the overlap of a rotation of OKE's the old and the new one.
    #[attr(computed)]
    pub cluster_ca_certificate: Attr<String>,
    /// With `cluster`: the groups of the user, as Kubernetes' RBAC knows them.
    /// Default none: the user then may do what is granted to `username` and to everybody who is logged in.
    /// `system:masters` may do everything.
    #[attr(optional)]
    pub groups: Attr<Set<String>>,
    /// The API server's address.
    #[attr(computed)]
    pub host: Attr<String>,
    /// A cluster of Oracle's Kubernetes Engine.
    #[attr(optional, exactly_one_of("cluster"))]
    pub oke: Attr<OkeCluster>,
    /// The whole as a kubeconfig.
    #[attr(computed, sensitive)]
    pub raw: Attr<Secret>,
    /// The bearer token; of OKE. Valid for four minutes.
    #[attr(computed, sensitive)]
    pub token: Attr<Secret>,
    /// With `cluster`: the user's name, as Kubernetes' RBAC knows it; default the name of the login's user.
    #[attr(optional, computed)]
    pub username: Attr<String>,
}

/// A cluster of Oracle's Kubernetes Engine, and which of its addresses.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct OkeCluster {
    /// The OCID of the cluster.
    #[attr(required)]
    pub cluster_id: Attr<String>,
    /// `PUBLIC_ENDPOINT`, `PRIVATE_ENDPOINT` or `VCN_HOSTNAME`; default the one that OKE prefers.
    #[attr(optional, validate(one_of(&["PUBLIC_ENDPOINT", "PRIVATE_ENDPOINT", "VCN_HOSTNAME"])))]
    pub endpoint: Attr<String>,
}

/// Nothing is left to close: a certificate cannot be revoked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Private {}

/// See the module.
#[derive(Debug)]
pub struct KubeconfigResource {
    oci: Arc<Oci>,
    openstack: Arc<Openstack>,
}

impl KubeconfigResource {
    pub fn new(openstack: Arc<Openstack>, oci: Arc<Oci>) -> Self {
        Self { oci, openstack }
    }
}

#[async_trait]
impl Ephemeral for KubeconfigResource {
    type Model = Kubeconfig;
    type Private = Private;

    const NAME: &'static str = "kubeconfig";

    async fn open(&self, cx: &Context, config: Kubeconfig) -> Result<Opened<Kubeconfig, Private>> {
        if let Attr::Known(wanted) = config.oke.clone() {
            return oke::open(&self.oci, cx, config, &wanted).await;
        }
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
            token: Attr::Null,
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
