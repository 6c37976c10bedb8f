//! AWS: users and keys of their own for each component, made with the root's key.

use rekey_sandbox::openshift::{
    AccessKey, Cloud, Contents, MODE, NAMESPACE, Platform, REQUEST, Rights,
};
use serde_json::{Value, json};

use crate::support::openshift::{Cluster, of_condition, value};

const REGISTRY: &str = "openshift-image-registry";
const INGRESS: &str = "openshift-ingress";

/// The same on both, each with a cloud of its own and the first of two root keys.
async fn on_both(mode: &str, script: impl AsyncFn(&Cluster, &AccessKey)) {
    for real in [false, true] {
        let cloud = Cloud::default();
        let (first, second) = (cloud.issue_root_key(), cloud.issue_root_key());
        let root = [("aws_access_key_id", &*first.id), ("aws_secret_access_key", &*first.secret)];
        let contents = Contents::new(Platform::Aws, mode, &root);
        let cluster = if real {
            Cluster::real(&contents, cloud).await
        } else {
            Cluster::sandbox(&contents, cloud).await
        };
        cluster.settles().await;
        script(&cluster, &second).await;
    }
}

fn key(secret: &Value) -> AccessKey {
    let part = |name: &str| value(secret, name).unwrap();
    AccessKey { id: part("aws_access_key_id"), secret: part("aws_secret_access_key") }
}

async fn write_root(cluster: &Cluster, key: &AccessKey) {
    let data =
        [("aws_access_key_id", Some(&*key.id)), ("aws_secret_access_key", Some(&*key.secret))];
    cluster.change_root(&data).await;
}

fn dead() -> AccessKey {
    AccessKey { id: "AKIADEAD".to_owned(), secret: "dead".to_owned() }
}

/// Deletes a component's secret, and waits for another one.
async fn made_anew(cluster: &Cluster, request: &str) -> Value {
    let path = cluster.component_path(request);
    let old = cluster.get(&path).await["metadata"]["uid"].clone();
    cluster.delete(&path).await;
    let is_new = |secret: &Value| !secret.is_null() && secret["metadata"]["uid"] != old;
    cluster.until("made anew", &path, is_new).await
}

#[tokio::test]
async fn a_new_root_changes_no_component_and_a_deleted_one_gets_a_new_key_by_it() {
    on_both("", async |cluster, second| {
        assert_eq!(cluster.root().await["metadata"]["annotations"][MODE], "mint");
        let before = cluster.component(REGISTRY).await;
        let file = value(&before, "credentials").unwrap();
        let old = key(&before);
        assert_eq!(
            file,
            format!(
                "[default]\naws_access_key_id = {}\naws_secret_access_key = {}",
                old.id, old.secret
            )
        );
        let user = cluster.request(REGISTRY).await["status"]["providerStatus"].clone();
        assert_eq!(user["kind"], "AWSProviderStatus");
        assert!(user["user"].as_str().unwrap().contains(REGISTRY), "{user}");

        write_root(cluster, second).await;
        cluster.settles().await;
        assert_eq!(cluster.component(REGISTRY).await, before);
        assert!(cluster.cloud().opens(&old));

        cluster.cloud().forget_calls();
        let after = made_anew(cluster, REGISTRY).await;
        assert!(!cluster.cloud().opens(&old) && cluster.cloud().opens(&key(&after)));
        assert_eq!(after["metadata"]["annotations"][REQUEST], format!("{NAMESPACE}/{REGISTRY}"));
        cluster.settles().await;
        let status = cluster.request(REGISTRY).await["status"]["providerStatus"].clone();
        assert_eq!(status, user);
        let calls = cluster.cloud().calls();
        let of = |operation: &str| calls.iter().position(|c| c.starts_with(operation)).unwrap();
        assert!(of("DeleteAccessKey") < of("CreateAccessKey"), "{calls:?}");
        for operation in ["DeleteAccessKey", "CreateAccessKey"] {
            assert_eq!(calls[of(operation)], format!("{operation} by {}", second.id));
        }
        assert_ne!(calls[of("GetUser")], format!("GetUser by {}", second.id));
    })
    .await;
}

/// In mode "" the annotator is the only one who notices; in mode Mint nobody is.
#[tokio::test]
async fn a_dead_root_is_said_to_be_synced_until_a_component_is_needed() {
    on_both("", async |cluster, second| {
        write_root(cluster, &dead()).await;
        let told = |root: &Value| root["metadata"]["annotations"][MODE] == "insufficient";
        cluster.until("the verdict", &cluster.root_path(), told).await;
        cluster.settles().await;
        let old = key(&cluster.component(REGISTRY).await);
        cluster.delete(&cluster.component_path(REGISTRY)).await;
        let failed = cluster.fails(REGISTRY, "InsufficientCloudCreds", "").await;
        assert_eq!(failed["status"]["provisioned"], false);
        assert!(cluster.cloud().opens(&old), "no call was made");
        write_root(cluster, second).await;
        cluster.recovers(REGISTRY).await;
        assert!(cluster.cloud().opens(&key(&cluster.component(REGISTRY).await)));
    })
    .await;
    on_both("Mint", async |cluster, _| {
        write_root(cluster, &dead()).await;
        cluster.settles().await;
        assert_eq!(cluster.root().await["metadata"]["annotations"][MODE], "mint");
        let old = key(&cluster.component(REGISTRY).await);
        cluster.delete(&cluster.component_path(REGISTRY)).await;
        let why = "failed to grant creds: error syncing creds in mint-mode: operation error IAM: DeleteAccessKey, https response error StatusCode: 403";
        cluster.fails(REGISTRY, "CredentialsProvisionFailure", why).await;
        assert!(cluster.cloud().opens(&old));
    })
    .await;
}

#[tokio::test]
async fn rights_that_shrink_turn_mint_into_passthrough_and_a_deleted_component_gets_the_root_key() {
    on_both("", async |cluster, second| {
        let before = cluster.component(REGISTRY).await;
        cluster.cloud().grant(Rights::Passthrough);
        write_root(cluster, second).await;
        let told = |root: &Value| root["metadata"]["annotations"][MODE] == "passthrough";
        cluster.until("the verdict", &cluster.root_path(), told).await;
        cluster.settles().await;
        assert_eq!(cluster.component(REGISTRY).await, before);
        let after = made_anew(cluster, REGISTRY).await;
        assert_eq!(key(&after), *second);
        // The minted key lives on, and back in mint mode there is a new one.
        assert!(cluster.cloud().opens(&key(&before)));
        cluster.cloud().grant(Rights::Mint);
        let poke = json!({ "metadata": { "annotations": { MODE: null } } });
        cluster.patch(&cluster.root_path(), poke).await;
        let path = cluster.component_path(REGISTRY);
        cluster.until("minted", &path, |s| !s.is_null() && key(s) != *second).await;
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_not_created_leaves_a_component_without_any() {
    on_both("Mint", async |cluster, _| {
        cluster.cloud().refuse_creation(true);
        let old = key(&cluster.component(INGRESS).await);
        cluster.delete(&cluster.component_path(INGRESS)).await;
        let why = "failed to grant creds: error syncing creds in mint-mode: operation error IAM: CreateAccessKey";
        cluster.fails(INGRESS, "CredentialsProvisionFailure", why).await;
        assert!(!cluster.cloud().opens(&old));
        assert!(cluster.component(INGRESS).await.is_null());
        cluster.cloud().refuse_creation(false);
        cluster.operator().advance(jiff::SignedDuration::from_mins(20));
        cluster.recovers(INGRESS).await;
        assert!(cluster.cloud().opens(&key(&cluster.component(INGRESS).await)));
    })
    .await;
}

/// A hidden secret: each try burns a key, and the component is left with a dead one.
#[tokio::test]
async fn a_secret_without_the_label_holds_a_dead_key() {
    on_both("Mint", async |cluster, _| {
        let path = cluster.component_path(INGRESS);
        let old = key(&cluster.get(&path).await);
        cluster.patch(&path, json!({ "metadata": { "labels": { REQUEST: null } } })).await;
        let poke = json!({ "metadata": { "annotations": { "poke": "1" } } });
        cluster.patch(&crate::support::openshift::request_path(INGRESS), poke).await;
        cluster.fails(INGRESS, "CredentialsProvisionFailure", "error processing secret").await;
        assert_eq!(key(&cluster.get(&path).await), old);
        assert!(!cluster.cloud().opens(&old));
    })
    .await;
}

#[tokio::test]
async fn the_root_may_go_between_two_components() {
    on_both("Mint", async |cluster, _| {
        cluster.cloud().remove_root_after(1);
        made_anew(cluster, REGISTRY).await;
        cluster.until("the root is gone", &cluster.root_path(), Value::is_null).await;
        cluster.delete(&cluster.component_path(INGRESS)).await;
        let why = "unable to fetch root cloud cred secret: Secret \"aws-creds\" not found";
        let failed = cluster.fails(INGRESS, "CredentialsProvisionFailure", why).await;
        assert_eq!(of_condition(&failed, "CredentialsProvisionFailure").0, "True");
    })
    .await;
}

#[tokio::test]
async fn half_a_pair_is_said_to_be_copied_and_a_dead_key_is_copied() {
    on_both("Passthrough", async |cluster, _| {
        let before = cluster.component(REGISTRY).await;
        cluster.change_root(&[("aws_secret_access_key", None)]).await;
        cluster.settles().await;
        assert_eq!(cluster.component(REGISTRY).await["data"], before["data"]);
        write_root(cluster, &dead()).await;
        cluster.settles().await;
        assert_eq!(key(&cluster.component(REGISTRY).await), dead());
    })
    .await;
}
