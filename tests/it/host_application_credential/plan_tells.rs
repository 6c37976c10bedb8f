//! What a plan tells: one warning for one event, none that another contradicts, and nothing that the same plan does.

use rekey_sandbox::{Fault, FaultRule};
use serde_json::{Value as Json, json};

use super::old_generations::rotated;
use super::{Bed, CI};
use crate::host::{Action, PlanOptions, Workspace, unknown};

const HELD: &str = "Rotation is overdue and held";
const EXPIRED: &str = "Application credential has expired";
const STRAYS: &str = "Application credentials unknown to the state";
const CHANGES: &str = "The schedule changes with this apply";
const MORE: &str = "The next generation may do more than this one";

fn overlapping() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "overlap": "7d", "triggers": { "v": "1" } })
}

fn in_days(bed: &Bed, days: i64) -> Json {
    let at = bed.cloud.now() + jiff::SignedDuration::from_hours(24 * days);
    json!(jiff::Timestamp::from_second(at.as_second()).unwrap().to_string())
}

#[tokio::test]
async fn another_project_is_told_with_both_projects_and_in_one_warning() {
    for overlap in [json!("7d"), Json::Null] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        ws.change(CI, json!({ "overlap": overlap })).up_well().await;
        ws.provider(bed.login_on("alice", "other"));
        ws.change(CI, json!({ "triggers": { "v": "2" } }));
        let plan = ws.plan().await;
        let told = plan.told.only("Application credential moves to another project");
        for part in [bed.cloud.project("demo").id, bed.cloud.project("other").id] {
            assert!(told.detail.contains(&part), "{told:?}");
        }
        assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
    }
    // Another owner as well: one warning for both.
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    ws.provider(bed.login_on("admin", "admin"));
    ws.change(CI, json!({ "roles": null, "triggers": { "v": "2" } }));
    let told = ws.plan().await.told;
    let both = told.only("Application credential changes its owner and its project");
    for part in ["alice", "admin", &bed.cloud.project("demo").id] {
        assert!(both.detail.contains(part), "{both:?}");
    }
    assert!(!told.has("Application credential changes its owner"));
    // Nothing moves where nothing is issued.
    ws.change(CI, json!({ "roles": ["member"], "triggers": { "v": "1" } }));
    ws.plan().await.told.assert_silent();
}

#[tokio::test]
async fn rights_that_are_not_known_are_told_before_the_apply() {
    for overlap in [json!("7d"), Json::Null] {
        for roles in [json!(null), json!(["member", "project_admin"])] {
            let bed = Bed::start().await;
            let mut ws = bed.workspace(overlapping());
            ws.change(CI, json!({ "roles": ["reader"], "overlap": overlap })).up_well().await;
            ws.change(CI, json!({ "roles": unknown() }));
            let plan = ws.plan().await;
            let told = plan.told.only(MORE);
            for part in ["project_admin", "member", "until now: reader", "null"] {
                assert!(told.detail.contains(part), "{told:?}");
            }
            ws.becomes(CI, json!({ "roles": roles }));
            ws.apply(&plan).await.told.assert_success();
        }
    }
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.change(
        CI,
        json!({ "access_rules": [{ "service": "compute", "method": "GET", "path": "/a" }] }),
    );
    ws.up_well().await;
    ws.change(CI, json!({ "access_rules": unknown() }));
    assert!(ws.plan().await.told.only(MORE).detail.contains("`access_rules`"));
}

#[tokio::test]
async fn a_role_that_turns_out_to_be_null_or_none_is_refused_before_any_effect() {
    for (planned, roles) in
        [(json!([unknown()]), json!([null])), (unknown(), json!([null])), (unknown(), json!([]))]
    {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        ws.up_well().await;
        ws.change(CI, json!({ "roles": planned }));
        let plan = ws.plan().await;
        ws.becomes(CI, json!({ "roles": roles }));
        bed.cloud.reset_calls();
        assert!(ws.apply(&plan).await.told.failed());
        assert_eq!(bed.effects(), Vec::<String>::new());
        assert!(bed.current_opens(&ws).await);
    }
}

fn destroy() -> PlanOptions {
    PlanOptions { destroy: true, ..PlanOptions::default() }
}

fn replace() -> PlanOptions {
    PlanOptions { replace: vec![CI.to_owned()], ..PlanOptions::default() }
}

#[tokio::test]
async fn a_destroy_and_a_replace_that_the_login_cannot_carry_out_are_refused_at_plan() {
    for (options, summary) in [
        (destroy(), "This login cannot carry out the destroy"),
        (replace(), "This login cannot carry out the replacement"),
    ] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        ws.up_well().await;
        ws.provider(bed.login("bob"));
        let told = ws.plan_with(options.clone()).await.told;
        let error = told.only(summary);
        assert!(error.error && error.detail.contains(&bed.cloud.user("alice").id), "{error:?}");
        // Of a warning about `-replace` Terraform lets nothing through.
        if options.destroy {
            let mut weak = bed.login("bob");
            weak["plan_checks"] = json!("warn");
            ws.provider(weak);
            assert!(!ws.plan_with(options.clone()).await.told.only(summary).error);
        }
        // Whoever may, plans it.
        for login in [bed.login("alice"), bed.login_on("admin", "admin")] {
            ws.provider(login);
            assert!(!ws.plan_with(options.clone()).await.told.has(summary));
        }
    }
    // An old generation of somebody else's is as much in the way as the current one.
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    ws.provider(bed.login("bob")).change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    let told = ws.plan_with(destroy()).await.told;
    assert!(told.only("This login cannot carry out the destroy").detail.contains("generation 1"));
}

#[tokio::test]
async fn a_restricted_login_cannot_plan_a_replace() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    let (id, secret) = (ws.attribute(CI, "id"), ws.attribute(CI, "secret"));
    ws.provider(bed.login_with(id.as_str().unwrap(), secret.as_str().unwrap()));
    let told = ws.plan_with(replace()).await.told;
    assert!(told.only("The login may not manage application credentials").error, "{told:?}");
}

#[tokio::test]
async fn all_that_ends_is_named_in_one_warning() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    for v in 3..=8 {
        ws.change(CI, json!({ "triggers": { "v": v.to_string() } })).up_well().await;
    }
    let old = ws.attribute(CI, "previous_generations");
    bed.pass_days(8);
    let plan = ws.plan().await;
    assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
    let told = plan.told.only("Old generations end with this apply");
    for number in ["1", "2", "3", "4", "5"] {
        assert!(told.detail.contains(old[number]["id"].as_str().unwrap()), "{told:?}");
    }
    assert!(told.detail.contains("and 2 more"), "{told:?}");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 1);
}

#[tokio::test]
async fn what_the_plan_does_is_not_called_held() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.change(CI, json!({ "rotation_period": "30d", "rotate": false })).up_well().await;
    bed.pass_days(31);
    ws.plan().await.told.only(HELD);
    ws.change(CI, json!({ "rotate": null }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
    plan.told.assert_silent();
}

#[tokio::test]
async fn a_stray_that_the_plan_revokes_is_no_warning() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    let old = ws.clone();
    ws.change(CI, json!({ "triggers": { "v": "3" } })).up_well().await;
    let stray = ws.attribute(CI, "id");
    let mut ws = old;
    ws.plan().await.told.only(STRAYS);
    ws.change(CI, json!({ "revoke_strays": [stray] }));
    ws.plan().await.told.assert_silent();
    ws.up_well().await;
    // It stays named, and nobody is bothered with it.
    ws.plan().await.told.assert_silent();
}

#[tokio::test]
async fn one_expiry_is_one_warning_and_none_where_it_is_changed() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.change(CI, json!({ "expires_at": in_days(&bed, 2), "check_usable": true })).up_well().await;
    assert_eq!(ws.plan().await.told.warnings().len(), 1);
    bed.pass_days(3);
    let plan = ws.plan().await;
    plan.told.only(EXPIRED);
    assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
    ws.apply(&plan).await.told.assert_success();
    ws.change(CI, json!({ "expires_at": in_days(&bed, 90) }));
    let told = ws.plan().await.told;
    assert!(!told.has(EXPIRED) && !told.has("Application credential does not work"), "{told:?}");
    ws.up_well().await;
    ws.plan().await.told.assert_silent();
    // By its schedule, held: what is held says it.
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    let schedule = json!({ "expires_in": "30d", "renew_before": "10d", "rotate": false });
    ws.change(CI, schedule).up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    bed.pass_days(31);
    let plan = ws.plan().await;
    let told = plan.told.only(HELD);
    assert!(told.detail.contains("Whoever uses it is refused"), "{told:?}");
    assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
}

async fn well(bed: &Bed, config: Json) -> Workspace {
    let mut ws = bed.workspace(config);
    ws.up_well().await;
    ws
}

#[tokio::test]
async fn a_shorter_schedule_that_is_over_already_is_told_with_its_date() {
    let bed = Bed::start().await;
    let mut ws = well(&bed, overlapping()).await;
    ws.change(CI, json!({ "rotation_period": "30d", "triggers": { "v": "2" } })).up_well().await;
    bed.pass_days(5);
    ws.change(CI, json!({ "rotation_period": "4d", "overlap": "3d" }));
    let plan = ws.plan().await;
    let told = plan.told.only(CHANGES);
    for part in
        ["rotation_period reached at", "overlap of generation 1 ended at", "this is due already"]
    {
        assert!(told.detail.contains(part), "{told:?}");
    }
    assert_eq!(plan.action(CI), Action::Update);
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!(bed.ids().len(), 2);
    assert_eq!(ws.plan().await.change(CI).attribute("generation"), (json!(2), json!(3)));
    // One that is not over is no word worth.
    let bed = Bed::start().await;
    let mut ws = well(&bed, overlapping()).await;
    ws.change(CI, json!({ "rotation_period": "30d", "overlap": "3d" }));
    ws.plan().await.told.assert_silent();
}

#[tokio::test]
async fn what_is_no_stray_is_told_and_a_generation_is_refused() {
    let bed = Bed::start().await;
    let mut ws = rotated(&bed).await;
    let ids = [ws.attribute(CI, "id"), ws.attribute(CI, "previous_generations")["1"]["id"].clone()];
    for id in ids {
        ws.change(CI, json!({ "revoke_strays": [id] }));
        let told = ws.plan().await.told;
        let error = told.only("revoke_strays names a generation of this resource");
        assert_eq!((error.error, error.path.as_str()), (true, "revoke_strays"));
    }
    ws.change(CI, json!({ "revoke_strays": ["76543210fedcba9876543210fedcba98"] }));
    let plan = ws.plan().await;
    assert!(plan.told.only("revoke_strays names what is no stray").detail.contains("76543210"));
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.told.assert_silent();
}

#[tokio::test]
async fn what_lets_a_plan_of_a_weak_login_go_on_is_said_once() {
    let bed = Bed::start().await;
    let mut ws = bed.host.workspace();
    ws.provider(bed.login("alice"));
    for number in 0..3 {
        let address = format!("rekey_application_credential.n{number}");
        ws.resource(&address, json!({ "name": format!("n{number}"), "roles": ["unheld_role"] }));
    }
    let told = ws.plan().await.told;
    assert_eq!(told.errors().len(), 3, "{told:?}");
    let advised = told.errors().iter().filter(|it| it.detail.contains("plan_checks")).count();
    assert_eq!(advised, 1, "{told:?}");
}

#[tokio::test]
async fn a_cloud_that_breaks_while_it_issues_is_told_with_what_to_do() {
    for (fault, next) in [
        (Fault::InternalError, "Apply again"),
        (Fault::NotFound, "openstack application credential list"),
    ] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(overlapping());
        let plan = ws.plan().await;
        bed.cloud.inject(FaultRule::new(fault).on("POST", "/v3/users/").persistent());
        let told = ws.apply(&plan).await.told;
        let error = told.only("Cannot issue an application credential");
        assert!(error.detail.contains(next), "{error:?}");
        assert!(!error.detail.contains("404: 404"), "{error:?}");
    }
}
