//! What goes wrong, how it is told, and how it heals: the cache that sees only labels, a root that is gone, a failure
//! that grows old, an operator that dies.

use rekey_sandbox::openshift::{Contents, Platform, REQUEST, ROOT_NAMESPACE};
use serde_json::{Value, json};

use super::{IMAGE_REGISTRY, MACHINE_API, clouds, on_both};
use crate::support::openshift::{OPERATOR, of_condition, request_path, value};

fn contents() -> Contents {
    Contents::new(Platform::Openstack, "", &[("clouds.yaml", &clouds("one"))])
}

#[tokio::test]
async fn a_secret_without_the_label_is_not_there_for_it_and_one_with_it_heals() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let path = cluster.component_path(MACHINE_API);
        let label = |value: Value| json!({ "metadata": { "labels": { REQUEST: value } } });
        cluster.patch(&path, label(Value::Null)).await;
        cluster.change_root(&[("clouds.yaml", Some(&clouds("two")))]).await;
        let why = "failed to grant creds: error creating/updating secret: error processing secret";
        cluster.fails(MACHINE_API, "CredentialsProvisionFailure", why).await;
        assert_eq!(value(&cluster.get(&path).await, "clouds.yaml"), Some(clouds("one")));
        cluster.patch(&path, label(json!("true"))).await;
        cluster.component_holds(MACHINE_API, "clouds.yaml", &clouds("two")).await;
        cluster.recovers(MACHINE_API).await;
    })
    .await;
}

#[tokio::test]
async fn without_the_root_all_is_said_to_be_well_until_something_is_needed() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let root = cluster.root().await;
        // Else one that has seen the root may make the deleted component anew from it.
        cluster.operator().stop().await;
        cluster.delete(&cluster.root_path()).await;
        let path = cluster.component_path(IMAGE_REGISTRY);
        cluster.delete(&path).await;
        cluster.operator().resume();
        let why =
            "unable to fetch root cloud cred secret: Secret \"openstack-credentials\" not found";
        cluster.fails(IMAGE_REGISTRY, "CredentialsProvisionFailure", why).await;
        assert_eq!(cluster.request(MACHINE_API).await["status"]["provisioned"], true);
        assert!(cluster.get(&path).await.is_null());
        let missing = |o: &Value| of_condition(o, "Upgradeable").1 == "MissingRootCredential";
        cluster.until("the missing root is told", OPERATOR, missing).await;

        let object = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": root["metadata"]["name"], "namespace": ROOT_NAMESPACE },
            "data": root["data"],
        });
        let secrets = format!("/api/v1/namespaces/{ROOT_NAMESPACE}/secrets");
        cluster.api().create(&secrets, &object).await.unwrap();
        cluster.recovers(IMAGE_REGISTRY).await;
        cluster.component_holds(IMAGE_REGISTRY, "clouds.yaml", &clouds("one")).await;
    })
    .await;
}

#[tokio::test]
async fn only_a_failure_of_five_minutes_is_called_degraded() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        cluster.change_root(&[("clouds.yaml", None)]).await;
        for name in cluster.requests() {
            cluster.fails(&name, "InsufficientCloudCreds", "").await;
        }
        let progressing = |o: &Value| {
            of_condition(o, "Progressing").2
                == "0 of 3 credentials requests provisioned, 0 reporting errors."
        };
        let object = cluster.until("progressing", OPERATOR, progressing).await;
        assert_eq!(of_condition(&object, "Degraded").0, "False");
        cluster.operator().advance(jiff::SignedDuration::from_mins(11));
        let degraded = |o: &Value| of_condition(o, "Degraded").0 == "True";
        let object = cluster.until("degraded", OPERATOR, degraded).await;
        let (_, reason, message) = of_condition(&object, "Degraded");
        assert_eq!(reason, "CredentialsFailing");
        assert_eq!(message, "3 of 3 credentials requests are failing to sync.");
        let (.., message) = of_condition(&object, "Progressing");
        assert_eq!(message, "0 of 3 credentials requests provisioned, 3 reporting errors.");
    })
    .await;
}

#[tokio::test]
async fn after_a_kill_nobody_works_until_the_lease_has_run_out_and_then_all_is_caught_up() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let witness = cluster.witness();
        cluster.operator().kill().await;
        cluster.change_root(&[("clouds.yaml", Some(&clouds("two")))]).await;
        let path = cluster.component_path(IMAGE_REGISTRY);
        cluster.delete(&path).await;
        cluster.operator().advance(jiff::SignedDuration::from_secs(380));
        let root = cluster.root().await;
        witness.states(&root).await;
        assert!(cluster.get(&path).await.is_null());
        assert_eq!(
            value(&cluster.component(MACHINE_API).await, "clouds.yaml"),
            Some(clouds("one"))
        );
        cluster.operator().advance(jiff::SignedDuration::from_secs(20));
        cluster.settles().await;
        for name in cluster.requests() {
            cluster.component_holds(&name, "clouds.yaml", &clouds("two")).await;
        }
    })
    .await;
}

/// Of two requests for one secret the second takes it over, and the first is not told when it goes.
#[tokio::test]
async fn a_shared_secret_goes_with_the_request_that_is_named_on_it() {
    on_both(&contents(), async |cluster| {
        cluster.settles().await;
        let (namespace, name) =
            rekey_sandbox::openshift::component(&cluster.contents, MACHINE_API).unwrap();
        let second =
            rekey_sandbox::openshift::request(Platform::Openstack, "second", &namespace, &name);
        let requests = request_path("").trim_end_matches('/').to_owned();
        cluster.api().create(&requests, &second).await.unwrap();
        cluster.recovers("second").await;
        let secret = cluster.component(MACHINE_API).await;
        let owner = &secret["metadata"]["annotations"][REQUEST];
        assert_eq!(*owner, "openshift-cloud-credential-operator/second");
        cluster.delete(&request_path("second")).await;
        cluster.until("gone", &request_path("second"), Value::is_null).await;
        assert!(cluster.component(MACHINE_API).await.is_null());
        assert_eq!(cluster.request(MACHINE_API).await["status"]["provisioned"], true);
        let poke = json!({ "metadata": { "annotations": { "poke": "1" } } });
        cluster.patch(&request_path(MACHINE_API), poke).await;
        cluster.component_holds(MACHINE_API, "clouds.yaml", &clouds("one")).await;
    })
    .await;
}
