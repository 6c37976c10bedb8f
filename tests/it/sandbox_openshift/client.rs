//! The sandbox's API server, for a human with the real `kubectl`.

use std::process::Command;

use rekey_sandbox::Sandbox;
use rekey_sandbox::openshift::{Cloud, Contents, Platform, component};
use serde_json::{Value, json};

use super::{MACHINE_API, clouds};
use crate::support::kubernetes::binary;
use crate::support::openshift::{Cluster, value};

#[tokio::test]
async fn kubectl_gets_changes_and_deletes_what_is_there() {
    let sandbox = Sandbox::start().await;
    let contents = Contents::new(Platform::Openstack, "", &[("clouds.yaml", &clouds("one"))]);
    let cluster = Cluster::inside(&sandbox, &contents, Cloud::default());
    cluster.settles().await;
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, cluster.kubeconfig().await).unwrap();
    let kubectl = |arguments: &[&str]| {
        let output = Command::new(binary())
            .args(["kubectl", "--kubeconfig", kubeconfig.to_str().unwrap()])
            .args(arguments)
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    };
    let (namespace, name) = component(&contents, MACHINE_API).unwrap();
    let show = ["get", "secret", &name, "-n", &namespace, "-o", "yaml"];
    let secret: Value = serde_saphyr::from_str(&kubectl(&show)).unwrap();
    assert_eq!(value(&secret, "clouds.yaml"), Some(clouds("one")));

    let patch = r#"{"stringData": {"clouds.yaml": "two"}}"#;
    let root = ["patch", "secret", "openstack-credentials", "-n", "kube-system"];
    kubectl(&[&root[..], &["--type=merge", "--patch", patch]].concat());
    cluster.component_holds(MACHINE_API, "clouds.yaml", "two").await;
    let uid = cluster.component(MACHINE_API).await["metadata"]["uid"].clone();
    kubectl(&["delete", "secret", &name, "-n", &namespace]);
    let place = cluster.component_path(MACHINE_API);
    let is_new = |secret: &Value| !secret.is_null() && secret["metadata"]["uid"] != uid;
    cluster.until("made anew", &place, is_new).await;

    let ready = ["wait", "clusteroperator/cloud-credential", "--for=condition=Available"];
    kubectl(&[&ready[..], &["--timeout=300s"]].concat());
    let requests = kubectl(&["get", "credentialsrequests", "-A", "-o", "name"]);
    assert_eq!(requests.lines().count(), contents.components.len(), "{requests}");
    // As JSON: what kubectl makes up itself it sends in a form that only its own servers read.
    let mine = folder.path().join("mine.json");
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "mine" },
        "stringData": { "a": "b" } });
    std::fs::write(&mine, secret.to_string()).unwrap();
    kubectl(&["create", "--validate=false", "--filename", mine.to_str().unwrap()]);
    assert_eq!(kubectl(&["get", "secret", "mine", "-o", "jsonpath={.data.a}"]), "Yg==");
    let allowed = kubectl(&["get", "--raw", "/apis/cloudcredential.openshift.io/v1"]);
    assert!(allowed.contains("credentialsrequests/status"), "{allowed}");
}
