use serde_json::{Value, json};

use super::*;

/// What is wrong with a pod of which the server says this.
#[track_caller]
fn check(status: &Value, expected: Option<&str>) {
    let item: PodItem = serde_json::from_value(json!({ "status": status })).unwrap();
    assert_eq!(trouble(&item).map(|trouble| trouble.to_string()).as_deref(), expected);
}

#[test]
fn a_ready_pod_has_no_trouble() {
    check(
        &json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] }),
        None,
    );
}

#[test]
fn one_without_a_node_says_why() {
    check(
        &json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "0/2 nodes are available" }] }),
        Some("Unschedulable: 0/2 nodes are available"),
    );
}

#[test]
fn one_that_crashes_says_how_it_last_ended() {
    let status = json!({
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": "False", "reason": "ContainersNotReady" }],
        "containerStatuses": [
            { "name": "quiet", "state": { "running": {} } },
            { "name": "csi", "restartCount": 4,
              "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 40s" } },
              "lastState": { "terminated": { "reason": "Error", "exitCode": 1, "message": "401 from Keystone\n" } } }
        ]
    });
    let expected = "CrashLoopBackOff: container csi: back-off 40s; it last ended with Error (exit code 1): \
        401 from Keystone; 4 restarts";
    check(&status, Some(expected));
}

#[test]
fn an_init_container_comes_first() {
    let status = json!({
        "phase": "Pending",
        "initContainerStatuses": [
            { "name": "i", "state": { "waiting": { "reason": "ImagePullBackOff" } } }
        ],
        "containerStatuses": [
            { "name": "c", "state": { "waiting": { "reason": "PodInitializing" } } }
        ]
    });
    check(&status, Some("ImagePullBackOff: container i"));
}

#[test]
fn what_is_on_its_way_says_so() {
    let creating =
        json!({ "name": "c", "state": { "waiting": { "reason": "ContainerCreating" } } });
    let status = json!({ "phase": "Pending", "containerStatuses": [creating],
        "conditions": [{ "type": "Ready", "status": "False", "reason": "ContainersNotReady",
            "message": "containers with unready status: [c]" }] });
    check(&status, Some("ContainersNotReady: containers with unready status: [c]"));
    check(&json!({ "phase": "Pending" }), Some("Pending: it is not ready"));
    check(&json!({ "phase": "Pending", "reason": "NodeLost" }), Some("NodeLost"));
}

#[test]
fn one_that_leaves_is_terminating_even_if_ready() {
    let item: PodItem = serde_json::from_value(json!({
        "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] }
    }))
    .unwrap();
    assert_eq!(trouble(&item).unwrap().reason, "Terminating");
}
