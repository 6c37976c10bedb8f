use serde_json::{Value, json};

use super::*;

/// How far a workload is of which the server says this.
#[track_caller]
fn check(kind: Kind, item: &Value, expected: &Progress) {
    let item: Item = serde_json::from_value(item.clone()).unwrap();
    let progress = match kind {
        Kind::DaemonSet => daemon_set(&item),
        Kind::Deployment => deployment(&item),
        Kind::StatefulSet => stateful_set(&item),
    };
    assert_eq!(&progress, expected);
}

fn waits(text: &str) -> Progress {
    Progress::Waiting(text.to_owned())
}

fn item(generation: i64, spec: &Value, status: &Value) -> Value {
    json!({ "metadata": { "generation": generation }, "spec": spec, "status": status })
}

#[test]
fn a_deployment() {
    let of = |status: Value| item(2, &json!({ "replicas": 3 }), &status);
    let check = |status, expected| check(Kind::Deployment, &of(status), &expected);
    check(json!({ "observedGeneration": 1 }), not_observed());
    check(
        json!({ "observedGeneration": 2, "replicas": 3, "updatedReplicas": 1 }),
        waits("1 of 3 replicas are updated"),
    );
    check(
        json!({ "observedGeneration": 2, "replicas": 4, "updatedReplicas": 3 }),
        waits("1 old replicas are still there"),
    );
    check(
        json!({ "observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 2 }),
        waits("2 of 3 updated replicas are available"),
    );
    check(
        json!({ "observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3 }),
        Progress::Done,
    );
    let exceeded =
        json!([{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }]);
    check(
        json!({ "observedGeneration": 2, "conditions": exceeded }),
        Progress::Failed("it exceeded its progress deadline".to_owned()),
    );
    // What is said of the generation before says nothing of this one.
    check(json!({ "observedGeneration": 1, "conditions": exceeded }), not_observed());
}

#[test]
fn a_deployment_of_nothing_is_done() {
    let of = item(1, &json!({ "replicas": 0 }), &json!({ "observedGeneration": 1 }));
    check(Kind::Deployment, &of, &Progress::Done);
}

#[test]
fn a_daemon_set() {
    let of = |status: Value| item(5, &json!({}), &status);
    let check = |status, expected| check(Kind::DaemonSet, &of(status), &expected);
    check(json!({ "observedGeneration": 4 }), not_observed());
    check(
        json!({ "observedGeneration": 5, "desiredNumberScheduled": 2 }),
        waits("0 of 2 pods are updated"),
    );
    check(
        json!({ "observedGeneration": 5, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2,
            "numberAvailable": 1 }),
        waits("1 of 2 updated pods are available"),
    );
    check(
        json!({ "observedGeneration": 5, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2,
            "numberAvailable": 2 }),
        Progress::Done,
    );
}

#[test]
fn a_stateful_set() {
    let of = |status: Value| item(2, &json!({ "replicas": 2 }), &status);
    let check = |status, expected| check(Kind::StatefulSet, &of(status), &expected);
    check(json!({}), not_observed());
    check(json!({ "observedGeneration": 1 }), not_observed());
    check(json!({ "observedGeneration": 2, "readyReplicas": 1 }), waits("1 of 2 pods are ready"));
    check(
        json!({ "observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 1,
            "currentRevision": "a", "updateRevision": "b" }),
        waits("1 of 2 pods are updated"),
    );
    check(
        json!({ "observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 2,
            "currentRevision": "b", "updateRevision": "b" }),
        Progress::Done,
    );
}

#[test]
fn a_partitioned_stateful_set_is_done_above_its_partition() {
    let spec = json!({ "replicas": 3, "updateStrategy": { "rollingUpdate": { "partition": 1 } } });
    let status = |updated| {
        json!({ "observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": updated,
            "currentRevision": "a", "updateRevision": "b" })
    };
    let kind = Kind::StatefulSet;
    check(kind, &item(1, &spec, &status(1)), &waits("1 of 2 pods above the partition are updated"));
    check(kind, &item(1, &spec, &status(2)), &Progress::Done);
}

#[test]
fn a_pod_is_outdated_by_its_age_or_by_its_template() {
    let observed = Observed::new(
        "ns",
        Kind::Deployment,
        serde_json::from_value(json!({
            "metadata": { "name": "d" },
            "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: "now" } } } },
        }))
        .unwrap(),
    );
    let pod = |name: &str, created: &str, restarted_at: Option<&str>| Pod {
        name: name.to_owned(),
        uid: name.to_owned(),
        node: None,
        created_at: Some(created.parse().unwrap()),
        restarted_at: restarted_at.map(str::to_owned),
        leaving_by: None,
        trouble: None,
    };
    let pods = [
        pod("older", "2026-01-01T00:00:09Z", Some("now")),
        pod("same-second", "2026-01-01T00:00:10Z", Some("now")),
        pod("newer", "2026-01-01T00:00:11Z", Some("now")),
        pod("of-another-template", "2026-01-01T00:00:11Z", None),
    ];
    let since = "2026-01-01T00:00:10.9Z".parse().unwrap();
    let names: Vec<_> = observed.outdated(&pods, since).iter().map(|pod| &*pod.name).collect();
    assert_eq!(names, ["older", "of-another-template"]);
}
