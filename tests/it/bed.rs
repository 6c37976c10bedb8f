//! The test bed itself: is the Keystone a real one, does a workspace run the real CLI?

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::openstack::Keystone;
use crate::support::proxy::{Fate, Proxy};
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

#[tokio::test]
async fn a_user_has_the_roles_it_was_made_with_and_loses_them() {
    let keystone = Keystone::get().await;
    let alice = keystone.user(&["member", "_member_"]).await;
    let made = alice.create_credential(json!({ "name": "by hand" })).await;
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let mut roles = alice.credential_login(id, secret).await.unwrap();
    roles.sort();
    assert_eq!(roles, ["_member_", "member", "reader"]);
    assert_eq!(keystone.only_credential(&alice).await["id"], id);

    keystone.revoke_role(&alice, "_member_").await;
    let mut roles = alice.credential_login(id, secret).await.unwrap();
    roles.sort();
    assert_eq!(roles, ["member", "reader"]);

    keystone.set_enabled(&alice, false).await;
    assert_eq!(alice.login().await.unwrap_err().0, StatusCode::UNAUTHORIZED);
    assert_eq!(alice.credential_login(id, secret).await.unwrap_err().0, StatusCode::UNAUTHORIZED);

    keystone.set_enabled(&alice, true).await;
    keystone.delete_credential(&alice, id).await;
    assert_eq!(alice.credential_login(id, secret).await.unwrap_err().0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_command_line_reads_a_users_clouds_yaml() {
    let keystone = Keystone::get().await;
    let alice = keystone.user(&["member"]).await;
    let arguments = ["token", "issue", "-f", "json"];
    Keystone::openstack(&alice.clouds_yaml(), "test", &arguments)
        .await
        .ok()
        .says(&alice.project_id);
}

#[tokio::test]
async fn a_workspace_runs_every_cli() {
    for cli in Cli::all() {
        let mut workspace = Workspace::new(cli);
        workspace.write("main.tf", r#"resource "terraform_data" "one" { input = "hello" }"#);
        let plan = workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions("terraform_data.one"), ["create"]);
        workspace.apply(&[]).await.ok();
        assert_eq!(workspace.resource("terraform_data.one").await["output"], "hello");
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
#[should_panic(expected = "a marker stands in stdout")]
async fn a_workspace_finds_a_secret_that_is_printed() {
    let mut workspace = Workspace::new(Cli::any());
    workspace.watch("a marker", "marker-secret");
    workspace.write("main.tf", r#"output "leak" { value = "marker-secret" }"#);
    workspace.apply(&[]).await;
}

#[tokio::test]
async fn a_proxy_loses_the_reply_of_a_call_that_the_service_carried_out() {
    let keystone = Keystone::get().await;
    let mut alice = keystone.user(&["member"]).await;
    let proxy = Proxy::before(&alice.auth_url).await;
    alice.auth_url.clone_from(&proxy.url);
    proxy.rule(Method::POST, "/auth/tokens", Fate::Refuse(503), 1);
    assert_eq!(alice.login().await.unwrap_err().0, StatusCode::SERVICE_UNAVAILABLE);
    alice.login().await.unwrap();

    proxy.rule(Method::POST, "/application_credentials", Fate::LoseReply, 1);
    let lost = alice.clone();
    let call = tokio::spawn(async move { lost.create_credential(json!({ "name": "lost" })).await });
    proxy.struck(2).await;
    assert!(call.await.is_err(), "the reply should have been lost");
    assert_eq!(keystone.only_credential(&alice).await["name"], "lost");
    assert_eq!(proxy.count(&Method::POST, "/application_credentials"), 1);
}
