//! What fails on the way: proofs, limits, roles, logins that may not.

use rekey_sandbox::{Fault, FaultRule};
use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Action, PlanOptions};

fn overlapping() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["member"], "overlap": "P7D", "triggers": { "v": "1" } })
}

const PROOF: &str = "The new application credential failed its proof";

#[tokio::test]
async fn a_create_that_fails_its_proof_leaves_nothing() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    bed.cloud.set_settling(&[404]);
    let told = ws.up().await.told;
    assert!(told.only(PROOF).detail.contains("It was revoked again"));
    assert!(ws.state.instances.is_empty());
    assert_eq!(bed.ids(), Vec::<String>::new());
    bed.cloud.set_settling(&[]);
    ws.up_well().await;
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_create_that_cannot_be_taken_back_is_tainted() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    bed.cloud.set_settling(&[404]);
    bed.cloud.inject(FaultRule::new(Fault::HtmlGarbage).on("DELETE", "/v3/users/").persistent());
    assert!(ws.up().await.told.only(PROOF).detail.contains("tainted"));
    assert!(ws.state.object(CI).unwrap().tainted);
    assert_eq!(bed.ids().len(), 1);
    bed.cloud.clear_faults();
    bed.cloud.set_settling(&[]);
    assert_eq!(ws.plan().await.action(CI), Action::DeleteThenCreate);
    ws.up_well().await;
    assert_eq!(bed.ids().len(), 1);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_update_that_fails_its_proof_changes_nothing() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    let before = ws.state.object(CI).unwrap().clone();
    bed.cloud.set_settling(&[404]);
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    let told = ws.up().await.told;
    assert!(told.only(PROOF).detail.contains("still the current one"));
    let after = ws.state.object(CI).unwrap();
    assert_eq!(after.attributes(), before.attributes());
    assert!(!after.tainted);
    assert_eq!(bed.ids().len(), 1);
    assert!(bed.current_opens(&ws).await);
    // The same rotation again, and nothing of the failure is left.
    bed.cloud.set_settling(&[]);
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
    ws.apply(&plan).await.told.assert_success();
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn an_update_that_cannot_be_taken_back_is_a_stray() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    let before = ws.attribute(CI, "id");
    bed.cloud.set_settling(&[404]);
    bed.cloud.inject(FaultRule::new(Fault::HtmlGarbage).on("DELETE", "/v3/users/").persistent());
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    assert!(ws.up().await.told.only(PROOF).detail.contains("revoke_strays"));
    assert_eq!(ws.attribute(CI, "id"), before);
    assert_eq!(ws.attribute(CI, "generation"), json!(1));
    let strays = ws.attribute(CI, "strays");
    let stray = strays.as_object().unwrap().keys().next().expect("it is listed").clone();
    assert_eq!(bed.ids().len(), 2);
    bed.cloud.clear_faults();
    bed.cloud.set_settling(&[]);
    ws.change(CI, json!({ "revoke_strays": [stray] })).up_well().await;
    // The generation that failed has used up its number.
    assert_eq!(ws.attribute(CI, "generation"), json!(3));
    assert!(!bed.ids().contains(&stray));
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn a_slow_keystone_is_waited_for_where_that_was_asked() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    bed.cloud.set_settling(&[404, 201, 401]);
    ws.change(CI, json!({ "proof": { "logins": 2, "interval": "1s" } }));
    ws.up_well().await;
    assert_eq!(bed.cloud.logins(ws.attribute(CI, "id").as_str().unwrap()), Some(5));
}

const UNTRIED: &str = "The new application credential could not be tried";

/// What keeps every login but the first from an answer, until the operation's time is over or for good.
fn nobody_answers() -> [(Fault, &'static str); 3] {
    [
        (Fault::Timeout, "timeouts = { OPERATION ="),
        (Fault::TooManyRequests { retry_after: Some(3600) }, "timeouts = { OPERATION ="),
        (Fault::HtmlGarbage, "Apply again once Keystone answers"),
    ]
}

#[tokio::test]
async fn time_that_runs_out_is_no_failed_proof() {
    for (fault, way_out) in nobody_answers() {
        for operation in ["create", "update"] {
            let bed = Bed::start().await;
            let mut ws = bed.workspace(overlapping());
            let before = if operation == "update" {
                ws.up_well().await;
                ws.change(CI, json!({ "triggers": { "v": "2" } }));
                ws.attribute(CI, "id")
            } else {
                Json::Null
            };
            ws.change(CI, json!({ "timeouts": { operation: "4s" } }));
            let plan = ws.plan().await;
            let logins = FaultRule::new(fault.clone()).on("POST", "/v3/auth/tokens");
            bed.cloud.inject(logins.nth(2).persistent());
            let told = ws.apply(&plan).await.told;
            let error = told.only(UNTRIED);
            assert!(error.detail.contains("says nothing against it"), "{error:?}");
            assert!(error.detail.contains("It was revoked again"), "{error:?}");
            assert!(error.detail.contains(&way_out.replace("OPERATION", operation)), "{error:?}");
            assert_eq!(bed.ids().len(), usize::from(operation == "update"));
            bed.cloud.clear_faults();
            if operation == "update" {
                assert_eq!(ws.attribute(CI, "id"), before);
            }
            ws.change(CI, json!({ "timeouts": null })).up_well().await;
            ws.plan().await.assert_empty();
        }
    }
}

#[tokio::test]
async fn a_current_credential_that_could_not_be_tried_is_not_called_unproven() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    ws.change(CI, json!({ "timeouts": { "update": "4s" } })).up_well().await;
    bed.pass_days(8);
    let plan = ws.plan().await;
    let logins = FaultRule::new(Fault::TooManyRequests { retry_after: Some(3600) });
    bed.cloud.inject(logins.on("POST", "/v3/auth/tokens").nth(2).persistent());
    let told = ws.apply(&plan).await.told;
    let error = told.only("Nothing was revoked, as the current credential could not be tried");
    assert!(error.detail.contains("timeouts = { update ="), "{error:?}");
    assert_eq!(bed.ids().len(), 2);
}

/// A load balancer's page says nothing of the credential.
#[tokio::test]
async fn a_page_that_is_not_found_is_no_revocation() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    let page = || FaultRule::new(Fault::NotFound).on("DELETE", "/v3/users").persistent();
    bed.pass_days(8);
    bed.cloud.inject(page());
    let told = ws.up().await.told;
    let failure = told.only("An old application credential was not revoked");
    assert!(failure.detail.contains("a proxy or a load balancer"), "{failure:?}");
    assert_eq!(bed.ids().len(), 2);
    bed.cloud.clear_faults();
    ws.up_well().await;
    assert_eq!(bed.ids().len(), 1);

    bed.cloud.inject(page());
    let destroy = PlanOptions { destroy: true, ..PlanOptions::default() };
    let plan = ws.plan_with(destroy.clone()).await;
    assert!(ws.apply(&plan).await.told.has("An application credential was not revoked"));
    assert!(ws.state.object(CI).is_some());
    bed.cloud.clear_faults();
    let plan = ws.plan_with(destroy).await;
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn the_proof_can_be_renounced() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.change(CI, json!({ "proof": { "required": false } })).up_well().await;
    assert_eq!(bed.cloud.logins(ws.attribute(CI, "id").as_str().unwrap()), Some(0));
    ws.change(CI, json!({ "overlap": "P7D", "triggers": { "v": "2" } })).up_well().await;
    bed.pass_days(8);
    ws.up_well().await;
    assert_eq!(bed.ids().len(), 1);
}

#[tokio::test]
async fn roles_that_the_login_lacks_are_told_at_plan() {
    let bed = Bed::start().await;
    let mut ws =
        bed.workspace(json!({ "name": "ci", "roles": ["member", "unheld_role", "nonsense"] }));
    let told = ws.plan().await.told;
    let error = told.only("The login does not have the wanted roles");
    assert_eq!((error.path.as_str(), error.call), ("roles", "PlanResourceChange"));
    for name in ["unheld_role", "nonsense", "project_admin"] {
        assert!(error.detail.contains(name), "{error:?}");
    }
    // For a plan under a weaker login it may be a warning; the apply checks all the same.
    let mut login = bed.login("alice");
    login["plan_checks"] = json!("warn");
    ws.provider(login);
    let plan = ws.plan().await;
    assert!(plan.told.has("The login does not have the wanted roles") && !plan.told.failed());
    let told = ws.apply(&plan).await.told;
    assert!(told.failed());
    assert_eq!(bed.ids(), Vec::<String>::new());
    ws.change(CI, json!({ "roles": ["member"] })).up_well().await;
}

#[tokio::test]
async fn a_restricted_login_reads_and_plans_but_may_not_issue() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    let (id, secret) = (ws.attribute(CI, "id"), ws.attribute(CI, "secret"));
    ws.provider(bed.login_with(id.as_str().unwrap(), secret.as_str().unwrap()));
    ws.plan().await.assert_empty();
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    const REFUSED: &str = "The login may not manage application credentials";
    assert!(ws.plan().await.told.only(REFUSED).error);
    let destroy = PlanOptions { destroy: true, ..PlanOptions::default() };
    assert!(ws.plan_with(destroy).await.told.only(REFUSED).error);
    let mut weak = bed.login_with(id.as_str().unwrap(), secret.as_str().unwrap());
    weak["plan_checks"] = json!("warn");
    let plan = ws.plan_with(PlanOptions { provider: Some(weak), ..Default::default() }).await;
    assert!(!plan.told.only(REFUSED).error);
    ws.provider(bed.login("alice"));
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(CI, "generation"), json!(2));
}

#[tokio::test]
async fn a_past_expiry_is_an_error_only_where_something_must_be_issued() {
    let bed = Bed::start().await;
    let soon = bed.cloud.now() + jiff::SignedDuration::from_hours(48);
    let soon = jiff::Timestamp::from_second(soon.as_second()).unwrap().to_string();
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "expires_at": soon,
        "triggers": { "v": "1" } }));
    ws.up_well().await;
    bed.pass_days(3);
    let plan = ws.plan().await;
    assert!(!plan.told.only("Application credential has expired").error);
    plan.assert_empty();
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    assert_eq!(ws.plan().await.told.only("expires_at is in the past").path, "expires_at");
}

#[tokio::test]
async fn a_limit_that_is_reached_is_named_with_what_could_go() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
    bed.cloud.set_user_limit(Some(2));
    ws.change(CI, json!({ "triggers": { "v": "3" } }));
    let told = ws.up().await.told;
    let error = told.only("Cannot issue an application credential");
    assert!(error.detail.contains("user_limit"), "{error:?}");
    assert!(error.detail.contains("maximum of 2"), "{error:?}");
    let old = ws.attribute(CI, "previous_generations")["1"]["id"].clone();
    assert!(error.detail.contains(&format!("generation 1 ({})", old.as_str().unwrap())));
    // What consumers hold is no candidate.
    assert!(!error.detail.contains(ws.attribute(CI, "id").as_str().unwrap()), "{error:?}");
    assert_eq!(ws.attribute(CI, "generation"), json!(2));
    assert!(bed.current_opens(&ws).await);
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_with_its_holder() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name": "ci" }));
    ws.up_well().await;
    let mut other = bed.host.workspace();
    other.provider(bed.login_on("alice", "other")).resource(CI, json!({ "name": "ci" }));
    let told = other.plan().await.told;
    let error = told.only("The name of the application credential is in use");
    assert_eq!(error.call, "PlanResourceChange");
    assert!(error.detail.contains(ws.attribute(CI, "id").as_str().unwrap()), "{error:?}");
    assert!(error.detail.contains(&bed.cloud.project("demo").id), "{error:?}");
}

#[tokio::test]
async fn a_refused_login_is_one_error_and_one_attempt() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(overlapping());
    let mut login = bed.login("alice");
    login["openstack"]["password"] = json!("not her password");
    ws.provider(login);
    let told = ws.plan().await.told;
    assert_eq!(told.errors().len(), 1, "{told:?}");
    assert_eq!(bed.cloud.count("POST", "/v3/auth/tokens"), 1);
}

#[tokio::test]
async fn what_was_written_wrong_is_told_before_anybody_is_asked() {
    let bed = Bed::start().await;
    for (config, path) in [
        (json!({}), ""),
        (json!({ "name": "a", "name_prefix": "a-" }), "name"),
        (json!({ "name": "a".repeat(256) }), "name"),
        (json!({ "name_prefix": "rekey-ephemeral-mine-" }), "name_prefix"),
        (json!({ "name": "a", "expires_at": "2031-01-01" }), "expires_at"),
        (json!({ "name": "a", "expires_at": "2031-01-01T00:00:00+02:00" }), "expires_at"),
        (json!({ "name": "a", "expires_in": "P1Y" }), "expires_in"),
        (json!({ "name": "a", "expires_in": "P1M" }), "expires_in"),
        (json!({ "name": "a", "expires_in": "PT10S" }), "expires_in"),
        (json!({ "name": "a", "overlap": "P1D" }), "overlap"),
        (json!({ "name_prefix": "a-", "rotation_period": "PT30S" }), "rotation_period"),
        (json!({ "name_prefix": "a-", "renew_before": "P1D" }), "renew_before"),
        (
            json!({ "name_prefix": "a-", "expires_in": "P10D", "rotation_period": "P8D",
                "overlap": "P2D" }),
            "expires_in",
        ),
        (
            json!({ "name_prefix": "a-", "expires_in": "P10D", "rotation_period": "P10D" }),
            "expires_in",
        ),
        (json!({ "name_prefix": "a-", "expires_in": "P7D", "overlap": "P7D" }), "expires_in"),
        (
            json!({ "name_prefix": "a-", "expires_in": "P90D", "renew_before": "P1D",
                "overlap": "P7D" }),
            "renew_before",
        ),
        (json!({ "name": "a", "secret_wo": "0123456789abcdef" }), "secret_wo"),
        (json!({ "name": "a", "secret_wo": "short", "secret_wo_version": 1 }), "secret_wo"),
        (
            json!({ "name": "a", "access_rules": [{ "service": "compute", "method": "GET",
            "path": null }] }),
            "access_rules",
        ),
    ] {
        let ws = bed.workspace(config.clone());
        let told = ws.plan().await.told;
        let errors = told.errors();
        assert_eq!(errors.len(), 1, "{config}: {told:?}");
        assert_eq!(
            (errors[0].path.as_str(), errors[0].call),
            (path, "ValidateResourceConfig"),
            "{config}: {told:?}"
        );
    }
    assert_eq!(bed.cloud.calls().len(), 0);
}

/// A replacement that creates first and fails after its effect: the old one is never lost, and the run after it
/// moves on to a third and ends both.
#[tokio::test]
async fn a_replacement_that_fails_after_issuing_keeps_the_old_one_until_the_next_run() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "triggers": { "v": "1" } }));
    ws.create_before_destroy(CI, true).up_well().await;
    let (id, secret) = (ws.attribute(CI, "id"), ws.attribute(CI, "secret"));
    bed.cloud.set_settling(&[404]);
    bed.cloud.inject(FaultRule::new(Fault::HtmlGarbage).on("DELETE", "/v3/users/").persistent());
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    assert!(ws.up().await.told.only(PROOF).error);
    assert!(ws.state.object(CI).unwrap().tainted);
    assert_eq!(ws.state.deposed(CI), 1);
    assert!(bed.opens(&id, &secret).await, "consumers go on with the old one");
    bed.cloud.clear_faults();
    bed.cloud.set_settling(&[]);
    ws.up_well().await;
    assert_eq!(bed.ids().len(), 1);
    assert!(bed.current_opens(&ws).await && ws.state.deposed(CI) == 0);
    ws.plan().await.assert_empty();
}

/// The same where the new one could be taken back: the old one is current again, and the same is planned anew.
#[tokio::test]
async fn a_replacement_that_was_taken_back_leaves_the_old_one_current() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "triggers": { "v": "1" } }));
    ws.create_before_destroy(CI, true).up_well().await;
    let before = ws.attribute(CI, "id");
    bed.cloud.set_settling(&[404]);
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    assert!(ws.up().await.told.only(PROOF).error);
    assert_eq!((ws.attribute(CI, "id"), ws.state.deposed(CI)), (before, 0));
    assert!(!ws.state.object(CI).unwrap().tainted);
    assert_eq!(bed.ids().len(), 1);
    bed.cloud.set_settling(&[]);
    assert_eq!(ws.plan().await.action(CI), Action::CreateThenDelete);
    ws.up_well().await;
    assert_eq!(bed.ids().len(), 1);
    ws.plan().await.assert_empty();
}
