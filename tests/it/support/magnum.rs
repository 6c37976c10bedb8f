//! A real Magnum with a Keystone and a Glance of its own, shared by all tests and all test processes. Its
//! cluster driver is a stub: it makes real application credentials, but no cluster.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::openstack::{User, bed, http_client, issue, password_login, send, unique};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};

/// The version of Magnum's API that is spoken.
const VERSION: &str = "container-infra 1.12";
/// The driver takes a second or two.
const PATIENCE: Duration = Duration::from_mins(10);

#[derive(Debug, Deserialize)]
struct Facts {
    admin_password: String,
    auth_url: String,
    cluster_templates: BTreeMap<String, String>,
    magnum_url: String,
    projects: BTreeMap<String, String>,
    region: String,
    roles: BTreeMap<String, String>,
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

/// An application credential that a cluster works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Held {
    #[track_caller]
    pub(crate) fn works_for(&self, user: &User) -> impl Future<Output = ()> {
        let (user, held) = (user.clone(), self.clone());
        async move {
            let login = user.credential_login(&held.id, &held.secret).await;
            assert!(login.is_ok(), "{} is refused: {login:?}", held.id);
        }
    }

    pub(crate) async fn is_gone_for(&self, user: &User) {
        let login = user.credential_login(&self.id, &self.secret).await;
        let (status, _) = login.expect_err("a replaced credential still works");
        assert_eq!(status, reqwest::StatusCode::NOT_FOUND, "{}", self.id);
    }
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
        self.cluster_named(&unique("cluster"), user, template, labels).await
    }

    /// The same with a name that others may have too.
    pub(crate) async fn cluster_named(
        &self,
        name: &str,
        user: &User,
        template: &str,
        labels: Value,
    ) -> Cluster {
        let body = json!({
            "name": name,
            "cluster_template_id": self.facts.cluster_templates[template],
            "node_count": 1,
            "master_count": 1,
            "labels": labels,
            "merge_labels": true,
        });
        let made = self.send(user, Method::POST, "/clusters", Some(body)).await;
        let name = name.to_owned();
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

    /// A new user of the project `demo`, with these roles there.
    pub(crate) async fn colleague(&self, roles: &[&str]) -> User {
        let (name, password) = (unique("colleague"), unique("canary-password"));
        let body =
            json!({ "user": { "name": name, "password": password, "domain_id": "default" } });
        let made = self.administrate(Method::POST, "/users", Some(body)).await;
        let id = made["user"]["id"].as_str().unwrap().to_owned();
        let user = User { id, name, password, ..self.user("alice") };
        for role in roles {
            self.administrate(Method::PUT, &self.grant(&user, role), None).await;
        }
        user
    }

    pub(crate) async fn take_role(&self, user: &User, role: &str) {
        self.administrate(Method::DELETE, &self.grant(user, role), None).await;
    }

    pub(crate) async fn disable(&self, user: &User) {
        let body = json!({ "user": { "enabled": false } });
        self.administrate(Method::PATCH, &format!("/users/{}", user.id), Some(body)).await;
    }

    fn grant(&self, user: &User, role: &str) -> String {
        let role = &self.facts.roles[role];
        format!("/projects/{}/users/{}/roles/{role}", user.project_id, user.id)
    }

    /// A call to Keystone by its administrator.
    async fn administrate(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let project = json!({ "project": { "name": "admin", "domain": { "id": "default" } } });
        let login = password_login("admin", &self.facts.admin_password, Some(&project));
        let (http, url) = (http_client(), &self.facts.auth_url);
        let token = issue(&http, url, &login).await.expect("the administrator's login");
        let (status, answer) = send(&http, url, &token, method.clone(), path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    /// Where Magnum's API is.
    pub(crate) fn url(&self) -> &str {
        &self.facts.magnum_url
    }

    /// From now on these labels go before the cluster's own.
    pub(crate) fn steer(&self, cluster: &Cluster, labels: &Value) {
        let file = self.facts.stub_state.join(format!("{}.steer.json", cluster.uuid));
        let new = file.with_extension("new");
        std::fs::write(&new, labels.to_string()).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    /// Ends what the driver is at, however long a label says that it takes.
    pub(crate) fn finish(&self, cluster: &Cluster) {
        let mut state = self.held_by(cluster);
        state["until"] = json!(0);
        let file = self.facts.stub_state.join(format!("{}.json", cluster.uuid));
        let new = file.with_extension("finished");
        std::fs::write(&new, state.to_string()).unwrap();
        std::fs::rename(new, file).unwrap();
    }

    /// The ids of the application credentials that this user has for the cluster.
    pub(crate) async fn credentials(&self, user: &User, cluster: &Cluster) -> Vec<String> {
        let token = user.login().await.expect("the user's login");
        let path = format!("/users/{}/application_credentials", user.id);
        let (http, url) = (http_client(), &self.facts.auth_url);
        let (status, listed) = send(&http, url, &token, Method::GET, &path, None).await;
        assert!(status.is_success(), "{status} {listed}");
        let prefix = format!("magnum-{}", cluster.uuid);
        let all = listed["application_credentials"].as_array().unwrap();
        let of_cluster =
            all.iter().filter(|one| one["name"].as_str().unwrap().starts_with(&prefix));
        of_cluster.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    /// What the cluster would log in with now.
    pub(crate) fn held(&self, cluster: &Cluster) -> Held {
        let held = self.held_by(cluster);
        let text = |name: &str| held[name].as_str().unwrap().to_owned();
        Held {
            id: text("application_credential_id"),
            secret: text("application_credential_secret"),
        }
    }

    /// The cluster's present CA.
    pub(crate) async fn ca(&self, owner: &User, cluster: &Cluster) -> String {
        let path = format!("/certificates/{}", cluster.uuid);
        let shown = self.send(owner, Method::GET, &path, None).await;
        shown["pem"].as_str().unwrap().to_owned()
    }

    /// Fills a folder with certificates for a control plane, all signed by the cluster's present CA, as its driver
    /// would have them made.
    pub(crate) async fn pki(&self, owner: &User, cluster: &Cluster, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("ca.crt"), self.ca(owner, cluster).await).unwrap();
        let names = ["127.0.0.1", "localhost", "kubernetes"].map(str::to_owned);
        let mut server = CertificateParams::new(names).unwrap();
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        let mut admin = CertificateParams::default();
        admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        admin.distinguished_name.push(DnType::OrganizationName, "system:masters");
        admin.distinguished_name.push(DnType::CommonName, "admin");
        for (name, parameters) in [("server", server), ("admin", admin)] {
            let key = KeyPair::generate().unwrap();
            let request = parameters.serialize_request(&key).unwrap().pem().unwrap();
            let body = json!({ "cluster_uuid": cluster.uuid, "csr": request });
            let signed = self.send(owner, Method::POST, "/certificates", Some(body)).await;
            let certificate = signed["pem"].as_str().unwrap();
            std::fs::write(folder.join(format!("{name}.crt")), certificate).unwrap();
            std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
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
        loop {
            let mut request = http_client()
                .request(method.clone(), format!("{}{path}", self.facts.magnum_url))
                .header("OpenStack-API-Version", VERSION)
                .header("X-Auth-Token", &token);
            if let Some(body) = &body {
                request = request.json(body);
            }
            let reply = request.send().await.unwrap();
            let status = reply.status();
            let text = reply.text().await.unwrap();
            // Magnum cannot show a cluster whose node groups it has not written yet, nor a list with one.
            if status == 400 && text.contains("attribute master_count. Value: '0'") {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            assert!(status.is_success(), "{method} {path}: {status} {text}");
            return serde_json::from_str(&text).unwrap_or(Value::Null);
        }
    }
}
