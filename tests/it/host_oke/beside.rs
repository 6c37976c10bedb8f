//! What stands beside the resource: the data source that tells how far rotations are, and a kubeconfig that works.

use std::collections::BTreeSet;

use rekey::cloud::Surroundings;
use rekey::cloud::http::Patience;
use rekey::cloud::kubernetes::{Access, Client, Settings};
use rekey::redaction::SecretString;
use rekey_sandbox::OkeEvent;
use serde_json::{Value as Json, json};

use super::Bed;

impl Bed {
    /// What the data source tells of the one cluster, asked for by its compartment.
    async fn told(&self) -> Json {
        let config = json!({ "oke": { "compartment_id": self.prod().compartment } });
        let found = self.host.data(self.login(), "rekey_cluster_credentials", config).await;
        let found = found.silent();
        assert_eq!(found["clusters"], json!([]));
        let [one] = found["oke_clusters"].as_array().unwrap().as_slice() else {
            panic!("{found}");
        };
        one.clone()
    }
}

#[tokio::test]
async fn the_data_source_tells_of_a_whole_rotation() {
    let bed = Bed::start().await;
    let before = bed.told().await;
    let prod = bed.prod();
    for (name, expected) in [
        ("cluster_id", json!(prod.id)),
        ("name", json!("prod")),
        ("phase", json!("none")),
        ("auto_completes_at", Json::Null),
        ("lifecycle_state", json!("ACTIVE")),
        ("rotation_recommended", json!(false)),
    ] {
        assert_eq!(before[name], expected, "{name}: {before}");
    }
    bed.happens(&OkeEvent::StartOkeRotation { cluster: "prod".into(), delay_days: 5 });
    let overlap = bed.told().await;
    assert_eq!(overlap["phase"], json!("overlap"));
    assert!(overlap["auto_completes_at"].is_string(), "{overlap}");
    let cas = |told: &Json| -> BTreeSet<String> {
        serde_json::from_value(told["ca_certificate_sha256s"].clone()).unwrap()
    };
    let (old, both) = (cas(&before), cas(&overlap));
    assert_eq!((old.len(), both.len()), (1, 2));
    assert!(old.is_subset(&both), "{before} {overlap}");
    bed.pass_hours(24 * 6);
    let after = bed.told().await;
    assert_eq!(after["phase"], json!("completed"));
    assert_eq!(cas(&after), &both - &old);

    bed.happens(&OkeEvent::SetOkeAutomatic { cluster: "prod".into(), automatic: false });
    bed.happens(&OkeEvent::SetOkeExpiry { cluster: "prod".into(), seconds: 20 * 86_400 });
    let aged = bed.told().await;
    assert_eq!(aged["rotation_recommended"], json!(true), "{aged}");
    // By its OCID it is the same.
    let config = json!({ "oke": { "cluster_id": prod.id } });
    let one = bed.host.data(bed.login(), "rekey_cluster_credentials", config).await.silent();
    assert_eq!(one["oke_clusters"], json!([aged]));
}

#[tokio::test]
async fn a_kubeconfig_of_the_overlap_opens_before_and_after_it() {
    let bed = Bed::start().await;
    let open = async || {
        let config = json!({ "oke": { "cluster_id": bed.prod().id } });
        bed.host.open(bed.login(), "rekey_kubeconfig", config).await.unwrap()
    };
    let works = async |opened: &Json| {
        let text = |name: &str| opened[name].as_str().unwrap().to_owned();
        let settings = Settings {
            host: Some(text("host")),
            cluster_ca_certificate: Some(text("cluster_ca_certificate")),
            token: Some(SecretString::from(text("token"))),
            ..Settings::default()
        };
        let access = Access::resolve(&settings, &Surroundings::default()).unwrap();
        Client::new(access).version(&Patience::default()).await.is_ok()
    };
    let before = open().await;
    assert!(works(&before.value).await);
    bed.happens(&OkeEvent::StartOkeRotation { cluster: "prod".into(), delay_days: 5 });
    let overlap = open().await;
    assert!(works(&before.value).await && works(&overlap.value).await);
    let bundle = overlap.value["cluster_ca_certificate"].as_str().unwrap().to_owned();
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 2);
    bed.happens(&OkeEvent::CompleteOkeRotation { cluster: "prod".into() });
    let raw: Json = serde_json::from_str(overlap.value["raw"].as_str().unwrap()).unwrap();
    assert_eq!(raw["users"][0]["user"]["token"], overlap.value["token"]);
    assert!(works(&overlap.value).await && !works(&before.value).await);
    for opened in [before, overlap] {
        opened.close().await.assert_success();
    }
}
