//! From the create to the destroy.

use serde_json::{Value as Json, json};

use super::{PROD, aws, aws_config, vsphere, vsphere_config};
use crate::host::Action;
use crate::support::openshift::value;

const PASSWORD: &str = "vc.example.com.password";

#[tokio::test]
async fn a_new_version_is_the_next_rotation_in_place() {
    let bed = vsphere().await;
    let mut ws = bed.workspace(vsphere_config("two", 1));
    let before = bed.uids().await;
    let plan = ws.plan().await;
    assert_eq!(plan.action(PROD), Action::Create);
    ws.apply(&plan).await.told.assert_success();
    for name in bed.cluster.requests() {
        let component = bed.cluster.component(&name).await;
        assert_eq!(value(&component, PASSWORD).as_deref(), Some("two"), "{name}");
    }
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
    assert!(ws.plan().await.is_empty());

    ws.resource(PROD, vsphere_config("three", 2));
    let plan = ws.plan().await;
    assert_eq!(plan.action(PROD), Action::Update);
    ws.apply(&plan).await.told.assert_success();
    for name in bed.cluster.requests() {
        let component = bed.cluster.component(&name).await;
        assert_eq!(value(&component, PASSWORD).as_deref(), Some("three"), "{name}");
    }
    assert_eq!(ws.attribute(PROD, "generation"), json!(2));
    assert_eq!(bed.uids().await, before, "nothing was made anew");
}

#[tokio::test]
async fn where_all_is_equal_nothing_is_written() {
    let bed = vsphere().await;
    let mut ws = bed.workspace(vsphere_config("one", 1));
    let version = bed.cluster.root().await["metadata"]["resourceVersion"].clone();
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    ws.change(PROD, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    assert_eq!(plan.action(PROD), Action::Update);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.cluster.root().await["metadata"]["resourceVersion"], version);
}

#[tokio::test]
async fn in_mint_mode_every_component_gets_a_key_of_its_own_anew() {
    let (bed, key, _sts) = aws().await;
    let mut ws = bed.workspace(aws_config(&key, 1));
    let before = bed.uids().await;
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    let after = bed.uids().await;
    assert!(before.iter().all(|uid| !after.contains(uid)), "{before:?} {after:?}");
    assert!(ws.plan().await.is_empty());
    // By the root that is there, as often as it is asked for.
    ws.change(PROD, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    let again = bed.uids().await;
    assert!(after.iter().all(|uid| !again.contains(uid)), "{after:?} {again:?}");
}

#[tokio::test]
async fn a_key_that_the_cloud_does_not_know_is_not_written() {
    let (bed, mut key, _sts) = aws().await;
    key.secret.push('x');
    let mut ws = bed.workspace(aws_config(&key, 1));
    let root = bed.cluster.root().await;
    let plan = ws.plan().await;
    let told = ws.apply(&plan).await.told;
    assert!(told.failed(), "{told:#?}");
    assert_eq!(bed.cluster.root().await, root);
    assert!(!format!("{told:?}").contains(&key.secret));
}

/// A rotation that stopped is taken up with what is given then: it is looked at as if it began.
#[tokio::test]
async fn what_is_given_anew_for_a_rotation_that_stopped_is_judged_before_it_is_written() {
    let bed = vsphere().await;
    let given = |password: &str| {
        let mut config = vsphere_config(password, 1);
        config["openshift"]["component_timeout"] = json!("PT10S");
        config
    };
    let mut ws = bed.workspace(given("two"));
    let plan = ws.plan().await;
    bed.cluster.operator().kill().await;
    let told = ws.apply(&plan).await.told;
    assert!(told.has("The operator does not judge the root credential"), "{told:?}");
    let root = bed.cluster.root().await;
    assert_eq!(value(&root, PASSWORD).as_deref(), Some("two"));

    ws.resource(PROD, given("three "));
    let plan = ws.plan().await;
    let told = ws.apply(&plan).await.told;
    assert!(told.has("The new root credential cannot be used"), "{told:?}");
    assert_eq!(bed.cluster.root().await, root);
    bed.cluster.operator().resume();
    ws.resource(PROD, given("three"));
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
    assert_eq!(value(&bed.cluster.root().await, PASSWORD).as_deref(), Some("three"));
}

#[tokio::test]
async fn a_root_secret_that_somebody_removes_is_told() {
    let (bed, key, _sts) = aws().await;
    let mut ws = bed.workspace(aws_config(&key, 1));
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    ws.refresh().await;
    bed.cluster.delete(&bed.cluster.root_path()).await;
    let plan = ws.plan().await;
    assert!(format!("{:?}", plan.told).contains("is gone"), "{:?}", plan.told);
}

#[tokio::test]
async fn an_import_records_what_is_there_and_rotates_nothing() {
    let bed = vsphere().await;
    let mut ws = bed.workspace(vsphere_config("one", 1));
    let before = bed.cluster.root().await;
    ws.import(PROD, "openshift").await.assert_success();
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.cluster.root().await, before);
    assert_eq!(ws.attribute(PROD, "generation"), json!(0));
    assert!(ws.plan().await.is_empty());
}

#[tokio::test]
async fn what_was_changed_by_hand_is_told_and_left() {
    let bed = vsphere().await;
    let mut ws = bed.workspace(vsphere_config("two", 1));
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    let name = bed.cluster.requests()[0].clone();
    let edit = json!({ "data": { PASSWORD: "aGFuZA==" } });
    bed.cluster.patch(&bed.cluster.component_path(&name), edit).await;
    let plan = ws.plan().await;
    assert!(plan.is_empty());
    let told = format!("{:?}", plan.told);
    assert!(
        told.contains("is not a copy of the root credential") && !told.contains("hand\""),
        "{told}"
    );
    let component: Json = bed.cluster.component(&name).await;
    assert_eq!(value(&component, PASSWORD).as_deref(), Some("hand"));
}
