//! Rotation by replacement: triggers, taint, `-replace`; with `create_before_destroy` and without.

use reqwest::Method;
use serde_json::json;

use super::{ADDRESS, Current, days_later, issued, resource, through_proxy};
use crate::support::openstack::{Keystone, unique};
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

/// With a dependent that holds what it was handed.
fn with_dependent(arguments: &str) -> String {
    let dependent = r#"
        resource "terraform_data" "consumer" {
          input = rekey_application_credential.ci.id
        }
    "#;
    resource(arguments) + dependent
}

fn before_destroy(trigger: u32) -> String {
    format!(
        r#"
        name_prefix = "ci-"
        triggers    = {{ n = "{trigger}" }}
        lifecycle {{ create_before_destroy = true }}
        "#
    )
}

#[tokio::test]
async fn a_trigger_moves_dependents_before_the_old_one_goes() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &with_dependent(&before_destroy(1)));
        workspace.apply(&[]).await.ok();
        let old = Current::of(&mut workspace).await;

        workspace.write("main.tf", &with_dependent(&before_destroy(2)));
        let plan = workspace.plan(&[]).await.ok().says("forces replacement");
        assert_eq!(plan.actions(ADDRESS), ["create", "delete"]);
        let before = proxy.calls().len();
        workspace.apply(&["tfplan"]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_ne!(new.name, old.name);
        assert_ne!(new.secret, old.secret);
        assert_eq!(workspace.resource("terraform_data.consumer").await["output"], new.id.as_str());
        new.works_for(&alice).await;
        old.is_gone_for(&alice).await;
        workspace.plan(&[]).await.empty();

        // Issued, used, and only then the old one revoked.
        let effects: Vec<_> = proxy.calls()[before..]
            .iter()
            .filter(|call| call.method != Method::GET)
            .map(|call| (call.method.clone(), call.path.contains("/application_credentials")))
            .collect();
        let issue = effects.iter().position(|call| *call == (Method::POST, true)).unwrap();
        let revoke = effects.iter().position(|call| *call == (Method::DELETE, true)).unwrap();
        let used = effects[issue..revoke].contains(&(Method::POST, false));
        assert!(issue < revoke && used, "{effects:?}");
    }
}

#[tokio::test]
async fn without_create_before_destroy_the_old_one_goes_first() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let arguments = |n: u32| format!("name_prefix = \"ci-\"\ntriggers = {{ n = \"{n}\" }}");
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        let old = Current::of(&mut workspace).await;
        workspace.write("main.tf", &resource(&arguments(2)));
        let plan = workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["delete", "create"]);
        workspace.apply(&["tfplan"]).await.ok();
        old.is_gone_for(&alice).await;
        let new = Current::of(&mut workspace).await;
        new.works_for(&alice).await;
        assert_eq!(keystone.only_credential(&alice).await["id"], new.id.as_str());
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn taint_and_replace_rotate() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, &before_destroy(1)).await;
        let first = Current::of(&mut workspace).await;
        workspace.taint(ADDRESS).await.ok();
        workspace.apply(&[]).await.ok();
        let second = Current::of(&mut workspace).await;
        second.works_for(&alice).await;
        first.is_gone_for(&alice).await;

        workspace.apply(&[&format!("-replace={ADDRESS}")]).await.ok();
        let third = Current::of(&mut workspace).await;
        third.works_for(&alice).await;
        second.is_gone_for(&alice).await;
        assert_eq!(third.state["generation"], 1);
        assert_eq!(keystone.only_credential(&alice).await["id"], third.id.as_str());
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_fixed_name_has_a_gap_and_the_plan_warns_of_it() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let name = unique("fixed");
        let arguments = |n: u32| format!("name = \"{name}\"\ntriggers = {{ n = \"{n}\" }}");
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        let old = Current::of(&mut workspace).await;
        workspace.write("main.tf", &resource(&arguments(2)));
        workspace.plan(&[]).await.ok().says("name_prefix");
        workspace.apply(&[]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_eq!(new.name, old.name);
        new.works_for(&alice).await;

        // With create_before_destroy the name is taken; the error says what to do, the old one lives.
        let never = arguments(3) + "\nlifecycle { create_before_destroy = true }";
        workspace.write("main.tf", &resource(&never));
        workspace.apply(&[]).await.fails().says("name_prefix");
        new.works_for(&alice).await;
        assert_eq!(keystone.only_credential(&alice).await["id"], new.id.as_str());
        assert_eq!(workspace.resource(ADDRESS).await["id"], new.id.as_str());
    }
}

#[tokio::test]
async fn an_expired_credential_with_a_term_is_replaced_with_the_reason() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace =
            issued(cli, &alice, "name_prefix = \"ci-\"\nexpires_in = \"P10D\"").await;
        workspace.plan(&[]).await.empty().says("expire");
        days_later(&mut workspace, 11);
        let plan = workspace.plan(&[]).await.ok().says("expired").says("forces replacement");
        assert_eq!(plan.actions(ADDRESS), ["delete", "create"]);
        workspace.apply(&["tfplan"]).await.ok();
        let state = workspace.resource(ADDRESS).await;
        assert_eq!(state["rotation_due"], json!(null));
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn an_unknown_trigger_replaces() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let config = |input: u32| {
            resource(
                r#"
                name_prefix = "ci-"
                triggers    = { n = terraform_data.trigger.output }
                lifecycle { create_before_destroy = true }
                "#,
            ) + &format!("resource \"terraform_data\" \"trigger\" {{\n  input = \"{input}\"\n}}\n")
        };
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.write("main.tf", &config(1));
        workspace.apply(&[]).await.ok();
        let old = Current::of(&mut workspace).await;
        workspace.write("main.tf", &config(2));
        workspace.apply(&[]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_ne!(new.id, old.id);
        assert_eq!(new.state["triggers"]["n"], "2");
        old.is_gone_for(&alice).await;
        workspace.plan(&[]).await.empty();
    }
}
