//! The clusters' Kubernetes: certificates, permissions, restarts, stuck rollouts, a replaced CA; by the client that
//! the provider uses.

use std::time::Duration;

use rekey::cloud::Surroundings;
use rekey::cloud::http::Patience;
use rekey::cloud::kubernetes::{
    Access, Client, ClientKey, Error, Kind, Limits, Restart, Settings, Unreachable, Verdict,
    Workload,
};
use rekey::redaction::{ExposeSecret as _, SecretString};
use rekey_sandbox::{ClusterEvent, Sandbox};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::openstack::http_client;

const NAMESPACE: &str = "openstack-system";
const DEPLOYMENT: &str = "openstack-cinder-csi-controllerplugin";

fn patience() -> Patience {
    Patience { deadline: Some(Instant::now() + Duration::from_mins(5)), ..Patience::default() }
}

fn deployment() -> Workload {
    Workload::new(NAMESPACE, Kind::Deployment, DEPLOYMENT).unwrap()
}

/// Somebody's way into a cluster, as a kubeconfig would hold it.
#[derive(Clone)]
struct Pass {
    server: String,
    ca: String,
    certificate: String,
    key: SecretString,
}

impl Pass {
    fn client(&self) -> Client {
        let key = SecretString::from(self.key.expose_secret().to_owned());
        let from = Surroundings::default();
        let access =
            Access::with_certificate(&self.server, &self.ca, &self.certificate, key, &from);
        let second = Duration::from_secs(5);
        let limits = Limits { connect: second, request: second, attempts: 1 };
        Client::with_limits(access.unwrap(), limits)
    }

    /// One that does not look at whom it talks to.
    fn insecure(&self) -> Client {
        let settings = Settings {
            host: Some(self.server.clone()),
            insecure: Some(true),
            client_certificate: Some(self.certificate.clone()),
            client_key: Some(self.key.clone()),
            ..Settings::default()
        };
        Client::new(Access::resolve(&settings, &Surroundings::default()).unwrap())
    }
}

/// Has the owner's certificate signed by the sandbox's Magnum.
async fn pass(cloud: &Sandbox, cluster: &str, groups: &[&str]) -> Pass {
    let http = http_client();
    let alice = cloud.user("alice");
    let login = crate::sandbox::differ::password(
        &alice.name,
        &alice.password,
        Some(json!({ "name": "demo", "domain": { "id": "default" } })),
    );
    let url = format!("{}/auth/tokens", cloud.auth_url());
    let token = http.post(url).json(&login).send().await.unwrap();
    let token = token.headers()["x-subject-token"].to_str().unwrap().to_owned();
    let seen = cloud.cluster(cluster);
    let url = format!("http://{}/container-infra/v1/certificates", cloud.address());
    let key = ClientKey::generate().unwrap();
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    let csr = key.signing_request("dora", &groups).unwrap();
    let body = json!({ "cluster_uuid": seen.uuid, "csr": csr });
    let signed = http.post(&url).header("X-Auth-Token", &token).json(&body).send().await.unwrap();
    let signed: Value = signed.json().await.unwrap();
    let ca = http.get(format!("{url}/{}", seen.uuid)).header("X-Auth-Token", &token);
    let ca: Value = ca.send().await.unwrap().json().await.unwrap();
    Pass {
        server: seen.api_address.unwrap(),
        ca: ca["pem"].as_str().unwrap().to_owned(),
        certificate: signed["pem"].as_str().unwrap().to_owned(),
        key: key.pem(),
    }
}

#[tokio::test]
async fn the_workloads_that_use_the_cloud_are_restarted() {
    let cloud = Sandbox::start().await;
    cloud.create_cluster("alice", "prod", "kubernetes-v1.33.8");
    let client = pass(&cloud, "prod", &["system:masters"]).await.client();
    let patience = patience();
    let (version, stamp) = client.version(&patience).await.unwrap();
    assert_eq!(version, "v1.33.8");
    let all = client.workloads(NAMESPACE, &patience).await.unwrap();
    assert_eq!(all.len(), 3);
    for observed in &all {
        let before = client.pods(observed, &patience).await.unwrap();
        assert_eq!(before.len(), 2);
        let workload = &observed.workload;
        assert_eq!(client.restart(workload, stamp, &patience).await.unwrap(), Restart::Asked);
        let rollout = client.wait_for_rollout(workload, stamp, &patience).await.unwrap();
        assert_eq!(rollout.pods.len(), 2);
        assert!(rollout.pods.iter().all(|pod| before.iter().all(|old| old.uid != pod.uid)));
        let again = client.restart(workload, stamp, &patience).await.unwrap();
        assert_eq!(again, Restart::AlreadyAsked);
    }
    let restarts = cloud.cluster("prod").restarts;
    assert_eq!(restarts.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
}

#[tokio::test]
async fn a_lesser_group_may_do_what_it_was_granted() {
    let cloud = Sandbox::start().await;
    cloud.create_cluster("alice", "prod", "kubernetes-v1.33.8");
    let client = pass(&cloud, "prod", &["another", "restarters"]).await.client();
    let wanted = deployment().permissions();
    let missing = client.missing_permissions(&wanted, &patience()).await.unwrap();
    assert_eq!(missing, wanted);
    let refused = client.workload(&deployment(), &patience()).await.unwrap_err();
    assert!(matches!(refused, Error::Forbidden(_)), "{refused}");
    assert!(refused.to_string().contains("cannot get resource \"deployments\""), "{refused}");
    cloud.happen_to_cluster(&ClusterEvent::AllowGroup {
        cluster: "prod".into(),
        group: "restarters".into(),
        namespace: NAMESPACE.into(),
        verbs: ["get", "list", "patch"].map(str::to_owned).into(),
        resources: ["deployments", "pods"].map(str::to_owned).into(),
    });
    assert!(client.missing_permissions(&wanted, &patience()).await.unwrap().is_empty());
    client.workload(&deployment(), &patience()).await.unwrap();
}

#[tokio::test]
async fn a_stuck_rollout_names_its_pod_and_event_and_goes_on() {
    let cloud = Sandbox::start().await;
    cloud.create_cluster("alice", "prod", "kubernetes-v1.33.8");
    let hold_up = |reason: Option<&str>| ClusterEvent::HoldUpWorkload {
        cluster: "prod".into(),
        namespace: NAMESPACE.into(),
        name: DEPLOYMENT.into(),
        reason: reason.map(str::to_owned),
        message: "no such image".into(),
        given_up: true,
    };
    cloud.happen_to_cluster(&hold_up(Some("ImagePullBackOff")));
    let client = pass(&cloud, "prod", &["system:masters"]).await.client();
    let (_, stamp) = client.version(&patience()).await.unwrap();
    client.restart(&deployment(), stamp, &patience()).await.unwrap();
    let stuck = client.wait_for_rollout(&deployment(), stamp, &patience()).await.unwrap_err();
    let Error::Stuck(stuck) = stuck else { panic!("{stuck}") };
    let report = stuck.report();
    assert!(report.contains("progress deadline"), "{report}");
    assert!(report.contains("ImagePullBackOff: container main: no such image"), "{report}");
    assert!(report.contains("Warning Failed: no such image (3 times)"), "{report}");
    cloud.happen_to_cluster(&hold_up(None));
    let rollout = client.wait_for_rollout(&deployment(), stamp, &patience()).await.unwrap();
    assert_eq!(rollout.pods.len(), 2);
}

#[tokio::test]
async fn a_replaced_ca_refuses_who_comes_with_the_old_one() {
    let cloud = Sandbox::start().await;
    cloud.create_cluster("alice", "prod", "kubernetes-v1.33.8");
    let old = pass(&cloud, "prod", &["system:masters"]).await;
    let kept_open = old.client();
    kept_open.version(&patience()).await.unwrap();
    rotate_ca(&cloud).await;
    let new = pass(&cloud, "prod", &["system:masters"]).await;
    assert_ne!(old.ca, new.ca);
    new.client().workload(&deployment(), &patience()).await.unwrap();
    // Whoever looks at the server's certificate does not even connect, the server refuses the others.
    match old.client().version(&patience()).await.unwrap_err() {
        Error::Unreachable { cause, .. } => assert_eq!(cause, Unreachable::Untrusted),
        other => panic!("{other}"),
    }
    for client in [old.insecure(), kept_open] {
        let refused = client.workload(&deployment(), &patience()).await.unwrap_err();
        assert!(matches!(refused, Error::Unauthorized(_)), "{refused}");
    }
    let chain = new.client().served_chain(&patience()).await.unwrap();
    let now = jiff::Timestamp::now();
    assert_eq!(chain.verify(&new.ca, now), Verdict::Trusted);
    assert_eq!(chain.verify(&old.ca, now), Verdict::UnknownIssuer);
}

#[tokio::test]
async fn a_driver_that_cannot_replace_the_ca_leaves_servers_that_use_the_old_one() {
    let cloud = Sandbox::start().await;
    cloud.create_cluster("alice", "prod", "tpl-norotate");
    let old = pass(&cloud, "prod", &["system:masters"]).await;
    rotate_ca(&cloud).await;
    assert_eq!(cloud.cluster("prod").status, "UPDATE_FAILED");
    let new = pass(&cloud, "prod", &["system:masters"]).await;
    old.client().version(&patience()).await.unwrap();
    new.client().version(&patience()).await.unwrap_err();
    let refused = new.insecure().workload(&deployment(), &patience()).await.unwrap_err();
    assert!(matches!(refused, Error::Unauthorized(_)), "{refused}");
}

#[tokio::test]
async fn faults_strike_calls_to_the_cluster_too() {
    use rekey_sandbox::{Fault, FaultRule};
    let cloud = Sandbox::start().await;
    cloud.create_cluster("alice", "prod", "kubernetes-v1.33.8");
    let client = pass(&cloud, "prod", &["system:masters"]).await.client();
    cloud.inject(FaultRule::new(Fault::ResetAfterCommit).on("PATCH", "/apis/apps/"));
    let (_, stamp) = client.version(&patience()).await.unwrap();
    let reset = client.restart(&deployment(), stamp, &patience()).await.unwrap_err();
    assert!(matches!(reset, Error::Unreachable { may_have_acted: true, .. }), "{reset}");
    assert_eq!(cloud.cluster("prod").restarts[DEPLOYMENT], 1);
    for fault in [
        Fault::TruncatedJson,
        Fault::ResetAfterHalfTheBody,
        Fault::ResetBefore,
        Fault::InternalError,
    ] {
        cloud.inject(FaultRule::new(fault.clone()).on("GET", "/version"));
        let failed = client.version(&patience()).await;
        assert!(failed.is_err(), "{fault:?}");
        client.version(&patience()).await.unwrap();
    }
}

/// As alice, straight at the sandbox's Magnum.
async fn rotate_ca(cloud: &Sandbox) {
    let http = http_client();
    let alice = cloud.user("alice");
    let project = json!({ "name": "demo", "domain": { "id": "default" } });
    let login = crate::sandbox::differ::password(&alice.name, &alice.password, Some(project));
    let url = format!("{}/auth/tokens", cloud.auth_url());
    let token = http.post(url).json(&login).send().await.unwrap();
    let token = token.headers()["x-subject-token"].to_str().unwrap().to_owned();
    let uuid = cloud.cluster("prod").uuid;
    let url = format!("http://{}/container-infra/v1/certificates/{uuid}", cloud.address());
    http.patch(url).header("X-Auth-Token", token).send().await.unwrap();
}
