//! Call by call: what the official SDK sends, and what the provider's client sends for the same thing. Both go over
//! a wire that writes it down, and both are answered by the sandbox, which looks at the signature.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rekey::cloud::http::Patience;
use rekey::cloud::oci::RetryToken;
use rekey::cloud::oci::container_engine::KubeconfigEndpoint;
use rekey_sandbox::{OkeAnswers, OkeSeen, Sandbox};
use serde_json::{Value, json};

use super::session;
use crate::support::oci::Oci;
use crate::support::tee::{Sent, Tee};
use crate::support::tools::figure;

/// The headers that are part of what a request asks for.
const MEANT: [&str; 6] =
    ["accept", "content-length", "content-type", "if-match", "x-content-sha256", "opc-obo-token"];

struct Scene {
    sandbox: Sandbox,
    prod: OkeSeen,
    tee: Tee,
    alice: Oci,
}

impl Scene {
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        let prod = sandbox.create_oke_cluster("prod");
        // Lists have more than one page.
        sandbox.create_oke_cluster("other");
        sandbox.set_oke_answers(OkeAnswers { page_size: 1, ..OkeAnswers::default() });
        let tee = Tee::before(sandbox.address()).await;
        let alice = Oci::new(&sandbox, "alice").at(&tee.url);
        Self { sandbox, prod, tee, alice }
    }

    /// What the SDK's calls come to, and what it sent.
    async fn theirs(&self, calls: Value) -> (Vec<Value>, Vec<Sent>) {
        let answers = self.alice.sdk(calls).await;
        for answer in &answers {
            assert!(answer["status"].as_u64().unwrap() < 300, "{answer}");
        }
        (answers, self.tee.take())
    }
}

/// Both ask for the same, whatever else they say of themselves.
fn are_the_same(ours: &[Sent], theirs: &[Sent]) {
    let kinds = |all: &[Sent]| -> Vec<String> {
        all.iter().map(|sent| format!("{} {}", sent.method, sent.path)).collect()
    };
    assert_eq!(kinds(ours), kinds(theirs));
    for (our, their) in ours.iter().zip(theirs) {
        let what = format!("{} {}", their.method, their.path);
        assert_eq!(our.query, their.query, "{what}");
        let body = |sent: &Sent| serde_json::from_str::<Value>(&sent.body).ok();
        assert_eq!(body(our), body(their), "{what}");
        for name in MEANT {
            // Their JSON has spaces in it.
            let is_of_text = ["content-length", "x-content-sha256"].contains(&name);
            let told = |sent: &Sent| {
                sent.header(name).map(|value| if is_of_text { "some" } else { value }.to_owned())
            };
            // Theirs names a type also where there is no content.
            if name != "content-type" || !their.body.is_empty() {
                assert_eq!(told(our), told(their), "{what}: {name}");
            }
        }
        assert_eq!(signed(our), signed(their), "{what}");
        let token = |sent: &Sent| sent.header("opc-retry-token").is_some();
        assert_eq!(token(our), token(their), "{what}: retry token");
    }
}

/// The names of what was signed, and the key that it was signed with.
fn signed(sent: &Sent) -> (BTreeSet<String>, String) {
    let text = sent.header("authorization").expect("every request is signed");
    let part = |name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    (part("headers").split(' ').map(str::to_ascii_lowercase).collect(), part("keyId"))
}

#[tokio::test]
async fn what_only_looks_is_sent_and_read_as_by_the_sdk() {
    let scene = Scene::new().await;
    let (prod, compartment) = (&scene.prod.id, &scene.prod.compartment);
    // Of both clusters, so that there is a second page of it too.
    for cluster in ["prod", "other"] {
        scene.sandbox.happen_to_oke(&rekey_sandbox::OkeEvent::StartOkeRotation {
            cluster: cluster.into(),
            delay_days: 5,
        });
    }
    let session = session(&scene.alice);
    let (engine, patience) = (session.container_engine(), Patience::default());
    let cluster = engine.cluster(prod, &patience).await.unwrap();
    let status = engine.credential_rotation_status(prod, &patience).await.unwrap();
    let clusters = engine.clusters(compartment, &patience).await.unwrap();
    let pools = engine.node_pools(compartment, prod, &patience).await.unwrap();
    let pool = engine.node_pool(&pools[0].id, &patience).await.unwrap();
    let virtuals = engine.virtual_node_pools(compartment, prod, &patience).await.unwrap();
    let requests = engine.work_requests(compartment, prod, &patience).await.unwrap();
    let request = &requests[0].id;
    engine.work_request(request, &patience).await.unwrap();
    let errors = engine.work_request_errors(request, compartment, &patience).await.unwrap();
    let logs = engine.work_request_logs(request, compartment, &patience).await.unwrap();
    let kubeconfig =
        engine.kubeconfig(prod, Some(KubeconfigEndpoint::Public), &patience).await.unwrap();
    let ours = scene.tee.take();

    let second = ours.iter().find_map(|sent| {
        let page = sent.query.iter().find_map(|part| part.strip_prefix("page="));
        (sent.path == "/20180222/clusters").then_some(page).flatten().map(str::to_owned)
    });
    let sorted = json!({ "cluster_id": prod, "sort_by": "TIME_ACCEPTED", "sort_order": "DESC" });
    let (theirs, sent) = scene
        .theirs(json!([
            { "name": "get_cluster", "args": [prod] },
            { "name": "get_credential_rotation_status", "args": [prod] },
            { "name": "list_clusters", "args": [compartment] },
            { "name": "list_clusters", "args": [compartment], "kwargs": { "page": second } },
            { "name": "list_node_pools", "args": [compartment], "kwargs": { "cluster_id": prod } },
            { "name": "get_node_pool", "args": [pools[0].id] },
            { "name": "list_virtual_node_pools", "args": [compartment], "kwargs": { "cluster_id": prod } },
            { "name": "list_work_requests", "args": [compartment], "kwargs": sorted },
            { "name": "get_work_request", "args": [request] },
            { "name": "list_work_request_errors", "args": [compartment, request] },
            { "name": "list_work_request_logs", "args": [compartment, request] },
            { "name": "create_kubeconfig", "args": [prod], "kwargs": {
                "create_cluster_kubeconfig_content_details": {
                    "model": "CreateClusterKubeconfigContentDetails",
                    "token_version": "2.0.0",
                    "endpoint": "PUBLIC_ENDPOINT",
                },
            } },
        ]))
        .await;
    are_the_same(&ours, &sent);

    let data: Vec<&Value> = theirs.iter().map(|answer| &answer["data"]).collect();
    assert_eq!(data[0]["name"], cluster.name.as_str());
    assert_eq!(data[1]["status"], status.status.as_str());
    assert_eq!((theirs[2]["next_page"].is_null(), clusters.len()), (false, 2));
    assert_eq!(data[5]["nodes"].as_array().unwrap().len(), pool.nodes.as_ref().unwrap().len());
    assert_eq!((data[4].as_array().unwrap().len(), pools.len()), (1, 1));
    assert_eq!(data[6].as_array().unwrap().len(), virtuals.len());
    assert_eq!(data[7].as_array().unwrap().len(), requests.len());
    assert_eq!(data[9].as_array().unwrap().len(), errors.len());
    assert_eq!(data[10].as_array().unwrap().len(), logs.len());
    assert_eq!(data[11], kubeconfig.as_str());
    figure(&format!("Oracle's SDK: {} requests compared with it", ours.len()));
}

#[tokio::test]
async fn start_and_complete_are_sent_as_by_the_sdk() {
    let scene = Scene::new().await;
    let (prod, other) = (scene.prod.id.clone(), scene.sandbox.oke("other").id);
    let session = session(&scene.alice);
    let (engine, patience) = (session.container_engine(), Patience::default());
    let token = RetryToken::new();
    let accepted = engine.start_credential_rotation(&prod, "P5DT5H5M", &token, &patience).await;
    let work = accepted.unwrap().work_request_id.unwrap();
    assert_eq!(work, scene.sandbox.oke("prod").work[0].id);
    let mut ours = scene.tee.take();
    let details = json!({
        "model": "StartCredentialRotationDetails",
        "auto_completion_delay_duration": "P5DT5H5M",
    });
    // A token of its own stands for what the SDK makes where it may repeat.
    let once = json!({ "opc_retry_token": "once" });
    let start =
        json!([{ "name": "start_credential_rotation", "args": [other, details], "kwargs": once }]);
    let (answers, mut theirs) = scene.theirs(start).await;
    assert_eq!(answers[0]["work_request"], scene.sandbox.oke("other").work[0].id.as_str());

    scene.sandbox.advance(SignedDuration::from_hours(25));
    engine.complete_credential_rotation(&prod, &RetryToken::new(), &patience).await.unwrap();
    ours.extend(scene.tee.take());
    let complete =
        json!([{ "name": "complete_credential_rotation", "args": [other], "kwargs": once }]);
    theirs.extend(scene.theirs(complete).await.1);
    // Of one cluster each.
    for sent in &mut theirs {
        sent.path = sent.path.replace(&other, &prod);
    }
    are_the_same(&ours, &theirs);
    let completions = |name: &str| scene.sandbox.oke(name).completions;
    assert_eq!((completions("prod"), completions("other")), (1, 1));
}
