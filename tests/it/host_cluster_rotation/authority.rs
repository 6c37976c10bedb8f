//! The rotation of a cluster's CA.

use serde_json::{Value as Json, json};

use super::{Clusters, NEW, PROD, ca, trigger};
use crate::host::{Action, PlanOptions};

#[tokio::test]
async fn nobody_replaces_a_ca_by_accident() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(ca(json!({ "rotate_on_create": null })));
    let mut config = ca(json!({}));
    config.as_object_mut().unwrap().remove("rotate_on_create");
    ws.resource(PROD, config);
    assert!(ws.plan().await.told.has("rotate_on_create must be said"));
    let mut config = ca(json!({}));
    config["magnum"].as_object_mut().unwrap().remove("driver_supports_ca_rotation");
    ws.resource(PROD, config);
    assert!(ws.plan().await.told.failed());
    assert_eq!(bed.rotations(), (0, 0));
}

#[tokio::test]
async fn a_ca_is_replaced_and_the_served_chain_is_looked_at() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(ca(json!({})));
    ws.up_well().await;
    let before = ws.attribute(PROD, "ca_certificate_sha256");
    assert!(before.is_string() && ws.attribute(PROD, "expires_at").is_string());
    ws.plan().await.assert_empty();
    ws.change(PROD, trigger("2"));
    let plan = ws.plan().await;
    assert_eq!(plan.action(PROD), Action::Update);
    plan.told.only("Every kubeconfig of the cluster will be refused");
    let told = ws.apply(&plan).await.told;
    told.assert_success();
    let verdict = told.only("The cluster's CA was replaced");
    assert!(verdict.detail.contains("shows a certificate of the new CA"), "{verdict:?}");
    assert_ne!(ws.attribute(PROD, "ca_certificate_sha256"), before);
    assert_eq!(bed.rotations(), (0, 1));
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_ca_that_takes_its_time_is_waited_for() {
    let bed = Clusters::with_labels(NEW, &[("stub_delay", "0")]).await;
    let mut ws = bed.workspace(ca(json!({})));
    ws.up_well().await;
    bed.label("stub_delay", Some("3"));
    ws.change(PROD, trigger("2")).up_well().await;
    assert_eq!(bed.rotations(), (0, 1));
    assert_eq!(bed.prod().status, "UPDATE_COMPLETE");
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
}

#[tokio::test]
async fn a_driver_that_cannot_is_told_with_what_is_stored_now() {
    let bed = Clusters::start("tpl-norotate").await;
    let mut ws = bed.workspace(ca(json!({})));
    ws.up_well().await;
    ws.change(PROD, trigger("2"));
    let told = ws.up().await.told;
    let refusal = told.only("The cluster's credential was not rotated");
    assert!(refusal.detail.contains("UPDATE_FAILED"), "{refusal:?}");
    assert_eq!(ws.attribute(PROD, "generation"), json!(0));
    // The next plan sees what Magnum has stored, and does not try again.
    let told = ws.plan().await.told;
    assert!(told.has("A rotation was made outside this resource"), "{told:?}");
    told.only("The cluster is not in a state to be rotated");
}

#[tokio::test]
async fn a_ca_replaced_by_hand_is_seen_and_does_not_answer_a_trigger() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(ca(json!({})));
    ws.up_well().await;
    let mut other = bed.workspace(ca(json!({ "rotate_on_create": true })));
    other.up_well().await;
    assert_eq!(bed.rotations(), (0, 1));
    let plan = ws.plan().await;
    plan.told.only("A rotation was made outside this resource");
    ws.change(PROD, trigger("2")).up_well().await;
    assert_eq!(bed.rotations(), (0, 2), "whoever asks wants a rotation after that");
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn the_end_of_a_ca_is_warned_of_and_renewed_in_time() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(ca(json!({ "renew_before": "P90D" })));
    ws.up_well().await;
    bed.pass_days(365 * 5 - 100);
    ws.plan().await.assert_empty();
    bed.pass_days(20);
    let plan = ws.plan().await;
    let reason = plan.change(PROD).after()["rotation_reason"].clone();
    assert!(reason.as_str().unwrap().contains("renew_before"), "{reason}");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.rotations(), (0, 1));
    // Without renew_before it is only warned of.
    ws.change(PROD, json!({ "renew_before": Json::Null })).up_well().await;
    bed.pass_days(365 * 5 - 20);
    let plan = ws.plan_with(PlanOptions::default()).await;
    plan.told.only("The cluster's CA expires soon");
    plan.assert_empty();
}
