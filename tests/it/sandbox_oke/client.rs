//! The official `oci` does all that an operator would do by hand, console steps and all.

use std::path::Path;

use jiff::SignedDuration;
use rekey_sandbox::{OkeEvent, Sandbox};
use serde_json::{Value, json};

use crate::support::oci::Oci;

const DELAY: &str = "--auto-completion-delay-duration";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test]
async fn oci_rotates_a_cluster_in_two_phases() {
    let sandbox = Sandbox::start().await;
    let prod = sandbox.create_oke_cluster("prod");
    let alice = Oci::new(&sandbox, "alice");
    let cluster = ["--cluster-id", &prod.id];
    let ce = |command: &[&'static str]| -> Vec<&'static str> { [&["ce"], command].concat() };
    let of_cluster = async |command: &[&'static str], more: &[&str]| {
        alice.json(&[&ce(command)[..], &cluster, more].concat()).await
    };

    let never = [&ce(&["credential-rotation-status", "get"])[..], &cluster].concat();
    alice.cli(&never).await.fails().says("NotAuthorizedOrNotFound").says("opc-request-id");
    let start = ["cluster", "start-credential-rotation"];
    let wait = ["--wait-for-state", "SUCCEEDED", "--wait-interval-seconds", "1"];
    let waited = of_cluster(&start, &[&[DELAY, "P5D"][..], &wait].concat()).await;
    assert_eq!(waited["data"]["status"], "SUCCEEDED");
    let work = text(&waited["data"]["id"]).to_owned();

    let status = of_cluster(&["credential-rotation-status", "get"], &[]).await;
    assert_eq!(status["data"]["status"], "WAITING");
    assert_eq!(status["data"]["status-details"], "NEW_CREDENTIALS_ISSUED");
    assert!(status["data"]["time-auto-completion-scheduled"].is_string());
    let complete = [&ce(&["cluster", "complete-credential-rotation"])[..], &cluster].concat();
    alice.cli(&complete).await.fails().says("24 hours");

    sandbox.advance(SignedDuration::from_hours(25));
    let completed = alice.json(&complete).await;
    assert!(
        text(&completed["opc-work-request-id"]).starts_with("ocid1.clustersworkrequest.oc1.iad.")
    );
    let shown = of_cluster(&["cluster", "get"], &[]).await;
    assert_eq!(shown["data"]["lifecycle-state"], "ACTIVE");
    assert!(shown["data"]["metadata"]["time-credential-expiration"].is_string());
    assert_eq!((sandbox.oke("prod").starts, sandbox.oke("prod").completions), (1, 1));

    let shown = alice.json(&["ce", "work-request", "get", "--work-request-id", &work]).await;
    assert_eq!(shown["data"]["operation-type"], "CLUSTER_UPDATE");
    let of_work = ["--work-request-id", &work, "--compartment-id", &prod.compartment];
    let logs =
        alice.json(&[&["ce", "work-request-log-entry", "list"][..], &of_work].concat()).await;
    assert!(!logs["data"].as_array().unwrap().is_empty());
    let errors = alice.json(&[&["ce", "work-request-error", "list"][..], &of_work].concat()).await;
    assert!(errors["data"].as_array().is_none_or(Vec::is_empty), "{errors}");
}

#[tokio::test]
async fn oci_lists_page_by_page_and_tells_what_failed() {
    let sandbox = Sandbox::start().await;
    for name in ["one", "two", "three"] {
        sandbox.create_oke_cluster(name);
    }
    let alice = Oci::new(&sandbox, "alice");
    let compartment = sandbox.oci("alice").compartment;
    let of = ["--compartment-id", &compartment, "--all", "--page-size", "1"];
    let list = async |kind: &[&str]| {
        let listed = alice.json(&[&["ce"], kind, &["list"], &of[..]].concat()).await;
        listed["data"].as_array().cloned().unwrap_or_default()
    };
    assert_eq!(list(&["cluster"]).await.len(), 3);
    let pools = list(&["node-pool"]).await;
    assert_eq!(pools.len(), 3);
    let pool = ["ce", "node-pool", "get", "--node-pool-id", text(&pools[0]["id"])];
    assert_eq!(alice.json(&pool).await["data"]["nodes"].as_array().unwrap().len(), 2);
    assert!(list(&["virtual-node-pool"]).await.is_empty());

    let message = "etcd did not answer".into();
    let failure = OkeEvent::FailOkePhase { cluster: "two".into(), message, after_effect: false };
    sandbox.happen_to_oke(&failure);
    let id = sandbox.oke("two").id;
    let start = ["ce", "cluster", "start-credential-rotation", "--cluster-id", &id, DELAY, "P5D"];
    alice.cli(&start).await.ok();
    let requests = list(&["work-request"]).await;
    assert_eq!((requests.len(), &requests[0]["status"]), (1, &json!("FAILED")));
    let errors =
        ["ce", "work-request-error", "list", "--work-request-id", text(&requests[0]["id"])];
    let errors = alice.json(&[&errors[..], &["--compartment-id", &compartment]].concat()).await;
    assert_eq!(errors["data"][0]["message"], "etcd did not answer");
}

#[tokio::test]
async fn oci_writes_a_kubeconfig_and_sessions_and_strangers_are_told_apart() {
    let sandbox = Sandbox::start().await;
    let prod = sandbox.create_oke_cluster("prod");
    let alice = Oci::new(&sandbox, "alice");
    let create = ["ce", "cluster", "create-kubeconfig", "--cluster-id", &prod.id];
    let printed = alice.cli(&[&create[..], &["--file", "-"]].concat()).await.ok().stdout;
    assert!(printed.contains(&prod.api_address) && printed.contains("generate-token"), "{printed}");

    let token = alice.file("token", &sandbox.oci_session("alice", SignedDuration::from_hours(1)));
    let config = alice.login.config_file(Path::new("~/.oci/key.pem"));
    alice.file("config", &format!("{config}security_token_file={}\n", token.display()));
    let get = ["ce", "cluster", "get", "--cluster-id", &prod.id];
    let by_session = [&["--auth", "security_token"][..], &get].concat();
    assert_eq!(alice.json(&by_session).await["data"]["name"], "prod");

    let rita = Oci::new(&sandbox, "rita");
    assert_eq!(rita.json(&get).await["data"]["name"], "prod");
    let start =
        ["ce", "cluster", "start-credential-rotation", "--cluster-id", &prod.id, DELAY, "P5D"];
    rita.cli(&start).await.fails().says("NotAuthorizedOrNotFound");
    sandbox.happen_to_oke(&OkeEvent::ForgetApiKeys { user: "rita".into() });
    rita.cli(&get).await.fails().says("NotAuthenticated");
}
