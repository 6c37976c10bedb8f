//! The course of a rotation where something goes wrong on the way: each of the cases that people met, by the sandbox.

use rekey_sandbox::{ClusterEvent, Fault, FaultRule};
use serde_json::json;

use super::{Clusters, NEW, OLD, PROD, ca, credential, trigger};
use crate::host::{Action, Host, PlanOptions, trouble, unknown};

fn scheduled() -> serde_json::Value {
    credential(json!({ "rotation_period": "P30D" }))
}

#[tokio::test]
async fn a_scheduled_rotation_that_is_stuck_is_resumed_and_not_sent_again() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(31);
    bed.hold_up(Some("ImagePullBackOff"));
    for _ in 0..3 {
        let plan = ws.plan().await;
        let after = plan.change(PROD).after();
        assert_eq!(after["generation"], json!(2), "one rotation, however often it is taken up");
        assert!(ws.apply(&plan).await.told.failed());
    }
    assert_eq!(bed.rotations(), (2, 0));
    bed.hold_up(None);
    ws.up_well().await;
    assert_eq!((bed.rotations(), bed.restarts()), ((2, 0), vec![2; 3]));
    ws.plan().await.assert_empty();
    // It counts from its sending.
    bed.pass_days(29);
    ws.plan().await.assert_empty();
    bed.pass_days(2);
    assert_eq!(ws.plan().await.change(PROD).attribute("generation"), (json!(2), json!(3)));
}

#[tokio::test]
async fn an_import_beside_triggers_that_are_not_known_yet_records_them() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({ "triggers": { "v": unknown() } })));
    ws.import(PROD, "prod/application_credential").await.assert_success();
    let plan = ws.plan().await;
    assert_eq!(plan.change(PROD).attribute("generation").1, json!(0));
    ws.becomes(PROD, trigger("7"));
    ws.apply(&plan).await.told.assert_success();
    ws.change(PROD, trigger("7"));
    ws.plan().await.assert_empty();
    assert_eq!(bed.rotations(), (0, 0));
    ws.change(PROD, trigger("8")).up_well().await;
    assert_eq!(bed.rotations(), (1, 0));
}

#[tokio::test]
async fn a_policy_that_is_not_known_yet_is_refused_in_words() {
    for argument in ["rotation_period", "renew_before", "rotate"] {
        let bed = Clusters::start(NEW).await;
        let mut ws = bed.workspace(ca(json!({})));
        ws.up_well().await;
        ws.change(PROD, json!({ argument: unknown() }));
        let told = ws.plan().await.told;
        let refusal = told.only("The rotation policy is not known");
        assert!(refusal.detail.contains(argument), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_cluster_whose_name_is_known_only_at_apply_is_neither_replaced_nor_rotated_again() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    ws.change(PROD, json!({ "magnum": { "cluster": unknown() } }));
    let plan = ws.plan().await;
    assert_eq!(plan.action(PROD), Action::Update);
    ws.becomes(PROD, json!({ "magnum": { "cluster": "prod" } }));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.rotations(), (1, 0));
    ws.change(PROD, json!({ "magnum": { "cluster": "prod" } }));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_ca_is_not_renewed_before_it_can_be_young() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(ca(json!({ "renew_before": "P3650D", "rotate_on_create": true })));
    let told = ws.plan().await.told;
    told.only("renew_before is longer than the credential lives");
    ws.change(PROD, json!({ "renew_before": "P90D", "rotate_on_create": false })).up_well().await;
    ws.change(PROD, json!({ "renew_before": "P3650D" }));
    let told = ws.plan().await.told;
    told.only("renew_before is longer than the credential lives");
    assert_eq!(bed.rotations(), (0, 0));
}

#[tokio::test]
async fn a_new_credential_proves_nothing_while_the_driver_works() {
    let labels = [("stub_handover_delay", "4")];
    let bed = Clusters::with_labels(OLD, &labels).await;
    bed.cloud.happen_to_cluster(&ClusterEvent::SetDriverPatience { milliseconds: 300 });
    let former = bed.prod().credential.unwrap().0;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    let now = bed.prod();
    assert_ne!(now.credential.unwrap().0, former);
    assert_eq!((bed.rotations(), bed.restarts()), ((1, 0), vec![1; 3]));
    assert_eq!(bed.cloud.count("PATCH", "/container-infra/v1/credentials/"), 1);
    assert!(bed.cluster_can_use_the_cloud().await);
}

#[tokio::test]
async fn a_driver_that_fails_after_creating_has_not_rotated_and_may_use_either() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    bed.pass_a_moment();
    bed.label("stub_rotate_credential", Some("fail-late"));
    ws.change(PROD, trigger("2"));
    let told = ws.up().await.told;
    let failure = told.only("The rotation of the cluster's credential has failed");
    assert!(failure.detail.contains("delete none of them"), "{failure:?}");
    assert!(!failure.detail.contains("Nothing was changed"), "{failure:?}");
    assert_eq!(
        (bed.rotations(), bed.restarts()),
        ((1, 0), vec![1; 3]),
        "no workload restarts for it"
    );
    assert_eq!(ws.attribute(PROD, "generation"), json!(1));
    assert!(bed.cluster_can_use_the_cloud().await);
    bed.label("stub_rotate_credential", None);
    let told = ws.up().await.told;
    told.assert_success();
    assert_eq!((bed.rotations(), bed.restarts()), ((2, 0), vec![2; 3]));
    assert!(bed.cluster_can_use_the_cloud().await);
}

#[tokio::test]
async fn a_kubernetes_block_that_leads_elsewhere_is_found_before_anything_is_sent() {
    let bed = Clusters::start(OLD).await;
    bed.cloud.create_cluster("alice", "stage", OLD);
    let mut ws = bed.workspace(credential(json!({})));
    let mut login = bed.login("alice");
    let stage = bed.cloud.cluster("stage");
    login["kubernetes"] = json!({ "host": stage.api_address, "insecure": true, "token": "t" });
    ws.provider(login);
    let told = ws.up().await.told;
    let refusal = told.only("The kubernetes block does not lead to this cluster");
    assert!(refusal.detail.contains("Nothing was sent"), "{refusal:?}");
    assert_eq!(bed.rotations(), (0, 0));
    assert!(stage.restarts.values().all(|restarts| *restarts == 0));
}

#[tokio::test]
async fn access_that_cannot_be_used_is_found_before_anything_is_sent() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({})));
    let mut login = bed.login("alice");
    login["kubernetes"] = json!({ "config_path": "/nosuch/kubeconfig" });
    ws.provider(login);
    let told = ws.up().await.told;
    assert!(told.failed() && told.has("Kubernetes is not configured"), "{told:?}");
    assert_eq!(bed.rotations(), (0, 0));
    assert!(ws.state.instances.is_empty());
}

#[tokio::test]
async fn a_trigger_that_changes_in_flight_is_a_rotation_of_its_own() {
    let bed = Clusters::start(OLD).await;
    bed.hold_up(Some("ImagePullBackOff"));
    let mut ws = bed.workspace(credential(json!({})));
    ws.up().await.told.assert_success();
    assert_eq!(ws.attribute(PROD, "phase"), json!("restarting"));
    bed.pass_a_moment();
    ws.change(PROD, trigger("2"));
    // The first cannot be finished: the second is not lost.
    assert!(ws.up().await.told.failed());
    assert_eq!(bed.rotations(), (1, 0));
    assert_eq!(ws.attribute(PROD, "triggers"), json!({ "v": "1" }));
    bed.hold_up(None);
    bed.pass_a_moment();
    ws.up_well().await;
    assert_eq!((bed.rotations(), bed.restarts()), ((2, 0), vec![2; 3]));
    assert_eq!(ws.attribute(PROD, "generation"), json!(2));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_hidden_template_or_a_foreign_404_is_not_the_end_of_a_cluster() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    bed.cloud.inject(
        rekey_sandbox::FaultRule::new(rekey_sandbox::Fault::NotFound)
            .on("GET", "/container-infra/v1/clusters")
            .persistent(),
    );
    let plan = ws.plan().await;
    assert!(plan.told.failed(), "{:?}", plan.told);
    assert!(!plan.told.has("Cluster is gone"));
    bed.cloud.clear_faults();
    ws.plan().await.assert_empty();
    assert_eq!(bed.rotations(), (1, 0));
}

#[tokio::test]
async fn holding_and_changing_a_schedule_are_told() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(31);
    ws.change(PROD, json!({ "rotate": false }));
    let plan = ws.plan().await;
    plan.told.only("Rotation is overdue and held");
    ws.change(PROD, json!({ "rotate": null, "rotation_period": "P60D" }));
    let plan = ws.plan().await;
    plan.told.only("The schedule changes with this apply");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.rotations(), (1, 0));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn many_clusters_are_refreshed_by_one_login_and_one_list() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(credential(json!({ "rotate_on_create": false })));
    for number in 0..9 {
        let name = format!("more-{number}");
        bed.cloud.create_cluster("alice", &name, NEW);
        let config = json!({ "magnum": { "cluster": name }, "rotate_on_create": false });
        ws.resource(&format!("rekey_cluster_credential_rotation.more{number}"), config);
    }
    ws.up_well().await;
    bed.cloud.reset_calls();
    ws.plan_with(PlanOptions::default()).await.assert_empty();
    let calls = bed.cloud.calls();
    // Two tokens (the second with the catalog), the clusters, their one template, the credentials of their owner.
    assert_eq!(calls.len(), 5, "{calls:#?}");
}

#[tokio::test]
async fn another_cluster_that_is_known_only_at_apply_is_refused_in_words() {
    let bed = Clusters::start(NEW).await;
    bed.cloud.create_cluster("alice", "stage", NEW);
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    ws.change(PROD, json!({ "magnum": { "cluster": unknown() } }));
    let plan = ws.plan().await;
    ws.becomes(PROD, json!({ "magnum": { "cluster": "stage" } }));
    let told = ws.apply(&plan).await.told;
    let refusal = told.only("The cluster is another than the plan's");
    assert!(refusal.detail.contains("Nothing was sent"), "{refusal:?}");
    assert_eq!((bed.rotations(), bed.cloud.cluster("stage").rotations), ((1, 0), 0));
    // Planned again it is a replacement.
    ws.change(PROD, json!({ "magnum": { "cluster": "stage" } })).up_well().await;
    assert_eq!((bed.rotations(), bed.cloud.cluster("stage").rotations), ((1, 0), 1));
}

#[tokio::test]
async fn restarts_that_are_left_over_can_be_given_up() {
    let bed = Clusters::start(OLD).await;
    bed.hold_up(Some("ImagePullBackOff"));
    let mut ws = bed.workspace(credential(json!({})));
    ws.up().await.told.assert_success();
    assert_eq!(ws.attribute(PROD, "phase"), json!("restarting"));
    ws.change(PROD, json!({ "magnum": { "cluster": "prod", "restart_workloads": "never" } }));
    let told = ws.up().await.told;
    told.assert_success();
    assert!(
        told.only("Workloads are not restarted").detail.contains(super::DEPLOYMENT),
        "{told:?}"
    );
    assert_eq!((ws.attribute(PROD, "phase"), bed.rotations()), (json!("completed"), (1, 0)));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn what_is_asked_for_after_a_run_that_died_is_a_rotation_of_its_own() {
    for after_commit in [false, true] {
        let bed = Clusters::start(NEW).await;
        let mut ws = bed.workspace(credential(json!({})));
        ws.up_well().await;
        bed.pass_a_moment();
        let sockets = tempfile::tempdir().unwrap();
        let process = trouble::mortal(&bed.cloud, sockets.path());
        ws.on(&Host::new(process.clone()));
        let fault = if after_commit { Fault::TimeoutAfterCommit } else { Fault::Timeout };
        bed.cloud.inject(FaultRule::new(fault).on("PATCH", "/container-infra/v1/credentials"));
        ws.change(PROD, trigger("2"));
        let run = async {
            let plan = ws.plan().await;
            let _ = ws.apply(&plan).await;
        };
        assert!(Box::pin(trouble::killed_when_struck(&bed.cloud, &process, run)).await);
        bed.cloud.clear_faults();
        ws.on(&bed.host);
        let made = usize::from(after_commit);
        assert_eq!(bed.rotations(), (1 + made, 0));
        // Nobody asks for it any more.
        ws.change(PROD, trigger("1"));
        let plan = ws.plan().await;
        plan.told.only("What a run that died has left is looked at");
        let told = ws.apply(&plan).await.told;
        told.assert_success();
        assert_eq!(told.has("A rotation of a run that died is counted"), after_commit, "{told:?}");
        assert_eq!(ws.attribute(PROD, "generation"), json!(1 + made));
        ws.plan().await.assert_empty();
        bed.pass_a_moment();
        ws.change(PROD, trigger("3")).up_well().await;
        assert_eq!(bed.rotations(), (2 + made, 0), "{after_commit}: the wish was swallowed");
        assert_eq!(ws.attribute(PROD, "generation"), json!(2 + made));
    }
}

#[tokio::test]
async fn a_plan_gives_the_cluster_to_the_user_who_made_it_and_to_no_other() {
    let bed = Clusters::start(OLD).await;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    bed.pass_a_moment();
    ws.change(PROD, trigger("2"));
    let plan = ws.plan().await;
    assert!(plan.told.only("Workloads will be restarted").detail.contains(super::DEPLOYMENT));
    ws.provider(bed.login("bob"));
    let told = ws.apply(&plan).await.told;
    let refusal = told.only("The plan was made under another login");
    assert!(refusal.detail.contains(&bed.cloud.user("alice").id), "{refusal:?}");
    assert_eq!(bed.rotations(), (1, 0));
    assert_eq!(ws.attribute(PROD, "triggers"), json!({ "v": "1" }));
    // Planned under that login it is told, and done.
    let plan = ws.plan().await;
    plan.told.only("The cluster changes its owner");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.rotations(), (2, 0));
    assert_eq!(ws.attribute(PROD, "owner_user_id"), json!(bed.cloud.user("bob").id));
}

#[tokio::test]
async fn a_schedule_on_an_old_rotation_says_that_it_is_due_at_once() {
    let bed = Clusters::start(NEW).await;
    let mut ws = bed.workspace(credential(json!({})));
    ws.up_well().await;
    bed.pass_days(40);
    ws.change(PROD, json!({ "rotation_period": "P30D" }));
    let plan = ws.plan().await;
    plan.told.only("The schedule changes with this apply");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.rotations(), (1, 0));
    let plan = ws.plan().await;
    assert!(!plan.told.has("The schedule changes with this apply"));
    assert_eq!(plan.change(PROD).attribute("generation"), (json!(1), json!(2)));
}
