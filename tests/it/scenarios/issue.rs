//! Issue, log in with it, destroy.

use reqwest::Method;
use serde_json::json;

use super::{ADDRESS, Current, issued, resource, through_proxy};
use crate::support::openstack::{Keystone, unique};
use crate::support::proxy::Fate;
use crate::support::terraform::Workspace;
use crate::support::tools::{Cli, Feature};

const CLOUDS_YAML: &str = r#"
output "clouds_yaml" {
  sensitive = true
  value = provider::rekey::clouds_yaml("written", {
    auth_url                      = rekey_application_credential.ci.auth_url
    region_name                   = rekey_application_credential.ci.region_name
    application_credential_id     = rekey_application_credential.ci.id
    application_credential_secret = rekey_application_credential.ci.secret
  })
}
"#;

#[tokio::test]
async fn what_is_issued_logs_in_through_the_written_clouds_yaml_until_it_is_destroyed() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member", "_member_"]).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        let arguments = r#"
            name_prefix = "ci-"
            description = "Ansible CICD user"
            roles       = ["_member_"]
            expires_in  = "P90D"
            triggers    = { quarter = "2026Q4" }
        "#;
        workspace.write("main.tf", &(resource(arguments) + CLOUDS_YAML));
        let plan = workspace.plan(&[]).await.ok();
        let after = &plan.change(ADDRESS)["after"];
        assert_eq!(after["generation"], 1);
        // What is empty is no line of the plan.
        for nothing in ["rotation_due", "strays"] {
            assert_eq!(after[nothing], json!(null), "{nothing}");
        }
        assert_eq!(after["previous_generations"], json!({}));

        workspace.apply(&[]).await.ok();
        workspace.plan(&[]).await.empty();
        let current = Current::of(&mut workspace).await;
        assert_eq!(current.works_for(&alice).await, ["_member_"]);
        assert_eq!(current.state["user_id"], alice.id.as_str());
        assert_eq!(current.state["user_name"], alice.name.as_str());
        assert_eq!(current.state["project_id"], alice.project_id.as_str());
        assert_eq!(current.state["region_name"], alice.region.as_str());

        let listed = keystone.only_credential(&alice).await;
        assert_eq!(listed["id"], current.id.as_str());
        assert!(listed["name"].as_str().unwrap().starts_with("ci-"), "{listed}");
        assert_eq!(listed["description"], "Ansible CICD user");
        assert_eq!(listed["unrestricted"], false);
        let (expiry, recorded) = (&listed["expires_at"], &current.state["expires_at"]);
        assert_eq!(expiry.as_str().unwrap()[..19], recorded.as_str().unwrap()[..19]);

        let written = workspace.output("clouds_yaml").await;
        let token = ["token", "issue", "-f", "json"];
        Keystone::openstack(&written, "written", &token).await.ok().says(&alice.project_id);

        workspace.destroy(&[]).await.ok();
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
        current.is_gone_for(&alice).await;
    }
}

#[tokio::test]
async fn without_roles_it_carries_all_of_the_callers_and_implied_roles_are_no_drift() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member", "_member_"]).await;
        let mut all = issued(cli, &alice, r#"name_prefix = "all-""#).await;
        let mut roles = Current::of(&mut all).await.works_for(&alice).await;
        roles.sort();
        assert_eq!(roles, ["_member_", "member", "reader"]);
        all.plan(&[]).await.empty();

        let by_id = format!("name_prefix = \"id-\"\nroles = [\"{}\"]", Keystone::role_id("member"));
        let mut one = issued(cli, &alice, &by_id).await;
        let state = one.resource(ADDRESS).await;
        assert_eq!(state["roles"], json!([Keystone::role_id("member")]));
        assert_eq!(state["effective_roles"], json!(["member", "reader"]));
        one.plan(&[]).await.empty();
        one.destroy(&[]).await.ok();
        all.destroy(&[]).await.ok();
    }
}

#[tokio::test]
async fn access_rules_that_were_made_for_it_go_with_it() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let path = format!("/v2.1/{}", unique("servers"));
        let arguments = format!(
            r#"
            name_prefix  = "rules-"
            access_rules = [{{ service = "compute", method = "GET", path = "{path}" }}]
            "#
        );
        let mut workspace = issued(cli, &alice, &arguments).await;
        workspace.plan(&[]).await.empty();
        let rules = alice.access_rules().await;
        assert_eq!(rules.len(), 1, "{rules:?}");
        assert_eq!(rules[0]["path"], path.as_str());

        workspace.destroy(&[]).await.ok();
        assert_eq!(alice.access_rules().await.len(), 0);
    }
}

#[tokio::test]
async fn a_lost_reply_ends_with_one_credential_that_the_state_knows() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        proxy.rule(Method::POST, "/application_credentials", Fate::LoseReply, 1);
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &resource(r#"name_prefix = "lost-""#));
        workspace.apply(&[]).await.ok();
        let current = Current::of(&mut workspace).await;
        assert_eq!(keystone.only_credential(&alice).await["id"], current.id.as_str());
        current.works_for(&alice).await;
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn an_overloaded_keystone_is_asked_again() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        proxy.rule(Method::POST, "/application_credentials", Fate::Refuse(503), 1);
        proxy.rule(Method::POST, "/auth/tokens", Fate::Refuse(503), 1);
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &resource(r#"name_prefix = "busy-""#));
        workspace.apply(&[]).await.ok();
        keystone.only_credential(&alice).await;
    }
}

#[tokio::test]
async fn refreshing_many_costs_one_login_and_at_most_two_calls() {
    const MANY: &str = r#"
        resource "rekey_application_credential" "ci" {
          count       = 12
          name_prefix = "many-${count.index}-"
        }
    "#;
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", MANY);
        workspace.apply(&[]).await.ok();
        assert_eq!(keystone.credentials(&alice).await.len(), 12);

        let before = proxy.calls().len();
        workspace.plan(&[]).await.empty();
        let calls = &proxy.calls()[before..];
        let logins = calls.iter().filter(|call| call.path.contains("/auth/tokens")).count();
        assert_eq!(logins, 1, "{calls:#?}");
        assert!(calls.len() <= 3, "{calls:#?}");
        workspace.destroy(&[]).await.ok();
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
    }
}

#[tokio::test]
async fn a_secret_of_the_users_own_is_in_no_state_and_no_plan() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        if !cli.has(Feature::WriteOnlyArguments) {
            let secret = unique("my-own-secret");
            workspace.watch("secret_wo", &secret);
            workspace.write(
                "main.tf",
                &resource(
                    "name_prefix = \"own-\"\nsecret_wo = file(\"secret\")\nsecret_wo_version = 1",
                ),
            );
            workspace.write("secret", &secret);
            let run = workspace.plan(&[]).await.fails();
            run.says("Write-only attributes need a newer Terraform").says("before 1.11");
            assert_eq!(keystone.credentials(&alice).await.len(), 0);
            continue;
        }
        let write = |workspace: &Workspace, version: u32| {
            let arguments = format!(
                r#"
                name_prefix       = "own-"
                secret_wo         = var.secret
                secret_wo_version = {version}
                "#
            );
            let variable = "variable \"secret\" {\n  type = string\n  ephemeral = true\n}\n";
            workspace.write("main.tf", &(resource(&arguments) + variable));
        };
        for version in [1, 2] {
            let secret = unique("my-own-secret");
            workspace.watch("secret_wo", &secret);
            workspace.env("TF_VAR_secret", &secret);
            write(&workspace, version);
            workspace.apply(&[]).await.ok();
            workspace.plan(&[]).await.empty();
            let mut current = Current::of(&mut workspace).await;
            assert_eq!(current.state["secret"], json!(null));
            current.secret.clone_from(&secret);
            current.works_for(&alice).await;
            keystone.only_credential(&alice).await;
            for file in ["terraform.tfstate", "tfplan"] {
                let bytes = std::fs::read(workspace.path(file)).unwrap();
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "the secret stands in {file}");
            }
        }
    }
}
