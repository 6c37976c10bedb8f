//! What a user does, with the real CLI and a real Keystone: each promise of the documentation that Keystone
//! can show. Each scenario runs under every CLI that is installed.

mod adopt;
mod configured;
mod consumers;
mod interrupt;
mod issue;
mod login;
mod many;
mod mistakes;
mod outside;
mod overlap;
mod replace;
mod rules;

use serde_json::Value;

use crate::support::openstack::User;
use crate::support::proxy::Proxy;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

const ADDRESS: &str = "rekey_application_credential.ci";

/// The resource `ci` with these arguments.
fn resource(arguments: &str) -> String {
    format!("resource \"rekey_application_credential\" \"ci\" {{\n{arguments}\n}}\n")
}

/// A workspace in which the resource `ci` with these arguments has been applied by this user.
async fn issued(cli: &Cli, user: &User, arguments: &str) -> Workspace {
    let mut workspace = Workspace::with_login(cli, user);
    workspace.write("main.tf", &resource(arguments));
    workspace.apply(&[]).await.ok();
    workspace
}

/// From now on it is so many days later for the provider, by its own clock and by what it makes of Keystone's, which cannot
/// be moved.
fn days_later(workspace: &mut Workspace, days: i64) {
    for clock in ["REKEY_CLOCK_OFFSET", "REKEY_CLOUD_CLOCK_OFFSET"] {
        workspace.env(clock, &(days * 86_400).to_string());
    }
}

/// The current generation, as the state has it.
#[derive(Debug)]
struct Current {
    id: String,
    name: String,
    secret: String,
    state: Value,
}

impl Current {
    async fn of(workspace: &mut Workspace) -> Self {
        let state = workspace.resource(ADDRESS).await;
        let text = |name: &str| state[name].as_str().unwrap_or_default().to_owned();
        Self { id: text("id"), name: text("name"), secret: text("secret"), state: state.clone() }
    }

    #[track_caller]
    fn works_for(&self, user: &User) -> impl Future<Output = Vec<String>> {
        let (user, id, secret) = (user.clone(), self.id.clone(), self.secret.clone());
        async move {
            let roles = user.credential_login(&id, &secret).await;
            roles.unwrap_or_else(|(status, text)| panic!("{id} is refused: {status} {text}"))
        }
    }

    async fn is_gone_for(&self, user: &User) {
        let login = user.credential_login(&self.id, &self.secret).await;
        let (status, _) = login.expect_err("a revoked credential still works");
        assert_eq!(status, reqwest::StatusCode::NOT_FOUND, "{}", self.id);
    }
}

/// A proxy before Keystone, and the same user seen through it: the provider's calls go through the proxy.
pub(crate) async fn through_proxy(user: &User) -> (Proxy, String) {
    let proxy = Proxy::before(&user.auth_url).await;
    let clouds = serde_json::json!({ "clouds": { "test": {
        "auth": {
            "auth_url": proxy.url,
            "user_id": user.id,
            "password": user.password,
            "project_id": user.project_id,
        },
        "region_name": user.region,
        // The catalog names Keystone itself.
        "identity_endpoint_override": proxy.url,
    }}});
    (proxy, clouds.to_string())
}
