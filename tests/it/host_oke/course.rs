//! What is asked for while a rotation is under way, and what ends it: refused with the way on, or done after it.

use rekey_sandbox::OkeEvent;
use serde_json::json;

use super::{Bed, OKE, rests, trigger};
use crate::host::Action;

fn pace(issue: i64, retire: i64) -> OkeEvent {
    OkeEvent::SetOkePace { cluster: "prod".into(), accept: 0, issue, retire }
}

#[tokio::test]
async fn a_trigger_that_changes_while_oke_issues_is_kept_and_told_what_comes_first() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "timeouts": { "create": "PT2S" } }));
    bed.happens(&pace(3_600, 0));
    ws.up().await;
    assert_eq!(ws.attribute(OKE, "phase"), json!("issuing"));
    ws.change(OKE, trigger("2"));
    let told = ws.plan().await.told;
    let refusal = told.only("The last rotation is not complete");
    for part in
        ["is issuing new credentials", "stands in the configuration", "set what was changed back"]
    {
        assert!(refusal.detail.contains(part), "{part}: {refusal:?}");
    }
    // Set back, it is taken up; then the overlap is what the next one waits for.
    bed.pass_hours(2);
    ws.change(OKE, trigger("1"));
    assert!(rests(&mut ws, 2).await, "{:#?}", ws.plan().await.told);
    ws.refresh().await;
    assert_eq!(ws.attribute(OKE, "phase"), json!("overlap"));
    ws.change(OKE, trigger("2"));
    let told = ws.plan().await.told;
    let refusal = told.only("The last rotation is still in its overlap");
    assert!(!refusal.detail.contains("begun outside"), "{refusal:?}");
    bed.pass_hours(24 * 15);
    bed.happens(&pace(0, 0));
    assert!(rests(&mut ws, 2).await, "{:#?}", ws.plan().await.told);
    assert_eq!((bed.prod().starts, ws.attribute(OKE, "generation")), (2, json!(2)));
}

#[tokio::test]
async fn a_trigger_that_changes_while_oke_retires_is_planned_after_it() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({}));
    ws.up_well().await;
    bed.pass_hours(26);
    bed.happens(&pace(0, 3_600));
    let short = json!({ "complete_generation": 1, "timeouts": { "update": "PT2S" } });
    ws.change(OKE, short);
    let plan = ws.plan().await;
    ws.apply(&plan).await;
    assert_eq!(ws.attribute(OKE, "phase"), json!("retiring"));
    ws.change(OKE, trigger("2")).change(OKE, json!({ "timeouts": null }));
    let plan = ws.plan().await;
    plan.told.assert_success();
    assert_eq!(plan.action(OKE), Action::Update);
    bed.pass_hours(2);
    ws.apply(&plan).await.told.assert_success();
    let prod = bed.prod();
    assert_eq!((prod.starts, prod.completions), (2, 1));
    assert_eq!(ws.attribute(OKE, "generation"), json!(2));
    assert!(rests(&mut ws, 2).await, "{:#?}", ws.plan().await.told);
}

/// As a run leaves it that is killed together with Terraform: nothing is in any state.
#[tokio::test]
async fn a_rotation_that_nobody_noted_answers_no_trigger_and_the_way_on_is_said() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "rotate_on_create": false }));
    ws.up_well().await;
    ws.change(OKE, trigger("2"));
    bed.happens(&OkeEvent::StartOkeRotation { cluster: "prod".into(), delay_days: 14 });
    let told = ws.plan().await.told;
    let refusal = told.only("The last rotation is still in its overlap");
    for part in [
        "killed before it could note it",
        "Wait until 20",
        "complete_generation = 1",
        "set what was changed back",
    ] {
        assert!(refusal.detail.contains(part), "{part}: {refusal:?}");
    }
    ws.change(OKE, trigger("1"));
    assert!(rests(&mut ws, 2).await, "{:#?}", ws.plan().await.told);
    assert_eq!((bed.prod().starts, bed.prod().authorities.len()), (1, 2));
}

#[tokio::test]
async fn a_completion_is_checked_at_plan() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({}));
    ws.up_well().await;
    bed.pass_hours(26);
    ws.change(OKE, json!({ "complete_generation": 1 }));
    let node = |state: &str, ready| OkeEvent::SetOkeNode {
        cluster: "prod".into(),
        node: 0,
        state: state.into(),
        error: None,
        ready,
    };
    bed.happens(&node("INACTIVE", false));
    let plan = ws.plan().await;
    plan.told.assert_success();
    plan.told.only("Nodes will pause the rotation");
    bed.happens(&node("ACTIVE", true));
    bed.happens(&OkeEvent::BeginOkeWork { cluster: "prod".into(), seconds: 3_600 });
    let told = ws.plan().await.told;
    let refusal = told.only("The rotation cannot be completed yet");
    assert!(refusal.detail.contains("work request"), "{refusal:?}");
    assert_eq!(bed.prod().completions, 0);
    bed.pass_hours(2);
    ws.up_well().await;
    assert_eq!((bed.prod().completions, ws.attribute(OKE, "phase")), (1, json!("completed")));
}

/// An error would taint it, and the next apply would rotate again.
#[tokio::test]
async fn a_create_that_takes_up_a_retirement_which_fails_is_not_tainted() {
    let bed = Bed::start().await;
    bed.happens(&OkeEvent::StartOkeRotation { cluster: "prod".into(), delay_days: 14 });
    bed.pass_hours(26);
    bed.happens(&pace(0, 4));
    bed.happens(&OkeEvent::FailOkePhase {
        cluster: "prod".into(),
        message: "etcd did not answer".into(),
        after_effect: false,
    });
    let mut ws = bed.workspace(json!({}));
    let plan = ws.plan().await;
    bed.happens(&OkeEvent::CompleteOkeRotation { cluster: "prod".into() });
    let told = ws.apply(&plan).await.told;
    told.assert_success();
    assert!(told.only("The old credentials were not retired").detail.contains("etcd"), "{told:?}");
    assert_eq!(ws.attribute(OKE, "phase"), json!("overlap"));
    ws.plan().await.assert_empty();
    assert_eq!(bed.prod().starts, 1);
}

#[tokio::test]
async fn an_import_has_an_overlap_to_generate_a_configuration_from() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "overlap": "P7D" }));
    ws.import(OKE, &bed.prod().id).await.assert_success();
    assert_eq!(ws.attribute(OKE, "overlap"), json!("P14D"));
    let plan = ws.plan().await;
    assert!(!plan.told.has("The overlap changes with the next rotation"), "{:?}", plan.told);
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.assert_empty();
    assert_eq!(bed.prod().starts, 0);
}
