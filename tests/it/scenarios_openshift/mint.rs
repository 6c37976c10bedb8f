//! AWS in mint mode: every component gets a key of its own anew.

use rekey_sandbox::openshift::{AccessKey, Cloud, Contents, MODE, Platform, Rights};
use serde_json::{Value, json};

use super::{ADDRESS, Aws, aws, rotation, uids, workspace};
use crate::support::openshift::{Cluster, value};
use crate::support::tools::Cli;

const CANARY: &str = "cloud-credential-operator-iam-ro";
const REGISTRY: &str = "openshift-image-registry";

fn key(secret: &Value) -> AccessKey {
    let part = |name: &str| value(secret, name).unwrap();
    AccessKey { id: part("aws_access_key_id"), secret: part("aws_secret_access_key") }
}

async fn keys(cluster: &Cluster) -> Vec<AccessKey> {
    let mut keys = Vec::new();
    for name in cluster.requests() {
        keys.push(key(&cluster.component(&name).await));
    }
    keys
}

#[tokio::test]
async fn every_component_gets_a_new_key_by_the_new_root_and_the_old_ones_are_dead() {
    for cli in Cli::all() {
        let of = Aws::start("").await;
        let (cluster, cloud, [new, newer]) = (of.real().await, &of.cloud, &of.keys);
        let (before, old) = (uids(&cluster).await, keys(&cluster).await);
        let mut ws = workspace(&cluster, cli).await;
        for key in [new, newer] {
            ws.watch("a root key's secret", &key.secret);
        }
        for key in &old {
            ws.watch("a component's old key", &key.secret);
        }
        ws.write("main.tf", &rotation(&aws(new, 1), ""));
        ws.apply(&[]).await.ok();
        for key in keys(&cluster).await {
            ws.watch("a component's new key", &key.secret);
        }
        let after = uids(&cluster).await;
        assert!(before.iter().all(|uid| !after.contains(uid)), "{before:?} {after:?}");
        for key in &old {
            assert!(!cloud.opens(key), "{key:?}");
        }
        for key in keys(&cluster).await {
            assert!(cloud.opens(&key), "{key:?}");
        }
        ws.plan(&[]).await.empty();
        assert_eq!(ws.resource(ADDRESS).await["phase"], "completed");

        // Another version is another rotation, in place.
        ws.write("main.tf", &rotation(&aws(newer, 2), ""));
        let plan = ws.plan(&[]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        ws.apply(&[]).await.ok();
        let again = uids(&cluster).await;
        assert!(after.iter().all(|uid| !again.contains(uid)));
        ws.plan(&[]).await.empty();
        ws.destroy(&[]).await.ok();
        assert_eq!(uids(&cluster).await, again);
    }
}

/// The file of a service account's key, as Google makes it.
fn service_account(key: &AccessKey) -> String {
    let AccessKey { id, secret } = key;
    json!({
        "type": "service_account",
        "project_id": "sandbox",
        "private_key_id": id,
        "private_key": secret,
        "client_email": "root@sandbox.iam.gserviceaccount.com",
    })
    .to_string()
}

/// The same on GCP, where a component has a service account, and a key of it as a file.
#[tokio::test]
async fn every_component_of_gcp_gets_a_new_key_of_its_service_account() {
    let cloud = Cloud::default();
    let [first, second] = [cloud.issue_root_key(), cloud.issue_root_key()];
    let root = [("service_account.json", &*service_account(&first))];
    let cluster = Cluster::real(&Contents::new(Platform::Gcp, "Mint", &root), cloud.clone()).await;
    cluster.settles().await;
    let file = |secret: &Value| -> Value {
        serde_json::from_str(&value(secret, "service_account.json").unwrap()).unwrap()
    };
    let key = |secret: &Value| {
        let file = file(secret);
        let part = |name: &str| file[name].as_str().unwrap().to_owned();
        AccessKey { id: part("private_key_id"), secret: part("private_key") }
    };
    let mut before = Vec::new();
    for name in cluster.requests() {
        before.push(cluster.component(&name).await);
    }
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.watch("the new root key", &second.secret);
    ws.write("root.json", &service_account(&second));
    let block = "platform = \"gcp\"\nservice_account_json_wo = file(\"root.json\")\nservice_account_json_wo_version = 1";
    ws.write("main.tf", &rotation(block, ""));
    ws.plan(&[]).await.ok().says("mint").says("gcp");
    ws.apply(&[]).await.ok();
    assert_eq!(key(&cluster.root().await), second);
    for (name, before) in cluster.requests().into_iter().zip(&before) {
        let now = cluster.component(&name).await;
        ws.watch("a component's new key", &key(&now).secret);
        assert_ne!(now["metadata"]["uid"], before["metadata"]["uid"], "{name}");
        // A key of the same service account, and only that one.
        assert_eq!(file(&now)["client_email"], file(before)["client_email"], "{name}");
        assert!(cloud.opens(&key(&now)) && !cloud.opens(&key(before)), "{name}");
    }
    ws.plan(&[]).await.empty();
    assert_eq!(ws.resource(ADDRESS).await["phase"], "completed");
    ws.destroy(&[]).await.ok();
}

/// The canary: whatever is wrong with the new root is found out with the operator's own secret.
#[tokio::test]
async fn a_root_that_cannot_create_keys_costs_one_secret_on_which_nothing_runs() {
    let of = Aws::start("Mint").await;
    let (cluster, cloud, new) = (of.real().await, &of.cloud, &of.keys[0]);
    let before = uids(&cluster).await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.write("main.tf", &rotation(&format!("{}\ncomponent_timeout = \"PT20S\"", aws(new, 1)), ""));
    cloud.refuse_creation(true);
    ws.apply(&[])
        .await
        .ok()
        .says("was not made again")
        .says("CredentialsProvisionFailure")
        .says(CANARY);
    let after = uids(&cluster).await;
    assert_eq!(after[1..], before[1..], "only the canary was deleted");
    assert!(after[0].is_null());

    // Mended: the next apply goes on with it, and no secret is deleted twice.
    cloud.refuse_creation(false);
    let witness = cluster.witness();
    ws.apply(&[]).await.ok();
    for name in cluster.requests() {
        let secret = cluster.component(&name).await;
        let states = witness.states(&secret).await;
        let gone = states.iter().filter(|state| state.is_none()).count();
        assert_eq!(gone, usize::from(name != CANARY), "{name}");
        assert!(cloud.opens(&key(&secret)));
    }
    ws.plan(&[]).await.empty();
}

#[tokio::test]
async fn rights_that_turn_mint_into_passthrough_stop_it_before_anything_is_deleted() {
    let of = Aws::start("").await;
    let (cluster, cloud, new) = (of.real().await, &of.cloud, &of.keys[0]);
    let before = uids(&cluster).await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    ws.write("main.tf", &rotation(&format!("{}\ncomponent_timeout = \"PT20S\"", aws(new, 1)), ""));
    cluster.operator().think_for(std::time::Duration::from_secs(1));
    cloud.grant(Rights::Passthrough);
    ws.apply(&[]).await.fails().says("The operator works in another mode now");
    assert_eq!(cluster.root().await["metadata"]["annotations"][MODE], "passthrough");
    assert_eq!(uids(&cluster).await, before);
}

/// Mint with the root removed: it is put in place for the rotation, and goes again.
#[tokio::test]
async fn a_root_that_was_removed_is_there_for_the_rotation_only() {
    let of = Aws::start("Mint").await;
    let (cluster, cloud, new) = (of.real().await, &of.cloud, &of.keys[0]);
    cluster.delete(&cluster.root_path()).await;
    let before = uids(&cluster).await;
    let mut ws = workspace(&cluster, Cli::any()).await;
    let block = format!("{}\nremove_root_after = true", aws(new, 1));
    ws.write("main.tf", &rotation(&block, ""));
    ws.apply(&[]).await.ok();
    let after = uids(&cluster).await;
    assert!(before.iter().all(|uid| !after.contains(uid)));
    assert!(cluster.root().await.is_null());
    assert!(cloud.opens(&key(&cluster.component(REGISTRY).await)));
    ws.plan(&[]).await.empty();
}
