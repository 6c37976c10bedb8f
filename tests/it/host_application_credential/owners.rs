//! Whose credential it is, which cloud it is in, and what is said of it; many of them at once.

use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Action, Cli, PlanOptions};

fn plain() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "triggers": { "v": "1" } })
}

#[tokio::test]
async fn somebody_else_plans_with_a_warning_and_changes_nothing() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(plain());
    ws.up_well().await;
    let before = ws.state.object(CI).unwrap().attributes();
    ws.provider(bed.login("bob"));
    let plan = ws.plan().await;
    plan.assert_empty();
    let warning = plan.told.only("Application credential of another user");
    assert!(warning.detail.contains("alice") && warning.detail.contains("bob"), "{warning:?}");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.state.object(CI).unwrap().attributes(), before);
    let mut login = bed.login("bob");
    login["plan_checks"] = json!("warn");
    ws.provider(login);
    let told = ws.destroy().await.told;
    let error = told.only("An application credential was not revoked");
    assert!(error.detail.contains(&bed.cloud.user("alice").id), "{error:?}");
    assert_eq!(bed.ids().len(), 1);
    assert!(ws.state.object(CI).is_some());
}

#[tokio::test]
async fn what_the_login_may_not_revoke_is_not_planned() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(plain());
    ws.change(CI, json!({ "overlap": "P7D" })).up_well().await;
    ws.provider(bed.login("bob"));
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    ws.up_well().await;
    bed.pass_days(8);
    let plan = ws.plan().await;
    assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
    assert!(plan.told.has("Old generation of another user"));
    assert_eq!(plan.change(CI).after()["previous_generations"].as_object().unwrap().len(), 1);
    // Its owner plans it.
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 1);
    ws.provider(bed.login("alice"));
    let plan = ws.plan().await;
    assert!(!plan.told.has("Old generation of another user"));
    assert_eq!(plan.change(CI).attribute("previous_generations").1, json!({}));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids(), Vec::<String>::new());
    assert!(bed.current_opens(&ws).await, "bob's");
}

#[tokio::test]
async fn whoever_asks_sees_whether_it_is_usable() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(plain());
    ws.change(CI, json!({ "check_usable": true })).up_well().await;
    bed.cloud.disable_user("alice");
    ws.provider(bed.login("bob"));
    let told = ws.refresh().await;
    assert!(told.has("Application credential does not work"), "{told:?}");
    assert_eq!(ws.attribute(CI, "usable"), json!(false));
}

#[tokio::test]
async fn another_cloud_is_not_a_deleted_credential() {
    let (bed, other) = (Bed::start().await, Bed::start().await);
    let mut ws = bed.workspace(plain());
    ws.up_well().await;
    let before = ws.attributes(CI);
    ws.provider(other.login("alice"));
    let plan = ws.plan().await;
    plan.assert_empty();
    assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attributes(CI), before);
}

#[tokio::test]
async fn a_deleted_owner_takes_the_credential_along() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(plain());
    ws.up_well().await;
    bed.cloud.delete_user("alice");
    ws.provider(bed.login_on("admin", "admin"));
    ws.change(CI, json!({ "roles": ["member"] }));
    let told = ws.plan_with(PlanOptions { refresh_only: true, ..Default::default() }).await.told;
    assert!(told.only("Application credential is gone").detail.contains("alice"), "{told:?}");
}

#[tokio::test]
async fn roles_that_the_owner_lost_are_told_for_free() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name": "ci", "roles": ["member", "project_admin"] }));
    ws.up_well().await;
    bed.cloud.remove_role("alice", "demo", "project_admin");
    let plan = ws.plan().await;
    plan.assert_empty();
    assert!(
        plan.told.only("Application credential has lost roles").detail.contains("project_admin")
    );
}

#[tokio::test]
async fn a_dead_credential_is_seen_where_that_was_asked() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(plain());
    ws.change(CI, json!({ "check_usable": true })).up_well().await;
    assert_eq!(ws.attribute(CI, "usable"), json!(true));
    bed.cloud.disable_user("alice");
    ws.provider(bed.login_on("admin", "admin"));
    let told = ws.refresh().await;
    assert!(told.has("Application credential does not work"), "{told:?}");
    assert_eq!(ws.attribute(CI, "usable"), json!(false));
    bed.cloud.enable_user("alice");
    ws.provider(bed.login("alice"));
    ws.refresh().await;
    assert_eq!(ws.attribute(CI, "usable"), json!(true));
}

#[tokio::test]
async fn an_expiry_ahead_is_told_once() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(plain());
    ws.change(CI, json!({ "expires_in": "P90D" })).up_well().await;
    bed.pass_days(75);
    ws.plan().await.told.assert_silent();
    bed.pass_days(2);
    let plan = ws.plan().await;
    plan.assert_empty();
    plan.told.only("Application credential expires soon");
    ws.apply(&plan).await.told.assert_silent();
    ws.change(CI, json!({ "warn_before": "P5D" })).up_well().await;
    ws.plan().await.told.assert_silent();
}

#[tokio::test]
async fn a_replacement_is_spoken_of_at_plan_and_not_again() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name": "ci", "triggers": { "v": "1" } }));
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
    ws.apply(&plan).await.told.assert_silent();
}

#[tokio::test]
async fn a_refresh_of_many_takes_as_many_calls_as_one_of_one() {
    let mut calls = Vec::new();
    for count in [1, 30] {
        let bed = Bed::start().await;
        let mut ws = bed.host.workspace();
        ws.provider(bed.login("alice"));
        for number in 0..count {
            let address = format!("rekey_application_credential.n{number}");
            let config = json!({ "name_prefix": format!("n{number}-"), "roles": ["member"],
                "rotation_period": "P30D", "overlap": "P7D" });
            ws.resource(&address, config);
        }
        ws.up_well().await;
        bed.cloud.reset_calls();
        ws.plan().await.assert_empty();
        calls.push(bed.cloud.calls().len());
        bed.pass_days(31);
        let plan = ws.plan().await;
        assert_eq!(plan.changes.iter().filter(|it| it.action == Action::Update).count(), count);
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(bed.ids().len(), 2 * count);
        ws.plan().await.assert_empty();
    }
    assert_eq!(calls[0], calls[1], "{calls:?}");
    assert!(calls[0] <= 3, "{calls:?}");
}

#[tokio::test]
async fn two_states_on_one_prefix_leave_each_other_alone() {
    let bed = Bed::start().await;
    let mut one = bed.workspace(plain());
    one.change(CI, json!({ "overlap": "P7D" }));
    let mut two = one.clone();
    let (first, second) = tokio::join!(one.up(), two.up());
    first.told.assert_success();
    second.told.assert_success();
    one.change(CI, json!({ "triggers": { "v": "2" } }));
    two.change(CI, json!({ "triggers": { "v": "2" } }));
    let (first, second) = tokio::join!(one.up(), two.up());
    first.told.assert_success();
    second.told.assert_success();
    assert_eq!(bed.ids().len(), 4);
    for ws in [&one, &two] {
        assert_eq!(ws.attribute(CI, "strays"), Json::Null);
        let plan = ws.plan().await;
        plan.told.assert_silent();
        plan.assert_empty();
    }
    bed.pass_days(8);
    one.up_well().await;
    assert_eq!(bed.ids().len(), 3);
    two.up_well().await;
    assert_eq!(bed.ids().len(), 2);
    assert!(bed.current_opens(&one).await && bed.current_opens(&two).await);
}

/// Identity: the first half of a replacement is told none, and one that fails keeps the one there was.
#[tokio::test]
async fn a_revocation_that_is_refused_keeps_the_identity() {
    for cli in [Cli::OpenTofu, Cli::Terraform15] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(plain());
        ws.on(&bed.host.clone().cli(cli)).up_well().await;
        let before = ws.state.object(CI).unwrap().identity();
        let mut login = bed.login("bob");
        login["plan_checks"] = json!("warn");
        ws.provider(login);
        ws.change(CI, json!({ "triggers": { "v": "2" } }));
        assert!(ws.up().await.told.has("An application credential was not revoked"));
        assert_eq!(ws.state.object(CI).unwrap().identity(), before);
        assert!(ws.destroy().await.told.failed());
        assert_eq!(ws.state.object(CI).unwrap().identity(), before);
    }
}
