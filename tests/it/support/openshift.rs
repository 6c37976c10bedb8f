//! Clusters of OpenShift, each with a stand-in Cloud Credential Operator: on the real control plane that all tests
//! share, where there can be one at a time, and in sandboxes, where there can be any number.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rekey_sandbox::Sandbox;
use rekey_sandbox::openshift::{
    Api, Change, Cloud, ClusterHandle, Contents, NAMESPACE, Operator, ROOT_NAMESPACE, component,
    install,
};
use serde_json::{Map, Value, json};
use tokio::sync::{MutexGuard, OnceCell};
use tokio::task::JoinHandle;

use super::kubernetes::ControlPlane;

/// One cluster, and what is in it.
pub(crate) struct Cluster {
    pub(crate) contents: Contents,
    way: Way,
}

enum Way {
    Real { api: Api, operator: Operator, _turn: MutexGuard<'static, ()> },
    Sandbox { handle: Arc<ClusterHandle>, _sandbox: Option<Sandbox> },
}

impl Cluster {
    /// On the shared control plane; waits until no other test has it.
    pub(crate) async fn real(contents: &Contents, cloud: Cloud) -> Self {
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        static KINDS: OnceCell<()> = OnceCell::const_new();
        let turn = TURN.lock().await;
        let plane = ControlPlane::shared().await;
        KINDS.get_or_init(|| known_kinds(plane)).await;
        let pki = plane.facts().pki;
        let read = |name: &str| std::fs::read_to_string(pki.join(name)).unwrap();
        let api = Api::remote(
            &plane.facts().url,
            &read("ca.crt"),
            &read("admin.crt"),
            &read("admin.key"),
        );
        let api = api.unwrap();
        install(&api, contents).await.unwrap();
        let operator = Operator::start(api.clone(), cloud);
        Self { contents: contents.clone(), way: Way::Real { api, operator, _turn: turn } }
    }

    /// In a sandbox of its own.
    pub(crate) async fn sandbox(contents: &Contents, cloud: Cloud) -> Self {
        let sandbox = Sandbox::start().await;
        let handle = sandbox.create_openshift("prod", contents, cloud);
        let way = Way::Sandbox { handle, _sandbox: Some(sandbox) };
        Self { contents: contents.clone(), way }
    }

    /// In that sandbox.
    pub(crate) fn inside(sandbox: &Sandbox, contents: &Contents, cloud: Cloud) -> Self {
        let handle = sandbox.create_openshift("prod", contents, cloud);
        Self { contents: contents.clone(), way: Way::Sandbox { handle, _sandbox: None } }
    }

    pub(crate) fn operator(&self) -> &Operator {
        match &self.way {
            Way::Real { operator, .. } => operator,
            Way::Sandbox { handle, .. } => handle.operator(),
        }
    }

    pub(crate) fn api(&self) -> &Api {
        match &self.way {
            Way::Real { api, .. } => api,
            Way::Sandbox { handle, .. } => handle.api(),
        }
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        self.operator().cloud()
    }

    /// Of the administrator.
    pub(crate) async fn kubeconfig(&self) -> String {
        match &self.way {
            Way::Real { .. } => ControlPlane::shared().await.kubeconfig(),
            Way::Sandbox { handle, .. } => handle.kubeconfig(),
        }
    }

    // What is there

    pub(crate) fn root_path(&self) -> String {
        secret_path(ROOT_NAMESPACE, self.contents.platform.root_secret())
    }

    pub(crate) async fn root(&self) -> Value {
        self.get(&self.root_path()).await
    }

    /// The path of a component's secret, by the name of its request.
    pub(crate) fn component_path(&self, request: &str) -> String {
        let (namespace, name) = component(&self.contents, request).unwrap();
        secret_path(&namespace, &name)
    }

    pub(crate) async fn component(&self, request: &str) -> Value {
        self.get(&self.component_path(request)).await
    }

    pub(crate) async fn request(&self, name: &str) -> Value {
        self.get(&request_path(name)).await
    }

    /// The names of all requests, in their order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.contents.components.iter().map(|(name, ..)| name.clone()).collect()
    }

    /// Null where there is none.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.api().get(path).await.unwrap().unwrap_or_default()
    }

    /// A condition of the `ClusterOperator`: status, reason, message.
    pub(crate) async fn said(&self, condition: &str) -> (String, String, String) {
        of_condition(&self.get(OPERATOR).await, condition)
    }

    // What is done to it

    /// Writes these keys of the root secret; null takes one away.
    pub(crate) async fn change_root(&self, data: &[(&str, Option<&str>)]) -> Value {
        let encoded = |text: &&str| json!(BASE64_STANDARD.encode(text));
        let data: Map<_, _> = data
            .iter()
            .map(|(key, text)| ((*key).to_owned(), text.as_ref().map_or(Value::Null, encoded)))
            .collect();
        self.patch(&self.root_path(), json!({ "data": data })).await
    }

    pub(crate) async fn patch(&self, path: &str, change: Value) -> Value {
        self.api().patch(path, &change).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) {
        self.api().delete(path).await.unwrap();
    }

    pub(crate) async fn set_mode(&self, mode: &str) {
        let path = "/apis/operator.openshift.io/v1/cloudcredentials/cluster";
        self.patch(path, json!({ "spec": { "credentialsMode": mode } })).await;
    }

    // Waiting

    /// Until the object at the path is so.
    pub(crate) async fn until(
        &self,
        what: &str,
        path: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut last = Value::Null;
        for _ in 0..TRIES {
            last = self.get(path).await;
            if is_so(&last) {
                return last;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{what}: {path} is still {last:#}");
    }

    /// Until every request is provisioned by the present root, and the root rests.
    pub(crate) async fn settles(&self) {
        let mut quiet = 0;
        for _ in 0..TRIES {
            let version = self.root().await["metadata"]["resourceVersion"].clone();
            let mut all = true;
            for name in self.requests() {
                let status = self.request(&name).await["status"].clone();
                all &= status["provisioned"] == true
                    && status["lastSyncCloudCredsSecretResourceVersion"] == version;
            }
            quiet = if all { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the requests do not settle");
    }

    /// Until the request fails with this condition and message.
    pub(crate) async fn fails(&self, request: &str, condition: &str, message: &str) -> Value {
        let is_so = |object: &Value| {
            let (status, _, told) = of_condition(object, condition);
            status == "True" && told.contains(message)
        };
        self.until(message, &request_path(request), is_so).await
    }

    /// Until no condition of the request says that it fails, and it is provisioned.
    pub(crate) async fn recovers(&self, request: &str) -> Value {
        let is_so = |object: &Value| {
            let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            object["status"]["provisioned"] == true && all.iter().all(|c| c["status"] == "False")
        };
        self.until("it recovers", &request_path(request), is_so).await
    }

    /// Until a component's secret holds this under the key.
    pub(crate) async fn component_holds(&self, request: &str, key: &str, text: &str) -> Value {
        let is_so = |secret: &Value| value(secret, key).as_deref() == Some(text);
        self.until("the component's value", &self.component_path(request), is_so).await
    }

    /// Writes down every change from now on.
    pub(crate) fn witness(&self) -> Witness {
        let seen = Arc::<Mutex<Vec<Change>>>::default();
        let follow = |collection: &'static str| {
            let (api, seen) = (self.api().clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                api.follow(collection, |change| seen.lock().unwrap().push(change)).await;
            })
        };
        let tasks =
            ["/api/v1/secrets", "/apis/cloudcredential.openshift.io/v1/credentialsrequests"];
        Witness { tasks: tasks.map(follow), seen }
    }
}

/// Every change of secrets and requests.
pub(crate) struct Witness {
    seen: Arc<Mutex<Vec<Change>>>,
    tasks: [JoinHandle<()>; 2],
}

impl Witness {
    /// Each state that an object has had, the last one first to be waited for: it must be among them.
    pub(crate) async fn states(&self, of: &Value) -> Vec<Option<Value>> {
        let name = |object: &Value| {
            let metadata = &object["metadata"];
            (object["kind"].clone(), metadata["namespace"].clone(), metadata["name"].clone())
        };
        for _ in 0..TRIES {
            let seen = self.seen.lock().unwrap().clone();
            let own = |change: &&Change| {
                let object = change.now.as_ref().or(change.before.as_ref());
                object.is_some_and(|object| {
                    let found = name(object);
                    (found.1, found.2) == (name(of).1, name(of).2)
                })
            };
            let states: Vec<_> = seen.iter().filter(own).map(|change| change.now.clone()).collect();
            let version = &of["metadata"]["resourceVersion"];
            let reached = |state: &Option<Value>| {
                state.as_ref().is_some_and(|s| s["metadata"]["resourceVersion"] == *version)
            };
            if states.iter().any(reached) {
                return states;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the witness did not see {of:#}");
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A key's value, as text.
pub(crate) fn value(secret: &Value, key: &str) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(secret["data"][key].as_str()?).unwrap();
    Some(String::from_utf8(bytes).unwrap())
}

/// Status, reason and message; empty where there is no such condition.
pub(crate) fn of_condition(object: &Value, name: &str) -> (String, String, String) {
    let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|condition| condition["type"] == name).unwrap_or_default();
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"), text("message"))
}

pub(crate) fn secret_path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/{name}")
}

pub(crate) fn request_path(name: &str) -> String {
    format!(
        "/apis/cloudcredential.openshift.io/v1/namespaces/{NAMESPACE}/credentialsrequests/{name}"
    )
}

async fn known_kinds(plane: &ControlPlane) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openshift/crds.yaml");
    plane.kubectl(&["apply", "-f", file.to_str().unwrap()]).await.ok();
    let wait = ["wait", "--for=condition=Established", "--timeout=300s", "crd", "--all"];
    plane.kubectl(&wait).await.ok();
}

pub(crate) const OPERATOR: &str = "/apis/config.openshift.io/v1/clusteroperators/cloud-credential";
const PAUSE: Duration = Duration::from_millis(20);
/// A minute; everything here takes milliseconds on a machine that is not busy.
const TRIES: usize = 3000;
