use serde_json::json;

use super::*;
use crate::provider::cluster_credential_rotation::services::Services;
use crate::provider::cluster_credential_rotation::workloads::Named;
use crate::tfplugin::diagnostics::Severity;

const ID: &str = "ocid1.cluster.oc1.iad.aaaa";

fn platform(id: Attr<String>) -> OkePlatform {
    OkePlatform::new(Services::default(), Oke { cluster_id: id, workloads: Attr::Null })
}

fn prod() -> OkePlatform {
    platform(Attr::Known(ID.into()))
}

fn text(text: &str) -> Attr<String> {
    Attr::Known(text.to_owned())
}

/// In the overlap of generation 3.
fn state() -> ClusterRotation {
    ClusterRotation {
        auto_completes_at: text("2026-03-15T10:00:00Z"),
        generation: Attr::Known(3),
        id: text(ID),
        oke: Attr::Known(Oke { cluster_id: text(ID), workloads: Attr::Null }),
        overlap: text("P14D"),
        phase: text("overlap"),
        started_at: text("2026-03-01T10:00:00Z"),
        ..ClusterRotation::default()
    }
}

#[test]
fn an_overlap_is_one_to_ninety_days_and_must_be_said() {
    let summaries = |overlap: Attr<String>| {
        let config = ClusterRotation { overlap, ..ClusterRotation::default() };
        let found = prod().validate(&config).into_iter().map(|error| error.summary);
        found.collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    for overlap in ["P1D", "PT24H", "P5DT5H5M", "P90D"] {
        assert_eq!(summaries(text(overlap)), none, "{overlap}");
    }
    assert_eq!(summaries(Attr::Unknown), none);
    for overlap in ["PT23H59M", "P90DT1M"] {
        assert_eq!(summaries(text(overlap)), ["The overlap is out of bounds"], "{overlap}");
    }
    assert_eq!(summaries(Attr::Null), ["overlap must be said"]);
    let config = ClusterRotation { overlap: text("P1D"), ..ClusterRotation::default() };
    let wrong = platform(text("prod")).validate(&config);
    assert_eq!(wrong[0].summary, "That is not the id of a cluster");
}

#[test]
fn a_workload_has_a_name_that_is_possible_or_not_known_yet() {
    let summaries = |name: Attr<String>| {
        let named = Named { kind: text("Deployment"), name, namespace: text("apps") };
        let workloads = Attr::Known(vec![named]);
        let block = Oke { cluster_id: text(ID), workloads };
        let config = ClusterRotation { overlap: text("P14D"), ..ClusterRotation::default() };
        let found = OkePlatform::new(Services::default(), block).validate(&config);
        found.into_iter().map(|error| error.summary).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(summaries(text("web")), none);
    assert_eq!(summaries(Attr::Unknown), none);
    assert_eq!(summaries(text("a/b")), ["That is not the name of a workload"]);
}

#[test]
fn another_cluster_is_another_resource() {
    let replaced = |id: Attr<String>| platform(id).replaced(&state(), &Value::Null).len();
    assert_eq!(replaced(text(ID)), 0);
    assert_eq!(replaced(Attr::Unknown), 0);
    assert_eq!(replaced(text("ocid1.cluster.oc1.iad.bbbb")), 1);
    let elsewhere = ClusterRotation { oke: Attr::Null, ..state() };
    assert_eq!(prod().replaced(&elsewhere, &Value::Null), [AttributePath::attribute("oke")]);
}

#[test]
fn an_overlap_that_changes_in_flight_is_told_and_one_that_does_not_is_not() {
    let told = |before: &ClusterRotation, overlap: &str| {
        let config = ClusterRotation { overlap: text(overlap), ..ClusterRotation::default() };
        prod().changed(Known { state: before, memory: &Value::Null }, &config)
    };
    let moved = told(&state(), "P30D");
    assert_eq!(moved[0].severity, Severity::Warning);
    assert!(moved[0].detail.contains("2026-03-15T10:00:00Z"), "{}", moved[0].detail);
    assert!(moved[0].detail.contains("complete_generation = 3"), "{}", moved[0].detail);
    assert_eq!(told(&state(), "PT336H"), []);
    let over = ClusterRotation { phase: text("completed"), ..state() };
    assert_eq!(told(&over, "P30D"), []);
}

#[test]
fn a_completion_waits_until_the_new_credentials_are_a_day_old() {
    let told = |memory: &Value, now: &str| {
        let known = Known { state: &state(), memory };
        prod().too_young(known, now.parse().unwrap()).map(|told| told.detail)
    };
    let early = told(&Value::Null, "2026-03-02T09:59:59Z").unwrap();
    assert!(early.contains("2026-03-02 10:00 UTC"), "{early}");
    assert_eq!(told(&Value::Null, "2026-03-02T10:00:00Z"), None);
    // Of its own start the CA is younger; one that was found was begun before it was found.
    let issued = |at: &str| json!({ "issued_at": at });
    assert!(told(&issued("2026-03-01T10:05:00Z"), "2026-03-02T09:59:59Z").is_some());
    assert_eq!(told(&issued("2026-02-27T10:00:00Z"), "2026-03-01T11:00:00Z"), None);
}

#[test]
fn a_cluster_is_called_by_its_name_and_its_id() {
    let called = |memory: &Value| prod().called(Known { state: &state(), memory });
    assert_eq!(called(&json!({ "name": "prod" })), format!("the cluster \"prod\" ({ID})"));
    assert_eq!(called(&Value::Null), format!("the cluster {ID}"));
}
