//! Rights that do not widen unseen: what is imported, what is left out, what is written twice.

use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Foreign, PlanOptions, Workspace};

const LEGACY: &str = "rekey_application_credential.legacy";
const MORE: &str = "The next generation may do more than this one";

fn rule(path: &str) -> Json {
    json!({ "service": "compute", "method": "GET", "path": path })
}

/// A credential of alice's with few rights, made by somebody else; its id.
async fn limited(bed: &Bed) -> String {
    let mut other = bed.host.workspace();
    other.provider(bed.login("alice"));
    let config = json!({ "name": "legacy", "roles": ["reader"], "access_rules": [rule("/a")] });
    other.resource(LEGACY, config).up_well().await;
    other.attribute(LEGACY, "id").as_str().unwrap().to_owned()
}

/// A `moved` block's source.
fn foreign(bed: &Bed, id: &str) -> Foreign {
    Foreign {
        provider: "terraform-provider-openstack/openstack".to_owned(),
        type_name: "openstack_identity_application_credential_v3".to_owned(),
        schema_version: 0,
        attributes: json!({ "id": id, "name": "legacy", "roles": ["reader"], "access_rules": [rule("/a")],
            "unrestricted": false, "project_id": bed.cloud.project("demo").id, "region": "RegionOne" }),
        private: Vec::new(),
    }
}

/// Written as `-generate-config-out` writes what is in the state.
fn generated(ws: &Workspace) -> Json {
    let state = ws.attributes(CI);
    let given = ["access_rules", "description", "expires_at", "name", "roles", "unrestricted"];
    let given = given.into_iter().filter(|name| !state[name].is_null());
    given
        .map(|name| (name.to_owned(), state[name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test]
async fn what_is_taken_over_keeps_its_rights_in_a_configuration_made_from_it() {
    for moved in [false, true] {
        let bed = Bed::start().await;
        let id = limited(&bed).await;
        let mut ws = bed.workspace(
            json!({ "name": "legacy", "roles": ["reader"], "access_rules": [rule("/a")] }),
        );
        if moved {
            ws.moved(CI, foreign(&bed, &id)).up_well().await;
        } else {
            ws.import(CI, &id).await.assert_success();
        }
        assert_eq!(ws.attribute(CI, "roles"), json!(["reader"]));
        assert_eq!(ws.attribute(CI, "access_rules"), json!([rule("/a")]));
        let config = generated(&ws);
        ws.resource(CI, config);
        ws.plan().await.assert_empty();
        ws.change(CI, json!({ "name": null, "name_prefix": "ci-", "overlap": "7d" }))
            .up_well()
            .await;
        ws.change(CI, json!({ "triggers": { "v": "1" } })).up_well().await;
        ws.change(CI, json!({ "triggers": { "v": "2" } }));
        let plan = ws.plan().await;
        plan.told.assert_silent();
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(ws.attribute(CI, "effective_roles"), json!(["reader"]));
        assert_eq!(ws.attribute(CI, "access_rules"), json!([rule("/a")]));
    }
}

fn few() -> Json {
    json!({ "name_prefix": "ci-", "roles": ["reader"], "access_rules": [rule("/a")], "overlap": "7d" })
}

#[tokio::test]
async fn a_generation_that_gains_rights_says_which_and_says_it_once() {
    for (change, gained) in [
        (json!({ "roles": ["member"] }), vec!["the role member (until now: reader)"]),
        (json!({ "roles": null }), vec!["member", "project_admin"]),
        (json!({ "access_rules": null }), vec!["every request"]),
        (json!({ "unrestricted": true }), vec!["`unrestricted`"]),
    ] {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(few());
        ws.up_well().await;
        ws.change(CI, change.clone());
        let plan = ws.plan().await;
        let told = plan.told.only(MORE);
        for part in gained {
            assert!(told.detail.contains(part), "{change}: {told:?}");
        }
        assert_eq!(plan.told.warnings().len(), 1, "{:?}", plan.told);
        ws.apply(&plan).await.told.assert_silent();
    }
    // The same without an overlap, where the next generation is a replacement.
    let bed = Bed::start().await;
    let mut ws = bed.workspace(few());
    ws.up_well().await;
    ws.change(CI, json!({ "roles": ["member"], "overlap": null }));
    let plan = ws.plan().await;
    assert!(plan.action(CI).is_replace());
    plan.told.only(MORE);
}

#[tokio::test]
async fn all_roles_of_a_login_that_has_got_more_are_a_gain() {
    let bed = Bed::start().await;
    let mut ws =
        bed.workspace(json!({ "name_prefix": "ci-", "overlap": "7d", "triggers": { "v": "1" } }));
    ws.up_well().await;
    ws.change(CI, json!({ "triggers": { "v": "2" } }));
    ws.plan().await.told.assert_silent();
    bed.cloud.grant_role("alice", "demo", "unheld_role");
    assert!(ws.plan().await.told.only(MORE).detail.contains("the role unheld_role"));
}

#[tokio::test]
async fn one_role_by_name_and_by_id_is_one() {
    let bed = Bed::start().await;
    let member = bed.cloud.role("member").id;
    let mut ws = bed
        .workspace(json!({ "name_prefix": "ci-", "overlap": "7d", "roles": ["member", member] }));
    ws.up_well().await;
    ws.plan().await.assert_empty();
    ws.change(CI, json!({ "roles": ["member"] }));
    assert_eq!(ws.plan().await.change(CI).changed(), ["roles"]);
}

#[tokio::test]
async fn an_empty_restriction_is_refused_before_anything_is_asked() {
    for (name, more) in
        [("roles", json!({ "roles": [] })), ("access_rules", json!({ "access_rules": [] }))]
    {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(json!({ "name": "ci" }));
        ws.change(CI, more);
        let told = ws.plan().await.told;
        let error = told.only("An empty restriction restricts nothing");
        assert_eq!((error.path.as_str(), error.call), (name, "ValidateResourceConfig"));
        assert_eq!(bed.cloud.calls().len(), 0);
    }
}

#[tokio::test]
async fn what_moves_in_and_is_somebody_elses_is_kept() {
    let bed = Bed::start().await;
    let id = limited(&bed).await;
    let mut ws = bed
        .workspace(json!({ "name": "legacy", "roles": ["reader"], "access_rules": [rule("/a")] }));
    ws.provider(bed.login("bob")).moved(CI, foreign(&bed, &id));
    let plan = ws.plan().await;
    assert!(!plan.told.has("Application credential is gone"), "{:?}", plan.told);
    plan.told.only("Application credential of another user");
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(ws.attribute(CI, "id"), json!(id));
    assert_eq!(bed.ids(), [id]);
}

#[tokio::test]
async fn digits_that_keystone_does_not_keep_are_no_change() {
    for moment in
        ["2099-01-01T00:00:00.1234567Z", "2099-01-01T00:00:00.5Z", "2099-01-01T00:00:00+00:00"]
    {
        let bed = Bed::start().await;
        let mut ws =
            bed.workspace(json!({ "name": "ci", "roles": ["member"], "expires_at": moment }));
        ws.up_well().await;
        ws.plan().await.assert_empty();
        let refreshed =
            ws.plan_with(PlanOptions { refresh_only: true, ..PlanOptions::default() }).await;
        assert!(refreshed.is_empty(), "{:?}", refreshed.drift);
    }
}
