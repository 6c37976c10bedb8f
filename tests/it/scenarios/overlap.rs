//! Rotation in place: both generations log in during the overlap, the old one is refused after it.

use reqwest::Method;
use serde_json::json;

use super::{ADDRESS, Current, days_later, issued, resource, through_proxy};
use crate::support::openstack::Keystone;
use crate::support::proxy::Fate;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

fn arguments(trigger: u32) -> String {
    format!("name_prefix = \"ci-\"\noverlap = \"P7D\"\ntriggers = {{ n = \"{trigger}\" }}")
}

/// Changes the trigger and applies; what was current before, and is now.
async fn rotated(workspace: &mut Workspace, trigger: u32) -> (Current, Current) {
    let old = Current::of(workspace).await;
    workspace.write("main.tf", &resource(&arguments(trigger)));
    workspace.apply(&[]).await.ok();
    (old, Current::of(workspace).await)
}

#[tokio::test]
async fn both_log_in_during_the_overlap_and_the_old_one_is_refused_after_it() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        let old = Current::of(&mut workspace).await;
        workspace.write("main.tf", &resource(&arguments(2)));
        let plan = workspace.plan(&[]).await.ok().says("generation 2: trigger");
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        let change = plan.change(ADDRESS);
        assert_eq!(change["after"]["generation"], 2);
        assert_eq!(change["after"]["previous_generations"]["1"]["id"], old.id.as_str());
        assert_eq!(
            change["after_unknown"]["previous_generations"]["1"],
            json!({ "revoke_after": true })
        );

        workspace.apply(&["tfplan"]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_eq!(new.state["generation"], 2);
        new.works_for(&alice).await;
        old.works_for(&alice).await;
        workspace.plan(&[]).await.empty();

        days_later(&mut workspace, 8);
        let plan = workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        assert_eq!(plan.change(ADDRESS)["after"]["id"], new.id.as_str());
        assert_eq!(plan.change(ADDRESS)["after"]["previous_generations"], json!({}));
        workspace.apply(&["tfplan"]).await.ok();
        new.works_for(&alice).await;
        old.is_gone_for(&alice).await;
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_schedule_rotates_when_it_is_due_and_not_before() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let scheduled = r#"
            name_prefix     = "ci-"
            expires_in      = "P90D"
            rotation_period = "P30D"
            overlap         = "P7D"
        "#;
        let mut workspace = issued(cli, &alice, scheduled).await;
        let old = Current::of(&mut workspace).await;
        days_later(&mut workspace, 29);
        workspace.plan(&[]).await.empty();
        days_later(&mut workspace, 31);
        let plan = workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        // `2026-12-22T10:57:14Z`; in sentences `2026-12-22 10:57:14 UTC`.
        let due = &old.state["rotation_due_at"].as_str().unwrap()[..10];
        plan.says("generation 2: rotation_period").says(due);

        // Held: nothing rotates, and each plan says what is overdue.
        workspace.write("main.tf", &resource(&format!("{scheduled}\nrotate = false")));
        let held = workspace.plan(&[]).await.ok();
        assert_eq!(held.change(ADDRESS)["after"]["id"], old.id.as_str());
        workspace.apply(&["tfplan"]).await.ok();
        workspace.plan(&[]).await.empty().says(due);

        workspace.write("main.tf", &resource(scheduled));
        workspace.apply(&[]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_eq!(new.state["generation"], 2);
        new.works_for(&alice).await;
        old.works_for(&alice).await;
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_plan_made_before_a_deadline_does_after_it_what_it_has_shown() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let scheduled = |description: &str| {
            format!(
                r#"
                name_prefix     = "ci-"
                rotation_period = "P30D"
                overlap         = "P7D"
                warn_before     = "{description}"
                "#
            )
        };
        let mut workspace = issued(cli, &alice, &scheduled("P14D")).await;
        let first = Current::of(&mut workspace).await;
        workspace.write("main.tf", &resource(&scheduled("P15D")));
        workspace.plan_to("early", &[]).await.ok();
        days_later(&mut workspace, 31);
        workspace.apply(&["early"]).await.ok();
        assert_eq!(Current::of(&mut workspace).await.id, first.id);
        workspace.apply(&[]).await.ok();
        assert_eq!(Current::of(&mut workspace).await.state["generation"], 2);
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn replacing_revokes_every_generation() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        let (first, second) = rotated(&mut workspace, 2).await;
        workspace.apply(&[&format!("-replace={ADDRESS}")]).await.ok();
        first.is_gone_for(&alice).await;
        second.is_gone_for(&alice).await;
        let third = Current::of(&mut workspace).await;
        third.works_for(&alice).await;
        assert_eq!(keystone.only_credential(&alice).await["id"], third.id.as_str());
    }
}

#[tokio::test]
async fn destroying_revokes_every_generation() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        rotated(&mut workspace, 2).await;
        rotated(&mut workspace, 3).await;
        assert_eq!(keystone.credentials(&alice).await.len(), 3);
        workspace.destroy(&[]).await.ok();
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
    }
}

#[tokio::test]
async fn taking_the_overlap_away_revokes_the_old_ones_in_that_apply() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        let (old, new) = rotated(&mut workspace, 2).await;
        let without = arguments(2).replace("overlap = \"P7D\"\n", "");
        workspace.write("main.tf", &resource(&without));
        let plan = workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        workspace.apply(&["tfplan"]).await.ok();
        old.is_gone_for(&alice).await;
        new.works_for(&alice).await;
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_new_one_that_does_not_log_in_is_taken_back() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        let old = Current::of(&mut workspace).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &resource(&arguments(2)));
        workspace.plan(&[]).await.ok();
        // The apply's own login passes, the new credential's is refused.
        proxy.rule_after(1, Method::POST, "/auth/tokens", Fate::Refuse(401), 99);
        workspace.apply(&["tfplan"]).await.fails();
        assert_eq!(keystone.only_credential(&alice).await["id"], old.id.as_str());
        let state = workspace.resource(ADDRESS).await;
        assert_eq!(state["id"], old.id.as_str());
        assert_eq!(state["generation"], 1);
        old.works_for(&alice).await;

        // The next run starts clean.
        workspace.log_in(&alice);
        workspace.apply(&[]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_eq!(new.state["generation"], 2);
        new.works_for(&alice).await;
        old.works_for(&alice).await;
    }
}

#[tokio::test]
async fn a_first_one_that_does_not_log_in_is_taken_back() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &resource(&arguments(1)));
        workspace.plan(&[]).await.ok();
        proxy.rule_after(1, Method::POST, "/auth/tokens", Fate::Refuse(401), 99);
        workspace.apply(&["tfplan"]).await.fails();
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
        assert_eq!(workspace.resource(ADDRESS).await, json!(null));
    }
}
