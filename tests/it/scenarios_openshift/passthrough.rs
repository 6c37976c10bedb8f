//! Platforms on which the operator copies: every component has the new root, key by key.

use rekey_sandbox::openshift::{AccessKey, Cloud, Contents, Platform};
use serde_json::Value;

use super::{ADDRESS, rotation, uids, workspace};
use crate::support::openshift::{Cluster, value};
use crate::support::tools::Cli;

const MANAGER: &str = "/apis/operator.openshift.io/v1/kubecontrollermanagers/cluster";

/// Applies the block, and holds each component's secret to what is expected; nothing is made anew.
/// The cluster, as the rotation left it: nobody else has it until it is dropped.
async fn is_copied(
    contents: &Contents,
    block: &str,
    secret: &str,
    wanted: &[(&str, &str)],
) -> Cluster {
    is_copied_in(Cloud::default(), contents, block, secret, wanted).await
}

async fn is_copied_in(
    cloud: Cloud,
    contents: &Contents,
    block: &str,
    secret: &str,
    wanted: &[(&str, &str)],
) -> Cluster {
    let cluster = Cluster::real(contents, cloud).await;
    cluster.settles().await;
    let before = uids(&cluster).await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.watch("the new credential", secret);
    ws.write("main.tf", &rotation(block, ""));
    ws.apply(&[]).await.ok();
    for name in cluster.requests() {
        let component = cluster.component(&name).await;
        for (key, text) in wanted {
            assert_eq!(value(&component, key).as_deref(), Some(*text), "{name}: {key}");
        }
    }
    assert_eq!(uids(&cluster).await, before);
    ws.plan(&[]).await.empty();
    assert_eq!(ws.resource(ADDRESS).await["phase"], "completed");
    cluster
}

#[tokio::test]
async fn azure() {
    let root = [
        ("azure_client_id", "id"),
        ("azure_client_secret", "one"),
        ("azure_tenant_id", "t"),
        ("azure_subscription_id", "s"),
        ("azure_region", "r"),
        ("azure_resource_prefix", "p"),
        ("azure_resourcegroup", "g"),
    ];
    let block = "platform = \"azure\"\nclient_id_wo = \"id2\"\nclient_secret_wo = \"a-new-azure-secret\"\nclient_secret_wo_version = 1";
    let wanted = [
        ("azure_client_id", "id2"),
        ("azure_client_secret", "a-new-azure-secret"),
        ("azure_tenant_id", "t"),
        ("azure_region", "r"),
    ];
    let contents = Contents::new(Platform::Azure, "", &root);
    is_copied(&contents, block, "a-new-azure-secret", &wanted).await;
}

/// GCP asks the cloud of each component whether the root credential is enough for it.
#[tokio::test]
async fn gcp() {
    let cloud = Cloud::default();
    let file = |key: &AccessKey| {
        let AccessKey { id, secret } = key;
        format!(
            r#"{{"type":"service_account","client_email":"a@example.com","private_key":"{secret}","private_key_id":"{id}","project_id":"p"}}"#
        )
    };
    let (first, next) = (cloud.issue_root_key(), cloud.issue_root_key());
    let (one, two) = (file(&first), file(&next));
    let root = [("service_account.json", &*one)];
    let contents = Contents::new(Platform::Gcp, "Passthrough", &root);
    let block = format!(
        "platform = \"gcp\"\nservice_account_json_wo = {two:?}\nservice_account_json_wo_version = 1"
    );
    let wanted = [("service_account.json", &*two)];
    is_copied_in(cloud, &contents, &block, &next.secret, &wanted).await;
}

#[tokio::test]
async fn vsphere_with_a_redeployment_of_the_kube_controller_manager() {
    let root = [("vc.example.com.username", "admin"), ("vc.example.com.password", "one")];
    let contents = Contents::new(Platform::Vsphere, "", &root);
    let block = "platform = \"vsphere\"\nvcenters_wo = { \"vc.example.com\" = { username = \"admin\", password = \"a-new-vsphere-secret\" } }\nvcenters_wo_version = 1";
    let wanted =
        [("vc.example.com.username", "admin"), ("vc.example.com.password", "a-new-vsphere-secret")];
    let cluster = is_copied(&contents, block, "a-new-vsphere-secret", &wanted).await;
    let manager: Value = cluster.get(MANAGER).await;
    assert_eq!(manager["status"]["latestAvailableRevision"], 6);
    let nodes = manager["status"]["nodeStatuses"].as_array().unwrap();
    assert!(nodes.iter().all(|node| node["currentRevision"] == 6), "{nodes:?}");
}

#[tokio::test]
async fn vsphere_whose_manager_does_not_come_up_again() {
    let root = [("vc.example.com.username", "admin"), ("vc.example.com.password", "one")];
    let contents = Contents::new(Platform::Vsphere, "", &root);
    let cluster = Cluster::real(&contents, Cloud::default()).await;
    cluster.settles().await;
    cluster.operator().fail_redeployments(true);
    let mut ws = workspace(&cluster, Cli::any()).await;
    let block = "platform = \"vsphere\"\nvcenters_wo = { \"vc.example.com\" = { username = \"admin\", password = \"two\" } }\nvcenters_wo_version = 1";
    ws.write("main.tf", &rotation(block, ""));
    ws.apply(&[]).await.ok().says("was not redeployed").says("CrashLoopBackOff");
    let manager: Value = cluster.get(MANAGER).await;
    assert_eq!(manager["status"]["nodeStatuses"][0]["lastFailedRevision"], 6);
}
