//! The life of a cluster's credential: rotated, proven, its workloads restarted; by triggers, schedules, colleagues;
//! imported, destroyed.

use rekey_sandbox::ClusterEvent;
use serde_json::json;

use super::{Clusters, DEPLOYMENT, NAMESPACE, NEW, OLD, PROD, credential, trigger};
use crate::host::{Action, Cli, unknown};

#[tokio::test]
async fn a_create_rotates_once_and_restarts_what_an_old_template_needs() {
    for (template, restarts) in [(OLD, 1), (NEW, 0)] {
        for cli in Cli::ALL {
            let bed = Clusters::start(template).await;
            let before = bed.prod();
            let mut ws = bed.workspace(credential(json!({ "rotation_period": "P90D" })));
            ws.on(&bed.host.clone().cli(cli));
            let plan = ws.plan().await;
            if restarts > 0 {
                let warning = plan.told.only("Workloads will be restarted");
                assert!(warning.detail.contains(DEPLOYMENT), "{warning:?}");
            } else {
                plan.told.assert_silent();
            }
            assert_eq!(plan.action(PROD), Action::Create);
            let after = plan.change(PROD).after();
            assert_eq!(after["generation"], json!(1));
            assert_eq!(after["rotation_due"], json!([]));
            assert_eq!(after["rotation_reason"], json!("generation 1: created"));
            for name in
                ["id", "phase", "started_at", "completed_at", "owner_user_id", "rotation_due_at"]
            {
                assert_eq!(after[name], unknown(), "{name}");
            }
            assert_eq!(bed.rotations(), (0, 0), "a plan rotates nothing");
            ws.apply(&plan).await.told.assert_success();
            assert_eq!(bed.rotations(), (1, 0));
            assert_eq!(bed.restarts(), [restarts; 3]);
            assert!(bed.cluster_can_use_the_cloud().await);
            let (id, secret) = before.credential.unwrap();
            assert!(!bed.opens(&json!(id), &json!(secret)).await, "the former one is gone");
            assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
            assert_eq!(
                ws.attribute(PROD, "id"),
                json!(format!("{}/application_credential", before.uuid))
            );
            assert_eq!(ws.attribute(PROD, "owner_user_id"), json!(bed.cloud.user("alice").id));
            assert_eq!(ws.attribute(PROD, "rotation_reason"), json!("generation 1: created"));
            let listed = ws.attribute(PROD, "restarts").as_array().map_or(0, Vec::len);
            assert_eq!(listed, if restarts > 0 { 3 } else { 0 });
            let plan = ws.plan().await;
            plan.told.assert_silent();
            plan.assert_empty();
        }
    }
}

#[tokio::test]
async fn a_trigger_or_a_due_schedule_is_one_rotation_in_place() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({ "rotation_period": "P90D" })));
    ws.up_well().await;
    bed.pass_a_moment();
    ws.change(PROD, trigger("2"));
    let plan = ws.plan().await;
    assert_eq!(plan.action(PROD), Action::Update);
    assert_eq!(plan.change(PROD).attribute("generation"), (json!(1), json!(2)));
    assert_eq!(
        plan.change(PROD).after()["rotation_reason"],
        json!("generation 2: triggers[\"v\"] changed")
    );
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!((bed.rotations(), bed.restarts()), ((2, 0), vec![2; 3]));
    bed.pass_days(89);
    ws.plan().await.assert_empty();
    bed.pass_days(2);
    let plan = ws.plan().await;
    let reason = plan.change(PROD).after()["rotation_reason"].clone();
    assert!(reason.as_str().unwrap().contains("rotation_period"), "{reason}");
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!((bed.rotations(), bed.restarts()), ((3, 0), vec![3; 3]));
    ws.plan().await.assert_empty();
    // Held, it waits.
    ws.change(PROD, json!({ "rotate": false })).up_well().await;
    bed.pass_days(91);
    let plan = ws.plan().await;
    plan.assert_empty();
    plan.told.only("Rotation is overdue and held");
    ws.change(PROD, json!({ "rotate": null })).up_well().await;
    assert_eq!(bed.rotations(), (4, 0));
}

#[tokio::test]
async fn nothing_is_rotated_until_something_calls_for_it() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({ "rotate_on_create": false })));
    ws.up_well().await;
    assert_eq!(bed.rotations(), (0, 0));
    assert_eq!(ws.attribute(PROD, "phase"), json!("none"));
    assert_eq!(ws.attribute(PROD, "generation"), json!(0));
    ws.plan().await.assert_empty();
    ws.change(PROD, trigger("2")).up_well().await;
    assert_eq!(bed.rotations(), (1, 0));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_import_records_and_never_rotates() {
    for name in [true, false] {
        let bed = Clusters::start(OLD).await;
        let uuid = bed.prod().uuid;
        let cluster = if name { "prod".to_owned() } else { uuid.clone() };
        let mut config = credential(json!({ "rotation_period": "P90D" }));
        config["magnum"]["cluster"] = json!(cluster);
        let mut ws = bed.workspace(config);
        ws.import(PROD, &format!("{cluster}/application_credential")).await.assert_success();
        assert_eq!(ws.attribute(PROD, "id"), json!(format!("{uuid}/application_credential")));
        ws.up_well().await;
        ws.plan().await.assert_empty();
        assert_eq!(bed.rotations(), (0, 0));
        ws.change(PROD, trigger("2")).up_well().await;
        assert_eq!(bed.rotations(), (1, 0));
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn a_colleague_becomes_the_owner_and_both_are_named() {
    let bed = Clusters::start(OLD).await;
    let (alice, bob) = (bed.cloud.user("alice").id, bed.cloud.user("bob").id);
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    bed.pass_a_moment();
    ws.provider(bed.login("bob")).change(PROD, trigger("2"));
    let plan = ws.plan().await;
    let warning = plan.told.only("The cluster changes its owner");
    assert!(warning.detail.contains(&alice) && warning.detail.contains(&bob), "{warning:?}");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(PROD, "owner_user_id"), json!(bob));
    assert_eq!((bed.rotations(), bed.restarts()), ((2, 0), vec![2; 3]));
    assert!(bed.cluster_can_use_the_cloud().await);
    ws.plan().await.assert_empty();
    // Whom it does not belong to any more may look, too.
    ws.provider(bed.login("alice"));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_stuck_workload_is_told_with_its_pod_and_resumed_without_another_rotation() {
    let bed = Clusters::start(OLD).await;
    bed.hold_up(Some("ImagePullBackOff"));
    let mut ws = bed.workspace(credential(json!({})));
    // An error would taint what was created, and the next apply would rotate again.
    let told = ws.up().await.told;
    told.assert_success();
    let warning = told.only("A workload does not come back");
    assert!(
        warning.detail.contains("ImagePullBackOff: container main: no such image"),
        "{warning:?}"
    );
    assert_eq!(ws.attribute(PROD, "phase"), json!("restarting"));
    assert_eq!(bed.rotations(), (1, 0));
    let plan = ws.plan().await;
    assert_eq!(plan.action(PROD), Action::Update);
    plan.told.only("A rotation is not complete");
    // Still stuck: now it is an error, and the state stays.
    let told = ws.apply(&plan).await.told;
    assert!(told.failed() && told.has("A workload does not come back"), "{told:?}");
    assert_eq!(ws.attribute(PROD, "phase"), json!("restarting"));
    bed.hold_up(None);
    ws.up_well().await;
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
    assert_eq!((bed.rotations(), bed.restarts()), ((1, 0), vec![1; 3]));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_workload_that_is_missing_is_named_and_others_can_be_chosen() {
    let bed = Clusters::start(OLD).await;
    bed.cloud.happen_to_cluster(&ClusterEvent::DeleteWorkload {
        cluster: "prod".into(),
        namespace: NAMESPACE.into(),
        name: DEPLOYMENT.into(),
    });
    let mut ws = bed.workspace(credential(json!({})));
    let told = ws.up().await.told;
    assert!(told.only("A workload is missing").detail.contains(DEPLOYMENT), "{told:?}");
    let workload = json!({ "namespace": NAMESPACE, "kind": "DaemonSet", "name": "openstack-cinder-csi-nodeplugin" });
    assert_eq!(bed.restarts(), [1, 1], "one that is missing keeps no other from its restart");
    ws.change(PROD, json!({ "magnum": { "cluster": "prod", "workloads": [workload] } }));
    ws.up_well().await;
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"));
    assert_eq!((bed.rotations(), bed.restarts()), ((1, 0), vec![1, 1]));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_version_that_nobody_tells_must_be_decided() {
    let bed = Clusters::start("tpl-full").await;
    let mut ws = bed.workspace(credential(json!({})));
    let told = ws.plan().await.told;
    assert!(told.failed());
    told.only("It is not known whether the workloads must restart");
    for (restart, expected) in [("never", 0), ("always", 1)] {
        let bed = Clusters::start("tpl-full").await;
        let magnum = json!({ "cluster": "prod", "restart_workloads": restart });
        let mut ws = bed.workspace(credential(json!({ "magnum": magnum })));
        ws.up_well().await;
        assert_eq!((bed.rotations(), bed.restarts()), ((1, 0), vec![expected; 3]));
    }
    // The driver's word is enough.
    bed.cloud.happen_to_cluster(&ClusterEvent::SetCoeVersion {
        cluster: "prod".into(),
        version: Some("v1.34.0".into()),
    });
    ws.up_well().await;
    assert_eq!((bed.rotations(), bed.restarts()), ((1, 0), vec![0; 3]));
}

#[tokio::test]
async fn a_lesser_group_is_enough_where_the_cluster_binds_it() {
    let bed = Clusters::start(OLD).await;
    let magnum = json!({ "cluster": "prod", "kubernetes_groups": ["restarters"] });
    let mut ws = bed.workspace(credential(json!({ "magnum": magnum })));
    let told = ws.up().await.told;
    let refusal = told.only("The workloads may not be restarted by this login");
    assert!(told.failed() && refusal.detail.contains("patch deployments.apps"), "{refusal:?}");
    assert_eq!((bed.rotations(), bed.restarts()), ((0, 0), vec![0; 3]), "it is asked before");
    bed.cloud.happen_to_cluster(&ClusterEvent::AllowGroup {
        cluster: "prod".into(),
        group: "restarters".into(),
        namespace: NAMESPACE.into(),
        verbs: ["get", "list", "patch"].map(str::to_owned).into(),
        resources: ["deployments", "daemonsets", "pods"].map(str::to_owned).into(),
    });
    ws.up_well().await;
    assert_eq!((bed.rotations(), bed.restarts()), ((1, 0), vec![1; 3]));
}

#[tokio::test]
async fn a_destroy_undoes_nothing_and_says_so() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    let before = bed.prod();
    let told = ws.destroy().await.told;
    told.assert_success();
    assert_eq!(bed.prod(), before);
    assert!(ws.state.instances.is_empty());
}

#[tokio::test]
async fn a_cluster_that_is_gone_leaves_the_state() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({ "rotate_on_create": false })));
    ws.up_well().await;
    bed.cloud.happen_to_cluster(&ClusterEvent::DeleteCluster { cluster: "prod".into() });
    let plan = ws.plan().await;
    assert!(plan.told.has("Cluster is gone"), "{:?}", plan.told);
}

#[tokio::test]
async fn what_is_beside_the_resource_tells_and_opens() {
    let bed = Clusters::start(OLD).await;
    let login = bed.login("alice");
    let found = bed.host.data(login.clone(), "rekey_cluster_credentials", json!({})).await.silent();
    let prod = bed.prod();
    let (id, _) = prod.credential.clone().unwrap();
    for (name, expected) in [
        ("cluster_id", json!(prod.uuid)),
        ("application_credential_id", json!(id)),
        ("restart_needed", json!(true)),
        ("rotation_recommended", json!(false)),
        ("owner_exists", json!(true)),
        ("template_name", json!(OLD)),
    ] {
        assert_eq!(found["clusters"][0][name], expected, "{name}");
    }
    let config = json!({ "cluster": "prod" });
    let opened = bed.host.open(login, "rekey_kubeconfig", config).await.unwrap();
    assert_eq!(opened.value["host"], json!(prod.api_address));
    opened.close().await.assert_success();
}
