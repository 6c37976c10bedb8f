//! vSphere and Azure: what is copied, and what a cleared verdict proves.

use std::time::Duration;

use rekey_sandbox::openshift::{Contents, MODE, Platform};
use serde_json::{Value, json};

use super::on_both;
use crate::support::openshift::value;

const VSPHERE: &str = "openshift-machine-api-vsphere";
const AZURE: &str = "openshift-machine-api-azure";
const MANAGER: &str = "/apis/operator.openshift.io/v1/kubecontrollermanagers/cluster";

fn vsphere(mode: &str) -> Contents {
    let root = [("vc.example.username", "admin"), ("vc.example.password", "one")];
    Contents::new(Platform::Vsphere, mode, &root)
}

#[tokio::test]
async fn a_cleared_verdict_comes_back_only_for_that_root_and_the_components_after_it() {
    on_both(&vsphere(""), async |cluster| {
        cluster.settles().await;
        cluster.operator().think_for(Duration::from_millis(300));
        let witness = cluster.witness();
        // ONE patch: data, and no verdict.
        let patch = json!({
            "metadata": { "annotations": { MODE: null } },
            "data": { "vc.example.password": "dHdv" },
        });
        let written = cluster.patch(&cluster.root_path(), patch).await;
        assert!(written["metadata"]["annotations"][MODE].is_null());
        cluster.settles().await;
        let root = cluster.root().await;
        assert_eq!(root["metadata"]["annotations"][MODE], "passthrough");
        assert_eq!(root["data"]["vc.example.password"], "dHdv");
        cluster.component_holds(VSPHERE, "vc.example.password", "two").await;
        // Nobody went by the root that had no verdict.
        let states = witness.states(&cluster.request(VSPHERE).await).await;
        let version = &written["metadata"]["resourceVersion"];
        let by =
            |request: &Value| request["status"]["lastSyncCloudCredsSecretResourceVersion"].clone();
        assert!(states.iter().flatten().all(|request| by(request) != *version));
    })
    .await;
}

/// Nothing in the cluster says that nothing is synced any more.
#[tokio::test]
async fn vsphere_in_mint_mode_without_a_verdict_is_silent_and_idle() {
    on_both(&vsphere(""), async |cluster| {
        cluster.settles().await;
        let before = cluster.request(VSPHERE).await;
        // Else one that has seen the root before all this may make the deleted component anew from it.
        cluster.operator().stop().await;
        cluster.set_mode("Mint").await;
        let patch = json!({
            "metadata": { "annotations": { MODE: null } },
            "data": { "vc.example.password": "dHdv" },
        });
        cluster.patch(&cluster.root_path(), patch).await;
        let other = "openshift-vsphere-problem-detector";
        cluster.delete(&cluster.component_path(other)).await;
        cluster.operator().resume();
        // The deleted component fails: it needs what is not there.
        let why = "failed to grant creds: cannot proceed without cloud cred secret annotation";
        cluster.fails(other, "CredentialsProvisionFailure", why).await;
        cluster.component_holds(VSPHERE, "vc.example.password", "one").await;
        let after = cluster.request(VSPHERE).await;
        assert_eq!(after["status"], before["status"]);
    })
    .await;
}

#[tokio::test]
async fn a_forced_redeployment_comes_to_every_node_or_fails_on_one() {
    on_both(&vsphere(""), async |cluster| {
        cluster.settles().await;
        let reason = |text: &str| json!({ "spec": { "forceRedeploymentReason": text } });
        cluster.patch(MANAGER, reason("recovery-1")).await;
        let done = |object: &Value| {
            let nodes = object["status"]["nodeStatuses"].as_array().cloned().unwrap_or_default();
            object["status"]["latestAvailableRevision"] == 6
                && nodes.iter().all(|n| n["currentRevision"] == 6 && n["targetRevision"].is_null())
        };
        cluster.until("every node", MANAGER, done).await;
        cluster.operator().fail_redeployments(true);
        cluster.patch(MANAGER, reason("recovery-2")).await;
        let failed = |object: &Value| {
            let node = &object["status"]["nodeStatuses"][0];
            node["lastFailedRevision"] == 7 && node["currentRevision"] == 6
        };
        cluster.until("failed", MANAGER, failed).await;
    })
    .await;
}

#[tokio::test]
async fn azure_takes_away_what_the_root_has_not_and_cannot_mint() {
    let keys = [
        ("azure_client_id", "id"),
        ("azure_client_secret", "one"),
        ("azure_tenant_id", "t"),
        ("azure_subscription_id", "s"),
        ("azure_region", "r"),
        ("azure_resource_prefix", "p"),
        ("azure_resourcegroup", "g"),
    ];
    on_both(&Contents::new(Platform::Azure, "", &keys), async |cluster| {
        cluster.settles().await;
        cluster.change_root(&[("azure_client_secret", Some("two")), ("azure_region", None)]).await;
        cluster.settles().await;
        let secret = cluster.component_holds(AZURE, "azure_client_secret", "two").await;
        assert_eq!(value(&secret, "azure_region"), None);
        cluster.set_mode("Mint").await;
        cluster.change_root(&[("azure_client_secret", Some("three"))]).await;
        let why = "failed to grant creds: error determining whether a credentials update is needed";
        cluster.fails(AZURE, "CredentialsProvisionFailure", why).await;
        let minted = |root: &Value| root["metadata"]["annotations"][MODE] == "mint";
        cluster.until("the verdict", &cluster.root_path(), minted).await;
    })
    .await;
}
