//! The provider block: whose login it is, when it is used, and what it cannot do.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{ADDRESS, Current, issued, resource, through_proxy};
use crate::support::openstack::Keystone;
use crate::support::proxy::Fate;
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::Cli;

fn empty_block() -> String {
    format!("{REQUIRED}\nprovider \"rekey\" {{}}\n")
}

#[tokio::test]
async fn the_variables_are_the_login_and_a_named_cloud_wins_over_them() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let bob = keystone.user(&["member"]).await;
        let mut workspace = Workspace::new(cli);
        workspace.write("provider.tf", &empty_block());
        workspace.write("main.tf", &resource(r#"name_prefix = "env-""#));
        for (name, value) in alice.environment() {
            workspace.env(name, &value);
        }
        workspace.apply(&[]).await.ok();
        Current::of(&mut workspace).await.works_for(&alice).await;
        workspace.destroy(&[]).await.ok();

        workspace.clouds_yaml(&bob.clouds_yaml());
        workspace.env("OS_CLOUD", "test");
        workspace.apply(&[]).await.ok();
        Current::of(&mut workspace).await.works_for(&bob).await;
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
        workspace.destroy(&[]).await.ok();

        workspace.env("OS_CLOUD", "nowhere");
        workspace.plan(&[]).await.fails().says("nowhere").says("test");
    }
}

#[tokio::test]
async fn a_login_may_be_unknown_in_the_plan() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = Workspace::new(cli);
        workspace.watch("the password", &alice.password);
        workspace.env("TF_VAR_password", &alice.password);
        let provider = format!(
            r#"
{REQUIRED}

variable "password" {{
  type      = string
  sensitive = true
}}

resource "terraform_data" "password" {{
  input = var.password
}}

provider "rekey" {{
  openstack = {{
    auth_url   = "{}"
    user_id    = "{}"
    project_id = "{}"
    password   = terraform_data.password.output
  }}
}}
"#,
            alice.auth_url, alice.id, alice.project_id
        );
        workspace.write("provider.tf", &provider);
        workspace.write("main.tf", &resource(r#"name_prefix = "later-""#));
        workspace.plan(&[]).await.ok();
        workspace.apply(&[]).await.ok();
        Current::of(&mut workspace).await.works_for(&alice).await;
        // (No destroy: Terraform prints what a terraform_data holds.)
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn nothing_is_contacted_without_a_resource() {
    for cli in Cli::all() {
        let mut workspace = Workspace::new(cli);
        let nowhere = empty_block().replace(
            r#"provider "rekey" {}"#,
            r#"provider "rekey" {
  openstack = { auth_url = "http://127.0.0.1:1/v3", username = "nobody", password = "nothing-at-all" }
}"#,
        );
        workspace.write("provider.tf", &nowhere);
        workspace.write(
            "main.tf",
            r#"output "seconds" { value = provider::rekey::duration_seconds("P1DT1H") }"#,
        );
        workspace.apply(&[]).await.ok();
        assert_eq!(workspace.output("seconds").await, "90000");
    }
}

#[tokio::test]
async fn a_refused_login_is_never_tried_again() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let mut alice = keystone.user(&["member"]).await;
        alice.password = "not-the-password".to_owned();
        let (proxy, clouds) = through_proxy(&alice).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &resource(r#"name_prefix = "wrong-""#));
        workspace.plan(&[]).await.fails().says("401").says("req-");
        assert_eq!(proxy.count(&Method::POST, "/auth/tokens"), 1);
    }
}

#[tokio::test]
async fn an_application_credential_as_login_plans_but_cannot_issue_or_revoke() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, r#"name_prefix = "ci-""#).await;
        let made = alice.create_credential(json!({ "name": "the pipeline's" })).await;
        let secret = made["secret"].as_str().unwrap();
        workspace.watch("the login's secret", secret);
        let clouds = json!({ "clouds": { "test": {
            "auth_type": "v3applicationcredential",
            "auth": {
                "auth_url": alice.auth_url,
                "application_credential_id": made["id"],
                "application_credential_secret": secret,
            },
            "region_name": alice.region,
        }}});
        workspace.clouds_yaml(&clouds.to_string());
        workspace.plan(&[]).await.empty();

        let rotated = resource("name_prefix = \"ci-\"\ntriggers = { n = \"2\" }");
        workspace.write("main.tf", &rotated);
        workspace.plan(&[]).await.fails().says("restricted");
        workspace.destroy(&[]).await.fails().says("restricted");
        assert_eq!(keystone.credentials(&alice).await.len(), 2);

        // The plan may be made under it when the apply is made under another login.
        let provider = std::fs::read_to_string(workspace.path("provider.tf")).unwrap();
        let warns = provider.replace("openstack =", "plan_checks = \"warn\"\n  openstack =");
        workspace.write("provider.tf", &warns);
        workspace.plan_to("later", &[]).await.ok().says("restricted");
        workspace.log_in(&alice);
        workspace.apply(&["later"]).await.ok();
        let current = Current::of(&mut workspace).await;
        current.works_for(&alice).await;
        assert_eq!(current.state["triggers"]["n"], "2");
    }
}

#[tokio::test]
async fn a_disabled_user_is_told_so_and_nothing_is_lost() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, r#"name_prefix = "ci-""#).await;
        let current = Current::of(&mut workspace).await;
        keystone.set_enabled(&alice, false).await;
        workspace.plan(&[]).await.fails().says("401");
        let (status, _) = alice.credential_login(&current.id, &current.secret).await.unwrap_err();
        assert_eq!(status, StatusCode::UNAUTHORIZED);

        keystone.set_enabled(&alice, true).await;
        // Keystone refuses tokens of the very second of the change.
        let again = async {
            while alice.login().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_mins(5), again).await.unwrap();
        workspace.plan(&[]).await.empty();
        current.works_for(&alice).await;
        assert_eq!(workspace.resource(ADDRESS).await["id"], current.id.as_str());
    }
}

#[tokio::test]
async fn an_unreachable_keystone_fails_the_plan_and_keeps_the_state() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, r#"name_prefix = "ci-""#).await;
        let before = std::fs::read_to_string(workspace.path("terraform.tfstate")).unwrap();
        // A port that was free a moment ago.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let nowhere = format!("http://{}/v3", listener.local_addr().unwrap());
        drop(listener);
        workspace.clouds_yaml(&alice.clouds_yaml().replace(&alice.auth_url, &nowhere));
        let address = nowhere.trim_start_matches("http://").trim_end_matches("/v3");
        workspace.plan(&[]).await.fails().says(address);
        workspace.apply(&[]).await.fails().says(address);
        workspace.destroy(&[]).await.fails().says(address);
        assert_eq!(
            std::fs::read_to_string(workspace.path("terraform.tfstate")).unwrap(),
            before,
            "the state was touched"
        );
        workspace.log_in(&alice);
        workspace.plan(&[]).await.empty();
        Current::of(&mut workspace).await.works_for(&alice).await;
    }
}

#[tokio::test]
async fn a_list_that_is_refused_is_no_deletion() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, r#"name_prefix = "ci-""#).await;
        let before = workspace.state().await;
        let (proxy, clouds) = through_proxy(&alice).await;
        proxy.rule(Method::GET, "/application_credentials", Fate::Refuse(403), 99);
        workspace.clouds_yaml(&clouds);
        let plan = workspace.plan(&[]).await.empty();
        plan.says("does not let the present login").says("The state is kept as it was");
        workspace.apply(&[]).await.ok();
        assert_eq!(workspace.state().await, before);
        workspace.log_in(&alice);
        workspace.plan(&[]).await.empty();
        keystone.only_credential(&alice).await;
    }
}
