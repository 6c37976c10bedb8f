//! `rekey_cluster_credential_rotation` with its `openshift` block, under the test host and against the stand-in operator
//! in the sandbox: its life, and trouble at every call.

mod life;
mod trouble;

use std::sync::Arc;

use jiff::SignedDuration;
use rekey::clock;
use rekey::cloud::Surroundings;
use rekey::provider;
use rekey_sandbox::Sandbox;
use rekey_sandbox::openshift::{AccessKey, Cloud, Contents, Platform, Sts};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::host::{Host, InProcess, Workspace};
use crate::support::openshift::Cluster;

const PROD: &str = "rekey_cluster_credential_rotation.prod";

/// A cluster, and a host whose provider is led to it by a kubeconfig.
struct Bed {
    _cloud: Arc<Sandbox>,
    cluster: Cluster,
    host: Host,
    directory: TempDir,
}

impl Bed {
    async fn start(contents: &Contents, cloud: Cloud) -> Self {
        // Another test may have left this thread in the future.
        clock::shift(SignedDuration::ZERO);
        let host = Host::new(InProcess(|| provider::registry_in(Surroundings::default())));
        let sandbox = Arc::new(Sandbox::start().await);
        let cluster = Cluster::inside(&sandbox, contents, cloud);
        cluster.settles().await;
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = cluster.kubeconfig().await;
        std::fs::write(directory.path().join("kubeconfig"), kubeconfig).unwrap();
        Self { _cloud: sandbox, cluster, host, directory }
    }

    fn workspace(&self, config: Json) -> Workspace {
        let mut ws = self.host.workspace();
        let path = self.directory.path().join("kubeconfig");
        ws.provider(json!({ "kubernetes": { "config_path": path } })).resource(PROD, config);
        ws
    }

    /// The uids of all components' secrets; null where there is none.
    async fn uids(&self) -> Vec<Json> {
        let mut uids = Vec::new();
        for name in self.cluster.requests() {
            uids.push(self.cluster.component(&name).await["metadata"]["uid"].clone());
        }
        uids
    }
}

/// vSphere, whose CSI driver has an operator: nothing but copies.
async fn vsphere() -> Bed {
    let root = [("vc.example.com.username", "admin"), ("vc.example.com.password", "one")];
    let mut contents = Contents::new(Platform::Vsphere, "", &root);
    contents.has_csi_operator = true;
    Bed::start(&contents, Cloud::default()).await
}

fn vsphere_config(password: &str, version: i64) -> Json {
    json!({
        "openshift": {
            "vcenters_wo": { "vc.example.com": { "username": "admin", "password": password } },
            "vcenters_wo_version": version,
            "settle_time": "PT1S",
        },
        "triggers": { "v": "1" },
    })
}

/// AWS in mint mode, with the key that is to be its next root; STS answers where the cluster says.
async fn aws() -> (Bed, AccessKey, Sts) {
    let cloud = Cloud::default();
    let (first, next) = (cloud.issue_root_key(), cloud.issue_root_key());
    let root = [("aws_access_key_id", &*first.id), ("aws_secret_access_key", &*first.secret)];
    let contents = Contents::new(Platform::Aws, "", &root);
    let sts = Sts::start(cloud.clone()).await.unwrap();
    let bed = Bed::start(&contents, cloud).await;
    let path = "/apis/config.openshift.io/v1/infrastructures/cluster";
    let mut infrastructure = bed.cluster.get(path).await;
    infrastructure["status"]["platformStatus"]["aws"]["serviceEndpoints"] =
        json!([{ "name": "sts", "url": sts.url }]);
    bed.cluster.api().replace(&format!("{path}/status"), &infrastructure).await.unwrap();
    bed.cluster.settles().await;
    (bed, next, sts)
}

fn aws_config(key: &AccessKey, version: i64) -> Json {
    json!({
        "openshift": {
            "access_key_id_wo": key.id,
            "secret_access_key_wo": key.secret,
            "secret_access_key_wo_version": version,
            "settle_time": "PT1S",
        },
        "triggers": { "v": "1" },
    })
}
