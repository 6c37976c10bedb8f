//! The calls. Each is one request (a list may be several pages). What changes something names what it changes, a version
//! or a uid: so where an answer was lost, a look and the same call again do no harm.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value as Json, json};

use super::name::Name;
use super::objects::{
    Authentication, CloudCredential, Conditioned, ConfigMap, CredentialsRequest, CsiDriver, Data,
    Infrastructure, KubeControllerManager, MODE, Secret,
};
use super::platform::{OPERATOR_NAMESPACE, Platform, ROOT_NAMESPACE};
use super::value;
use crate::cloud::http::Patience;
use crate::cloud::kubernetes;

/// Why the cluster's credentials could not be looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Kubernetes(#[from] kubernetes::Error),
    /// It has no `Infrastructure`.
    #[error(
        "{server} is the API server of a cluster that is not OpenShift: it has no Infrastructure \"cluster\""
    )]
    NotOpenshift { server: String },
}

impl Error {
    /// A change may have been made although nothing was answered.
    pub fn may_have_acted(&self) -> bool {
        matches!(self, Self::Kubernetes(error) if error.may_have_acted())
    }
}

/// One OpenShift cluster.
#[derive(Clone, Debug)]
pub struct Client(kubernetes::Client);

/// What became of a write that names what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    Done,
    /// It is another one by now, or was made meanwhile: nothing was written by this call. Where an answer was lost
    /// before, the one that is there may be this call's own.
    Superseded,
    /// There is none.
    Gone,
}

/// What is written into a root secret.
#[derive(Clone, Debug)]
pub struct RootWrite<'w> {
    pub platform: Platform,
    /// The keys that change; all others stay.
    pub data: &'w Data,
    /// The version that is changed; None makes the secret.
    pub version: Option<&'w str>,
}

impl Client {
    pub fn new(kubernetes: kubernetes::Client) -> Self {
        Self(kubernetes)
    }

    /// The Kubernetes API, for workloads.
    pub fn kubernetes(&self) -> &kubernetes::Client {
        &self.0
    }

    pub async fn infrastructure(&self, patience: &Patience) -> Result<Infrastructure, Error> {
        let found = self.object(&config("infrastructures", "cluster"), patience).await?;
        found.ok_or_else(|| Error::NotOpenshift { server: self.0.server() })
    }

    pub async fn cloud_credential(
        &self,
        patience: &Patience,
    ) -> Result<Option<CloudCredential>, Error> {
        self.object(&operator("cloudcredentials", "cluster"), patience).await
    }

    pub async fn authentication(
        &self,
        patience: &Patience,
    ) -> Result<Option<Authentication>, Error> {
        self.object(&config("authentications", "cluster"), patience).await
    }

    /// The configuration from before `CloudCredential`, which still counts.
    pub async fn legacy_config(&self, patience: &Patience) -> Result<Option<ConfigMap>, Error> {
        let path = core(OPERATOR_NAMESPACE, "configmaps", "cloud-credential-operator-config");
        self.object(&path, patience).await
    }

    /// OpenStack: where the CA bundle of the cloud is.
    pub async fn cloud_config(&self, patience: &Patience) -> Result<Option<ConfigMap>, Error> {
        self.object(&core("openshift-config", "configmaps", "cloud-provider-config"), patience)
            .await
    }

    pub async fn cluster_version(&self, patience: &Patience) -> Result<Option<Conditioned>, Error> {
        self.object(&config("clusterversions", "version"), patience).await
    }

    /// The operator's own Deployment.
    pub async fn operator(&self, patience: &Patience) -> Result<Option<Conditioned>, Error> {
        let path = format!(
            "/apis/apps/v1/namespaces/{OPERATOR_NAMESPACE}/deployments/cloud-credential-operator"
        );
        self.object(&path, patience).await
    }

    pub async fn kube_controller_manager(
        &self,
        patience: &Patience,
    ) -> Result<Option<KubeControllerManager>, Error> {
        self.object(&operator("kubecontrollermanagers", "cluster"), patience).await
    }

    /// What the vSphere CSI Driver Operator works on.
    pub async fn vsphere_csi_driver(
        &self,
        patience: &Patience,
    ) -> Result<Option<CsiDriver>, Error> {
        self.object(&operator("clustercsidrivers", "csi.vsphere.vmware.com"), patience).await
    }

    /// Of all namespaces.
    pub async fn requests(&self, patience: &Patience) -> Result<Vec<CredentialsRequest>, Error> {
        let path = format!("{REQUESTS}/credentialsrequests");
        Ok(self.0.list(&path, &[], patience).await?.items)
    }

    pub async fn operators(&self, patience: &Patience) -> Result<Vec<Conditioned>, Error> {
        let path = "/apis/config.openshift.io/v1/clusteroperators";
        Ok(self.0.list(path, &[], patience).await?.items)
    }

    pub async fn secret(&self, name: &Name, patience: &Patience) -> Result<Option<Secret>, Error> {
        self.secret_at(&core(name.namespace(), "secrets", name.name()), patience).await
    }

    pub async fn root(
        &self,
        platform: Platform,
        patience: &Patience,
    ) -> Result<Option<Secret>, Error> {
        self.secret_at(&core(ROOT_NAMESPACE, "secrets", platform.root_name()), patience).await
    }

    /// Writes these keys and no other. Where the operator says what it makes of a root credential, what it said of
    /// the former one goes in the same write: so whatever it says from then on is about this one.
    pub async fn write_root(
        &self,
        write: &RootWrite<'_>,
        patience: &Patience,
    ) -> Result<Write, Error> {
        let data: BTreeMap<&str, String> = write
            .data
            .iter()
            .map(|(key, value)| (key.as_str(), value.base64().to_string()))
            .collect();
        write.data.iter().for_each(|(key, value)| value::hush(key, value));
        let name = write.platform.root_name();
        let Some(version) = write.version else {
            let made = json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": { "name": name, "namespace": ROOT_NAMESPACE }, "data": data,
            });
            let path = format!("/api/v1/namespaces/{ROOT_NAMESPACE}/secrets");
            return judged(self.0.post::<IgnoredAny>(&path, &made, patience).await.map(drop));
        };
        let mut metadata = json!({ "resourceVersion": version });
        if write.platform.is_judged() {
            metadata["annotations"] = json!({ MODE: null });
        }
        let change = json!({ "metadata": metadata, "data": data });
        let path = core(ROOT_NAMESPACE, "secrets", name);
        self.merge(&path, &change, patience).await
    }

    pub async fn delete_root(
        &self,
        platform: Platform,
        uid: &str,
        patience: &Patience,
    ) -> Result<Write, Error> {
        self.delete(&core(ROOT_NAMESPACE, "secrets", platform.root_name()), uid, patience).await
    }

    /// Deletes the secret with this uid, and no other of its name.
    pub async fn delete_secret(
        &self,
        name: &Name,
        uid: &str,
        patience: &Patience,
    ) -> Result<Write, Error> {
        self.delete(&core(name.namespace(), "secrets", name.name()), uid, patience).await
    }

    /// An annotation on a `CredentialsRequest`: any change of it makes the operator look at it at once.
    pub async fn annotate(
        &self,
        request: &Name,
        key: &str,
        value: Option<&str>,
        patience: &Patience,
    ) -> Result<Write, Error> {
        let path = format!(
            "{REQUESTS}/namespaces/{}/credentialsrequests/{}",
            request.namespace(),
            request.name()
        );
        let change = json!({ "metadata": { "annotations": { key: value } } });
        self.merge(&path, &change, patience).await
    }

    /// Has the kube controller manager come up anew on every node, once for each reason.
    pub async fn redeploy(&self, reason: &str, patience: &Patience) -> Result<Write, Error> {
        let change = json!({ "spec": { "forceRedeploymentReason": reason } });
        let path = operator("kubecontrollermanagers", "cluster");
        self.merge(&path, &change, patience).await
    }

    async fn secret_at(&self, path: &str, patience: &Patience) -> Result<Option<Secret>, Error> {
        let secret: Option<Secret> = self.object(path, patience).await?;
        if let Some(secret) = &secret {
            secret.data.iter().for_each(|(key, value)| value::hush(key, value));
        }
        Ok(secret)
    }

    /// None where there is none, be it that its whole kind is unknown.
    async fn object<T: DeserializeOwned>(
        &self,
        path: &str,
        patience: &Patience,
    ) -> Result<Option<T>, Error> {
        match self.0.get::<T>(path, patience).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, path: &str, uid: &str, patience: &Patience) -> Result<Write, Error> {
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid },
        });
        judged(self.0.delete(path, &options, patience).await)
    }

    async fn merge(&self, path: &str, change: &Json, patience: &Patience) -> Result<Write, Error> {
        judged(self.0.merge::<IgnoredAny>(path, change, patience).await.map(drop))
    }
}

/// A refusal because something else is there by now is no error.
fn judged(outcome: Result<(), kubernetes::Error>) -> Result<Write, Error> {
    match outcome {
        Ok(()) => Ok(Write::Done),
        Err(error) if error.status() == Some(404) => Ok(Write::Gone),
        Err(error) if error.status() == Some(409) => Ok(Write::Superseded),
        Err(error) => Err(error.into()),
    }
}

fn config(plural: &str, name: &str) -> String {
    format!("/apis/config.openshift.io/v1/{plural}/{name}")
}

fn operator(plural: &str, name: &str) -> String {
    format!("/apis/operator.openshift.io/v1/{plural}/{name}")
}

fn core(namespace: &str, plural: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{plural}/{name}")
}

const REQUESTS: &str = "/apis/cloudcredential.openshift.io/v1";

#[cfg(test)]
mod tests;
