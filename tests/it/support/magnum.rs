//! A real Magnum with a Keystone and a Glance of its own, shared by all tests and all test processes. Its
//! cluster driver is a stub: it makes real application credentials, but no cluster.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::openstack::{User, bed, http_client, unique};

/// The version of Magnum's API that is spoken.
const VERSION: &str = "container-infra 1.12";
/// The driver takes a second or two.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug, Deserialize)]
struct Facts {
    admin_password: String,
    auth_url: String,
    cluster_templates: BTreeMap<String, String>,
    magnum_url: String,
    projects: BTreeMap<String, String>,
    region: String,
    stub_state: PathBuf,
    users: BTreeMap<String, Account>,
}

#[derive(Debug, Deserialize)]
struct Account {
    id: String,
    password: String,
}

static FACTS: LazyLock<(Facts, File)> = LazyLock::new(|| bed("magnum"));

/// The service, and the users that may use it, all in the project `demo`.
#[derive(Debug)]
pub(crate) struct Magnum {
    facts: &'static Facts,
}

/// A cluster as Magnum has it.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) uuid: String,
}

impl Magnum {
    /// The running Magnum; starts it where it is not.
    pub(crate) async fn get() -> Self {
        let (facts, _) = tokio::task::spawn_blocking(|| &*FACTS).await.unwrap();
        Self { facts }
    }

    /// The addresses of Keystone and of Magnum (with `/v1`), and the password of `admin`.
    pub(crate) fn addresses(&self) -> (&'static str, &'static str, &'static str) {
        (&self.facts.auth_url, &self.facts.magnum_url, &self.facts.admin_password)
    }

    /// `alice` and `bob` may use Magnum; `carol` and `rita` lack the role `member`.
    pub(crate) fn user(&self, name: &str) -> User {
        let account = &self.facts.users[name];
        User {
            auth_url: self.facts.auth_url.clone(),
            region: self.facts.region.clone(),
            id: account.id.clone(),
            name: name.to_owned(),
            password: account.password.clone(),
            project_id: self.facts.projects["demo"].clone(),
            project_name: "demo".to_owned(),
        }
    }

    /// A new cluster of this user: `tpl-full` rotates everything, `tpl-norotate` nothing;
    /// `kubernetes-v1.33.8` and `kubernetes-v1.34.2` are named as a cloud names them. The labels steer
    /// the stub driver, see `tests/openstack/stub_driver`.
    pub(crate) async fn cluster(&self, user: &User, template: &str, labels: Value) -> Cluster {
        let name = unique("cluster");
        let body = json!({
            "name": name,
            "cluster_template_id": self.facts.cluster_templates[template],
            "node_count": 1,
            "master_count": 1,
            "labels": labels,
            "merge_labels": true,
        });
        let made = self.send(user, Method::POST, "/clusters", Some(body)).await;
        let cluster = Cluster { name, uuid: made["uuid"].as_str().unwrap().to_owned() };
        self.settled(user, &cluster).await;
        cluster
    }

    /// The cluster as Magnum shows it, once nothing is in progress.
    pub(crate) async fn settled(&self, user: &User, cluster: &Cluster) -> Value {
        // Listed rather than asked for by its uuid: Magnum answers a create before the cluster is there.
        let waiting = async {
            loop {
                let listed = self.send(user, Method::GET, "/clusters/detail", None).await;
                let clusters = listed["clusters"].as_array().unwrap();
                let found = clusters.iter().find(|shown| shown["uuid"] == cluster.uuid.as_str());
                if let Some(shown) = found
                    && !shown["status"].as_str().unwrap().ends_with("_IN_PROGRESS")
                {
                    return shown.clone();
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the cluster never settles")
    }

    /// What the driver would keep in the cluster: `application_credential_id`, `…_secret`, `…_name`.
    pub(crate) fn held_by(&self, cluster: &Cluster) -> Value {
        let file = self.facts.stub_state.join(format!("{}.json", cluster.uuid));
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    /// A call by this user; anything but success fails the test.
    pub(crate) async fn send(
        &self,
        user: &User,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Value {
        let token = user.login().await.expect("the user's login");
        let mut request = http_client()
            .request(method.clone(), format!("{}{path}", self.facts.magnum_url))
            .header("OpenStack-API-Version", VERSION)
            .header("X-Auth-Token", token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = request.send().await.unwrap();
        let status = reply.status();
        let text = reply.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}
