//! The secret out of the state: `secret_wo`, and credentials that live for one run.

use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Action, Cli};

const MINE: &str = "a secret of my very own";
const NEXT: &str = "and the one that follows it";

fn own() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "overlap": "P7D", "secret_wo": MINE,
        "secret_wo_version": 1 })
}

#[tokio::test]
async fn an_own_secret_is_used_and_stored_nowhere() {
    for cli in [Cli::OpenTofu, Cli::Terraform11, Cli::Terraform15, Cli::Terraform16] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(own());
        ws.on(&bed.host.clone().cli(cli));
        let plan = ws.plan().await;
        assert_eq!(plan.change(CI).after()["secret"], Json::Null);
        assert!(!plan.text().contains(MINE));
        ws.apply(&plan).await.told.assert_silent();
        assert_eq!(ws.attribute(CI, "secret"), Json::Null);
        assert!(!ws.state.text().contains(MINE));
        assert!(bed.opens(&ws.attribute(CI, "id"), &json!(MINE)).await);
        ws.plan().await.assert_empty();
        // Another value alone is no change.
        ws.change(CI, json!({ "secret_wo": NEXT }));
        ws.plan().await.assert_empty();
        let old = ws.attribute(CI, "id");
        ws.change(CI, json!({ "secret_wo_version": 2 }));
        let plan = ws.plan().await;
        let reason = plan.change(CI).attribute("rotation_reason").1;
        assert!(reason.as_str().unwrap().contains("secret_wo_version"), "{reason}");
        ws.apply(&plan).await.told.assert_success();
        assert!(bed.opens(&ws.attribute(CI, "id"), &json!(NEXT)).await);
        assert!(bed.opens(&old, &json!(MINE)).await, "the old one works for its overlap");
        bed.pass_days(8);
        ws.up_well().await;
        assert_eq!(bed.ids().len(), 1, "proved by the record of its issue");
        assert!(![MINE, NEXT].iter().any(|secret| ws.state.text().contains(secret)));
    }
}

#[tokio::test]
async fn an_own_secret_may_differ_between_plan_and_apply() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(own());
    let plan = ws.plan().await;
    ws.becomes(CI, json!({ "secret_wo": NEXT }));
    ws.apply(&plan).await.told.assert_silent();
    assert!(bed.opens(&ws.attribute(CI, "id"), &json!(NEXT)).await);
}

#[tokio::test]
async fn a_schedule_issues_the_same_secret_again_and_says_so() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(own());
    ws.change(CI, json!({ "rotation_period": "P30D" })).up_well().await;
    bed.pass_days(31);
    let plan = ws.plan().await;
    assert!(plan.told.has("The same secret is issued again"), "{:?}", plan.told);
    ws.apply(&plan).await.told.assert_success();
    assert!(bed.opens(&ws.attribute(CI, "id"), &json!(MINE)).await);
}

#[tokio::test]
async fn without_overlap_a_new_version_is_a_replacement() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(own());
    ws.change(CI, json!({ "overlap": null })).up_well().await;
    ws.change(CI, json!({ "secret_wo_version": 2, "secret_wo": NEXT }));
    let plan = ws.plan().await;
    assert_eq!(plan.action(CI), Action::DeleteThenCreate);
    assert_eq!(plan.change(CI).forced_by, ["secret_wo_version"]);
}

#[tokio::test]
async fn an_own_secret_that_is_taken_out_makes_way_for_a_generated_one() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(own());
    ws.up_well().await;
    ws.change(CI, json!({ "secret_wo": null, "secret_wo_version": null }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
    ws.apply(&plan).await.told.assert_success();
    assert!(bed.current_opens(&ws).await);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_killed_run_does_not_take_the_record_of_the_proof_along() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(own());
    ws.up_well().await;
    ws.change(CI, json!({ "secret_wo_version": 2, "secret_wo": NEXT })).up_well().await;
    // Where a provider is killed in an update, Terraform keeps the attributes and drops the private data.
    ws.state.instances.get_mut(CI).unwrap().current.as_mut().unwrap().private.clear();
    bed.pass_days(8);
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("previous_generations").1, json!({}));
    // The secret may be another one by now: what counts is the record.
    ws.becomes(CI, json!({ "secret_wo": "not the one that was issued" }));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 1);
    assert!(bed.opens(&ws.attribute(CI, "id"), &json!(NEXT)).await);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn the_record_of_a_proof_is_not_enough_where_the_owner_has_lost_a_role() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(own());
    ws.change(CI, json!({ "roles": ["member", "project_admin"] })).up_well().await;
    ws.change(CI, json!({ "secret_wo_version": 2 })).up_well().await;
    bed.pass_days(8);
    bed.cloud.remove_role("alice", "demo", "project_admin");
    let told = ws.up().await.told;
    let error = told.only("Nothing was revoked, as the current credential is not proven");
    assert!(error.detail.contains("project_admin"), "{error:?}");
    assert_eq!(bed.ids().len(), 2);
    bed.cloud.grant_role("alice", "demo", "project_admin");
    ws.up_well().await;
    assert_eq!(bed.ids().len(), 1);
}

#[tokio::test]
async fn what_was_never_proven_revokes_nothing_until_it_is_rotated_or_opened() {
    for rotated in [false, true] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(own());
        ws.change(CI, json!({ "proof": { "required": false } })).up_well().await;
        ws.change(CI, json!({ "secret_wo_version": 2 })).up_well().await;
        bed.pass_days(8);
        ws.change(CI, json!({ "proof": null, "secret_wo": "not the one that was issued" }));
        let told = ws.up().await.told;
        assert!(told.has("Nothing was revoked, as the current credential is not proven"));
        assert_eq!(bed.ids().len(), 2);
        if rotated {
            ws.change(CI, json!({ "secret_wo_version": 3 })).up_well().await;
            assert_eq!(bed.ids().len(), 2, "the oldest one was over, and went");
        } else {
            ws.change(CI, json!({ "secret_wo": MINE })).up_well().await;
            assert_eq!(bed.ids().len(), 1, "its own secret is the proof");
        }
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn who_may_not_see_the_current_generation_proves_it_by_its_secret() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(own());
    ws.provider(bed.login("bob")).up_well().await;
    ws.provider(bed.login("alice"));
    ws.change(CI, json!({ "secret_wo_version": 2, "secret_wo": NEXT })).up_well().await;
    bed.pass_days(8);
    ws.provider(bed.login("bob"));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("previous_generations").1, json!({}));
    let mut elsewhere = ws.clone();
    elsewhere.becomes(CI, json!({ "secret_wo": "not the one that was issued" }));
    let told = elsewhere.apply(&plan).await.told;
    assert!(told.has("Nothing was revoked, as the current credential is not proven"), "{told:?}");
    assert_eq!(bed.cloud.credentials("bob").len(), 1);
    ws.apply(&plan).await.told.assert_success();
    assert!(bed.cloud.credentials("bob").is_empty());
    assert!(bed.opens(&ws.attribute(CI, "id"), &json!(NEXT)).await);
}

#[tokio::test]
async fn a_credential_for_one_run_is_proven_and_revoked_at_its_end() {
    for cli in [Cli::OpenTofu, Cli::Terraform11, Cli::Terraform15] {
        let bed = Bed::start().await;
        let host = bed.host.clone().cli(cli);
        let config = json!({ "roles": ["member"] });
        let opened = host.open(bed.login("alice"), "rekey_application_credential", config).await;
        let session = opened.expect("a credential");
        assert!(bed.opens(&session.value["id"], &session.value["secret"]).await);
        assert_eq!(bed.ids().len(), 1);
        session.close().await.assert_success();
        assert_eq!(bed.ids(), Vec::<String>::new(), "{cli:?}");
    }
}

#[tokio::test]
async fn a_run_that_died_is_swept_once_its_credential_has_expired() {
    let bed = Bed::start().await;
    let open = || bed.host.open(bed.login("alice"), "rekey_application_credential", json!({}));
    // Never closed: the run died.
    let dead = open().await.expect("a credential");
    drop(dead);
    let session = open().await.expect("a credential");
    assert_eq!(bed.ids().len(), 2, "one that is valid may be another run's");
    session.close().await.assert_success();
    bed.pass_days(1);
    open().await.expect("a credential").close().await.assert_success();
    assert_eq!(bed.ids(), Vec::<String>::new());
}
