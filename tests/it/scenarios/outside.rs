//! What happens behind Terraform's back: deletions, lost roles, other people's logins.

use serde_json::json;

use super::{ADDRESS, Current, issued, resource};
use crate::support::openstack::{Keystone, unique};
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

#[tokio::test]
async fn a_deleted_credential_is_issued_anew_and_the_plan_says_why() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, r#"name_prefix = "ci-""#).await;
        let old = Current::of(&mut workspace).await;
        keystone.delete_credential(&alice, &old.id).await;
        let plan = workspace.plan(&[]).await.ok().says(&old.id);
        assert_eq!(plan.actions(ADDRESS), ["create"]);
        workspace.apply(&[]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_ne!(new.id, old.id);
        new.works_for(&alice).await;
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_credential_deleted_outside_is_destroyed_already() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, r#"name_prefix = "ci-""#).await;
        let old = Current::of(&mut workspace).await;
        workspace.plan_to("destroy", &["-destroy"]).await.ok();
        keystone.delete_credential(&alice, &old.id).await;
        workspace.apply(&["destroy"]).await.ok();
        assert_eq!(workspace.resource(ADDRESS).await, json!(null));
    }
}

#[tokio::test]
async fn a_deleted_role_takes_the_credential_and_the_plan_names_the_role() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let role = unique("passing");
        let role_id = keystone.new_role(&role).await;
        keystone.grant_id(&alice, &role_id).await;
        let arguments = format!("name_prefix = \"ci-\"\nroles = [\"member\", \"{role}\"]");
        let mut workspace = issued(cli, &alice, &arguments).await;
        keystone.delete_role(&role_id).await;
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
        workspace.plan(&[]).await.fails().says(&role);

        workspace.write("main.tf", &resource("name_prefix = \"ci-\"\nroles = [\"member\"]"));
        workspace.apply(&[]).await.ok();
        Current::of(&mut workspace).await.works_for(&alice).await;
    }
}

#[tokio::test]
async fn a_role_that_its_owner_lost_is_seen_by_a_login() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member", "_member_"]).await;
        let arguments = r#"
            name_prefix  = "ci-"
            roles        = ["member", "_member_"]
            check_usable = true
        "#;
        let mut workspace = issued(cli, &alice, arguments).await;
        workspace.plan(&[]).await.empty();
        assert_eq!(workspace.resource(ADDRESS).await["usable"], true);

        keystone.revoke_role(&alice, "_member_").await;
        workspace.apply(&["-refresh-only"]).await.ok().says("_member_");
        let state = workspace.resource(ADDRESS).await;
        assert_eq!(state["usable"], false);
        // Nothing rotates unasked.
        workspace.plan(&[]).await.empty().says("_member_");

        keystone.grant(&alice, "_member_").await;
        workspace.apply(&["-refresh-only"]).await.ok();
        assert_eq!(workspace.resource(ADDRESS).await["usable"], true);
    }
}

#[tokio::test]
async fn somebody_else_can_plan_but_not_destroy() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let bob = keystone.colleague(&alice, &["member"]).await;
        let mut workspace = issued(cli, &alice, r#"name_prefix = "ci-""#).await;
        let current = Current::of(&mut workspace).await;
        workspace.log_in(&bob);
        workspace.plan(&[]).await.empty().says(&alice.name).says(&bob.name);
        workspace.destroy(&[]).await.fails().says(&alice.name);
        current.works_for(&alice).await;
        assert_eq!(workspace.resource(ADDRESS).await["id"], current.id.as_str());

        // An administrator may.
        let root = keystone.user(&["admin"]).await;
        workspace.log_in(&root);
        workspace.plan(&[]).await.empty();
        workspace.destroy(&[]).await.ok();
        current.is_gone_for(&alice).await;
    }
}

#[tokio::test]
async fn a_rotation_by_somebody_else_names_both_and_changes_the_owner() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let bob = keystone.colleague(&alice, &["member"]).await;
        let arguments = |n: u32| {
            format!("name_prefix = \"ci-\"\noverlap = \"P7D\"\ntriggers = {{ n = \"{n}\" }}")
        };
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        let old = Current::of(&mut workspace).await;
        workspace.log_in(&bob);
        workspace.write("main.tf", &resource(&arguments(2)));
        workspace.plan(&[]).await.ok().says(&alice.name).says(&bob.name);
        workspace.apply(&[]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_eq!(new.state["user_id"], bob.id.as_str());
        new.works_for(&bob).await;
        old.works_for(&alice).await;
        assert_eq!(new.state["previous_generations"]["1"]["user_id"], alice.id.as_str());
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_deleted_user_is_said() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let root = keystone.user(&["admin"]).await;
        let mut workspace = issued(cli, &alice, r#"name_prefix = "ci-""#).await;
        let current = Current::of(&mut workspace).await;
        workspace.log_in(&root);
        keystone.delete_user(&alice).await;
        let plan = workspace.plan(&[]).await.ok().says(&current.id).says(&alice.id);
        let plan = plan.says("was deleted, and Keystone deletes the credentials of a user");
        assert_eq!(plan.actions(ADDRESS), ["create"]);
    }
}

/// Keystone keeps the credentials of a deleted project, listed and holding their names, and refuses
/// every login with them.
#[tokio::test]
async fn a_deleted_project_leaves_a_dead_credential_that_is_said_and_can_be_destroyed() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let root = keystone.user(&["admin"]).await;
        let arguments = "name_prefix = \"ci-\"\ncheck_usable = true";
        let mut workspace = issued(cli, &alice, arguments).await;
        let current = Current::of(&mut workspace).await;
        keystone.delete_project(&alice).await;
        // Its owner cannot log in to that project any more: nothing is known, and the state stays.
        workspace.plan(&[]).await.fails().says("401");
        assert_eq!(workspace.resource(ADDRESS).await["id"], current.id.as_str());

        workspace.log_in(&root);
        let plan = workspace.plan(&[]).await.ok().says(&current.id);
        plan.says("Application credential does not work").says("Could not find project");
        assert_eq!(keystone.only_credential(&alice).await["id"], current.id.as_str());
        workspace.destroy(&[]).await.ok();
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
    }
}

/// A state from another cloud, whoever looks: nothing is taken for deleted, and nothing is forgotten.
#[tokio::test]
async fn a_credential_of_another_cloud_is_neither_gone_nor_forgotten() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let (alice, root) = (keystone.user(&["member"]).await, keystone.user(&["admin"]).await);
        let other = rekey_sandbox::Sandbox::start().await;
        let owner = other.user("alice");
        let clouds = json!({ "clouds": { "test": {
            "auth": {
                "auth_url": other.auth_url(),
                "user_id": owner.id,
                "password": owner.password,
                "project_id": other.project("demo").id,
            },
        }}})
        .to_string();
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        let arguments =
            |v: u32| resource(&format!("name_prefix = \"ci-\"\ntriggers = {{ v = \"{v}\" }}"));
        workspace.write("main.tf", &arguments(1));
        workspace.apply(&[]).await.ok();
        let before = workspace.state().await;

        for (login, says) in
            [(&alice, "perhaps this is another cloud"), (&root, "This is taken for another cloud")]
        {
            workspace.log_in(login);
            let plan = workspace.plan(&[]).await.empty().says(says);
            plan.says(&other.auth_url()).says(&login.auth_url);
            workspace.apply(&[]).await.ok();
            assert_eq!(workspace.state().await, before);
            // Neither by a destroy nor as the first half of a replacement.
            workspace.destroy(&[]).await.fails().says("The login is to another cloud");
            assert_eq!(workspace.state().await, before);
            workspace.write("main.tf", &arguments(2));
            workspace.apply(&[]).await.fails().says("The login is to another cloud");
            assert_eq!(workspace.state().await, before);
            workspace.write("main.tf", &arguments(1));
            assert_eq!(keystone.credentials(login).await.len(), 0);
        }

        workspace.clouds_yaml(&clouds);
        workspace.plan(&[]).await.empty();
        assert_eq!(other.credentials("alice").len(), 1);
        workspace.destroy(&[]).await.ok();
        assert_eq!(other.credentials("alice").len(), 0);
    }
}

#[tokio::test]
async fn an_unchanged_configuration_needs_no_rights_to_plan() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut first = issued(cli, &alice, r#"name_prefix = "one-""#).await;
        let one = Current::of(&mut first).await;
        // Another state, the same owner: neither touches the other's.
        let mut second: Workspace = issued(cli, &alice, r#"name_prefix = "one-""#).await;
        first.plan(&[]).await.empty();
        second.destroy(&[]).await.ok();
        first.plan(&[]).await.empty();
        one.works_for(&alice).await;
    }
}
