//! The `ClusterRole` of the guide is enough, and a permission that is missing is named.

use rekey_sandbox::openshift::{Cloud, Contents, Platform};

use super::{Aws, aws, rotation, workspace};
use crate::support::kubernetes::ControlPlane;
use crate::support::openshift::Cluster;
use crate::support::openstack::unique;
use crate::support::terraform::repository;
use crate::support::tools::Cli;

/// A kubeconfig of somebody who may do what the role says, by a token as `oc login` leaves it.
async fn with_the_role(plane: &ControlPlane) -> String {
    let file = repository("examples/openshift-permissions/cluster-role.yaml");
    plane.kubectl(&["apply", "-f", file.to_str().unwrap()]).await.ok();
    let (namespace, binding) = (plane.namespace().await, unique("rekey"));
    plane.kubectl(&["create", "serviceaccount", "rekey", "-n", &namespace]).await.ok();
    let account = format!("--serviceaccount={namespace}:rekey");
    let role = "--clusterrole=rekey-openshift";
    plane.kubectl(&["create", "clusterrolebinding", &binding, role, &account]).await.ok();
    let role = "--role=rekey-openshift";
    let root = ["create", "rolebinding", &binding, "-n", "kube-system", role, &account];
    plane.kubectl(&root).await.ok();
    let token = plane.kubectl(&["create", "token", "rekey", "-n", &namespace]).await.ok().stdout;
    let mut kubeconfig: serde_json::Value = serde_saphyr::from_str(&plane.kubeconfig()).unwrap();
    kubeconfig["users"][0]["user"] = serde_json::json!({ "token": token.trim() });
    kubeconfig.to_string()
}

#[tokio::test]
async fn the_role_of_the_guide_is_enough_in_mint_mode() {
    let of = Aws::start("Mint").await;
    let cluster = of.real().await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.write("kubeconfig", &with_the_role(ControlPlane::shared().await).await);
    ws.write("main.tf", &rotation(&aws(&of.keys[0], 1), ""));
    ws.apply(&[]).await.ok();
    ws.plan(&[]).await.empty();
}

#[tokio::test]
async fn the_role_of_the_guide_is_enough_for_vsphere_without_a_csi_operator() {
    let root = [("vc.example.com.username", "admin"), ("vc.example.com.password", "one")];
    let contents = Contents::new(Platform::Vsphere, "", &root);
    let cluster = Cluster::real(&contents, Cloud::default()).await;
    cluster.settles().await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.write("kubeconfig", &with_the_role(ControlPlane::shared().await).await);
    let block = "platform = \"vsphere\"\nvcenters_wo = { \"vc.example.com\" = { username = \"admin\", password = \"two\" } }\nvcenters_wo_version = 1";
    ws.write("main.tf", &rotation(block, ""));
    ws.apply(&[]).await.ok();
    ws.plan(&[]).await.empty();
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named_before_anything_is_touched() {
    let of = Aws::start("Mint").await;
    let cluster = of.real().await;
    let plane = ControlPlane::shared().await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    let kubeconfig = with_the_role(plane).await;
    let role = "clusterrole/rekey-openshift";
    // Its secrets may be read, and no more.
    let patch = r#"[{"op": "replace", "path": "/rules/3/verbs", "value": ["get"]}]"#;
    plane.kubectl(&["patch", role, "--type=json", "--patch", patch]).await.ok();
    ws.write("kubeconfig", &kubeconfig);
    ws.write("main.tf", &rotation(&aws(&of.keys[0], 1), ""));
    let (root, before) = (cluster.root().await, super::uids(&cluster).await);
    let plan = ws.plan(&[]).await.fails();
    plan.says("delete").says("installer-cloud-credentials");
    assert_eq!(cluster.root().await, root);
    assert_eq!(super::uids(&cluster).await, before);
}
