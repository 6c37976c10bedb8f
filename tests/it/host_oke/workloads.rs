//! Workloads that are restarted in the overlap: once, whoever began the rotation, and taken up where one was left.

use rekey_sandbox::OkeEvent;
use serde_json::{Value as Json, json};

use super::{Bed, OKE, trigger};
use crate::host::Action;

fn naming(cluster: &str, names: &[&str]) -> Json {
    let workload = |name: &&str| {
        let kind = if *name == "node-agent" { "DaemonSet" } else { "Deployment" };
        json!({ "kind": kind, "name": name, "namespace": "apps" })
    };
    let workloads: Vec<_> = names.iter().map(workload).collect();
    json!({ "oke": { "cluster_id": cluster, "workloads": workloads } })
}

#[tokio::test]
async fn what_reads_the_ca_is_restarted_once_in_the_overlap() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(naming(&bed.prod().id, &["web", "node-agent"]));
    let plan = ws.plan().await;
    let names = json!(["Deployment apps/web", "DaemonSet apps/node-agent"]);
    assert_eq!(plan.change(OKE).after()["restarts"], names);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(OKE, "phase"), json!("overlap"));
    assert_eq!(ws.attribute(OKE, "restarts"), names);
    let prod = bed.prod();
    assert_eq!((prod.starts, prod.authorities.len()), (1, 2));
    assert_eq!((prod.restarts["web"], prod.restarts["node-agent"]), (1, 1));
    ws.plan().await.assert_empty();

    // The end of the overlap restarts nothing.
    bed.pass_hours(26);
    ws.change(OKE, json!({ "complete_generation": 1 }));
    ws.up_well().await;
    assert_eq!(ws.attribute(OKE, "phase"), json!("completed"));
    assert_eq!(bed.prod().restarts["web"], 1);
}

#[tokio::test]
async fn one_that_is_missing_keeps_no_other_from_it_and_is_taken_up_by_the_next_apply() {
    let bed = Bed::start().await;
    let id = bed.prod().id;
    let mut ws = bed.workspace(naming(&id, &["web"]));
    ws.change(OKE, json!({ "rotate_on_create": false }));
    ws.up_well().await;
    assert_eq!(bed.prod().restarts["web"], 0);

    ws.change(OKE, naming(&id, &["nobody", "node-agent", "web"]));
    ws.change(OKE, trigger("2"));
    let plan = ws.plan().await;
    let told = ws.apply(&plan).await.told;
    assert!(told.failed());
    let missing = told.only("A workload is missing");
    assert!(missing.detail.contains("the old ones work until the overlap ends"), "{missing:?}");
    assert_eq!(ws.attribute(OKE, "phase"), json!("restarting"));
    let prod = bed.prod();
    assert_eq!((prod.starts, prod.restarts["web"], prod.restarts["node-agent"]), (1, 1, 1));

    // Still missing, it is neither forgotten nor is anything done twice.
    let plan = ws.plan().await;
    assert_eq!(plan.action(OKE), Action::Update);
    assert!(ws.apply(&plan).await.told.failed());
    ws.change(OKE, naming(&id, &["node-agent", "web"]));
    ws.up_well().await;
    assert_eq!(ws.attribute(OKE, "phase"), json!("overlap"));
    let prod = bed.prod();
    assert_eq!((prod.starts, prod.restarts["web"], prod.restarts["node-agent"]), (1, 1, 1));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_rotation_from_the_console_restarts_them_too() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(naming(&bed.prod().id, &["web"]));
    ws.change(OKE, json!({ "rotate_on_create": false }));
    ws.up_well().await;
    bed.happens(&OkeEvent::StartOkeRotation { cluster: "prod".into(), delay_days: 5 });
    let plan = ws.plan().await;
    assert!(plan.told.has("A rotation was begun outside this resource"), "{:?}", plan.told);
    assert_eq!(plan.action(OKE), Action::Update);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(OKE, "phase"), json!("overlap"));
    let prod = bed.prod();
    assert_eq!((prod.starts, prod.restarts["web"]), (1, 1));
    ws.plan().await.assert_empty();
}
