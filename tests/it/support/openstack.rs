//! A real Keystone, shared by all tests and all test processes; each test makes its own users and projects in it.

use std::fs::File;
use std::process::Stdio;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::process::Command;

use super::terraform::Run;
use super::tools;

/// What the test bed says of itself.
#[derive(Clone, Debug, Deserialize)]
struct Facts {
    auth_url: String,
    region: String,
    admin_password: String,
    roles: std::collections::BTreeMap<String, String>,
    venv: std::path::PathBuf,
}

/// Found or started once for each test process, which then holds a lock that keeps it running.
static FACTS: LazyLock<(Facts, File)> = LazyLock::new(|| bed("keystone"));

/// The facts of the bed with these services, and the lock that keeps it running.
pub(super) fn bed<F: DeserializeOwned>(services: &str) -> (F, File) {
    let folder = tools::target().join("openstack");
    std::fs::create_dir_all(folder.join(services)).unwrap();
    let users = File::create(folder.join(services).join("users.lock")).unwrap();
    users.lock_shared().unwrap();
    let output = std::process::Command::new(tools::python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openstack/bed.py"))
        .args(["up", "--services", services, "--dir"])
        .arg(&folder)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "the {services} for the tests did not start:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = String::from_utf8(output.stdout).unwrap();
    (serde_json::from_slice(&std::fs::read(path.trim()).unwrap()).unwrap(), users)
}

/// The service, seen by its administrator.
#[derive(Clone, Debug)]
pub(crate) struct Keystone {
    pub(crate) auth_url: String,
    pub(crate) region: String,
    http: reqwest::Client,
    token: String,
}

impl Keystone {
    /// The running Keystone; starts it where it is not. Logs in as its administrator.
    pub(crate) async fn get() -> Self {
        let (facts, _) = tokio::task::spawn_blocking(|| &*FACTS).await.unwrap();
        let http = http_client();
        let project = json!({ "project": { "name": "admin", "domain": { "id": "default" } } });
        let login = password_login("admin", &facts.admin_password, Some(&project));
        let token = issue(&http, &facts.auth_url, &login).await.expect("the administrator's login");
        Self { auth_url: facts.auth_url.clone(), region: facts.region.clone(), http, token }
    }

    /// The administrator's token.
    pub(crate) fn administrator(&self) -> String {
        self.token.clone()
    }

    /// A new user in a new project, with these roles there.
    pub(crate) async fn user(&self, roles: &[&str]) -> User {
        let name = unique("project");
        let body = json!({ "project": { "name": name, "domain_id": "default" } });
        let made = self.send(Method::POST, "/projects", Some(body)).await;
        let project_id = made["project"]["id"].as_str().unwrap().to_owned();
        self.user_in(&project_id, &name, roles).await
    }

    /// A new user in the project of `other`.
    pub(crate) async fn colleague(&self, other: &User, roles: &[&str]) -> User {
        self.user_in(&other.project_id, &other.project_name, roles).await
    }

    async fn user_in(&self, project_id: &str, project_name: &str, roles: &[&str]) -> User {
        let name = unique("user");
        // Long and unlike anything else: the canary looks for it everywhere.
        let password = unique("canary-password");
        let body =
            json!({ "user": { "name": name, "password": password, "domain_id": "default" } });
        let made = self.send(Method::POST, "/users", Some(body)).await;
        let user = User {
            auth_url: self.auth_url.clone(),
            region: self.region.clone(),
            id: made["user"]["id"].as_str().unwrap().to_owned(),
            name,
            password,
            project_id: project_id.to_owned(),
            project_name: project_name.to_owned(),
        };
        for role in roles {
            self.grant(&user, role).await;
        }
        user
    }

    /// A role of the test's own; its id. Deleting it deletes all credentials of all who held it.
    pub(crate) async fn new_role(&self, name: &str) -> String {
        let made =
            self.send(Method::POST, "/roles", Some(json!({ "role": { "name": name } }))).await;
        made["role"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn delete_role(&self, role_id: &str) {
        self.send(Method::DELETE, &format!("/roles/{role_id}"), None).await;
    }

    /// Grants a role of the test's own.
    pub(crate) async fn grant_id(&self, user: &User, role_id: &str) {
        let path = format!("/projects/{}/users/{}/roles/{role_id}", user.project_id, user.id);
        self.send(Method::PUT, &path, None).await;
    }

    /// The id of a role that every bed has: `member`, `_member_`, `reader`, `project_admin`,
    /// `compute_start_stop`, `unheld_role`, `admin`, …
    pub(crate) fn role_id(name: &str) -> &'static str {
        FACTS.0.roles.get(name).unwrap_or_else(|| panic!("the bed has no role {name}"))
    }

    pub(crate) async fn grant(&self, user: &User, role: &str) {
        self.grant_id(user, Self::role_id(role)).await;
    }

    /// Takes a role away. The user's application credentials stay, and log in with what is left.
    pub(crate) async fn revoke_role(&self, user: &User, role: &str) {
        self.send(Method::DELETE, &grant_path(user, role), None).await;
    }

    pub(crate) async fn set_enabled(&self, user: &User, enabled: bool) {
        let body = json!({ "user": { "enabled": enabled } });
        self.send(Method::PATCH, &format!("/users/{}", user.id), Some(body)).await;
    }

    pub(crate) async fn delete_user(&self, user: &User) {
        self.send(Method::DELETE, &format!("/users/{}", user.id), None).await;
    }

    pub(crate) async fn delete_project(&self, user: &User) {
        self.send(Method::DELETE, &format!("/projects/{}", user.project_id), None).await;
    }

    /// The user's application credentials as Keystone lists them.
    pub(crate) async fn credentials(&self, user: &User) -> Vec<Value> {
        let path = format!("/users/{}/application_credentials", user.id);
        let listed = self.send(Method::GET, &path, None).await;
        listed["application_credentials"].as_array().unwrap().clone()
    }

    /// The one that is there.
    pub(crate) async fn only_credential(&self, user: &User) -> Value {
        let mut all = self.credentials(user).await;
        assert_eq!(all.len(), 1, "one credential was expected: {all:#?}");
        all.remove(0)
    }

    /// Deletes it behind everybody's back.
    pub(crate) async fn delete_credential(&self, user: &User, id: &str) {
        let path = format!("/users/{}/application_credentials/{id}", user.id);
        self.send(Method::DELETE, &path, None).await;
    }

    /// An administrator's call; anything but success fails the test.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) =
            send(&self.http, &self.auth_url, &self.token, method.clone(), path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    /// Runs `openstack` with the cloud `cloud` of this clouds.yaml and nothing else.
    pub(crate) async fn openstack(clouds_yaml: &str, cloud: &str, arguments: &[&str]) -> Run {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let file = folder.path().join("clouds.yaml");
        std::fs::write(&file, clouds_yaml).unwrap();
        let output = Command::new(FACTS.0.venv.join("bin/openstack"))
            .args(arguments)
            .env_clear()
            .env("HOME", folder.path())
            .env("OS_CLIENT_CONFIG_FILE", &file)
            .env("OS_CLOUD", cloud)
            .env("PYTHONWARNINGS", "ignore")
            // Magnum's plugin looks which one it writes a hint for.
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        Run::new(format!("openstack {}", arguments.join(" ")), &output)
    }

    /// The Python of the environment in which openstacksdk and the `openstack` command are.
    pub(crate) fn python() -> std::path::PathBuf {
        FACTS.0.venv.join("bin/python")
    }
}

/// An ordinary user with a project of their own.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) auth_url: String,
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) project_id: String,
    pub(crate) project_name: String,
}

impl User {
    /// A clouds.yaml in which the cloud `test` is this user with their password.
    pub(crate) fn clouds_yaml(&self) -> String {
        let cloud = json!({ "clouds": { "test": {
            "auth": {
                "auth_url": self.auth_url,
                "user_id": self.id,
                "password": self.password,
                "project_id": self.project_id,
            },
            "region_name": self.region,
        }}});
        // JSON is YAML.
        serde_json::to_string_pretty(&cloud).unwrap()
    }

    /// The `OS_*` variables that log this user in.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("OS_AUTH_URL", self.auth_url.clone()),
            ("OS_USER_ID", self.id.clone()),
            ("OS_PASSWORD", self.password.clone()),
            ("OS_PROJECT_ID", self.project_id.clone()),
            ("OS_REGION_NAME", self.region.clone()),
        ]
    }

    /// A token by password; the status and what Keystone says where it refuses.
    pub(crate) async fn login(&self) -> Result<String, (StatusCode, String)> {
        let scope = json!({ "project": { "id": self.project_id } });
        let http = http_client();
        let user = json!({ "id": self.id, "password": self.password });
        issue(&http, &self.auth_url, &login("password", &json!({ "user": user }), Some(&scope)))
            .await
    }

    /// Makes an application credential past the provider: what Keystone answers, secret and all.
    pub(crate) async fn create_credential(&self, fields: Value) -> Value {
        let token = self.login().await.expect("the user's login");
        let path = format!("/users/{}/application_credentials", self.id);
        let body = json!({ "application_credential": fields });
        let (status, mut answer) =
            send(&http_client(), &self.auth_url, &token, Method::POST, &path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["application_credential"].take()
    }

    /// The user's access rules, which outlive the credentials they were made for. Only the user sees them.
    pub(crate) async fn access_rules(&self) -> Vec<Value> {
        let token = self.login().await.expect("the user's login");
        let path = format!("/users/{}/access_rules", self.id);
        let (status, answer) =
            send(&http_client(), &self.auth_url, &token, Method::GET, &path, None).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["access_rules"].as_array().unwrap().clone()
    }

    /// Does this application credential log in? The roles of its token, or why not.
    pub(crate) async fn credential_login(
        &self,
        id: &str,
        secret: &str,
    ) -> Result<Vec<String>, (StatusCode, String)> {
        let credential = json!({ "id": id, "secret": secret });
        let http = http_client();
        let body = login("application_credential", &credential, None);
        let token = issue(&http, &self.auth_url, &body).await?;
        let request = http
            .get(format!("{}/auth/tokens", self.auth_url))
            .header("X-Auth-Token", &token)
            .header("X-Subject-Token", &token);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let roles = answer["token"]["roles"].as_array().unwrap();
        Ok(roles.iter().map(|role| role["name"].as_str().unwrap().to_owned()).collect())
    }
}

/// A name that no other test, and no other run, uses.
pub(crate) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let random = getrandom::u64().unwrap();
    format!("{prefix}-{random:016x}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn http_client() -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // gunicorn closes a connection that idles for two seconds, and a request that is sent then is lost.
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

fn grant_path(user: &User, role: &str) -> String {
    format!("/projects/{}/users/{}/roles/{}", user.project_id, user.id, Keystone::role_id(role))
}

fn login(method: &str, credentials: &Value, scope: Option<&Value>) -> Value {
    let mut body = json!({ "auth": { "identity": { "methods": [method], method: credentials } } });
    if let Some(scope) = scope {
        body["auth"]["scope"] = scope.clone();
    }
    body
}

pub(super) fn password_login(name: &str, password: &str, scope: Option<&Value>) -> Value {
    let user = json!({ "name": name, "domain": { "id": "default" }, "password": password });
    login("password", &json!({ "user": user }), scope)
}

pub(crate) async fn issue(
    http: &reqwest::Client,
    auth_url: &str,
    body: &Value,
) -> Result<String, (StatusCode, String)> {
    let reply = http.post(format!("{auth_url}/auth/tokens")).json(body).send().await.unwrap();
    if reply.status() == StatusCode::CREATED {
        return Ok(reply.headers()["X-Subject-Token"].to_str().unwrap().to_owned());
    }
    Err((reply.status(), reply.text().await.unwrap()))
}

pub(super) async fn send(
    http: &reqwest::Client,
    auth_url: &str,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let mut request =
        http.request(method, format!("{auth_url}{path}")).header("X-Auth-Token", token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let reply = request.send().await.unwrap();
    let status = reply.status();
    let text = reply.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
