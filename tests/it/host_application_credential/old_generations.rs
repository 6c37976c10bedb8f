//! Old generations: their dates, what takes them away, and strays.

use jiff::{SignedDuration, Timestamp};
use rekey_sandbox::{Fault, FaultRule};
use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Action, Workspace};

/// Two generations, the first of which ends in seven days.
pub(super) async fn rotated(bed: &Bed) -> Workspace {
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "roles": ["member"],
        "overlap": "P7D", "triggers": { "v": "1" } }));
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    ws
}

fn moment(json: &Json) -> Timestamp {
    json.as_str().expect("a moment").parse().unwrap()
}

fn previous(ws: &Workspace) -> Json {
    ws.attribute(CI, "previous_generations")
}

#[tokio::test]
async fn an_overlap_that_changes_moves_the_dates() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    let first = moment(&previous(&ws)["1"]["revoke_after"]);
    bed.pass_days(5);
    ws.change(CI, json!({ "overlap": "P20D" }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).changed(), ["overlap", "previous_generations"]);
    ws.apply(&plan).await.told.assert_success();
    let moved = moment(&previous(&ws)["1"]["revoke_after"]);
    assert_eq!(moved.duration_since(first), SignedDuration::from_hours(24 * 13));
    ws.plan().await.assert_empty();
    // Shortened, so that it is over: the dates move now, the next plan revokes.
    ws.change(CI, json!({ "overlap": "P2D" }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).changed(), ["overlap", "previous_generations"]);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 2);
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("previous_generations").1, json!({}));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 1);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_longer_overlap_saves_a_generation_that_was_about_to_go() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    bed.pass_days(8);
    ws.refresh().await;
    assert_eq!(ws.attribute(CI, "rotation_due")[0]["reason"], json!("overlap of generation 1"));
    ws.change(CI, json!({ "overlap": "P30D" }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("rotation_due").1, Json::Null);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 2);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn without_the_overlap_every_old_generation_ends_in_one_apply() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    ws.change(CI, json!({ "triggers": { "v": "3" } })).up_well().await;
    ws.change(CI, json!({ "overlap": null }));
    let plan = ws.plan().await;
    assert_eq!(plan.action(CI), Action::Update);
    assert_eq!(plan.change(CI).attribute("previous_generations").1, json!({}));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 1);
    assert!(bed.current_opens(&ws).await);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_old_generation_that_vanished_leaves_without_a_word() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    let old = previous(&ws)["1"]["id"].as_str().unwrap().to_owned();
    bed.cloud.delete_credential(&old);
    let plan = ws.plan().await;
    plan.told.assert_silent();
    plan.assert_empty();
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!(previous(&ws), json!({}));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn one_that_vanishes_between_plan_and_apply_is_revoked_all_the_same() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    bed.pass_days(8);
    let plan = ws.plan().await;
    let old = previous(&ws)["1"]["id"].as_str().unwrap().to_owned();
    bed.cloud.delete_credential(&old);
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_current_generation_that_vanished_is_succeeded_in_place() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    let lost = ws.attribute(CI, "id").as_str().unwrap().to_owned();
    bed.cloud.delete_credential(&lost);
    let plan = ws.plan().await;
    let change = plan.change(CI);
    assert_eq!(change.attribute("generation"), (json!(2), json!(3)));
    let (due, _) = change.attribute("rotation_due");
    assert_eq!(due, json!([{ "deadline": null, "reason": "vanished" }]));
    let kept = change.attribute("previous_generations").1;
    assert_eq!(kept.as_object().unwrap().keys().collect::<Vec<_>>(), ["1"]);
    ws.apply(&plan).await.told.assert_success();
    assert!(bed.current_opens(&ws).await);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_credential_of_which_nothing_is_left_is_made_anew() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    bed.ids().iter().for_each(|id| bed.cloud.delete_credential(id));
    let plan = ws.plan().await;
    assert!(plan.told.has("Application credential is gone"));
    assert_eq!(plan.action(CI), Action::Create);
    assert_eq!(plan.change(CI).after()["generation"], json!(1));
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_revocation_that_fails_stays_planned() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    bed.pass_days(8);
    let plan = ws.plan().await;
    let rule = FaultRule::new(Fault::HtmlGarbage).on("DELETE", "/v3/users/").persistent();
    bed.cloud.inject(rule);
    let told = ws.apply(&plan).await.told;
    let error = told.only("An old application credential was not revoked");
    assert!(error.detail.contains("goes on working"), "{error:?}");
    assert_eq!(previous(&ws).as_object().unwrap().len(), 1);
    bed.cloud.clear_faults();
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("previous_generations").1, json!({}));
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_old_generation_ends_only_once_the_current_one_is_proven() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    bed.pass_days(8);
    let plan = ws.plan().await;
    // The owner loses the role: the current one is listed, but opens nothing.
    bed.cloud.remove_role("alice", "demo", "member");
    let told = ws.apply(&plan).await.told;
    assert!(told.has("Nothing was revoked, as the current credential is not proven"), "{told:?}");
    assert_eq!(bed.ids().len(), 2);
    bed.cloud.grant_role("alice", "demo", "member");
    ws.up_well().await;
    assert_eq!(bed.ids().len(), 1);
}

#[tokio::test]
async fn an_expired_generation_gets_no_overlap() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "overlap": "P7D",
        "rotation_period": "P30D", "expires_in": "P40D" }));
    ws.up_well().await;
    let old = ws.attribute(CI, "id");
    bed.pass_days(41);
    let plan = ws.plan().await;
    let change = plan.change(CI);
    let reasons: Vec<_> = change
        .attribute("rotation_due")
        .0
        .as_array()
        .unwrap()
        .iter()
        .map(|due| due["reason"].clone())
        .collect();
    assert_eq!(reasons, ["expired", "rotation_period"]);
    assert_eq!(change.attribute("previous_generations").1, json!({}));
    bed.cloud.reset_calls();
    ws.apply(&plan).await.told.assert_success();
    let effects = bed.effects();
    assert!(effects[0].starts_with("POST") && effects[1].starts_with("DELETE"), "{effects:?}");
    assert_ne!(ws.attribute(CI, "id"), old);
    assert_eq!(bed.ids().len(), 1);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_old_generation_never_outlives_its_own_expiry_in_the_plan() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "overlap": "P7D",
        "expires_in": "P10D", "triggers": { "v": "1" } }));
    ws.up_well().await;
    let expiry = moment(&ws.attribute(CI, "expires_at"));
    bed.pass_days(6);
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    assert_eq!(moment(&previous(&ws)["1"]["revoke_after"]), expiry);
    bed.pass_days(5);
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("previous_generations").1, json!({}));
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_destroy_takes_every_generation_and_says_what_stays() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    let old = ws.clone();
    ws.change(CI, json!({ "triggers": { "v": "3" } })).up_well().await;
    let mut ws = old;
    ws.refresh().await;
    let plan = ws.plan_with(crate::host::PlanOptions { destroy: true, ..Default::default() }).await;
    assert!(plan.told.has("Strays are not revoked by destroy"), "{:?}", plan.told);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 1, "the stray");
    assert!(ws.state.instances.is_empty());
}
