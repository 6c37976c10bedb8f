//! Runs whose host is lost after they have acted: what they made is found by looking, and made once only where that
//! can be.

use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{PlanOptions, Workspace, unknown};

const MADE: &str = "Another run has made this generation already";
const MINE: &str = "a secret of my very own";

fn overlapping() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "overlap": "7d", "triggers": { "v": "1" } })
}

fn blind() -> PlanOptions {
    PlanOptions { refresh: false, ..PlanOptions::default() }
}

/// A workspace whose rotation was planned, and carried out by a machine that is lost with the state it wrote.
async fn lost(bed: &Bed, config: Json, next: Json) -> (Workspace, crate::host::Plan, String) {
    let mut ws = bed.workspace(config);
    ws.up_well().await;
    ws.change(CI, next);
    let plan = ws.plan().await;
    let mut machine = ws.clone();
    machine.apply(&plan).await.told.assert_success();
    let left = machine.attribute(CI, "id").as_str().unwrap().to_owned();
    (ws, plan, left)
}

#[tokio::test]
async fn the_same_plan_again_makes_one_rotation_and_says_what_is_left() {
    let bed = Bed::start().await;
    let (mut ws, plan, left) = lost(&bed, overlapping(), json!({ "triggers": { "v": "2" } })).await;
    let told = ws.apply(&plan).await.told;
    told.assert_success();
    assert!(told.only(MADE).detail.contains(&left), "{told:?}");
    assert_eq!(ws.attribute(CI, "generation"), json!(2));
    assert!(ws.attribute(CI, "name").as_str().unwrap().starts_with("ci-2b-"));
    assert!(bed.current_opens(&ws).await);
    let plan = ws.plan().await;
    plan.assert_empty();
    assert!(plan.told.only("Application credentials unknown to the state").detail.contains(&left));
    // The next one numbers above both.
    ws.change(CI, json!({ "triggers": { "v": "3" }, "revoke_strays": [left] })).up_well().await;
    assert_eq!(ws.attribute(CI, "generation"), json!(3));
    assert!(!bed.ids().contains(&left));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_retry_without_a_refresh_finds_it_too_even_without_private_data() {
    for killed in [false, true] {
        let bed = Bed::start().await;
        let (mut ws, _, left) =
            lost(&bed, overlapping(), json!({ "triggers": { "v": "2" } })).await;
        if killed {
            let object = ws.state.instances.get_mut(CI).unwrap().current.as_mut().unwrap();
            object.private.clear();
        }
        let plan = ws.plan_with(blind()).await;
        let told = ws.apply(&plan).await.told;
        told.assert_success();
        assert!(told.only(MADE).detail.contains(&left), "{told:?}");
        let told = ws.plan().await.told;
        assert!(told.only("Application credentials unknown to the state").detail.contains(&left));
    }
}

#[tokio::test]
async fn an_own_secret_opens_what_is_left_and_nothing_is_issued_again() {
    let bed = Bed::start().await;
    let own = json!({ "name_prefix": "ci-", "roles": ["member"], "overlap": "7d",
        "secret_wo": MINE, "secret_wo_version": 1 });
    let (mut ws, plan, left) = lost(&bed, own, json!({ "secret_wo_version": 2 })).await;
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!(ws.attribute(CI, "id"), json!(left));
    assert_eq!(bed.ids().len(), 2);
    assert!(bed.opens(&json!(left), &json!(MINE)).await);
    ws.plan().await.assert_empty();
}

/// All that a policy has.
fn scheduled() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "overlap": "7d", "rotation_period": "30d",
        "expires_in": "90d", "renew_before": "20d", "rotate": true })
}

const POLICY: [&str; 4] = ["overlap", "renew_before", "rotate", "rotation_period"];

#[tokio::test]
async fn a_policy_that_is_known_only_at_apply_is_refused_in_words() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    for name in POLICY {
        let mut ws = ws.clone();
        ws.change(CI, json!({ name: unknown() }));
        let told = ws.plan().await.told;
        assert_eq!(told.only("The rotation policy is not known").path, name);
    }
}

#[tokio::test]
async fn a_policy_that_is_known_only_at_apply_begins_with_the_credential() {
    for name in POLICY {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(scheduled());
        ws.change(CI, json!({ name: unknown() }));
        let plan = ws.plan().await;
        let known = scheduled()[name].clone();
        ws.becomes(CI, json!({ name: known }));
        ws.apply(&plan).await.told.assert_success();
        ws.change(CI, json!({ name: known }));
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn whether_it_is_looked_after_may_be_known_only_at_apply() {
    for (before, turns_out) in [(true, true), (true, false), (false, true), (false, false)] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        ws.change(CI, json!({ "check_usable": before })).up_well().await;
        ws.refresh().await;
        ws.change(CI, json!({ "check_usable": unknown() }));
        let plan = ws.plan().await;
        ws.becomes(CI, json!({ "check_usable": turns_out }));
        ws.apply(&plan).await.told.assert_success();
        ws.change(CI, json!({ "check_usable": turns_out }));
        ws.plan().await.assert_empty();
        assert_eq!(bed.ids().len(), 1);
    }
}
