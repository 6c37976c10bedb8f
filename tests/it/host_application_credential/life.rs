//! The life of one credential: issued, kept, rotated, revoked, with an overlap and without one.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Action, Cli, PlanOptions, Workspace, reference, unknown};

const USER: &str = "rekey_application_credential.user";

fn overlapping() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "overlap": "P7D", "triggers": { "v": "1" } })
}

#[tokio::test]
async fn a_create_plans_what_is_known_and_leaves_an_empty_plan() {
    for cli in Cli::ALL {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        ws.on(&bed.host.clone().cli(cli));
        let plan = ws.plan().await;
        plan.told.assert_silent();
        assert_eq!(plan.action(CI), Action::Create);
        let after = plan.change(CI).after();
        for (name, expected) in [
            ("generation", json!(1)),
            ("previous_generations", json!({})),
            ("rotation_due", Json::Null),
            ("strays", Json::Null),
            ("rotation_reason", Json::Null),
            ("rotation_due_at", Json::Null),
            ("expires_at", Json::Null),
            ("unrestricted", json!(false)),
        ] {
            assert_eq!(after[name], expected, "{name}");
        }
        for name in [
            "id",
            "name",
            "secret",
            "issued_at",
            "user_id",
            "user_name",
            "project_id",
            "effective_roles",
            "auth_url",
            "region_name",
        ] {
            assert_eq!(after[name], unknown(), "{name}");
        }
        assert_eq!(bed.ids(), Vec::<String>::new(), "a plan makes nothing");
        ws.apply(&plan).await.told.assert_silent();
        assert!(bed.current_opens(&ws).await);
        assert_eq!(ws.attribute(CI, "user_name"), json!("alice"));
        // Keystone adds what member implies; that is no drift.
        assert_eq!(ws.attribute(CI, "roles"), json!(["member"]));
        let plan = ws.plan().await;
        plan.told.assert_silent();
        plan.assert_empty();
        ws.destroy().await.told.assert_silent();
        assert_eq!(bed.ids(), Vec::<String>::new());
        assert!(ws.state.instances.is_empty());
    }
}

#[tokio::test]
async fn an_overlap_rotation_keeps_the_old_generation_for_its_overlap() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    let old = ws.attributes(CI);
    bed.pass_days(3);
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    let change = plan.change(CI);
    assert_eq!(change.action, Action::Update);
    assert_eq!(change.attribute("generation"), (json!(1), json!(2)));
    assert_eq!(
        change.attribute("previous_generations").1,
        json!({ "1": { "created_access_rules": null, "id": old["id"], "name": old["name"], "user_id": old["user_id"],
            "revoke_after": unknown() } })
    );
    let reason = change.attribute("rotation_reason").1;
    assert!(reason.as_str().unwrap().starts_with("generation 2: triggers"), "{reason}");
    assert_eq!(
        change.changed(),
        [
            "generation",
            "id",
            "issued_at",
            "name",
            "previous_generations",
            "rotation_reason",
            "secret",
            "triggers"
        ]
    );
    bed.cloud.reset_calls();
    ws.apply(&plan).await.told.assert_success();
    assert!(bed.opens(&old["id"], &old["secret"]).await, "the old one works on");
    assert!(bed.current_opens(&ws).await);
    assert_ne!(ws.attribute(CI, "id"), old["id"]);
    assert_ne!(ws.attribute(CI, "name"), old["name"]);
    assert_eq!(ws.state.object(CI).unwrap().identity()["id"], ws.attribute(CI, "id"));
    // Inside of the overlap there is nothing to do.
    bed.pass_days(6);
    ws.plan().await.assert_empty();
    // After it, the revocation is a change of this resource that touches nothing else.
    bed.pass_days(2);
    let plan = ws.plan().await;
    let change = plan.change(CI);
    assert_eq!(change.action, Action::Update);
    assert_eq!(change.changed(), ["previous_generations", "rotation_due"]);
    assert!(plan.told.has("An old generation ends with this apply"));
    ws.apply(&plan).await.told.assert_success();
    assert!(!bed.opens(&old["id"], &old["secret"]).await, "the old one is refused");
    assert!(bed.current_opens(&ws).await);
    ws.plan().await.assert_empty();
}

/// A set has no order of its own.
fn effective(ws: &Workspace) -> Vec<String> {
    let roles = ws.attribute(CI, "effective_roles");
    let roles = roles.as_array().unwrap().iter().map(|role| role.as_str().unwrap().to_owned());
    roles.collect::<BTreeSet<_>>().into_iter().collect()
}

#[tokio::test]
async fn a_successor_with_other_roles_shows_them_at_once() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    assert_eq!(effective(&ws), ["member", "reader"]);
    for roles in [json!(["reader"]), json!([unknown()])] {
        ws.change(CI, json!({ "roles": roles }));
        let plan = ws.plan().await;
        assert_eq!(plan.change(CI).after()["effective_roles"], unknown());
        ws.becomes(CI, json!({ "roles": ["reader"] }));
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(effective(&ws), ["reader"]);
        ws.change(CI, json!({ "roles": ["reader"] }));
        ws.plan().await.assert_empty();
    }
    // Certain to rotate, with roles that are not known yet.
    ws.change(CI, json!({ "roles": [unknown()], "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).after()["effective_roles"], unknown());
    ws.becomes(CI, json!({ "roles": ["member"] }));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(effective(&ws), ["member", "reader"]);
}

#[tokio::test]
async fn a_rotation_and_a_revocation_fall_into_one_plan() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.change(CI, json!({ "rotation_period": "P30D", "expires_in": "P90D" })).up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    bed.pass_days(5);
    ws.change(CI, json!({ "triggers": { "v": "3" } })).up_well().await;
    bed.pass_days(3);
    ws.change(CI, json!({ "triggers": { "v": "4" } }));
    let plan = ws.plan().await;
    let change = plan.change(CI);
    assert_eq!(change.attribute("generation"), (json!(3), json!(4)));
    let (before, after) = change.attribute("previous_generations");
    assert_eq!(before.as_object().unwrap().keys().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(after.as_object().unwrap().keys().collect::<Vec<_>>(), ["2", "3"]);
    assert_eq!(after["2"], before["2"], "the one in between stays as it is");
    let (due, _) = change.attribute("rotation_due");
    assert_eq!(due[0]["reason"], json!("overlap of generation 1"));
    bed.cloud.reset_calls();
    ws.apply(&plan).await.told.assert_success();
    let effects = bed.effects();
    assert!(effects[0].starts_with("POST") && effects[1].starts_with("DELETE"), "{effects:?}");
    assert_eq!(bed.ids().len(), 3);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn dependents_move_in_the_same_apply_and_rest_when_an_old_one_ends() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    // Any other resource would do: what counts is when it learns of the new secret.
    ws.resource(
        USER,
        json!({ "name": "user", "roles": ["reader"], "triggers": {
        "secret": reference(CI, "secret"), "id": reference(CI, "id") } }),
    );
    ws.up_well().await;
    assert_eq!(ws.attribute(USER, "triggers")["secret"], ws.attribute(CI, "secret"));
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(USER).after()["triggers"]["secret"], unknown());
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(USER, "triggers")["secret"], ws.attribute(CI, "secret"));
    bed.pass_days(8);
    let plan = ws.plan().await;
    assert_eq!((plan.action(CI), plan.action(USER)), (Action::Update, Action::NoOp));
}

#[tokio::test]
async fn parts_of_a_planned_generation_are_known_before_it_is_made() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    ws.resource(
        USER,
        json!({ "name": "user", "roles": ["reader"],
        "description": reference(CI, "previous_generations.1.name") }),
    );
    let plan = ws.plan().await;
    assert_eq!(plan.change(USER).after()["description"], ws.attribute(CI, "name"));
}

#[tokio::test]
async fn a_due_schedule_without_overlap_is_a_replacement_that_says_why() {
    for create_before_destroy in [false, true] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "rotation_period": "P30D" }));
        ws.create_before_destroy(CI, create_before_destroy).up_well().await;
        let old = ws.attributes(CI);
        bed.pass_days(29);
        ws.plan().await.assert_empty();
        bed.pass_days(2);
        let plan = ws.plan().await;
        let change = plan.change(CI);
        assert_eq!(change.forced_by, ["rotation_due"]);
        let (due, planned) = change.attribute("rotation_due");
        assert_eq!(due[0]["reason"], json!("rotation_period"));
        assert_eq!(due[0]["deadline"], old["rotation_due_at"]);
        assert_eq!(planned, Json::Null);
        assert_eq!(change.attribute("generation"), (json!(1), json!(1)));
        assert_eq!(change.attribute("rotation_reason").1, Json::Null);
        // What Read wrote is the only drift.
        let (was, is) = &plan.drift[CI];
        assert_eq!((&was["rotation_due"], &is["rotation_due"]), (&Json::Null, &due));
        bed.cloud.reset_calls();
        ws.apply(&plan).await.told.assert_success();
        let effects: Vec<_> =
            bed.effects().iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
        let expected = if create_before_destroy { ["POST", "DELETE"] } else { ["DELETE", "POST"] };
        assert_eq!(effects, expected);
        assert!(!bed.opens(&old["id"], &old["secret"]).await);
        assert!(bed.current_opens(&ws).await);
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn a_due_replacement_meets_prevent_destroy() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "rotation_period": "P30D" }));
    ws.up_well().await;
    ws.prevent_destroy(CI, true);
    bed.pass_days(31);
    assert!(ws.plan().await.told.has("Instance cannot be destroyed"));
    // With an overlap there is nothing to destroy.
    ws.change(CI, json!({ "overlap": "P1D" }));
    assert_eq!(ws.plan().await.action(CI), Action::Update);
}

#[tokio::test]
async fn a_replacement_by_an_argument_is_marked_at_it_and_begins_anew() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    for number in 2..4 {
        ws.change(CI, json!({ "triggers": { "v": number.to_string() } })).up_well().await;
    }
    assert_eq!(bed.ids().len(), 3);
    ws.change(CI, json!({ "overlap": null, "triggers": { "v": "5" } }));
    let plan = ws.plan().await;
    let change = plan.change(CI);
    assert_eq!(change.action, Action::DeleteThenCreate);
    assert_eq!(change.forced_by, ["triggers"]);
    assert_eq!(change.attribute("generation"), (json!(3), json!(1)));
    assert_eq!(change.attribute("previous_generations").1, json!({}));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 1);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn taint_and_replace_cut_off_every_generation() {
    for (taint, create_before_destroy) in
        [(true, false), (true, true), (false, false), (false, true)]
    {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        ws.create_before_destroy(CI, create_before_destroy).up_well().await;
        ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
        let mut options = PlanOptions::default();
        if taint {
            ws.taint(CI);
        } else {
            options.replace.push(CI.to_owned());
        }
        let plan = ws.plan_with(options).await;
        assert!(plan.action(CI).is_replace());
        let change = plan.change(CI);
        assert_eq!(change.attribute("generation"), (json!(2), json!(1)));
        bed.cloud.reset_calls();
        ws.apply(&plan).await.told.assert_success();
        let effects: Vec<_> =
            bed.effects().iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
        let expected = if create_before_destroy {
            ["POST", "DELETE", "DELETE"]
        } else {
            ["DELETE", "DELETE", "POST"]
        };
        assert_eq!(effects, expected, "taint: {taint}");
        assert_eq!(bed.ids().len(), 1);
        assert!(bed.current_opens(&ws).await);
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn a_fixed_name_has_a_gap_and_never_works_the_other_way_round() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name": "ci", "triggers": { "v": "1" } }));
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    assert!(ws.plan().await.told.has("A fixed name is replaced with a gap"));
    ws.create_before_destroy(CI, true);
    let before = ws.attribute(CI, "id");
    for _ in 0..2 {
        let told = ws.up().await.told;
        let error = told.only("The name of the application credential is in use");
        assert!(error.detail.contains("name_prefix"), "{error:?}");
        assert_eq!(error.path, "name");
        assert_eq!((ws.attribute(CI, "id"), ws.state.deposed(CI)), (before.clone(), 0));
    }
    ws.create_before_destroy(CI, false).up_well().await;
    assert_eq!(ws.attribute(CI, "name"), json!("ci"));
}
