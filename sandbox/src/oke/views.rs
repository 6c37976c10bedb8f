//! What there is, as the service's answers show it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers::OkeAnswers;
use super::model::{Cluster, Node, Pool, Shown, WorkRequest};
use super::ocid::REGION;

/// A cluster; `ClusterSummary` has the same that is shown here.
pub(crate) fn cluster(cluster: &Cluster, answers: &OkeAnswers) -> Value {
    let address = cluster.kubernetes.address();
    let address = address.trim_start_matches("https://");
    let working = cluster.work.is_some() && answers.updating && cluster.state == "ACTIVE";
    let state = if working { "UPDATING" } else { &cluster.state };
    json!({
        "id": cluster.id,
        "name": cluster.name,
        "compartmentId": cluster.compartment,
        "type": "ENHANCED_CLUSTER",
        "kubernetesVersion": cluster.kubernetes_version,
        "lifecycleState": told(answers, state),
        "lifecycleDetails": cluster.state_details,
        "endpointConfig": { "isPublicIpEnabled": true, "nsgIds": [], "subnetId": null },
        "endpoints": {
            "kubernetes": address,
            "publicEndpoint": address,
            "privateEndpoint": "10.0.0.5:6443",
            "vcnHostnameEndpoint": null,
        },
        "metadata": {
            "timeCreated": time(cluster.created_at),
            "timeUpdated": time(cluster.updated_at),
            "timeCredentialExpiration": time(cluster.told_expiry(answers)),
        },
        "availableKubernetesUpgrades": [],
        "clusterPodNetworkOptions": [{ "cniType": "FLANNEL_OVERLAY" }],
        "freeformTags": {},
        "definedTags": {},
    })
}

pub(crate) fn status(shown: &Shown, answers: &OkeAnswers) -> Value {
    json!({
        "status": told(answers, shown.status),
        "statusDetails": told(answers, shown.details),
        "timeAutoCompletionScheduled": shown.completes_at.map(time),
    })
}

/// Without its nodes, as in a list.
pub(crate) fn pool(cluster: &Cluster, pool: &Pool, answers: &OkeAnswers) -> Value {
    json!({
        "id": pool.id,
        "name": pool.name,
        "clusterId": cluster.id,
        "compartmentId": cluster.compartment,
        "kubernetesVersion": cluster.kubernetes_version,
        "lifecycleState": told(answers, &pool.state),
        "nodeShape": "VM.Standard.E4.Flex",
        "initialNodeLabels": [],
        "freeformTags": {},
        "definedTags": {},
    })
}

pub(crate) fn nodes(cluster: &Cluster, pool: &Pool, answers: &OkeAnswers) -> Value {
    let one = |node: &Node| {
        let error = node.error.as_ref().map(|message| {
            json!({ "code": "NodeError", "message": message, "status": "500", "opc-request-id": "" })
        });
        json!({
            "id": node.id,
            "name": node.name,
            "nodePoolId": pool.id,
            "kubernetesVersion": cluster.kubernetes_version,
            "availabilityDomain": "Uocm:US-ASHBURN-AD-1",
            "faultDomain": "FAULT-DOMAIN-1",
            "privateIp": node.address,
            "publicIp": null,
            "subnetId": null,
            "nodeError": error,
            "lifecycleState": told(answers, &node.state),
            "lifecycleDetails": null,
        })
    };
    pool.nodes.iter().map(one).collect()
}

pub(crate) fn virtual_pool(cluster: &Cluster, id: &str) -> Value {
    json!({
        "id": id,
        "displayName": "virtual",
        "clusterId": cluster.id,
        "compartmentId": cluster.compartment,
        "kubernetesVersion": cluster.kubernetes_version,
        "size": 1,
        "placementConfigurations": [],
        "lifecycleState": "ACTIVE",
        "timeCreated": time(cluster.created_at),
    })
}

/// A work request; a summary is the same.
pub(crate) fn work_request(request: &WorkRequest, answers: &OkeAnswers, now: Timestamp) -> Value {
    let status = request.status(now);
    let resources = request.action.as_ref().map(|action| {
        let action = if status == "FAILED" { "FAILED" } else { action };
        json!({
            "actionType": told(answers, if request.ended.is_some() { action } else { "IN_PROGRESS" }),
            "entityType": "cluster",
            "identifier": request.cluster,
            "entityUri": format!("/clusters/{}", request.cluster),
        })
    });
    let started = (status != "ACCEPTED").then_some(request.begins_at);
    json!({
        "id": request.id,
        "operationType": told(answers, &request.operation),
        "status": told(answers, status),
        "compartmentId": request.compartment,
        "resources": resources.into_iter().collect::<Vec<_>>(),
        "timeAccepted": time(request.accepted_at),
        "timeStarted": started.map(time),
        "timeFinished": request.ended.map(|(_, at)| time(at)),
    })
}

/// The kubeconfig of a cluster, in the form in which it comes: users get their tokens from the `oci` command.
pub(crate) fn kubeconfig(cluster: &Cluster, bundle: &str) -> String {
    let name = &cluster.id[cluster.id.len() - 11..];
    let (address, id) = (cluster.kubernetes.address(), &cluster.id);
    format!(
        r#"---
apiVersion: v1
kind: ""
clusters:
- name: cluster-{name}
  cluster:
    server: {address}
    certificate-authority-data: {bundle}
users:
- name: user-{name}
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: oci
      args:
      - ce
      - cluster
      - generate-token
      - --cluster-id
      - {id}
      - --region
      - {REGION}
      env: []
contexts:
- name: context-{name}
  context:
    cluster: cluster-{name}
    user: user-{name}
current-context: context-{name}
"#
    )
}

/// A value of an enumeration, or what is told in its place.
fn told<'a>(answers: &'a OkeAnswers, value: &'a str) -> &'a str {
    answers.instead.get(value).map_or(value, String::as_str)
}

/// `2026-11-26T21:06:33.691Z`.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
