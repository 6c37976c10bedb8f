//! Plans that another login carries out, and what a login could not carry out.

use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Action, Cli, PlanOptions, reference};

const USER: &str = "rekey_application_credential.user";

fn overlapping() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "overlap": "7d", "triggers": { "v": "1" } })
}

#[tokio::test]
async fn what_hangs_on_the_owner_stays_in_a_rotation_in_place() {
    for cli in Cli::ALL {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        ws.on(&bed.host.clone().cli(cli));
        let owner = json!({ "name": "user", "roles": ["reader"], "triggers": {
            "project": reference(CI, "project_id"), "user": reference(CI, "user_id") } });
        ws.resource(USER, owner).up_well().await;
        ws.change(CI, json!({ "triggers": { "v": "2" } }));
        let plan = ws.plan().await;
        assert_eq!((plan.action(CI), plan.action(USER)), (Action::Update, Action::NoOp), "{cli:?}");
        ws.apply(&plan).await.told.assert_success();
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn a_plan_of_the_owners_login_is_refused_by_any_other_before_any_effect() {
    for cli in Cli::ALL {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        ws.on(&bed.host.clone().cli(cli)).up_well().await;
        let before = ws.attributes(CI);
        ws.change(CI, json!({ "triggers": { "v": "2" } }));
        let plan = ws.plan().await;
        for login in [bed.login("bob"), bed.login_on("admin", "admin")] {
            let mut other = ws.clone();
            other.provider(login);
            bed.cloud.reset_calls();
            let told = other.apply(&plan).await.told;
            let error = told.only("The plan was made under another login");
            for part in ["alice", "Nothing was changed"] {
                assert!(error.detail.contains(part), "{error:?}");
            }
            assert_eq!(bed.effects(), Vec::<String>::new());
            assert_eq!(other.attributes(CI), before);
        }
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(ws.attribute(CI, "generation"), json!(2));
    }
}

#[tokio::test]
async fn a_saved_plan_is_refused_in_another_cloud() {
    let (bed, other) = (Bed::start().await, Bed::start().await);
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    // Planned by the owner, and by somebody of whom the plan says nothing.
    for planner in ["alice", "bob"] {
        ws.provider(bed.login(planner));
        let plan = ws.plan().await;
        let mut elsewhere = ws.clone();
        elsewhere.provider(other.login(planner));
        let told = elsewhere.apply(&plan).await.told;
        let error = told.only("The login is to another cloud");
        assert!(error.detail.contains(&other.cloud.auth_url()), "{error:?}");
        assert_eq!(other.cloud.credentials(planner).len(), 0);
        assert_eq!(bed.ids().len(), 1);
    }
    // Planned there, it is refused by the plan.
    ws.provider(other.login("alice"));
    assert!(ws.plan().await.told.only("The login is to another cloud").error);
}

#[tokio::test]
async fn one_keystone_may_be_written_with_its_version_and_without() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let plan = ws.plan().await;
    let mut login = bed.login("alice");
    let url = bed.cloud.auth_url();
    let other = url.strip_suffix("/v3").map_or_else(|| format!("{url}/v3"), ToOwned::to_owned);
    login["openstack"]["auth_url"] = json!(other);
    ws.provider(login);
    ws.apply(&plan).await.told.assert_success();
}

#[tokio::test]
async fn a_replacement_that_the_login_cannot_carry_out_is_refused_at_plan() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.change(CI, json!({ "overlap": null })).up_well().await;
    ws.provider(bed.login("bob"));
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    for create_before_destroy in [false, true] {
        ws.create_before_destroy(CI, create_before_destroy);
        let told = ws.plan().await.told;
        let error = told.only("This login cannot carry out the replacement");
        assert!(error.error && error.detail.contains(&bed.cloud.user("alice").id), "{error:?}");
    }
    // With an overlap it is carried out beside the old one, and one warning says all of it.
    ws.change(CI, json!({ "overlap": "7d" }));
    let plan = ws.plan().await;
    assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
    let told = plan.told.only("Application credential of another user");
    assert!(told.detail.contains("belongs to bob"), "{told:?}");
    ws.apply(&plan).await.told.assert_success();
}

#[tokio::test]
async fn a_name_in_use_is_found_at_plan_unless_it_is_ones_own() {
    let bed = Bed::start().await;
    let mut first = bed.workspace(json!({ "name": "taken", "roles": ["member"] }));
    first.up_well().await;
    let id = first.attribute(CI, "id");
    let mut second = bed.host.workspace();
    second.provider(bed.login("alice")).resource(USER, json!({ "name": "taken" }));
    let told = second.plan().await.told;
    let error = told.only("The name of the application credential is in use");
    assert_eq!((error.path.as_str(), error.error), ("name", true));
    assert!(error.detail.contains(id.as_str().unwrap()), "{error:?}");
    // Bob's names are his own.
    second.provider(bed.login("bob")).up_well().await;
    // What is replaced has the name itself.
    first.taint(CI);
    first.up_well().await;
    let options = PlanOptions { replace: vec![CI.to_owned()], ..PlanOptions::default() };
    let plan = first.plan_with(options).await;
    assert!(!plan.told.failed(), "{:?}", plan.told);
    first.apply(&plan).await.told.assert_success();
    assert_ne!(first.attribute(CI, "id"), id);
}
