//! Awkward hosts: saved plans applied late and under another login, refreshes that are skipped, providers and
//! triggers that are not known yet.

use serde_json::json;

use super::{Clusters, NEW, OLD, PROD, credential, trigger};
use crate::host::{Action, PlanOptions, unknown};

fn scheduled() -> serde_json::Value {
    credential(json!({ "rotation_period": "P30D" }))
}

#[tokio::test]
async fn a_plan_saved_before_the_deadline_and_applied_after_it_is_one_rotation() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(29);
    ws.change(PROD, trigger("2"));
    let plan = ws.plan().await;
    bed.pass_days(3);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!((bed.rotations(), bed.restarts()), ((2, 0), vec![2; 3]));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_plan_of_one_login_is_refused_to_another_days_later() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    ws.change(PROD, trigger("2"));
    let plan = ws.plan().await;
    assert_eq!(plan.change(PROD).after()["owner_user_id"], unknown());
    bed.pass_days(4);
    ws.provider(bed.login("bob"));
    ws.apply(&plan).await.told.only("The plan was made under another login");
    assert_eq!(ws.attribute(PROD, "owner_user_id"), json!(bed.cloud.user("alice").id));
    assert_eq!(bed.rotations(), (1, 0));
    // Planned anew it is that login's.
    ws.up_well().await;
    assert_eq!(ws.attribute(PROD, "owner_user_id"), json!(bed.cloud.user("bob").id));
    assert_eq!(bed.rotations(), (2, 0));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn without_a_refresh_nothing_new_is_decided() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(31);
    let blind = PlanOptions { refresh: false, ..PlanOptions::default() };
    ws.plan_with(blind.clone()).await.assert_empty();
    ws.refresh().await;
    let plan = ws.plan_with(blind).await;
    assert_eq!(plan.change(PROD).attribute("generation"), (json!(1), json!(2)));
    // What is due is stored once.
    let only = PlanOptions { refresh_only: true, ..PlanOptions::default() };
    assert!(ws.plan_with(only).await.is_empty());
}

#[tokio::test]
async fn a_rotation_by_hand_answers_a_schedule_and_no_trigger() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    let mut other = bed.workspace(credential(json!({})));
    bed.pass_days(20);
    other.up_well().await;
    assert_eq!(bed.rotations(), (2, 0));
    // Nights in which only plans are made store nothing.
    for _ in 0..12 {
        bed.pass_days(1);
        let plan = ws.plan().await;
        plan.assert_empty();
        plan.told.only("A rotation was made outside this resource");
    }
    ws.change(PROD, trigger("2"));
    let plan = ws.plan().await;
    assert_eq!(plan.change(PROD).attribute("generation"), (json!(1), json!(2)));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.rotations(), (3, 0), "whoever asks wants a rotation after that");
    ws.plan().await.told.assert_silent();
}

#[tokio::test]
async fn an_unknown_provider_keeps_the_state_and_its_plan_is_applied() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(31);
    let mut login = bed.login("alice");
    login["openstack"]["password"] = unknown();
    let later = PlanOptions { provider: Some(login), ..PlanOptions::default() };
    bed.cloud.reset_calls();
    let plan = ws.plan_with(later.clone()).await;
    plan.assert_empty();
    assert!(plan.told.only("Cluster not refreshed").detail.contains("password"));
    assert_eq!(bed.cloud.calls().len(), 0, "nobody is asked");
    ws.change(PROD, trigger("2"));
    let plan = ws.plan_with(later).await;
    assert_eq!(plan.change(PROD).attribute("generation"), (json!(1), json!(2)));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.rotations(), (2, 0));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_unknown_trigger_rotates_only_if_it_turns_out_different() {
    for (turns_out, expected) in [("1", 1), ("2", 2)] {
        let bed = Clusters::start(OLD).await;
        let mut ws = bed.workspace(credential(json!({})));
        ws.up_well().await;
        ws.change(PROD, json!({ "triggers": { "v": unknown() } }));
        let plan = ws.plan().await;
        assert_eq!(plan.action(PROD), Action::Update);
        for name in ["generation", "phase", "rotation_reason", "started_at", "completed_at"] {
            assert_eq!(plan.change(PROD).after()[name], unknown(), "{name}");
        }
        ws.becomes(PROD, trigger(turns_out));
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(ws.attribute(PROD, "generation"), json!(expected));
        assert_eq!(bed.rotations(), (expected, 0));
        ws.change(PROD, trigger(turns_out));
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn another_cluster_is_another_resource_and_its_uuid_is_not() {
    let bed = Clusters::start(NEW).await;
    bed.cloud.create_cluster("alice", "stage", NEW);
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    let uuid = bed.prod().uuid;
    ws.change(PROD, json!({ "magnum": { "cluster": uuid } })).up_well().await;
    assert_eq!(bed.rotations(), (1, 0));
    ws.change(PROD, json!({ "magnum": { "cluster": "stage" } }));
    let plan = ws.plan().await;
    assert_eq!(plan.action(PROD), Action::DeleteThenCreate);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.rotations(), (1, 0));
    assert_eq!(bed.cloud.cluster("stage").rotations, 1);
}

#[tokio::test]
async fn reads_at_rest_write_nothing() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    let only = PlanOptions { refresh_only: true, ..PlanOptions::default() };
    for _ in 0..3 {
        bed.pass_days(2);
        let seen = ws.plan_with(only.clone()).await;
        assert!(seen.is_empty(), "{:#?}", seen.drift);
    }
}
