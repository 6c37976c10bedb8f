//! Workloads, pods and events as the API server shows them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::{Kind, Pod, State, Workload};

/// The kind of the list and everything in it, in all namespaces; none where there is no such resource. What is in the
/// store is not here.
pub(super) fn objects(
    state: &State,
    group: &str,
    resource: &str,
    now: Timestamp,
) -> Option<(&'static str, Vec<Value>)> {
    Some(match (group, resource) {
        ("", "nodes") => {
            let ready = json!({ "type": "Ready", "status": "True", "reason": "KubeletReady" });
            let status = json!({ "conditions": [ready] });
            let one = |name: &String| bare(state, "Node", name, &status);
            ("NodeList", state.nodes.iter().map(one).collect())
        }
        ("", "pods") => {
            let of = |workload: &Workload| -> Vec<Value> {
                workload.pods.iter().map(|pod| show_pod(workload, pod)).collect()
            };
            ("PodList", state.workloads.iter().flat_map(of).collect())
        }
        ("", "events") => {
            let of = |workload: &Workload| -> Vec<Value> {
                let held_up = workload.pods.iter().filter(|pod| !pod.ready);
                held_up.map(|pod| event(workload, pod, now)).collect()
            };
            ("EventList", state.workloads.iter().flat_map(of).collect())
        }
        ("apps", "replicasets") => {
            let deployments =
                state.workloads.iter().filter(|workload| workload.kind == Kind::Deployment);
            ("ReplicaSetList", deployments.flat_map(replica_sets).collect())
        }
        ("apps", plural) => {
            let kind = Kind::of_plural(plural)?;
            let list = match kind {
                Kind::DaemonSet => "DaemonSetList",
                Kind::Deployment => "DeploymentList",
                Kind::StatefulSet => "StatefulSetList",
            };
            let all = state.workloads.iter().filter(|workload| workload.kind == kind);
            (list, all.map(self::workload).collect())
        }
        _ => return None,
    })
}

/// Of everything: grows with each change.
pub(super) fn version(state: &State) -> u64 {
    state.workloads.iter().map(|workload| workload.version).sum()
}

pub(super) fn workload(workload: &Workload) -> Value {
    json!({
        "kind": workload.kind.name(),
        "apiVersion": "apps/v1",
        "metadata": {
            "name": workload.name,
            "namespace": workload.namespace,
            "uid": workload.uid,
            "resourceVersion": workload.version.to_string(),
            "generation": workload.generation,
            "creationTimestamp": seconds(workload.created_at),
            "annotations": workload.annotations,
        },
        "spec": workload.spec,
        "status": status(workload),
    })
}

fn status(workload: &Workload) -> Value {
    let (all, updated, ready) = (workload.pods.len(), workload.updated(), workload.ready());
    let generation = workload.generation;
    match workload.kind {
        Kind::DaemonSet => json!({
            "currentNumberScheduled": all,
            "desiredNumberScheduled": workload.wanted,
            "numberAvailable": ready,
            "numberMisscheduled": 0,
            "numberReady": ready,
            "numberUnavailable": workload.wanted.saturating_sub(ready),
            "observedGeneration": generation,
            "updatedNumberScheduled": updated,
        }),
        Kind::Deployment => {
            let trouble = workload.trouble.as_ref().filter(|_| workload.since.is_some());
            let (progresses, reason) = match trouble {
                Some(trouble) if trouble.given_up => ("False", "ProgressDeadlineExceeded"),
                _ if workload.since.is_some() => ("True", "ReplicaSetUpdated"),
                _ => ("True", "NewReplicaSetAvailable"),
            };
            json!({
                "availableReplicas": ready,
                "conditions": [
                    { "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable" },
                    { "type": "Progressing", "status": progresses, "reason": reason },
                ],
                "observedGeneration": generation,
                "readyReplicas": ready,
                "replicas": all,
                "updatedReplicas": updated,
            })
        }
        Kind::StatefulSet => {
            let revision = |number: i64| format!("{}-{number}", workload.name);
            let done = workload.since.is_none();
            json!({
                "availableReplicas": ready,
                "currentReplicas": all - updated,
                "currentRevision": revision(workload.revision - i64::from(!done)),
                "observedGeneration": generation,
                "readyReplicas": ready,
                "replicas": all,
                "updateRevision": revision(workload.revision),
                "updatedReplicas": updated,
            })
        }
    }
}

/// A Deployment's, one for each template that it has had; their names and ids follow from the template.
fn replica_sets(workload: &Workload) -> Vec<Value> {
    let one = |revision: i64| {
        json!({
            "kind": "ReplicaSet",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": format!("{}-{revision}", workload.name),
                "namespace": workload.namespace,
                "uid": format!("{}-{revision}", workload.uid),
                "resourceVersion": workload.version.to_string(),
                "creationTimestamp": seconds(workload.created_at),
                "labels": workload.spec["template"]["metadata"]["labels"],
                "ownerReferences": [{
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": workload.name,
                    "uid": workload.uid,
                    "controller": true,
                }],
            },
            "spec": workload.spec,
            "status": {},
        })
    };
    let mut revisions: Vec<i64> = workload.pods.iter().map(|pod| pod.revision).collect();
    revisions.push(workload.revision);
    revisions.sort_unstable();
    revisions.dedup();
    revisions.into_iter().map(one).collect()
}

fn show_pod(workload: &Workload, pod: &Pod) -> Value {
    let (owner, name, uid) = match workload.kind {
        Kind::Deployment => (
            "ReplicaSet",
            format!("{}-{}", workload.name, pod.revision),
            format!("{}-{}", workload.uid, pod.revision),
        ),
        kind => (kind.name(), workload.name.clone(), workload.uid.clone()),
    };
    let trouble = workload.trouble.as_ref().filter(|_| !pod.ready);
    let ready = if pod.ready { "True" } else { "False" };
    let scheduled = if pod.node.is_some() { "True" } else { "False" };
    let mut conditions = vec![json!({ "type": "Ready", "status": ready, "reason": "" })];
    let mut placed = json!({ "type": "PodScheduled", "status": scheduled });
    let mut container = json!({ "name": "main", "ready": pod.ready, "restartCount": 0, "image": "", "imageID": "" });
    container["state"] = json!({ "running": {} });
    if let Some(trouble) = trouble {
        let why = json!({ "reason": trouble.reason, "message": trouble.message });
        if pod.node.is_none() {
            placed["reason"] = why["reason"].clone();
            placed["message"] = why["message"].clone();
        } else {
            container["state"] = json!({ "waiting": why });
        }
    }
    conditions.push(placed);
    let containers = if pod.node.is_some() { vec![container] } else { Vec::new() };
    json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": pod.name,
            "namespace": workload.namespace,
            "uid": pod.uid,
            "resourceVersion": workload.version.to_string(),
            "creationTimestamp": seconds(pod.created_at),
            "labels": workload.spec["template"]["metadata"]["labels"],
            "annotations": pod.annotations,
            "ownerReferences": [{
                "apiVersion": "apps/v1",
                "kind": owner,
                "name": name,
                "uid": uid,
                "controller": true,
            }],
        },
        "spec": {
            "nodeName": pod.node,
            "containers": workload.spec["template"]["spec"]["containers"],
        },
        "status": {
            "phase": if pod.ready { "Running" } else { "Pending" },
            "conditions": conditions,
            "containerStatuses": containers,
        },
    })
}

/// What the cluster noted of a pod that is held up.
fn event(workload: &Workload, pod: &Pod, now: Timestamp) -> Value {
    let (reason, message) = workload.trouble.as_ref().map_or(("", ""), |trouble| {
        let reason = if pod.node.is_none() { "FailedScheduling" } else { "Failed" };
        (reason, trouble.message.as_str())
    });
    json!({
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {
            "name": format!("{}.{}", pod.name, workload.version),
            "namespace": workload.namespace,
            "uid": format!("{}-event", pod.uid),
            "creationTimestamp": seconds(pod.created_at),
        },
        "involvedObject": {
            "kind": "Pod",
            "namespace": workload.namespace,
            "name": pod.name,
            "uid": pod.uid,
        },
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": 3,
        "firstTimestamp": seconds(pod.created_at),
        "lastTimestamp": seconds(now),
        "source": {},
    })
}

/// Something outside of namespaces.
fn bare(state: &State, kind: &str, name: &str, status: &Value) -> Value {
    json!({
        "kind": kind,
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "uid": format!("{kind}-{name}"),
            "creationTimestamp": seconds(state.created_at),
        },
        "spec": {},
        "status": status,
    })
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
