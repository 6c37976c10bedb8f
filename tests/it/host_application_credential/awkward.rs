//! Awkward hosts: plan and apply under different logins, saved plans applied late, refreshes that are
//! skipped or stand alone, providers that are not configured yet.

use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Action, Cli, PlanOptions, unknown};

fn scheduled() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "rotation_period": "P30D", "overlap": "P7D",
        "triggers": { "v": "1" } })
}

fn refresh_only() -> PlanOptions {
    PlanOptions { refresh_only: true, ..PlanOptions::default() }
}

#[tokio::test]
async fn an_update_planned_before_the_deadline_is_applied_after_it() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(29);
    ws.change(CI, json!({ "warn_before": "P1D" }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).changed(), ["warn_before"]);
    bed.pass_days(2);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(CI, "generation"), json!(1));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
}

#[tokio::test]
async fn a_rotation_planned_before_the_schedule_and_applied_after_it_is_one_rotation() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(29);
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    bed.pass_days(2);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(CI, "generation"), json!(2));
    assert_eq!(bed.ids().len(), 2);
    ws.plan().await.assert_empty();
    bed.pass_days(6);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_plan_of_somebody_elses_login_is_applied_by_any_days_later() {
    for cli in Cli::ALL {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(scheduled());
        ws.on(&bed.host.clone().cli(cli)).up_well().await;
        let alice = bed.cloud.user("alice").id;
        bed.pass_days(31);
        // Who is not the owner cannot know who will be.
        ws.provider(bed.login("bob"));
        let plan = ws.plan().await;
        for name in ["project_id", "user_id", "user_name"] {
            assert_eq!(plan.change(CI).after()[name], unknown(), "{name}");
        }
        bed.pass_days(4);
        ws.apply(&plan).await.told.assert_success();
        let bob = bed.cloud.user("bob").id;
        assert_eq!(ws.attribute(CI, "user_id"), json!(bob));
        let old = &ws.attribute(CI, "previous_generations")["1"];
        assert_eq!(old["user_id"], json!(alice));
        // The overlap counts from the apply.
        let until: jiff::Timestamp = old["revoke_after"].as_str().unwrap().parse().unwrap();
        let left = until.duration_since(bed.cloud.now());
        assert!(left > SignedDuration::from_hours(24 * 7 - 1), "{left}");
        if matches!(cli, Cli::OpenTofu | Cli::Terraform15 | Cli::Terraform16) {
            assert_eq!(ws.state.object(CI).unwrap().identity()["user_id"], json!(bob));
        }
        assert!(bed.current_opens(&ws).await);
        ws.provider(bed.login("alice"));
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn a_replacement_planned_by_one_login_is_applied_by_another() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "triggers": { "v": "1" } }));
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    ws.provider(bed.login_on("admin", "admin"));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(CI, "user_name"), json!("admin"));
    assert_eq!(bed.ids(), Vec::<String>::new());
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_rotation_by_another_user_is_announced_with_both_names() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    ws.provider(bed.login_on("admin", "admin"));
    ws.change(CI, json!({ "triggers": { "v": "2" }, "roles": ["admin"] }));
    let told = ws.plan().await.told;
    let warning = told.only("Application credential changes its owner and its project");
    assert!(warning.detail.contains("alice") && warning.detail.contains("admin"), "{warning:?}");
}

#[tokio::test]
async fn a_stale_plan_is_refused_and_nothing_is_done() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 2);
    let mut again = ws.clone();
    let refused = tokio::spawn(async move { again.apply(&plan).await }).await;
    assert!(refused.is_err());
    assert_eq!(bed.ids().len(), 2);
}

#[tokio::test]
async fn without_a_refresh_nothing_new_is_decided() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(31);
    let blind = PlanOptions { refresh: false, ..PlanOptions::default() };
    let plan = ws.plan_with(blind.clone()).await;
    plan.told.assert_silent();
    plan.assert_empty();
    // A refresh alone shows the decision and stores it, once.
    let seen = ws.plan_with(refresh_only()).await;
    assert!(!seen.is_empty());
    assert_eq!(seen.drift[CI].1["rotation_due"][0]["reason"], json!("rotation_period"));
    ws.refresh().await;
    assert!(ws.plan_with(refresh_only()).await.is_empty(), "at rest");
    // The state knows now, so a refresh is not needed any more.
    let plan = ws.plan_with(blind).await;
    assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
}

#[tokio::test]
async fn reads_at_rest_write_nothing() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.change(CI, json!({ "expires_in": "P90D", "check_usable": true }));
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    ws.refresh().await;
    for _ in 0..3 {
        bed.pass(SignedDuration::from_hours(5));
        let seen = ws.plan_with(refresh_only()).await;
        assert!(seen.is_empty(), "{:#?}", seen.drift);
    }
}

#[tokio::test]
async fn a_policy_that_changes_moves_dates_now_and_acts_in_the_next_plan() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.pass_days(15);
    ws.change(CI, json!({ "rotation_period": "P10D" }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).changed(), ["rotation_due_at", "rotation_period"]);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.plan().await.change(CI).attribute("generation"), (json!(1), json!(2)));
    // Lengthened while due: the entry goes, and nothing is rotated.
    bed.pass_days(30);
    ws.refresh().await;
    ws.change(CI, json!({ "rotation_period": "P300D" }));
    let plan = ws.plan().await;
    let change = plan.change(CI);
    assert_eq!(change.changed(), ["rotation_due", "rotation_due_at", "rotation_period"]);
    assert!(plan.told.has("The schedule changes with this apply"));
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.assert_empty();
    // Together with a trigger the trigger alone is the reason.
    ws.change(CI, json!({ "rotation_period": "P5D", "triggers": { "v": "2" } }));
    let reason = ws.plan().await.change(CI).attribute("rotation_reason").1;
    assert!(!reason.as_str().unwrap().contains("rotation_period"), "{reason}");
}

#[tokio::test]
async fn an_overlap_that_comes_with_the_due_schedule_is_used_at_once() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "rotation_period": "P30D" }));
    ws.up_well().await;
    bed.pass_days(31);
    ws.change(CI, json!({ "overlap": "P7D" }));
    let plan = ws.plan().await;
    assert_eq!(plan.action(CI), Action::Update);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 2);
}

#[tokio::test]
async fn a_held_rotation_waits_and_says_so() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.change(CI, json!({ "rotate": false })).up_well().await;
    bed.pass_days(31);
    for _ in 0..2 {
        let plan = ws.plan().await;
        plan.assert_empty();
        assert!(plan.told.only("Rotation is overdue and held").detail.contains("rotation_period"));
        ws.apply(&plan).await.told.assert_success();
    }
    ws.change(CI, json!({ "rotate": true }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
}

#[tokio::test]
async fn an_unknown_provider_keeps_the_state_and_lets_other_plans_go_on() {
    for cli in [Cli::Terraform11, Cli::Terraform15, Cli::OpenTofu] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(scheduled());
        ws.on(&bed.host.clone().cli(cli)).up_well().await;
        bed.pass_days(31);
        let mut login = bed.login("alice");
        login["openstack"]["password"] = unknown();
        let later = PlanOptions { provider: Some(login), ..PlanOptions::default() };
        bed.cloud.reset_calls();
        let plan = ws.plan_with(later.clone()).await;
        plan.assert_empty();
        assert!(plan.told.only("Application credential not refreshed").detail.contains("password"));
        assert_eq!(bed.cloud.calls().len(), 0, "nobody is asked");
        ws.change(CI, json!({ "triggers": { "v": "2" } }));
        ws.resource("rekey_application_credential.new", json!({ "name": "new" }));
        let plan = ws.plan_with(later).await;
        assert_eq!(plan.action("rekey_application_credential.new"), Action::Create);
        assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(ws.attribute(CI, "generation"), json!(2));
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn what_cannot_wait_for_the_provider_is_an_error() {
    let bed = Bed::start().await;
    let unknown_login = json!({ "openstack": unknown() });
    let listed = bed.host.data(unknown_login.clone(), "rekey_application_credentials", json!({}));
    assert!(listed.await.told.has("The provider's configuration is not known yet"));
    let opened = bed.host.open(unknown_login, "rekey_openstack_token", json!({})).await;
    assert!(opened.err().unwrap().has("The provider's configuration is not known yet"));
}

#[tokio::test]
async fn an_unknown_trigger_with_overlap_rotates_only_if_it_turns_out_different() {
    for turns_out in ["1", "2"] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(scheduled());
        ws.up_well().await;
        ws.change(CI, json!({ "triggers": { "v": unknown() } }));
        let plan = ws.plan().await;
        let change = plan.change(CI);
        assert_eq!(change.action, Action::Update);
        for name in ["generation", "previous_generations", "rotation_reason", "id", "secret"] {
            assert_eq!(change.after()[name], unknown(), "{name}");
        }
        ws.becomes(CI, json!({ "triggers": { "v": turns_out } }));
        ws.apply(&plan).await.told.assert_success();
        let expected = if turns_out == "1" { 1 } else { 2 };
        assert_eq!(ws.attribute(CI, "generation"), json!(expected));
        assert_eq!(bed.ids().len(), expected);
        ws.change(CI, json!({ "triggers": { "v": turns_out } }));
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn dates_move_beside_an_unknown_input_that_turns_out_equal() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    let before = ws.attribute(CI, "previous_generations")["1"]["revoke_after"].clone();
    ws.change(CI, json!({ "overlap": "P14D", "triggers": { "v": unknown() } }));
    let plan = ws.plan().await;
    ws.becomes(CI, json!({ "triggers": { "v": "2" } }));
    ws.apply(&plan).await.told.assert_success();
    assert_ne!(ws.attribute(CI, "previous_generations")["1"]["revoke_after"], before);
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_unknown_trigger_does_not_hide_what_is_due_anyway() {
    for turns_out in ["1", "2"] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(scheduled());
        ws.up_well().await;
        bed.pass_days(31);
        ws.change(CI, json!({ "triggers": { "v": unknown() } }));
        let plan = ws.plan().await;
        let change = plan.change(CI);
        assert_eq!(change.attribute("generation"), (json!(1), json!(2)));
        assert_eq!(change.after()["rotation_reason"], unknown());
        assert_eq!(change.after()["rotation_due"], Json::Null);
        assert_eq!(change.after()["previous_generations"]["1"]["id"], ws.attribute(CI, "id"));
        ws.becomes(CI, json!({ "triggers": { "v": turns_out } }));
        ws.apply(&plan).await.told.assert_success();
        let reason = ws.attribute(CI, "rotation_reason");
        let reason = reason.as_str().unwrap();
        assert!(reason.starts_with("generation 2: ") && reason.contains("rotation_period"));
        assert_eq!(reason.contains("triggers"), turns_out == "2", "{reason}");
    }
}

#[tokio::test]
async fn an_unknown_trigger_without_overlap_is_a_replacement_even_if_it_turns_out_equal() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "triggers": { "v": "1" } }));
    ws.up_well().await;
    let before = ws.attribute(CI, "id");
    ws.change(CI, json!({ "triggers": { "v": unknown() } }));
    let plan = ws.plan().await;
    assert_eq!(plan.action(CI), Action::DeleteThenCreate);
    assert_eq!(plan.change(CI).forced_by, ["triggers"]);
    ws.becomes(CI, json!({ "triggers": { "v": "1" } }));
    ws.apply(&plan).await.told.assert_success();
    assert_ne!(ws.attribute(CI, "id"), before);
    assert_eq!(bed.ids().len(), 1);
}
