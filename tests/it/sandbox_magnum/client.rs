//! The real `openstack coe` and `kubectl` against the sandbox: what an operator would do by hand.

use std::path::Path;
use std::process::Stdio;

use rekey_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::kubernetes::binary;
use crate::support::magnum::Magnum;
use crate::support::openstack::Keystone;
use crate::support::terraform::Run;

/// A clouds.yaml with the clouds `alice` and `bob`.
fn clouds(sandbox: &Sandbox) -> String {
    let cloud = |user: &str| {
        let account = sandbox.user(user);
        json!({ "auth": {
            "auth_url": sandbox.auth_url(),
            "username": account.name,
            "password": account.password,
            "project_name": "demo",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }, "region_name": "RegionOne" })
    };
    json!({ "clouds": { "alice": cloud("alice"), "bob": cloud("bob") } }).to_string()
}

async fn coe(sandbox: &Sandbox, user: &str, arguments: &[&str]) -> Run {
    // The plugin of Magnum is installed together with it.
    Magnum::get().await;
    Keystone::openstack(&clouds(sandbox), user, &[&["coe"], arguments].concat()).await
}

async fn json_of(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let run = coe(sandbox, "alice", &[arguments, &["-f", "json"]].concat()).await.ok();
    serde_json::from_str(&run.stdout).unwrap()
}

async fn kubectl(kubeconfig: &Path, arguments: &[&str]) -> Run {
    let program = tokio::task::spawn_blocking(binary).await.unwrap();
    let home = kubeconfig.parent().unwrap();
    let output = Command::new(program)
        .arg("kubectl")
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    Run::new(format!("kubectl {}", arguments.join(" ")), &output)
}

#[tokio::test]
async fn openstack_coe_looks_rotates_and_signs() {
    let sandbox = Sandbox::start().await;
    let made = sandbox.create_cluster("alice", "prod", "kubernetes-v1.33.8");
    let listed = json_of(&sandbox, &["cluster", "list"]).await;
    assert_eq!(listed[0]["name"], "prod");
    assert_eq!(listed[0]["status"], "CREATE_COMPLETE");
    let shown = json_of(&sandbox, &["cluster", "show", "prod"]).await;
    assert_eq!(shown["uuid"], made.uuid.as_str());
    assert_eq!(shown["api_address"], json!(made.api_address));
    assert_eq!(shown["labels"]["kube_tag"], "v1.33.8");

    coe(&sandbox, "alice", &["credential", "rotate", "prod"]).await.ok();
    let rotated = sandbox.cluster("prod");
    assert_eq!((rotated.rotations, rotated.status.as_str()), (1, "UPDATE_COMPLETE"));
    assert_ne!(rotated.credential, made.credential);
    let refused = coe(&sandbox, "alice", &["credential", "rotate", "nope"]).await;
    refused.says("could not be found");

    let folder = tempfile::tempdir().unwrap();
    let ca = coe(&sandbox, "alice", &["ca", "show", "prod"]).await.ok().stdout;
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"), "{ca}");
    let request = folder.path().join("request.csr");
    let made = Command::new("openssl")
        .args([
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/O=system:masters/CN=dora",
        ])
        .arg("-keyout")
        .arg(folder.path().join("key.pem"))
        .arg("-out")
        .arg(&request)
        .output()
        .await
        .expect("openssl is on every machine that builds Kubernetes");
    assert!(made.status.success());
    let signed = coe(&sandbox, "alice", &["ca", "sign", "prod", request.to_str().unwrap()]).await;
    let signed = signed.ok().stdout;
    assert!(signed.starts_with("-----BEGIN CERTIFICATE-----"), "{signed}");

    coe(&sandbox, "alice", &["ca", "rotate", "prod"]).await.ok();
    assert_eq!(sandbox.cluster("prod").ca_rotations, 1);
    let other = coe(&sandbox, "alice", &["ca", "show", "prod"]).await.ok().stdout;
    assert_ne!(ca, other);

    let templates = json_of(&sandbox, &["cluster", "template", "list"]).await;
    assert_eq!(templates.as_array().unwrap().len(), 4);
    coe(&sandbox, "alice", &["cluster", "delete", "prod"]).await.ok();
    assert_eq!(json_of(&sandbox, &["cluster", "list"]).await, json!([]));
}

#[tokio::test]
async fn kubectl_restarts_with_the_kubeconfig_that_openstack_coe_writes() {
    let sandbox = Sandbox::start().await;
    sandbox.create_cluster("alice", "prod", "kubernetes-v1.33.8");
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let fetch = ["cluster", "config", "prod", "--force", "--dir", place];
    coe(&sandbox, "alice", &fetch).await.ok();
    let kubeconfig = folder.path().join("config");
    let (namespace, name) = ("openstack-system", "openstack-cinder-csi-controllerplugin");
    let version = kubectl(&kubeconfig, &["version", "-o", "json"]).await.ok().stdout;
    let version: Value = serde_json::from_str(&version).unwrap();
    assert_eq!(version["serverVersion"]["gitVersion"], "v1.33.8");
    let pods = || async {
        let listed =
            kubectl(&kubeconfig, &["-n", namespace, "get", "pods", "-o", "name"]).await.ok();
        listed.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let before = pods().await;
    assert_eq!(before.len(), 6);
    let deployment = format!("deployment/{name}");
    let restart = ["-n", namespace, "rollout", "restart", &deployment];
    kubectl(&kubeconfig, &restart).await.ok();
    let status = ["-n", namespace, "rollout", "status", &deployment, "--timeout=300s"];
    let rolled_out = kubectl(&kubeconfig, &status).await.ok().stdout;
    assert!(rolled_out.contains("successfully rolled out"), "{rolled_out}");
    let after = pods().await;
    let renewed = after.iter().filter(|pod| !before.contains(pod)).count();
    assert_eq!((after.len(), renewed), (6, 2), "{before:?} {after:?}");
    for set in ["openstack-cinder-csi-nodeplugin", "openstack-cloud-controller-manager"] {
        let set = format!("daemonset/{set}");
        kubectl(&kubeconfig, &["-n", namespace, "rollout", "restart", &set]).await.ok();
        let status = ["-n", namespace, "rollout", "status", &set, "--timeout=300s"];
        kubectl(&kubeconfig, &status).await.ok();
    }
    assert!(pods().await.iter().all(|pod| !before.contains(pod)));
    let missing = kubectl(&kubeconfig, &["-n", namespace, "get", "deployment", "nope"]).await;
    missing.fails().says("NotFound");

    coe(&sandbox, "alice", &["ca", "rotate", "prod"]).await.ok();
    let refused = kubectl(&kubeconfig, &["get", "nodes"]).await;
    refused.fails().says("certificate");
    coe(&sandbox, "alice", &fetch).await.ok();
    let nodes = kubectl(&kubeconfig, &["get", "nodes", "-o", "name"]).await.ok().stdout;
    assert_eq!(nodes, "node/node-0\nnode/node-1\n");
}
