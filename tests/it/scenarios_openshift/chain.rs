//! From a real Keystone to every component, and back to the old credential's end: one configuration, and a component
//! that logs in all the while.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rekey_sandbox::openshift::{Cloud, Contents, Platform};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::kubernetes::ControlPlane;
use crate::support::openshift::{Cluster, value};
use crate::support::openstack::{Keystone, User, http_client, issue, unique};
use crate::support::terraform::{Workspace, repository};
use crate::support::tools::{Cli, Feature};

const CREDENTIAL: &str = "rekey_application_credential.cluster";
const MACHINE_API: &str = "openshift-machine-api-openstack";

/// Reads a component's secret before each login, as its operator does when the secret changes.
struct Component {
    logins: Arc<Mutex<Vec<Result<String, String>>>>,
    task: JoinHandle<()>,
}

impl Component {
    fn start(cluster: &Cluster, request: &str) -> Self {
        let logins = Arc::<Mutex<Vec<_>>>::default();
        let (api, path) = (cluster.api().clone(), cluster.component_path(request));
        let told = Arc::clone(&logins);
        let task = tokio::spawn(async move {
            let http = http_client();
            loop {
                let secret = api.get(&path).await.unwrap().expect("a component without a secret");
                let clouds = value(&secret, "clouds.yaml").unwrap();
                let (auth_url, id, body) = login(&clouds);
                let answer = issue(&http, &auth_url, &body).await;
                let answer =
                    answer.map(|_| id).map_err(|(status, text)| format!("{status} {text}"));
                told.lock().unwrap().push(answer);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self { logins, task }
    }

    /// Until it has logged in with this credential; it has been refused not once.
    async fn uses(&self, id: &str) {
        for _ in 0..600 {
            let logins = self.logins.lock().unwrap().clone();
            let refused: Vec<_> = logins.iter().filter_map(|login| login.as_ref().err()).collect();
            assert!(refused.is_empty(), "{refused:?}");
            if logins.last().is_some_and(|login| login.as_deref() == Ok(id)) {
                return;
            }
            assert!(!self.task.is_finished(), "the component has ended");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the component does not use {id}");
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where to log in, with which credential, and the request that does it.
fn login(clouds_yaml: &str) -> (String, String, Value) {
    let clouds: Value = serde_saphyr::from_str(clouds_yaml).unwrap();
    let auth = &clouds["clouds"]["openstack"]["auth"];
    let part = |name: &str| auth[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
    let id = part("application_credential_id");
    let body = json!({ "auth": { "identity": {
        "methods": ["application_credential"],
        "application_credential": { "id": id, "secret": part("application_credential_secret") },
    }}});
    (part("auth_url"), id, body)
}

/// A cluster that was installed with an application credential of this user.
async fn installed(user: &User) -> Cluster {
    let made = user.create_credential(json!({ "name": unique("installer") })).await;
    let clouds = json!({ "clouds": { "openstack": {
        "auth_type": "v3applicationcredential",
        "auth": {
            "auth_url": user.auth_url,
            "application_credential_id": made["id"],
            "application_credential_secret": made["secret"],
        },
        "region_name": user.region,
    }}});
    let root = [("clouds.yaml", &*clouds.to_string())];
    let contents = Contents::new(Platform::Openstack, "", &root);
    let cluster = Cluster::real(&contents, Cloud::default()).await;
    cluster.settles().await;
    cluster
}

/// An example, with the login of this user and the cluster's kubeconfig.
async fn example(folder: &str, user: &User, cluster: &Cluster, cli: &Cli) -> Workspace {
    let mut ws = Workspace::new(cli);
    ws.watch("the user's password", &user.password);
    ws.clouds_yaml(&user.clouds_yaml().replace("\"test\"", "\"mycloud\""));
    ws.write("home/.kube/config", &cluster.kubeconfig().await);
    let file = repository("examples").join(folder).join("main.tf");
    ws.write("main.tf", &std::fs::read_to_string(file).unwrap());
    ws
}

/// The provider's clock; Keystone's own cannot be moved.
/// The address in the example.
const OF_EXAMPLE: &str = "rekey_cluster_credential_rotation.openshift";

fn days_later(ws: &mut Workspace, days: i64) {
    let seconds = (days * 86_400).to_string();
    ws.env("REKEY_CLOCK_OFFSET", &seconds);
    ws.env("REKEY_CLOUD_CLOCK_OFFSET", &seconds);
}

async fn id_of(ws: &mut Workspace) -> String {
    ws.resource(CREDENTIAL).await["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_component_that_logs_in_all_the_while_is_refused_not_once() {
    let keystone = Keystone::get().await;
    for cli in Cli::all().iter().filter(|cli| cli.has(Feature::WriteOnlyArguments)) {
        let alice = keystone.user(&["member"]).await;
        let cluster = installed(&alice).await;
        let component = Component::start(&cluster, MACHINE_API);
        let mut ws = example("openshift-openstack", &alice, &cluster, cli).await;
        ws.apply(&[]).await.ok();
        let first = id_of(&mut ws).await;
        component.uses(&first).await;
        ws.plan(&[]).await.empty();

        ws.env("TF_VAR_reissue", "2");
        ws.apply(&[]).await.ok();
        let second = id_of(&mut ws).await;
        assert_ne!(first, second);
        component.uses(&second).await;
        for name in cluster.requests() {
            let clouds = value(&cluster.component(&name).await, "clouds.yaml").unwrap();
            assert_eq!(login(&clouds).1, second, "{name}");
        }
        let there = |all: &[Value], id: &str| all.iter().any(|credential| credential["id"] == id);
        assert!(there(&keystone.credentials(&alice).await, &first), "the overlap has not ended");
        assert_eq!(ws.resource(OF_EXAMPLE).await["generation"], 2);

        days_later(&mut ws, 8);
        ws.apply(&[]).await.ok();
        assert!(!there(&keystone.credentials(&alice).await, &first), "it is past the overlap");
        component.uses(&second).await;
        ws.plan(&[]).await.empty();
    }
}

/// With a secret of one's own: neither state nor plan holds it, nor the clouds.yaml that it is in.
#[tokio::test]
async fn with_a_secret_of_ones_own_nothing_is_in_the_state() {
    let keystone = Keystone::get().await;
    for cli in Cli::all().iter().filter(|cli| cli.has(Feature::WriteOnlyArguments)) {
        let alice = keystone.user(&["member"]).await;
        let cluster = installed(&alice).await;
        let component = Component::start(&cluster, MACHINE_API);
        let mut ws = example("openshift-openstack-own-secret", &alice, &cluster, cli).await;
        let mut secrets = Vec::new();
        for version in ["1", "2"] {
            let secret = unique("a-secret-of-my-own");
            ws.watch("my own secret", &secret);
            ws.env("TF_VAR_secret", &secret);
            ws.env("TF_VAR_secret_version", version);
            secrets.push(secret);
            ws.apply(&[]).await.ok();
            let id = id_of(&mut ws).await;
            component.uses(&id).await;
            ws.plan(&[]).await.empty();
        }
        for file in ["terraform.tfstate", "terraform.tfstate.backup", "tfplan"] {
            let bytes = std::fs::read(ws.path(file)).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "{file}");
        }
        days_later(&mut ws, 8);
        ws.apply(&[]).await.ok();
        component.uses(&id_of(&mut ws).await).await;
    }
}

/// What a human looks at, as the documentation says to verify: the secrets before and after.
#[tokio::test]
async fn a_human_sees_new_values_under_the_same_names() {
    let keystone = Keystone::get().await;
    let alice = keystone.user(&["member"]).await;
    let cluster = installed(&alice).await;
    let plane = ControlPlane::shared().await;
    let shown = async || {
        let mut all = Vec::new();
        for (_, namespace, name) in &cluster.contents.components {
            let run = plane.kubectl(&["get", "secret", name, "-n", namespace, "-o", "yaml"]).await;
            all.push(serde_saphyr::from_str::<Value>(&run.ok().stdout).unwrap());
        }
        all
    };
    let before = shown().await;
    let mut ws = example("openshift-openstack", &alice, &cluster, Cli::any()).await;
    ws.apply(&[]).await.ok();
    let after = shown().await;
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before["data"]["clouds.yaml"], after["data"]["clouds.yaml"]);
        for same in ["name", "namespace", "uid", "annotations", "labels"] {
            assert_eq!(before["metadata"][same], after["metadata"][same], "{same}");
        }
    }
    // `oc get co`: all True, False, False.
    let run = plane.kubectl(&["get", "clusteroperators"]).await.ok();
    for line in run.stdout.lines().skip(1) {
        let said: Vec<_> = line.split_whitespace().skip(1).collect();
        assert_eq!(said, ["True", "False", "False"], "{line}");
    }
}

/// The same shape for a secret that any workload reads.
#[tokio::test]
async fn a_plain_secret_follows_in_the_same_way() {
    let keystone = Keystone::get().await;
    let alice = keystone.user(&["member"]).await;
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let mut ws = Workspace::new(Cli::any());
    ws.clouds_yaml(&alice.clouds_yaml().replace("\"test\"", "\"mycloud\""));
    let file = repository("examples/chain-kubernetes-secret/main.tf");
    ws.write("main.tf", &std::fs::read_to_string(file).unwrap());
    let kubectl = format!(
        "{} kubectl --kubeconfig {} --namespace {namespace}",
        crate::support::kubernetes::binary().display(),
        plane.facts().kubeconfig.display()
    );
    ws.env("TF_VAR_kubectl", &kubectl);
    let held = async || {
        let secret = plane.get(&namespace, "secret/openstack").await;
        let (auth_url, id, body) = login(&value(&secret, "clouds.yaml").unwrap());
        issue(&http_client(), &auth_url, &body).await.unwrap();
        id
    };
    ws.apply(&[]).await.ok();
    let first = held().await;
    ws.env("TF_VAR_reissue", "2");
    ws.apply(&[]).await.ok();
    let second = held().await;
    assert_ne!(first, second);
    assert_eq!(keystone.credentials(&alice).await.len(), 2);
    days_later(&mut ws, 8);
    ws.apply(&[]).await.ok();
    assert_eq!(keystone.credentials(&alice).await.len(), 1);
    assert_eq!(held().await, second);
}
