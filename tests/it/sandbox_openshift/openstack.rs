//! OpenStack: what each change of the root secret comes to.

use rekey_sandbox::openshift::{Contents, MODE, NAMESPACE, Platform, REQUEST, ROOT_NAMESPACE};
use serde_json::{Value, json};

use super::{IMAGE_REGISTRY, MACHINE_API, clouds, on_both};
use crate::support::openshift::{Cluster, OPERATOR, of_condition, request_path, value};

fn contents() -> Contents {
    Contents::new(
        Platform::Openstack,
        "",
        &[("clouds.yaml", &clouds("one")), ("clouds.conf", "[Global]\n")],
    )
}

#[tokio::test]
async fn a_changed_root_is_in_every_component_at_once_and_nothing_else_is() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let witness = cluster.witness();
        let before = cluster.component(MACHINE_API).await;
        cluster.change_root(&[("clouds.yaml", Some(&clouds("two")))]).await;
        cluster.settles().await;
        for name in cluster.requests() {
            let secret = cluster.component(&name).await;
            assert_eq!(value(&secret, "clouds.yaml"), Some(clouds("two")), "{name}");
            assert_eq!(value(&secret, "clouds.conf"), None, "{name}");
            let metadata = &secret["metadata"];
            assert_eq!(metadata["annotations"], json!({ REQUEST: format!("{NAMESPACE}/{name}") }));
            assert_eq!(metadata["labels"], json!({ REQUEST: "true" }));
            assert_eq!(secret["type"], "Opaque");
            let request = cluster.request(&name).await;
            assert_eq!(request["status"]["provisioned"], true);
            assert_eq!(request["status"]["lastSyncGeneration"], 1);
            let told = request["status"]["conditions"].as_array().cloned().unwrap_or_default();
            assert!(told.is_empty(), "{told:?}");
            let finalizers = &request["metadata"]["finalizers"];
            assert_eq!(*finalizers, json!(["cloudcredential.openshift.io/deprovision"]));
        }
        let after = cluster.component(MACHINE_API).await;
        assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
        assert_eq!(cluster.root().await["metadata"]["annotations"][MODE], "passthrough");
        let root = cluster.root().await;
        let written = witness.states(&root).await;
        assert!(written.iter().flatten().all(|r| value(r, "clouds.conf").is_some()));
        for condition in ["Degraded", "Progressing"] {
            assert_eq!(cluster.said(condition).await.0, "False", "{condition}");
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_root_a_request_fails_in_words_and_a_root_heals_it() {
    let mut contents = contents();
    contents.root = None;
    on_both(&contents, async |cluster| {
        let why = "failed to grant creds: unable to fetch root cloud cred secret: Secret \"openstack-credentials\" not found";
        let request = cluster.fails(MACHINE_API, "CredentialsProvisionFailure", why).await;
        assert_eq!(request["status"]["provisioned"], false);
        assert_eq!(request["status"]["lastSyncGeneration"], 0);
        let told = |object: &Value| of_condition(object, "Progressing");
        let count = "0 of 3 credentials requests provisioned, 0 reporting errors.";
        let object = cluster.until("counted", OPERATOR, |o| told(o).2 == count).await;
        assert_eq!(told(&object).1, "Reconciling");
        let (status, reason, message) = of_condition(&object, "Upgradeable");
        assert_eq!((&*status, &*reason), ("False", "MissingRootCredential"));
        assert_eq!(
            message,
            "Parent credentials secret must be restored prior to upgrade: kube-system/openstack-credentials"
        );
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "openstack-credentials", "namespace": ROOT_NAMESPACE },
            "stringData": { "clouds.yaml": clouds("one") },
        });
        let secrets = format!("/api/v1/namespaces/{ROOT_NAMESPACE}/secrets");
        cluster.api().create(&secrets, &secret).await.unwrap();
        cluster.settles().await;
        let (status, reason, message) =
            of_condition(&cluster.recovers(MACHINE_API).await, "CredentialsProvisionFailure");
        assert_eq!((&*status, &*reason), ("False", "CredentialsProvisionSuccess"));
        assert_eq!(message, "successfully granted credentials request");
        let well = |o: &Value| of_condition(o, "Upgradeable").0 == "True" && told(o).0 == "False";
        cluster.until("all well", OPERATOR, well).await;
    })
    .await;
}

/// Each of these is said to be synced, but for the first.
#[tokio::test]
async fn what_is_not_usable_goes_to_every_component_or_to_none_without_a_complaint() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let synced = &cluster.request(MACHINE_API).await["status"];
        cluster.change_root(&[("clouds.yaml", None)]).await;
        let why = "cloud creds are insufficient to satisfy CredentialsRequest";
        let failed = cluster.fails(MACHINE_API, "InsufficientCloudCreds", why).await;
        assert_eq!(failed["status"]["provisioned"], false);
        for kept in ["lastSyncCloudCredsSecretResourceVersion", "lastSyncTimestamp"] {
            assert_eq!(failed["status"][kept], synced[kept], "{kept}");
        }
        cluster.component_holds(MACHINE_API, "clouds.yaml", &clouds("one")).await;

        cluster.change_root(&[("clouds.yaml", Some("garbage"))]).await;
        cluster.settles().await;
        cluster.component_holds(MACHINE_API, "clouds.yaml", "garbage").await;

        let empty = cluster.change_root(&[("clouds.yaml", Some(""))]).await;
        cluster.settles().await;
        cluster.component_holds(MACHINE_API, "clouds.yaml", "garbage").await;
        let version = &empty["metadata"]["resourceVersion"];
        let status = &cluster.request(MACHINE_API).await["status"];
        assert_eq!(status["lastSyncCloudCredsSecretResourceVersion"], *version);
        assert_eq!(cluster.said("Progressing").await.0, "False");
    })
    .await;
}

#[tokio::test]
async fn a_deleted_component_is_made_anew_and_was_never_said_to_be_missing() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let witness = cluster.witness();
        let path = cluster.component_path(MACHINE_API);
        let old = cluster.get(&path).await["metadata"]["uid"].clone();
        cluster.delete(&path).await;
        let is_new = |secret: &Value| !secret.is_null() && secret["metadata"]["uid"] != old;
        cluster.until("made anew", &path, is_new).await;
        cluster.settles().await;
        let states = witness.states(&cluster.request(MACHINE_API).await).await;
        assert!(states.iter().flatten().all(|request| request["status"]["provisioned"] == true));
    })
    .await;
}

#[tokio::test]
async fn an_edited_component_stays_edited_until_the_hourly_sync() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let path = cluster.component_path(MACHINE_API);
        let edit = json!({ "data": { "clouds.yaml": "ZWRpdGVk", "mine": "bWluZQ==" } });
        cluster.patch(&path, edit).await;
        // Another one is deleted and made anew: by then this one has been looked at.
        let other = cluster.component_path(IMAGE_REGISTRY);
        let old = cluster.get(&other).await["metadata"]["uid"].clone();
        cluster.delete(&other).await;
        let is_new = |secret: &Value| !secret.is_null() && secret["metadata"]["uid"] != old;
        cluster.until("made anew", &other, is_new).await;
        cluster.component_holds(MACHINE_API, "clouds.yaml", "edited").await;
        cluster.operator().advance(jiff::SignedDuration::from_hours(2));
        cluster.component_holds(MACHINE_API, "clouds.yaml", &clouds("one")).await;
        // What is not its own it leaves alone.
        cluster.component_holds(MACHINE_API, "mine", "mine").await;
    })
    .await;
}

#[tokio::test]
async fn the_annotator_rewrites_clouds_yaml_and_brings_the_ca() {
    let ca_file = "/etc/kubernetes/static-pod-resources/configmaps/cloud-config/ca-bundle.pem";
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let config = "/api/v1/namespaces/openshift-config/configmaps/cloud-provider-config";
        cluster.patch(config, json!({ "data": { "ca-bundle.pem": "a CA" } })).await;
        let text = "clouds:\n  openstack: # mine\n    cacert: /tmp/ca.pem\n    region_name: r\n";
        cluster.change_root(&[("clouds.yaml", Some(text))]).await;
        let path = cluster.component_path(MACHINE_API);
        cluster.until("the CA", &path, |s| value(s, "cacert").as_deref() == Some("a CA")).await;
        let rewritten = |secret: &Value| {
            let text = value(secret, "clouds.yaml").unwrap_or_default();
            let clouds: Value = serde_saphyr::from_str(&text).unwrap_or_default();
            clouds["clouds"]["openstack"] == json!({ "cacert": ca_file, "region_name": "r" })
                && !text.contains('#')
        };
        cluster.until("rewritten", &path, rewritten).await;
        cluster.settles().await;
        // A removed CA stays where it was copied to.
        let none = json!({ "data": { "ca-bundle.pem": null } });
        cluster.patch(config, none).await;
        cluster.change_root(&[("cacert", None), ("clouds.yaml", Some(&clouds("two")))]).await;
        cluster.component_holds(MACHINE_API, "clouds.yaml", &clouds("two")).await;
        cluster.component_holds(MACHINE_API, "cacert", "a CA").await;
    })
    .await;
}

/// A change of anything of a request is enough to have it looked at; a secret that is gone is nothing that it misses.
#[tokio::test]
async fn a_new_request_waits_for_its_namespace_and_a_foreign_one_is_ignored() {
    on_both(&contents(), async |cluster: &Cluster| {
        cluster.settles().await;
        let requests = request_path("").trim_end_matches('/').to_owned();
        let namespace = crate::support::openstack::unique("openshift-late");
        let late =
            rekey_sandbox::openshift::request(Platform::Openstack, "late", &namespace, "creds");
        cluster.api().create(&requests, &late).await.unwrap();
        let why = format!("target namespace {namespace} not found");
        cluster.fails("late", "MissingTargetNamespace", &why).await;
        let object =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        cluster.api().create("/api/v1/namespaces", &object).await.unwrap();
        cluster.recovers("late").await;

        let foreign = rekey_sandbox::openshift::request(Platform::Aws, "aws", &namespace, "aws");
        cluster.api().create(&requests, &foreign).await.unwrap();
        let ignored = |request: &Value| of_condition(request, "Ignored").0 == "True";
        let request = cluster.until("ignored", &request_path("aws"), ignored).await;
        let (_, reason, message) = of_condition(&request, "Ignored");
        assert_eq!(reason, "InfrastructureMismatch");
        assert_eq!(message, "CredentialsRequest is not for platform OpenStack");

        cluster.delete(&request_path("late")).await;
        cluster.until("gone", &request_path("late"), Value::is_null).await;
        let secret = crate::support::openshift::secret_path(&namespace, "creds");
        cluster.until("its secret is gone", &secret, Value::is_null).await;
    })
    .await;
}
