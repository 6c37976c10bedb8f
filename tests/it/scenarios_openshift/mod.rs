//! What a user does with the cloud credentials of an OpenShift cluster, with the real CLI and a real Kubernetes: each
//! promise of the documentation that they can show. The Cloud Credential Operator is a stand-in, see
//! `sandbox_openshift`; Keystone is real.

mod chain;
mod failing;
mod looking;
mod mint;
mod passthrough;
mod refused;
mod rights;

use rekey_sandbox::openshift::{AccessKey, Cloud, Contents, Platform, Sts};
use serde_json::Value;

use crate::support::openshift::Cluster;
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::Cli;

const ADDRESS: &str = "rekey_cluster_credential_rotation.prod";

/// A directory whose provider talks to that cluster as its administrator.
async fn workspace(cluster: &Cluster, cli: &Cli) -> Workspace {
    let workspace = Workspace::new(cli);
    workspace.write("kubeconfig", &cluster.kubeconfig().await);
    let block = "provider \"rekey\" {\n  kubernetes = { config_path = \"kubeconfig\" }\n}\n";
    workspace.write("provider.tf", &format!("{REQUIRED}\n{block}"));
    workspace
}

/// The resource `prod` with this block and these arguments.
fn rotation(openshift: &str, arguments: &str) -> String {
    format!(
        "resource \"rekey_cluster_credential_rotation\" \"prod\" {{\n  openshift = {{\n{openshift}\n  }}\n{arguments}\n}}\n"
    )
}

/// The block for a key of AWS, of that version.
fn aws(key: &AccessKey, version: u32) -> String {
    format!(
        "platform = \"aws\"\naccess_key_id_wo = \"{}\"\nsecret_access_key_wo = \"{}\"\nsecret_access_key_wo_version = {version}",
        key.id, key.secret
    )
}

/// A cloud of AWS, and a cluster to be in it.
struct Aws {
    cloud: Cloud,
    /// Installed with the first of three root keys.
    contents: Contents,
    /// The other two.
    keys: [AccessKey; 2],
    _sts: Sts,
}

impl Aws {
    async fn start(mode: &str) -> Self {
        let cloud = Cloud::default();
        let sts = Sts::start(cloud.clone()).await.unwrap();
        let first = cloud.issue_root_key();
        let root = [("aws_access_key_id", &*first.id), ("aws_secret_access_key", &*first.secret)];
        let mut contents = Contents::new(Platform::Aws, mode, &root);
        contents.sts = Some(sts.url.clone());
        let keys = [cloud.issue_root_key(), cloud.issue_root_key()];
        Self { cloud, contents, keys, _sts: sts }
    }

    /// On the control plane that all share, settled.
    async fn real(&self) -> Cluster {
        let cluster = Cluster::real(&self.contents, self.cloud.clone()).await;
        cluster.settles().await;
        cluster
    }

    async fn sandbox(&self) -> Cluster {
        let cluster = Cluster::sandbox(&self.contents, self.cloud.clone()).await;
        cluster.settles().await;
        cluster
    }
}

/// The uids of all components' secrets.
async fn uids(cluster: &Cluster) -> Vec<Value> {
    let mut uids = Vec::new();
    for name in cluster.requests() {
        uids.push(cluster.component(&name).await["metadata"]["uid"].clone());
    }
    uids
}
