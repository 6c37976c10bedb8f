//! What is refused at plan, in words, and before anything is touched.

use rekey_sandbox::openshift::{Cloud, Contents, NAMESPACE, Platform, REQUEST, request};
use serde_json::json;

use super::{Aws, aws, rotation, uids, workspace};
use crate::support::openshift::{Cluster, request_path};
use crate::support::tools::Cli;

const VSPHERE: &str = "platform = \"vsphere\"\nvcenters_wo = { \"vc.example.com\" = { username = \"a\", password = \"two\" } }\nvcenters_wo_version = 1";

fn vsphere(mode: &str) -> Contents {
    let root = [("vc.example.com.username", "admin"), ("vc.example.com.password", "one")];
    Contents::new(Platform::Vsphere, mode, &root)
}

/// The plan says this, and nothing in the cluster has changed since.
async fn is_refused(cluster: &Cluster, block: &str, words: &[&str]) {
    let (root, before) = (cluster.root().await, uids(cluster).await);
    let mut ws = workspace(cluster, Cli::any()).await;
    ws.write("main.tf", &rotation(block, ""));
    let mut run = ws.plan(&[]).await.fails();
    for word in words {
        run = run.says(word);
    }
    assert_eq!(cluster.root().await, root);
    assert_eq!(uids(cluster).await, before);
}

#[tokio::test]
async fn manual_mode_with_and_without_an_issuer() {
    let cluster = Cluster::sandbox(&vsphere(""), Cloud::default()).await;
    cluster.settles().await;
    cluster.set_mode("Manual").await;
    is_refused(&cluster, VSPHERE, &["The operator is in manual mode", "ccoctl"]).await;
    let path = "/apis/config.openshift.io/v1/authentications/cluster";
    let issuer = json!({ "spec": { "serviceAccountIssuer": "https://issuer.example.com" } });
    cluster.patch(path, issuer).await;
    is_refused(&cluster, VSPHERE, &["issuer.example.com"]).await;
}

#[tokio::test]
async fn a_contradiction_of_the_legacy_config_map() {
    let cluster = Cluster::sandbox(&vsphere("Passthrough"), Cloud::default()).await;
    cluster.settles().await;
    let config = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "cloud-credential-operator-config", "namespace": NAMESPACE },
        "data": { "disabled": "true" },
    });
    let config_maps = format!("/api/v1/namespaces/{NAMESPACE}/configmaps");
    cluster.api().create(&config_maps, &config).await.unwrap();
    is_refused(&cluster, VSPHERE, &["mode is contradictory", "ConfigMap"]).await;
}

#[tokio::test]
async fn another_platform_and_another_mode_than_expected() {
    let cluster = Cluster::sandbox(&vsphere(""), Cloud::default()).await;
    cluster.settles().await;
    let key = Cloud::default().issue_root_key();
    is_refused(&cluster, &aws(&key, 1), &["runs on another platform", "VSphere"]).await;
    is_refused(&cluster, &format!("{VSPHERE}\nmode = \"mint\""), &["in another mode"]).await;
}

#[tokio::test]
async fn a_mode_in_which_the_operator_syncs_nothing_and_says_nothing() {
    let cluster = Cluster::sandbox(&vsphere(""), Cloud::default()).await;
    cluster.settles().await;
    cluster.set_mode("Mint").await;
    is_refused(&cluster, VSPHERE, &["cannot mint here", "Passthrough"]).await;
}

#[tokio::test]
async fn a_root_that_is_not_there() {
    let cluster = Cluster::sandbox(&vsphere(""), Cloud::default()).await;
    cluster.settles().await;
    cluster.delete(&cluster.root_path()).await;
    is_refused(&cluster, VSPHERE, &["no root credential", "kube-system/vsphere-creds"]).await;
}

/// With the condition, its reason and message, and since when.
#[tokio::test]
async fn a_request_that_fails_already() {
    let cluster = Cluster::sandbox(&vsphere(""), Cloud::default()).await;
    cluster.settles().await;
    let late = request(Platform::Vsphere, "late", "openshift-late", "creds");
    let requests = request_path("").trim_end_matches('/').to_owned();
    cluster.api().create(&requests, &late).await.unwrap();
    cluster.fails("late", "MissingTargetNamespace", "").await;
    let words = ["late", "MissingTargetNamespace", "target namespace openshift-late not found"];
    is_refused(&cluster, VSPHERE, &words).await;
}

/// It would neither update it nor make it again.
#[tokio::test]
async fn a_secret_that_the_operator_does_not_see() {
    let cluster = Cluster::sandbox(&vsphere(""), Cloud::default()).await;
    cluster.settles().await;
    let path = cluster.component_path("openshift-machine-api-vsphere");
    cluster.patch(&path, json!({ "metadata": { "labels": { REQUEST: null } } })).await;
    let words = ["is not the operator's", "openshift-machine-api/vsphere-cloud-credentials"];
    is_refused(&cluster, VSPHERE, &words).await;
}

#[tokio::test]
async fn two_requests_for_one_secret() {
    let of = Aws::start("Mint").await;
    let cluster = of.sandbox().await;
    let second =
        request(Platform::Aws, "second", "openshift-image-registry", "installer-cloud-credentials");
    let requests = request_path("").trim_end_matches('/').to_owned();
    cluster.api().create(&requests, &second).await.unwrap();
    cluster.recovers("second").await;
    cluster.operator().stop().await;
    is_refused(&cluster, &aws(&of.keys[0], 1), &["Two components share a secret", "second"]).await;
}

#[tokio::test]
async fn an_empty_credential_and_half_of_one() {
    let cluster = Cluster::sandbox(&vsphere(""), Cloud::default()).await;
    cluster.settles().await;
    let empty = VSPHERE.replace("\"two\"", "\"\"");
    is_refused(&cluster, &empty, &["must not be written"]).await;
    let half = VSPHERE.replace(", password = \"two\"", "");
    is_refused(&cluster, &half, &["password"]).await;
}
