//! Strays: what an interrupted run or an old state leaves behind; whose they are, and who may revoke them.

use serde_json::{Value as Json, json};

use super::old_generations::rotated;
use super::{Bed, CI};
use crate::host::{Action, Workspace, unknown};

/// A state of alice's first generation, restored after bob had made a second one.
async fn left_by_bob(bed: &Bed) -> (Workspace, String) {
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "roles": ["member"],
        "overlap": "P7D", "triggers": { "v": "1" } }));
    ws.up_well().await;
    let restored = ws.clone();
    ws.provider(bed.login("bob"));
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    let stray = ws.attribute(CI, "id").as_str().unwrap().to_owned();
    (restored, stray)
}

fn strays(ws: &Workspace) -> Json {
    ws.attribute(CI, "strays")
}

#[tokio::test]
async fn strays_are_listed_and_revoked_only_when_they_are_named() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    // An old state, restored: what was made since is not known to it.
    let old = ws.clone();
    ws.change(CI, json!({ "triggers": { "v": "3" } })).up_well().await;
    let made_since = ws.attribute(CI, "id").as_str().unwrap().to_owned();
    let mut ws = old;
    let plan = ws.plan().await;
    plan.assert_empty();
    let warning = plan.told.only("Application credentials unknown to the state");
    assert!(warning.detail.contains(&made_since), "{warning:?}");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(CI, "strays")[&made_since]["user_id"], ws.attribute(CI, "user_id"));
    // New generations number above it.
    ws.change(CI, json!({ "triggers": { "v": "4" } }));
    assert_eq!(ws.plan().await.change(CI).attribute("generation"), (json!(2), json!(4)));
    ws.up_well().await;
    assert!(bed.ids().contains(&made_since));
    ws.change(CI, json!({ "revoke_strays": [made_since] }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("strays").1, Json::Null);
    ws.apply(&plan).await.told.assert_success();
    assert!(!bed.ids().contains(&made_since));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn strays_may_be_named_before_they_are_known() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    ws.change(CI, json!({ "revoke_strays": [unknown()] }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).after()["strays"], unknown());
    ws.becomes(CI, json!({ "revoke_strays": ["0123456789abcdef0123456789abcdef"] }));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 2);
}

#[tokio::test]
async fn who_is_not_the_owner_finds_what_an_own_run_left_behind() {
    let bed = Bed::start().await;
    let (mut ws, stray) = left_by_bob(&bed).await;
    ws.provider(bed.login("bob"));
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    let told = plan.told.only("Application credentials unknown to the state");
    assert!(told.detail.contains(&stray), "{told:?}");
    // A name is given once for each user: the next number must be another.
    assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(3)));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(strays(&ws)[&stray]["user_id"], json!(bed.cloud.user("bob").id));
    assert!(bed.current_opens(&ws).await);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_stray_of_somebody_else_stays_listed_until_it_is_known_to_be_gone() {
    let bed = Bed::start().await;
    let (mut ws, stray) = left_by_bob(&bed).await;
    ws.provider(bed.login("bob")).refresh().await;
    ws.provider(bed.login("alice"));
    let plan = ws.plan().await;
    plan.assert_empty();
    let told = plan.told.only("Application credentials unknown to the state");
    assert!(told.detail.contains(&bed.cloud.user("bob").id), "{told:?}");
    ws.refresh().await;
    assert!(strays(&ws).get(&stray).is_some(), "alice is not allowed to look");
    bed.cloud.delete_credential(&stray);
    ws.refresh().await;
    assert!(strays(&ws).get(&stray).is_some(), "nor can she see that it is gone");
    ws.provider(bed.login("bob")).refresh().await;
    assert_eq!(strays(&ws), Json::Null);
}

#[tokio::test]
async fn a_stray_of_somebody_else_is_not_planned_and_the_plan_says_who_may_revoke_it() {
    let bed = Bed::start().await;
    let (mut ws, stray) = left_by_bob(&bed).await;
    ws.provider(bed.login("bob")).refresh().await;
    ws.provider(bed.login("alice"));
    ws.change(CI, json!({ "revoke_strays": [stray] }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).changed(), ["revoke_strays"]);
    let told = plan.told.only("Stray of another user");
    assert!(told.detail.contains(&bed.cloud.user("bob").id), "{told:?}");
    bed.cloud.reset_calls();
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.effects(), Vec::<String>::new());
    // Its owner plans it.
    ws.provider(bed.login("bob"));
    let plan = ws.plan().await;
    assert!(!plan.told.has("Stray of another user"));
    assert_eq!(plan.change(CI).attribute("strays").1, Json::Null);
    ws.apply(&plan).await.told.assert_success();
    assert!(bed.cloud.credentials("bob").is_empty());
    assert!(bed.current_opens(&ws).await);
}

#[tokio::test]
async fn a_stray_goes_with_the_successor_that_an_unknown_input_turns_out_to_need() {
    for turns_out in ["1", "2"] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "roles": ["member"],
            "overlap": "P7D", "expires_in": "P30D", "rotate": false, "triggers": { "v": "0" } }));
        ws.up_well().await;
        ws.change(CI, json!({ "triggers": { "v": "1" } })).up_well().await;
        let restored = ws.clone();
        ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
        let stray = ws.attribute(CI, "id").as_str().unwrap().to_owned();
        let mut ws = restored;
        bed.pass_days(31);
        // Nothing proves an expired generation, so nothing is revoked unless there is a next one.
        ws.change(CI, json!({ "revoke_strays": [stray], "triggers": { "v": unknown() } }));
        let expired = "Nothing is revoked unless a generation is seen to work";
        ws.change(CI, json!({ "triggers": { "v": "1" } }));
        let told = ws.plan().await.told;
        assert_eq!(told.warnings().len(), 1, "{told:?}");
        let held = told.only("Rotation is overdue and held");
        assert!(held.detail.contains(expired) && held.detail.contains(&stray), "{held:?}");
        ws.change(CI, json!({ "triggers": { "v": unknown() } }));
        let plan = ws.plan().await;
        assert!(!format!("{:?}", plan.told).contains(expired));
        assert_eq!(plan.change(CI).action, Action::Update);
        assert_eq!(plan.change(CI).after()["strays"], unknown());
        ws.becomes(CI, json!({ "triggers": { "v": turns_out } }));
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(bed.ids().contains(&stray), turns_out == "1");
        assert_eq!(strays(&ws).get(&stray).is_some(), turns_out == "1");
    }
}

#[tokio::test]
async fn a_replacement_says_which_strays_nobody_will_list_any_more() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    let restored = ws.clone();
    ws.change(CI, json!({ "triggers": { "v": "3" } })).up_well().await;
    let stray = ws.attribute(CI, "id").as_str().unwrap().to_owned();
    let mut ws = restored;
    ws.change(CI, json!({ "overlap": null, "triggers": { "v": "4" } }));
    let plan = ws.plan().await;
    assert!(plan.action(CI).is_replace());
    assert!(plan.told.only("Strays are not revoked by destroy").detail.contains(&stray));
}
