//! `rekey_cluster_credential_rotation` of OpenShift's cloud credentials under the test host, against a sandbox's
//! cluster with the stand-in operator: faults at every call, processes killed at every call.

mod crash;
mod faults;

use std::collections::BTreeSet;

use rekey_sandbox::openshift::{AccessKey, Cloud, Contents, Platform, Sts};
use serde_json::{Value as Json, json};

use crate::host::Workspace;
use crate::host_application_credential::Bed;
use crate::support::openshift::{Cluster, value};

/// The address that these tests use.
const PROD: &str = "rekey_cluster_credential_rotation.prod";

/// How the components come by a new credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// AWS: each gets a key of its own.
    Mint,
    /// vSphere: each gets a copy.
    Passthrough,
}

const WAYS: [Way; 2] = [Way::Mint, Way::Passthrough];

/// A cluster, and the credential that it is to have.
struct Openshift {
    bed: Bed,
    cluster: Cluster,
    cloud: Cloud,
    new: AccessKey,
    way: Way,
    before: BTreeSet<String>,
    _sts: Sts,
}

impl Openshift {
    async fn start(way: Way) -> Self {
        let bed = Bed::start().await;
        let cloud = Cloud::default();
        let sts = Sts::start(cloud.clone()).await.unwrap();
        let (old, new) = (cloud.issue_root_key(), cloud.issue_root_key());
        let mut contents = match way {
            Way::Mint => {
                let root =
                    [("aws_access_key_id", &*old.id), ("aws_secret_access_key", &*old.secret)];
                Contents::new(Platform::Aws, "Mint", &root)
            }
            Way::Passthrough => {
                let root = [(USERNAME, &*old.id), (PASSWORD, &*old.secret)];
                Contents::new(Platform::Vsphere, "", &root)
            }
        };
        contents.sts = Some(sts.url.clone());
        contents.has_csi_operator = true;
        let cluster = Cluster::inside(&bed.cloud, &contents, cloud.clone());
        cluster.settles().await;
        cloud.forget_calls();
        let mut this = Self { bed, cluster, cloud, new, way, before: BTreeSet::new(), _sts: sts };
        this.before = this.uids().await;
        this
    }

    /// A directory whose configuration is to put the new credential in place.
    async fn workspace(&self) -> Workspace {
        let mut ws = self.bed.host.workspace();
        let kubeconfig: Json = serde_json::from_str(&self.cluster.kubeconfig().await).unwrap();
        let cluster = &kubeconfig["clusters"][0]["cluster"];
        let ca = cluster["certificate-authority-data"].as_str().unwrap();
        let ca = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, ca).unwrap();
        ws.provider(json!({ "kubernetes": {
            "host": cluster["server"],
            "cluster_ca_certificate": String::from_utf8(ca).unwrap(),
            "token": kubeconfig["users"][0]["user"]["token"],
        } }));
        let AccessKey { id, secret } = &self.new;
        let mut openshift = match self.way {
            Way::Mint => json!({
                "platform": "aws",
                "access_key_id_wo": id,
                "secret_access_key_wo": secret,
                "secret_access_key_wo_version": 1,
            }),
            Way::Passthrough => json!({
                "platform": "vsphere",
                "vcenters_wo": { "vc.example.com": { "username": id, "password": secret } },
                "vcenters_wo_version": 1,
            }),
        };
        openshift["settle_time"] = json!("PT1S");
        // No run is to end for the slowness of the machine.
        let timeouts = json!({ "create": "PT10M", "update": "PT10M" });
        ws.resource(PROD, json!({ "openshift": openshift, "timeouts": timeouts }));
        ws
    }

    /// The uids of all components' secrets.
    async fn uids(&self) -> BTreeSet<String> {
        let mut uids = BTreeSet::new();
        for name in self.cluster.requests() {
            let secret = self.cluster.component(&name).await;
            uids.extend(secret["metadata"]["uid"].as_str().map(str::to_owned));
        }
        uids
    }

    /// Every component holds a credential that works, and in the end the new one, made once.
    async fn is_rotated_once(&self, what: &str) {
        let count = self.cluster.requests().len();
        for name in self.cluster.requests() {
            let secret = self.cluster.component(&name).await;
            let held = |key: &str| value(&secret, key).unwrap_or_default();
            if self.way == Way::Mint {
                let key = AccessKey {
                    id: held("aws_access_key_id"),
                    secret: held("aws_secret_access_key"),
                };
                assert!(self.cloud.opens(&key), "{what}: {name} holds a dead key");
            } else {
                assert_eq!(held(PASSWORD), self.new.secret, "{what}: {name}");
            }
        }
        let after = self.uids().await;
        if self.way == Way::Mint {
            assert!(after.is_disjoint(&self.before), "{what}: {after:?} {:?}", self.before);
            let calls = self.cloud.calls();
            let made = calls.iter().filter(|call| call.starts_with("CreateAccessKey")).count();
            assert_eq!(made, count, "{what}: {calls:?}");
        } else {
            assert_eq!(after, self.before, "{what}");
        }
    }
}

const USERNAME: &str = "vc.example.com.username";
const PASSWORD: &str = "vc.example.com.password";
