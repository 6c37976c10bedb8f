//! The modes in which nothing is touched, and those that a platform does not have.

use rekey_sandbox::openshift::{Contents, MODE, NAMESPACE, Platform};
use serde_json::{Value, json};

use super::{IMAGE_REGISTRY, MACHINE_API, clouds, on_both};
use crate::support::openshift::{Cluster, OPERATOR, of_condition, value};

fn contents(mode: &str) -> Contents {
    Contents::new(Platform::Openstack, mode, &[("clouds.yaml", &clouds("one"))])
}

/// While nothing is touched: the root is changed, and a component deleted. What was missed is made up for later.
async fn is_idle(cluster: &Cluster) {
    cluster.change_root(&[("clouds.yaml", Some(&clouds("two")))]).await;
    cluster.delete(&cluster.component_path(IMAGE_REGISTRY)).await;
}

/// What an operator that touched nothing has left.
async fn was_idle(cluster: &Cluster) {
    assert!(cluster.component(IMAGE_REGISTRY).await.is_null());
    let secret = cluster.component(MACHINE_API).await;
    assert_eq!(value(&secret, "clouds.yaml"), Some(clouds("one")));
    assert_eq!(cluster.request(IMAGE_REGISTRY).await["status"]["provisioned"], true);
}

#[tokio::test]
async fn in_manual_mode_nothing_is_touched_and_later_all_is_caught_up() {
    on_both(&contents(""), async |cluster| {
        cluster.settles().await;
        cluster.set_mode("Manual").await;
        let told = |o: &Value| of_condition(o, "Available").1 == "OperatorDisabledByAdmin";
        let object = cluster.until("disabled", OPERATOR, told).await;
        assert_eq!(
            of_condition(&object, "Available").2,
            "Credential minting is disabled by cluster admin"
        );
        assert_eq!(of_condition(&object, "Upgradeable").1, "MissingUpgradeableAnnotation");
        is_idle(cluster).await;
        // A sign of life that comes after it: the note that permits an upgrade.
        let path = "/apis/operator.openshift.io/v1/cloudcredentials/cluster";
        let note = "cloudcredential.openshift.io/upgradeable-to";
        cluster.patch(path, json!({ "metadata": { "annotations": { note: "4.23" } } })).await;
        let upgradeable = |o: &Value| of_condition(o, "Upgradeable").0 == "True";
        cluster.until("upgradeable", OPERATOR, upgradeable).await;
        was_idle(cluster).await;
        cluster.set_mode("").await;
        cluster.settles().await;
        for name in cluster.requests() {
            cluster.component_holds(&name, "clouds.yaml", &clouds("two")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_contradiction_degrades_at_once_and_nothing_is_touched() {
    on_both(&contents("Passthrough"), async |cluster| {
        cluster.settles().await;
        let config = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "cloud-credential-operator-config", "namespace": NAMESPACE },
            "data": { "disabled": "true" },
        });
        let config_maps = format!("/api/v1/namespaces/{NAMESPACE}/configmaps");
        cluster.api().create(&config_maps, &config).await.unwrap();
        let degraded = |o: &Value| of_condition(o, "Degraded").1 == "ModeMismatch";
        let object = cluster.until("a mismatch", OPERATOR, degraded).await;
        assert_eq!(
            of_condition(&object, "Degraded").2,
            "legacy configmap disabled setting conflicts with operator config mode of Passthrough"
        );
        is_idle(cluster).await;
        was_idle(cluster).await;
        let path = format!("{config_maps}/cloud-credential-operator-config");
        cluster.patch(&path, json!({ "data": { "disabled": "false" } })).await;
        cluster.settles().await;
        cluster.component_holds(IMAGE_REGISTRY, "clouds.yaml", &clouds("two")).await;
        cluster.until("well", OPERATOR, |o| of_condition(o, "Degraded").0 == "False").await;
    })
    .await;
}

#[tokio::test]
async fn a_mode_that_openstack_does_not_have_is_told_nowhere_and_all_is_synced() {
    on_both(&contents("Mint"), async |cluster| {
        cluster.settles().await;
        cluster.change_root(&[("clouds.yaml", Some(&clouds("two")))]).await;
        cluster.settles().await;
        cluster.component_holds(MACHINE_API, "clouds.yaml", &clouds("two")).await;
        assert!(cluster.root().await["metadata"]["annotations"][MODE].is_null());
        for condition in ["Degraded", "Progressing"] {
            assert_eq!(cluster.said(condition).await.0, "False");
        }
    })
    .await;
}
