//! The machine that runs the provider has another time than the cloud: what counts is the cloud's.

use jiff::SignedDuration;
use rekey::clock;
use serde_json::{Value as Json, json};

use super::{Bed, CI};

const DIFFER: &str = "This machine's clock differs from the cloud's";

fn scheduled() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "rotation_period": "30d", "overlap": "7d",
        "triggers": { "v": "1" } })
}

#[tokio::test]
async fn nothing_is_due_by_the_clock_of_a_machine_that_is_ahead() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    clock::shift(SignedDuration::from_hours(61 * 24));
    ws.resource("rekey_application_credential.other", scheduled());
    let plan = ws.plan().await;
    let told = plan.told.only(DIFFER);
    assert!(told.detail.contains("61 days ahead"), "{told:?}");
    assert!(plan.change(CI).changed().is_empty());
    // What is issued is dated by the cloud.
    ws.apply(&plan).await.told.assert_success();
    let issued = ws.attribute("rekey_application_credential.other", "issued_at");
    let issued: jiff::Timestamp = issued.as_str().unwrap().parse().unwrap();
    assert!(issued.duration_since(bed.cloud.now()).abs() < SignedDuration::from_mins(2));
    ws.plan().await.assert_empty();
    clock::shift(SignedDuration::ZERO);
    let plan = ws.plan().await;
    plan.told.assert_silent();
    plan.assert_empty();
}

#[tokio::test]
async fn what_is_due_is_due_on_a_machine_that_is_behind() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    bed.cloud.advance(SignedDuration::from_hours(31 * 24));
    let plan = ws.plan().await;
    assert!(plan.told.only(DIFFER).detail.contains("31 days behind"));
    assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.assert_empty();
    bed.cloud.advance(SignedDuration::from_hours(8 * 24));
    ws.up_well().await;
    assert_eq!(bed.ids().len(), 1);
}

#[tokio::test]
async fn clocks_that_nearly_agree_are_not_spoken_of() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    clock::shift(SignedDuration::from_secs(30));
    let plan = ws.plan().await;
    plan.told.assert_silent();
    ws.apply(&plan).await.told.assert_silent();
}

#[tokio::test]
async fn a_run_deletes_only_what_a_dead_run_has_left_and_only_long_after() {
    let bed = Bed::start().await;
    let open = || {
        let config = json!({ "roles": ["member"], "expires_in": "30m" });
        bed.host.open(bed.login("alice"), "rekey_application_credential", config)
    };
    // Never closed: another run that is going on, and one that died.
    drop(open().await.expect("a credential"));
    let soon = bed.cloud.now() + SignedDuration::from_mins(5);
    let by_hand = json!({ "application_credential": { "name": "rekey-ephemeral-by-hand",
        "expires_at": soon.strftime("%Y-%m-%dT%H:%M:%S").to_string() } });
    bed.alice("application_credentials", Some(&by_hand)).await;
    assert_eq!(bed.ids().len(), 2);
    // A machine that is two days ahead has no say.
    clock::shift(SignedDuration::from_hours(48));
    open().await.expect("a credential").close().await.assert_success();
    assert_eq!(bed.ids().len(), 2, "it is valid by Keystone's clock");
    clock::shift(SignedDuration::ZERO);
    bed.pass(SignedDuration::from_mins(80));
    open().await.expect("a credential").close().await.assert_success();
    assert_eq!(bed.ids().len(), 2, "it may be late");
    bed.pass(SignedDuration::from_mins(20));
    open().await.expect("a credential").close().await.assert_success();
    let left = bed.cloud.credentials("alice");
    assert_eq!(left.len(), 1, "what was named by hand is nobody's: {left:?}");
}

#[tokio::test]
async fn credentials_of_one_run_are_left_out_of_the_list_unless_they_are_asked_for() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(scheduled());
    ws.up_well().await;
    let session = bed.host.open(bed.login("alice"), "rekey_application_credential", json!({}));
    let session = session.await.expect("a credential");
    for (config, prefix) in [
        (json!({}), "ci-"),
        (json!({ "name_prefix": "rekey-" }), "none"),
        (json!({ "name_prefix": "rekey-ephemeral-" }), "rekey-ephemeral-"),
        (json!({ "name": session.value["name"] }), "rekey-ephemeral-"),
    ] {
        let login = bed.login("alice");
        let listed = bed.host.data(login, "rekey_application_credentials", config.clone());
        let listed = listed.await.silent()["credentials"].as_array().unwrap().clone();
        let named = |one: &Json| one["name"].as_str().unwrap().starts_with(prefix);
        assert!(listed.iter().all(named), "{config}: {listed:?}");
        assert_eq!(listed.len(), usize::from(prefix != "none"), "{config}: {listed:?}");
    }
    session.close().await.assert_success();
}
