//! What goes wrong half-way: what is told, what is untouched, and that the next apply goes on.

use std::time::Duration;

use rekey_sandbox::openshift::{Cloud, Contents, Platform};
use serde_json::json;

use super::{ADDRESS, rotation, workspace};
use crate::support::openshift::Cluster;
use crate::support::tools::Cli;

const MACHINE_API: &str = "openshift-machine-api-vsphere";
const BLOCK: &str = "platform = \"vsphere\"\nvcenters_wo = { \"vc.example.com\" = { username = \"admin\", password = \"two\" } }\nvcenters_wo_version = 1\ncomponent_timeout = \"PT5S\"\nsettle_time = \"PT1S\"";

async fn cluster() -> Cluster {
    let root = [("vc.example.com.username", "admin"), ("vc.example.com.password", "one")];
    let mut contents = Contents::new(Platform::Vsphere, "", &root);
    contents.has_csi_operator = true;
    let cluster = Cluster::sandbox(&contents, Cloud::default()).await;
    cluster.settles().await;
    cluster
}

#[tokio::test]
async fn an_operator_that_is_dead_is_waited_for_and_the_next_apply_goes_on() {
    let cluster = cluster().await;
    cluster.operator().kill().await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.write("main.tf", &rotation(BLOCK, ""));
    // A create that stops half-way is no error: Terraform would taint it, and begin anew.
    ws.apply(&[]).await.ok().says("The operator does not judge the root credential");
    cluster.component_holds(MACHINE_API, "vc.example.com.password", "one").await;
    let version = cluster.root().await["metadata"]["resourceVersion"].clone();
    cluster.operator().resume();
    ws.apply(&[]).await.ok();
    cluster.component_holds(MACHINE_API, "vc.example.com.password", "two").await;
    let root = cluster.root().await;
    assert_eq!(root["data"]["vc.example.com.password"], "dHdv");
    assert_ne!(root["metadata"]["resourceVersion"], version, "the annotator has had its say");
    ws.plan(&[]).await.empty();
    assert_eq!(ws.resource(ADDRESS).await["generation"], 1);
}

/// Who trusts the verdict that stands there from before takes the old root for judged.
#[tokio::test]
async fn an_annotator_that_takes_its_time_is_waited_for() {
    let cluster = cluster().await;
    cluster.operator().think_for(Duration::from_secs(3));
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.write("main.tf", &rotation(BLOCK, ""));
    ws.apply(&[]).await.ok();
    for name in cluster.requests() {
        cluster.component_holds(&name, "vc.example.com.password", "two").await;
    }
    ws.plan(&[]).await.empty();
}

#[tokio::test]
async fn a_cluster_that_is_not_well_afterwards_is_an_error_and_the_credentials_are_in_place() {
    let cluster = cluster().await;
    let path = "/apis/config.openshift.io/v1/clusteroperators/storage";
    let mut storage = cluster.get(path).await;
    for condition in storage["status"]["conditions"].as_array_mut().unwrap() {
        if condition["type"] == "Progressing" {
            condition["status"] = json!("True");
            condition["reason"] = json!("Deploying");
        }
    }
    let status = format!("{path}/status");
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.write("main.tf", &rotation(BLOCK, "timeouts = { create = \"40s\" }"));
    let running = ws.start(&["apply", "-input=false", "-auto-approve"]);
    cluster.component_holds(MACHINE_API, "vc.example.com.password", "two").await;
    let unwell = cluster.api().replace(&status, &storage).await.unwrap();
    let run = running.end().await;
    ws.search(&run);
    run.ok().says("storage").says("Deploying");
    let mut well = unwell;
    for condition in well["status"]["conditions"].as_array_mut().unwrap() {
        if condition["type"] == "Progressing" {
            condition["status"] = json!("False");
        }
    }
    cluster.api().replace(&status, &well).await.unwrap();
    ws.apply(&[]).await.ok();
    ws.plan(&[]).await.empty();
}

/// Drift: the root was changed by hand, or a component.
#[tokio::test]
async fn what_was_changed_by_hand_is_told() {
    let cluster = cluster().await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.write("main.tf", &rotation(BLOCK, ""));
    ws.apply(&[]).await.ok();
    let path = cluster.component_path(MACHINE_API);
    let edit = json!({ "data": { "vc.example.com.password": "aGFuZA==" } });
    cluster.patch(&path, edit).await;
    ws.plan(&[]).await.ok().says("openshift-machine-api");
}
