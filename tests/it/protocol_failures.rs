//! What stands between core and a resource, on its bad days: errors, panics, interruptions. Whatever
//! happens to a handler, the state tells what exists.

use std::time::Duration;

use serde_json::json;

use crate::host::{Action, Cli, PlanOptions, Workspace, reference, unknown};
use crate::probe::{self, Cloud, Mood};

const A: &str = "probe_thing.a";
const B: &str = "probe_thing.b";

/// A thing that is there.
async fn made() -> (Workspace, Cloud) {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" })).up_well().await;
    cloud.take_calls();
    (ws, cloud)
}

#[tokio::test]
async fn a_create_that_fails_before_its_effect_leaves_nothing() {
    for mood in [Mood::Fail, Mood::Panic] {
        let (host, cloud) = probe::host();
        let mut ws = host.workspace();
        ws.resource(A, json!({ "name": "a" }));
        cloud.mood("create", mood);
        let outcome = ws.up().await;
        assert_eq!(outcome.told.errors().len(), 1, "{mood:?}: {:?}", outcome.told);
        assert!(ws.state.instances.is_empty(), "{mood:?}");
        cloud.calm();
        ws.up_well().await;
        assert_eq!(cloud.count(), 1);
    }
}

#[tokio::test]
async fn a_create_that_fails_after_its_effect_is_tainted() {
    for mood in [Mood::FailAfterSave, Mood::FailHalfway, Mood::PanicAfterSave, Mood::LeaveUnknown] {
        let (host, cloud) = probe::host();
        let mut ws = host.workspace();
        ws.resource(A, json!({ "name": "a" }));
        ws.resource(B, json!({ "name": "b", "label": reference(A, "id") }));
        cloud.mood("create", mood);
        let outcome = ws.up().await;
        assert_eq!(outcome.told.errors().len(), 1, "{mood:?}: {:?}", outcome.told);
        let object = ws.state.object(A).expect("what exists is in the state");
        assert!(object.tainted, "{mood:?}");
        assert_eq!(object.attributes()["id"], json!("thing-1"));
        assert_eq!(object.identity()["id"], json!("thing-1"));
        assert!(ws.state.object(B).is_none(), "dependents do not start");
        cloud.calm();
        let plan = ws.plan().await;
        assert_eq!(plan.action(A), Action::DeleteThenCreate, "{mood:?}");
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(cloud.count(), 2);
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn a_panic_is_one_diagnostic_that_quotes_nothing() {
    for call in ["validate", "read", "plan", "plan_destroy", "create", "update", "delete", "import"]
    {
        let (mut ws, cloud) = made().await;
        cloud.mood(call, Mood::Panic);
        let told = match call {
            "validate" | "read" | "plan" => ws.plan().await.told,
            "plan_destroy" => {
                let destroy = PlanOptions { destroy: true, ..PlanOptions::default() };
                ws.plan_with(destroy).await.told
            }
            "create" => ws.resource(B, json!({ "name": "b" })).up().await.told,
            "update" => ws.change(A, json!({ "label": "x" })).up().await.told,
            "delete" => ws.remove(A).up().await.told,
            _ => ws.resource(B, json!({ "name": "b" })).import(B, "thing-1").await,
        };
        let bug = told.only("Provider bug");
        assert!(bug.error && !bug.detail.contains("hunter2"), "{call}: {bug:?}");
        assert_eq!(told.errors().len(), 1, "{call}: {told:?}");
        // Nothing else died with it.
        cloud.calm();
        assert!(ws.state.object(A).is_some(), "{call}");
        ws.up_well().await;
    }
}

#[tokio::test]
async fn a_create_that_saves_nothing_is_a_bug_that_is_told() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" }));
    cloud.mood("create", Mood::Forget);
    assert!(ws.up().await.told.has("Provider bug"));
    assert!(ws.state.instances.is_empty());
}

#[tokio::test]
async fn an_update_that_fails_keeps_what_is_true() {
    let (mut ws, cloud) = made().await;
    ws.change(A, json!({ "label": "x" }));
    cloud.mood("update", Mood::Fail);
    let before = ws.state.object(A).unwrap().clone();
    assert!(ws.up().await.told.failed());
    let object = ws.state.object(A).unwrap();
    assert_eq!((object.tainted, &object.attributes), (false, &before.attributes));
    assert_eq!(object.private, before.private, "a failed update keeps the prior private data");
    for mood in [Mood::FailAfterSave, Mood::PanicAfterSave] {
        cloud.mood("update", mood);
        let revision = ws.attribute(A, "revision").as_i64().unwrap();
        ws.change(A, json!({ "label": format!("{mood:?}") }));
        assert!(ws.up().await.told.failed());
        assert!(!ws.state.object(A).unwrap().tainted);
        assert_eq!(ws.attribute(A, "revision"), json!(revision + 1));
        assert_eq!(ws.attribute(A, "label"), json!(format!("{mood:?}")));
        // What was done is in the state: there is nothing left to do.
        cloud.calm();
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn a_delete_that_fails_keeps_what_is_left() {
    let (mut ws, cloud) = made().await;
    ws.change(A, json!({ "label": "x" })).up_well().await;
    let before = ws.state.object(A).unwrap().clone();
    cloud.mood("delete", Mood::Fail);
    assert!(ws.destroy().await.told.failed());
    assert_eq!(ws.state.object(A), Some(&before));
    cloud.mood("delete", Mood::FailAfterSave);
    assert!(ws.destroy().await.told.failed());
    assert_eq!(ws.attribute(A, "label"), json!(null));
    assert_eq!(ws.state.object(A).unwrap().identity()["id"], json!("thing-1"));
    cloud.mood("delete", Mood::PanicAfterSave);
    let told = ws.destroy().await.told;
    assert!(told.has("Provider bug"));
    // Core keeps a state when an error comes with none; the next refresh finds out.
    cloud.calm();
    ws.destroy().await.told.assert_success();
    assert!(ws.state.instances.is_empty());
}

#[tokio::test]
async fn a_replacement_whose_create_fails_takes_the_old_object_back() {
    let (mut ws, cloud) = made().await;
    ws.create_before_destroy(A, true).change(A, json!({ "name": "b" }));
    cloud.mood("create", Mood::Fail);
    assert!(ws.up().await.told.failed());
    assert_eq!(ws.attribute(A, "name"), json!("a"));
    assert_eq!((ws.state.deposed(A), cloud.count()), (0, 1));
    cloud.mood("create", Mood::FailAfterSave);
    assert!(ws.up().await.told.failed());
    assert!(ws.state.object(A).unwrap().tainted);
    assert_eq!((ws.state.deposed(A), cloud.count()), (1, 2));
    cloud.calm();
    ws.up_well().await;
    assert_eq!((ws.state.deposed(A), cloud.count()), (0, 1));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn errors_of_read_and_plan_change_nothing() {
    let (mut ws, cloud) = made().await;
    let before = ws.state.clone();
    for call in ["read", "plan"] {
        cloud.mood(call, Mood::Fail);
        let told = ws.plan().await.told;
        assert_eq!(told.errors().len(), 1, "{call}");
        cloud.calm();
        assert_eq!(ws.state, before);
    }
    // A destroy plans normally first: an error there is in its way too.
    cloud.mood("plan", Mood::Fail);
    let destroy = PlanOptions { destroy: true, ..PlanOptions::default() };
    assert!(ws.plan_with(destroy.clone()).await.told.failed());
    cloud.calm();
    cloud.mood("plan_destroy", Mood::Fail);
    assert!(ws.plan_with(destroy).await.told.failed());
    cloud.calm();
    ws.prevent_destroy(A, true);
    let destroy = PlanOptions { destroy: true, ..PlanOptions::default() };
    assert!(ws.plan_with(destroy).await.told.has("Instance cannot be destroyed"));
}

#[tokio::test]
async fn warnings_are_heard_where_core_passes_them_on() {
    let (mut ws, cloud) = made().await;
    let heard = |told: &crate::host::Told| {
        told.0.iter().map(|it| (it.call, it.summary.clone())).collect::<Vec<_>>()
    };
    cloud.mood("plan", Mood::Warn);
    cloud.mood("read", Mood::Warn);
    let plan = ws.plan().await;
    assert_eq!(
        heard(&plan.told),
        [("ReadResource", "Seen".to_owned()), ("PlanResourceChange", "Planned".to_owned())]
    );
    assert_eq!(plan.told.only("Planned").path, "name");
    ws.apply(&plan).await.told.assert_silent();
    // Of a replacement, the second plan's warnings are dropped, until the apply repeats it as the only one.
    ws.change(A, json!({ "name": "b" }));
    let plan = ws.plan().await;
    assert_eq!(plan.told.warnings().len(), 2);
    let told = ws.apply(&plan).await.told;
    assert_eq!(heard(&told), [("PlanResourceChange", "Planned".to_owned())]);
    cloud.calm();
    cloud.mood("update", Mood::Warn);
    cloud.mood("validate", Mood::Warn);
    ws.change(A, json!({ "label": "x", "parts": [{ "title": "t" }] }));
    let plan = ws.plan().await;
    assert_eq!(plan.told.only("Careful").path, "label");
    let told = ws.apply(&plan).await.told;
    assert_eq!(told.only("Done").path, "parts[0].title");
}

#[tokio::test]
async fn an_interrupt_ends_waits_and_keeps_what_was_done() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" })).resource(B, json!({ "name": "b" }));
    cloud.mood("create", Mood::Linger);
    let plan = ws.plan().await;
    cloud.entered().await;
    let watch = cloud.clone();
    let interrupt = async move {
        while watch.count() == 0 {
            watch.entered().await;
            tokio::task::yield_now().await;
        }
    };
    let outcome = ws.apply_and(&plan, interrupt).await;
    assert_eq!(outcome.told.only("Wait ended").detail, "It was interrupted");
    assert!(ws.state.object(A).unwrap().tainted);
    assert!(ws.state.object(B).is_none(), "after an interrupt nothing new begins");
    assert_eq!(cloud.count(), 1);
}

#[tokio::test]
async fn an_interrupt_never_tears_an_effect_apart() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" }));
    cloud.mood("create", Mood::Slow);
    let plan = ws.plan().await;
    cloud.take_calls();
    let (stopped, watch) = (cloud.clone(), cloud.clone());
    let interrupt = async move {
        while !watch.calls().contains(&"create".to_owned()) {
            watch.entered().await;
        }
        // Once StopProvider has been called, the effect may go on.
        tokio::spawn(async move {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            stopped.go_on();
        });
    };
    ws.apply_and(&plan, interrupt).await.told.assert_silent();
    assert!(!ws.state.object(A).unwrap().tainted);
    assert_eq!(ws.attribute(A, "id"), json!("thing-1"));
}

#[tokio::test]
async fn a_deadline_ends_a_wait() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a", "patience": 20 }));
    cloud.mood("create", Mood::Linger);
    let told = ws.up().await.told;
    assert_eq!(told.only("Wait ended").detail, "Its time is over");
    assert!(ws.state.object(A).unwrap().tainted);
}

#[tokio::test]
async fn what_a_user_wrote_wrong_is_pointed_at() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    for (config, summary, path) in [
        (json!({ "name": "forbidden" }), None, "name"),
        (json!({ "name": "far too long for a name" }), None, "name"),
        (json!({ "name": null }), None, "name"),
        (json!({ "name": "a", "parts": [{ "title": null }] }), None, "parts[0].title"),
        // Nothing inside a set has a path of its own.
        (json!({ "name": "a", "part_set": [{ "title": null }] }), None, "part_set"),
        (json!({ "name": "a", "secret_wo": "my own secret" }), None, "secret_wo"),
        (json!({ "name": "a", "words": ["b", null] }), None, "words[1]"),
    ] {
        ws.resource(A, config.clone());
        let told = ws.plan().await.told;
        let errors = told.errors();
        assert_eq!(errors.len(), 1, "{config}: {told:?}");
        assert_eq!(errors[0].path, path, "{config}: {told:?}");
        assert_eq!(errors[0].call, "ValidateResourceConfig");
        assert!(summary.is_none_or(|summary: &str| errors[0].summary == summary));
    }
    assert!(!cloud.calls().contains(&"plan".to_owned()));
}

#[tokio::test]
async fn a_cli_without_write_only_attributes_is_told_so() {
    let (host, _cloud) = probe::host();
    let mut ws = host.cli(Cli::Terraform8).workspace();
    ws.resource(A, json!({ "name": "a", "secret_wo": "my own secret", "secret_wo_version": 1 }));
    let told = ws.plan().await.told;
    let errors = told.errors();
    assert_eq!(errors.len(), 1, "{told:?}");
    assert_eq!(errors[0].path, "secret_wo");
    assert!(errors[0].detail.contains("1.11"), "{told:?}");
}

#[tokio::test]
async fn an_unknown_provider_block_is_no_error_by_itself() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.provider(json!({ "login": "alice" })).resource(A, json!({ "name": "a" }));
    let later = PlanOptions { provider: Some(json!({ "login": unknown() })), ..Default::default() };
    let plan = ws.plan_with(later).await;
    assert_eq!(plan.told.only("Login is not known yet").path, "login");
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!(ws.attribute(A, "made_by"), json!("alice"));
    ws.provider(json!({ "login": "two words" }));
    assert_eq!(ws.plan().await.told.only("Login with a blank").path, "login");
}

#[tokio::test]
async fn a_handler_that_outlives_its_caller_still_ends() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" }));
    cloud.mood("create", Mood::Slow);
    let plan = ws.plan().await;
    let watch = cloud.clone();
    let caller = tokio::spawn(async move { ws.apply(&plan).await });
    while !watch.calls().contains(&"create".to_owned()) {
        watch.entered().await;
    }
    caller.abort();
    let _ = caller.await;
    cloud.go_on();
    let made = async {
        while cloud.count() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(5), made).await.expect("the effect is finished");
}
