//! The stand-in Cloud Credential Operator, held to what the real one was seen to do: the same script on a real
//! Kubernetes control plane and on the sandbox's own API.

mod client;
mod failures;
mod mint;
mod modes;
mod openstack;
mod others;

use rekey_sandbox::openshift::{Cloud, Contents};

use crate::support::openshift::Cluster;

/// The same on both.
async fn on_both(contents: &Contents, script: impl AsyncFn(&Cluster)) {
    script(&Cluster::sandbox(contents, Cloud::default()).await).await;
    script(&Cluster::real(contents, Cloud::default()).await).await;
}

/// A `clouds.yaml` with this secret.
fn clouds(secret: &str) -> String {
    format!("clouds:\n  openstack:\n    auth:\n      application_credential_secret: {secret}\n")
}

const IMAGE_REGISTRY: &str = "openshift-image-registry-openstack";
const MACHINE_API: &str = "openshift-machine-api-openstack";
