//! `rekey_cluster_credential_rotation` under the test host and against the stand-in Magnum with its small Kubernetes:
//! its life, awkward hosts, faults at every call, processes killed at every call.

mod authority;
mod awkward;
mod course;
mod crash;
mod faults;
mod life;
mod refused;

use std::ops::Deref;

use rekey_sandbox::{ClusterEvent, ClusterSeen};
use serde_json::{Value as Json, json};

use crate::host::Workspace;
use crate::host_application_credential::Bed;

/// The address that these tests use.
const PROD: &str = "rekey_cluster_credential_rotation.prod";
/// Its clusters restart their workloads after a rotation, and those of the newer one do not.
const OLD: &str = "kubernetes-v1.33.8";
const NEW: &str = "kubernetes-v1.34.2";
const NAMESPACE: &str = "openstack-system";
const DEPLOYMENT: &str = "openstack-cinder-csi-controllerplugin";

/// A cloud in which alice has the cluster `prod`.
struct Clusters(Bed);

impl Deref for Clusters {
    type Target = Bed;

    fn deref(&self) -> &Bed {
        &self.0
    }
}

impl Clusters {
    async fn start(template: &str) -> Self {
        Self::with_labels(template, &[]).await
    }

    async fn with_labels(template: &str, labels: &[(&str, &str)]) -> Self {
        let bed = Bed::start().await;
        bed.cloud.create_cluster_with("alice", "prod", template, labels);
        Self(bed)
    }

    /// A directory of alice's with this in its configuration.
    fn workspace(&self, config: Json) -> Workspace {
        let mut ws = self.host.workspace();
        ws.provider(self.login("alice")).resource(PROD, config);
        ws
    }

    fn prod(&self) -> ClusterSeen {
        self.cloud.cluster("prod")
    }

    /// How often its credential and its CA were rotated.
    fn rotations(&self) -> (usize, usize) {
        let prod = self.prod();
        (prod.rotations, prod.ca_rotations)
    }

    /// How often each workload was restarted, in the order of their names.
    fn restarts(&self) -> Vec<i64> {
        self.prod().restarts.into_values().collect()
    }

    /// Whether what the cluster holds opens the cloud.
    async fn cluster_can_use_the_cloud(&self) -> bool {
        let (id, secret) = self.prod().credential.expect("the cluster has a credential");
        self.opens(&json!(id), &json!(secret)).await
    }

    /// Two rotations of a cluster are never within one second: the notes of restarts, and the ages of pods, have
    /// whole seconds.
    fn pass_a_moment(&self) {
        self.pass(jiff::SignedDuration::from_secs(2));
    }

    fn label(&self, label: &str, value: Option<&str>) {
        self.cloud.happen_to_cluster(&ClusterEvent::SetClusterLabel {
            cluster: "prod".into(),
            label: label.into(),
            value: value.map(str::to_owned),
        });
    }

    fn status(&self, status: &str) {
        self.cloud.happen_to_cluster(&ClusterEvent::SetClusterStatus {
            cluster: "prod".into(),
            status: status.into(),
            reason: Some("by hand".into()),
        });
    }

    /// The deployment's new pods do not become ready from now on; or do again.
    fn hold_up(&self, reason: Option<&str>) {
        self.cloud.happen_to_cluster(&ClusterEvent::HoldUpWorkload {
            cluster: "prod".into(),
            namespace: NAMESPACE.into(),
            name: DEPLOYMENT.into(),
            reason: reason.map(str::to_owned),
            message: "no such image".into(),
            given_up: true,
        });
    }
}

/// The cluster's credential, with these arguments besides.
fn credential(more: Json) -> Json {
    let mut config = json!({ "magnum": { "cluster": "prod" }, "triggers": { "v": "1" } });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

/// The cluster's CA; not rotated by being created.
fn ca(more: Json) -> Json {
    let mut config = json!({
        "magnum": {
            "cluster": "prod",
            "credential": "ca_certificate",
            "driver_supports_ca_rotation": true,
        },
        "rotate_on_create": false,
        "triggers": { "v": "1" },
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

/// The trigger's next value.
fn trigger(value: &str) -> Json {
    json!({ "triggers": { "v": value } })
}
