//! What must not be sent: said at plan, and nothing has happened. And what Magnum or its driver refuse or fail.

use rekey_sandbox::ClusterEvent;
use serde_json::{Value as Json, json};

use super::{Clusters, NEW, OLD, PROD, credential, trigger};
use crate::host::Told;

/// Neither rotated nor failed.
fn untouched(bed: &Clusters) {
    let prod = bed.prod();
    assert_eq!(prod.rotations, 0);
    assert!(prod.status.ends_with("_COMPLETE"), "{prod:?}");
}

async fn refused_at_plan(bed: &Clusters, login: Json, summary: &str) -> Told {
    let mut ws = bed.workspace(credential(json!({})));
    ws.provider(login.clone());
    let plan = ws.plan().await;
    assert!(plan.told.failed(), "{:?}", plan.told);
    plan.told.only(summary);
    // A plan that only warns is stopped by the apply.
    let mut lenient = login;
    lenient["plan_checks"] = json!("warn");
    ws.provider(lenient);
    let warned = ws.plan().await;
    warned.told.assert_success();
    warned.told.only(summary);
    let told = ws.apply(&warned).await.told;
    assert!(told.failed() && told.has(summary), "{told:?}");
    assert!(ws.state.instances.is_empty());
    untouched(bed);
    plan.told
}

#[tokio::test]
async fn a_restricted_login_is_refused_before_it_can_do_harm() {
    let bed = Clusters::start(NEW).await;
    bed.cloud.create_credentials("alice", "demo", "made-", 1);
    let made = bed.cloud.credentials("alice").into_iter().find(|c| c.name == "made-0001").unwrap();
    let login = bed.login_with(&made.id, "secretmade-0001");
    refused_at_plan(&bed, login, "The login may not rotate a cluster's credential").await;
}

#[tokio::test]
async fn a_reader_is_refused() {
    let bed = Clusters::start(NEW).await;
    let login = bed.login("rita");
    refused_at_plan(&bed, login, "The login does not have the role that Magnum wants").await;
}

#[tokio::test]
async fn an_old_magnum_is_refused() {
    let bed = Clusters::start(NEW).await;
    bed.cloud.happen_to_cluster(&ClusterEvent::SetNewestVersion { minor: 11 });
    let login = bed.login("alice");
    let told = refused_at_plan(&bed, login, "This Magnum cannot rotate credentials").await;
    assert!(told.errors()[0].detail.contains("1.12"), "{told:?}");
}

#[tokio::test]
async fn a_cluster_that_is_busy_is_refused() {
    for status in ["UPDATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"] {
        let bed = Clusters::start(NEW).await;
        bed.status(status);
        let ws = bed.workspace(credential(json!({})));
        let told = ws.plan().await.told;
        let refusal = told.only("The cluster is not in a state to be rotated");
        assert!(
            refusal.detail.contains(status) && refusal.detail.contains("by hand"),
            "{refusal:?}"
        );
        assert_eq!(bed.rotations(), (0, 0));
    }
    // What has failed may simply be repeated.
    let bed = Clusters::start(NEW).await;
    bed.status("UPDATE_FAILED");
    bed.workspace(credential(json!({}))).up_well().await;
    assert_eq!(bed.prod().status, "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_name_that_several_have_lists_their_uuids() {
    let bed = Clusters::start(NEW).await;
    let other = bed.cloud.create_cluster("alice", "prod", OLD).uuid;
    let mut ws = bed.workspace(credential(json!({})));
    let told = ws.plan().await.told;
    let refusal = told.only("No such cluster");
    assert!(refusal.detail.contains(&other), "{refusal:?}");
    ws.change(PROD, json!({ "magnum": { "cluster": other } }));
    ws.up_well().await;
    assert_eq!(bed.rotations(), (1, 0));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_driver_that_cannot_rotate_leaves_no_trace() {
    let bed = Clusters::start("tpl-norotate").await;
    let magnum = json!({ "cluster": "prod", "restart_workloads": "never" });
    let mut ws = bed.workspace(credential(json!({ "magnum": magnum })));
    let told = ws.up().await.told;
    let refusal = told.only("The cluster's credential was not rotated");
    assert!(refusal.detail.contains("not supported by driver"), "{refusal:?}");
    assert!(ws.state.instances.is_empty());
    untouched(&bed);
}

#[tokio::test]
async fn a_driver_that_fails_is_told_and_tried_again_by_the_next_apply() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    bed.pass_a_moment();
    bed.label("stub_rotate_credential", Some("fail"));
    ws.change(PROD, trigger("2"));
    let told = ws.up().await.told;
    let failure = told.only("The rotation of the cluster's credential has failed");
    assert!(failure.detail.contains("as the labels ask"), "{failure:?}");
    assert_eq!(ws.attribute(PROD, "generation"), json!(1));
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
    assert!(bed.cluster_can_use_the_cloud().await, "the old one still works");
    bed.label("stub_rotate_credential", None);
    ws.up_well().await;
    assert_eq!(ws.attribute(PROD, "generation"), json!(2));
    assert_eq!((bed.rotations(), bed.restarts()), ((2, 0), vec![2; 3]));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_create_whose_driver_fails_leaves_nothing_to_be_replaced() {
    let bed = Clusters::with_labels(OLD, &[("stub_rotate_credential", "fail")]).await;
    let mut ws = bed.workspace(credential(json!({})));
    assert!(ws.up().await.told.has("The rotation of the cluster's credential has failed"));
    assert!(ws.state.instances.is_empty());
    bed.label("stub_rotate_credential", None);
    ws.up_well().await;
    assert_eq!(bed.rotations(), (1, 0));
}

#[tokio::test]
async fn a_driver_that_is_slower_than_magnum_waits_is_looked_for_and_not_asked_twice() {
    let bed = Clusters::with_labels(OLD, &[("stub_rotate_delay", "3")]).await;
    bed.cloud.happen_to_cluster(&ClusterEvent::SetDriverPatience { milliseconds: 300 });
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    assert_eq!(bed.cloud.count("PATCH", "/container-infra/v1/credentials/"), 1);
    assert_eq!((bed.rotations(), bed.restarts()), ((1, 0), vec![1; 3]));
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_unhealthy_cluster_and_a_former_credential_that_stays_are_told() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    bed.cloud.happen_to_cluster(&ClusterEvent::SetClusterHealth {
        cluster: "prod".into(),
        health: Some("UNHEALTHY".into()),
    });
    ws.change(PROD, trigger("2"));
    let told = ws.up_well().await.told;
    told.only("The cluster is not well after the rotation");
}
