//! Credentials that were not made here: imported, or moved from another provider.

use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Action, Cli, Foreign, ImportTarget, Workspace};

const LEGACY: &str = "rekey_application_credential.legacy";

/// A credential of alice's, made by somebody else, and an empty directory that imports it.
async fn legacy(bed: &Bed, config: Json) -> (Workspace, String, String) {
    let mut other = bed.host.workspace();
    other.provider(bed.login("alice"));
    other.resource(LEGACY, json!({ "name": "legacy", "roles": ["member"] })).up_well().await;
    let id = other.attribute(LEGACY, "id").as_str().unwrap().to_owned();
    let secret = other.attribute(LEGACY, "secret").as_str().unwrap().to_owned();
    (bed.workspace(config), id, secret)
}

#[tokio::test]
async fn an_import_by_any_name_keeps_the_credential() {
    let bed = Bed::start().await;
    let config = json!({ "name": "legacy", "roles": ["member", "reader"] });
    let (ws, id, secret) = legacy(&bed, config).await;
    let alice = bed.cloud.user("alice").id;
    for target in [
        ImportTarget::Id(id.clone()),
        ImportTarget::Id(format!("{alice}/{id}")),
        ImportTarget::Identity(json!({ "id": id })),
        ImportTarget::Identity(json!({ "id": id, "user_id": alice })),
    ] {
        let mut ws = ws.clone();
        ws.import_block(CI, target.clone());
        let plan = ws.plan().await;
        assert_eq!(plan.action(CI), Action::NoOp, "{target:?}: {:?}", plan.change(CI).shown());
        assert!(plan.change(CI).imported);
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(ws.attribute(CI, "secret"), Json::Null);
        assert_eq!(ws.state.object(CI).unwrap().identity(), json!({ "id": id, "user_id": alice }));
        ws.plan().await.assert_empty();
    }
    let mut ws = ws;
    ws.import(CI, &id).await.assert_success();
    ws.plan().await.assert_empty();
    assert!(bed.opens(&json!(id), &json!(secret)).await);
}

#[tokio::test]
async fn an_import_of_what_is_not_there_or_not_ones_own_is_an_error() {
    let bed = Bed::start().await;
    let (mut ws, id, _) = legacy(&bed, json!({ "name": "legacy" })).await;
    const CANNOT: &str = "Cannot import an application credential";
    let told = ws.import(CI, "0123456789abcdef0123456789abcdef").await;
    assert!(told.only(CANNOT).error);
    let told = ws.import(CI, "a name").await;
    assert!(told.only("That is not the id of an application credential").error);
    let bob = bed.cloud.user("bob").id;
    assert!(ws.import(CI, &format!("{bob}/{id}")).await.failed());
    ws.provider(bed.login("bob"));
    assert!(ws.import(CI, &id).await.failed());
    assert!(ws.state.instances.is_empty());
    // An administrator may, by the owner's id.
    let alice = bed.cloud.user("alice").id;
    ws.provider(bed.login_on("admin", "admin"));
    ws.import(CI, &format!("{alice}/{id}")).await.assert_success();
    assert_eq!(ws.attribute(CI, "user_id"), json!(alice));
}

#[tokio::test]
async fn what_keystone_cannot_tell_is_recorded_and_acts_from_then_on() {
    for cli in Cli::ALL {
        let bed = Bed::start().await;
        let config = json!({ "name_prefix": "ci-", "roles": ["member"], "expires_in": "P90D",
            "overlap": "P7D", "rotation_period": "P30D", "triggers": { "v": "1" } });
        let (mut ws, id, secret) = legacy(&bed, config).await;
        ws.on(&bed.host.clone().cli(cli));
        ws.import(CI, &id).await.assert_success();
        ws.refresh().await;
        let plan = ws.plan().await;
        assert_eq!(plan.action(CI), Action::Update, "{cli:?}");
        bed.cloud.reset_calls();
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(bed.effects(), Vec::<String>::new(), "nothing is issued");
        assert_eq!(ws.attribute(CI, "name"), json!("legacy"));
        assert_eq!(ws.attribute(CI, "triggers"), json!({ "v": "1" }));
        ws.plan().await.assert_empty();
        // From now on a change is a change, and the next generation has a name of its own.
        ws.change(CI, json!({ "triggers": { "v": "2" } }));
        let plan = ws.plan().await;
        assert_eq!(plan.change(CI).attribute("generation"), (json!(1), json!(2)));
        ws.apply(&plan).await.told.assert_success();
        assert!(ws.attribute(CI, "name").as_str().unwrap().starts_with("ci-2-"));
        assert_eq!(ws.attribute(CI, "previous_generations")["1"]["name"], json!("legacy"));
        assert!(bed.opens(&json!(id), &json!(secret)).await);
    }
}

#[tokio::test]
async fn a_mark_that_was_not_used_up_stays() {
    let bed = Bed::start().await;
    let config = json!({ "name": "legacy", "roles": ["member", "reader"] });
    let (mut ws, id, _) = legacy(&bed, config).await;
    ws.import(CI, &id).await.assert_success();
    let plan = ws.plan().await;
    plan.assert_empty();
    ws.apply(&plan).await.told.assert_success();
    bed.pass_days(90);
    ws.refresh().await;
    ws.change(CI, json!({ "triggers": { "v": "1" } }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(CI).changed(), ["triggers"]);
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.ids().len(), 1);
}

#[tokio::test]
async fn what_contradicts_keystone_is_an_ordinary_change() {
    let bed = Bed::start().await;
    let (mut ws, id, _) = legacy(&bed, json!({ "name": "another" })).await;
    ws.import(CI, &id).await.assert_success();
    let plan = ws.plan().await;
    assert_eq!(plan.action(CI), Action::DeleteThenCreate);
    assert_eq!(plan.change(CI).forced_by, ["name"]);
    ws.resource(CI, json!({ "name": "legacy", "roles": ["project_admin"] }));
    assert_eq!(ws.plan().await.change(CI).forced_by, ["roles"]);
    // Roles that amount to the same are written down, however they are written.
    let member = bed.cloud.role("member").id;
    for roles in [json!(["member"]), json!([member])] {
        ws.resource(CI, json!({ "name": "legacy", "roles": roles }));
        assert_eq!(ws.plan().await.change(CI).changed(), ["roles"], "{roles}");
    }
    ws.resource(CI, json!({ "name": "legacy", "roles": ["reader", "member"] }));
    ws.plan().await.assert_empty();
    // Left out, they are recorded as left out: nothing is issued, and the plan shows it.
    ws.resource(CI, json!({ "name": "legacy" }));
    assert_eq!(ws.plan().await.change(CI).changed(), ["roles"]);
}

#[tokio::test]
async fn a_schedule_begins_with_the_import() {
    let bed = Bed::start().await;
    let (mut ws, id, _) =
        legacy(&bed, json!({ "name_prefix": "ci-", "overlap": "P7D", "rotation_period": "P30D" }))
            .await;
    bed.pass_days(400);
    ws.import(CI, &id).await.assert_success();
    let plan = ws.plan().await;
    assert_eq!(plan.action(CI), Action::Update);
    bed.cloud.reset_calls();
    ws.apply(&plan).await.told.assert_success();
    assert_eq!(bed.effects(), Vec::<String>::new());
    ws.plan().await.assert_empty();
    bed.pass_days(31);
    assert_eq!(
        ws.plan().await.change(CI).attribute("generation"),
        (json!(1), json!(2)),
        "it is as old as the import at least"
    );
}

#[tokio::test]
async fn a_recorded_secret_is_proved_in_that_apply() {
    let bed = Bed::start().await;
    for right in [false, true] {
        let (ws, id, secret) = {
            let bed = &bed;
            let mut other = bed.host.workspace();
            let name = format!("legacy-{right}");
            other.provider(bed.login("alice"));
            other.resource(LEGACY, json!({ "name": name, "roles": ["member"] })).up_well().await;
            let id = other.attribute(LEGACY, "id").as_str().unwrap().to_owned();
            let secret = other.attribute(LEGACY, "secret").as_str().unwrap().to_owned();
            (
                bed.workspace(
                    json!({ "name": name, "roles": ["member", "reader"], "secret_wo_version": 1,
                "secret_wo": if right { secret.clone() } else { "not its secret!!".to_owned() } }),
                ),
                id,
                secret,
            )
        };
        let mut ws = ws;
        ws.import(CI, &id).await.assert_success();
        let plan = ws.plan().await;
        assert_eq!(plan.change(CI).changed(), ["secret_wo_version"]);
        let told = ws.apply(&plan).await.told;
        const WRONG: &str = "secret_wo is not the secret of the imported credential";
        assert_eq!(told.has(WRONG), !right, "{told:?}");
        assert!(bed.opens(&json!(id), &json!(secret)).await);
        if right {
            ws.plan().await.assert_empty();
        }
    }
}

#[tokio::test]
async fn a_credential_moves_in_from_the_openstack_provider() {
    for cli in Cli::ALL {
        let bed = Bed::start().await;
        let config = json!({ "name_prefix": "ci-", "overlap": "P7D", "triggers": { "v": "1" } });
        let (mut ws, id, secret) = legacy(&bed, config).await;
        ws.on(&bed.host.clone().cli(cli));
        ws.moved(
            CI,
            Foreign {
                provider: "terraform-provider-openstack/openstack".to_owned(),
                type_name: "openstack_identity_application_credential_v3".to_owned(),
                schema_version: 0,
                attributes: json!({
                    "id": id, "name": "legacy", "secret": secret, "roles": ["member", "reader"],
                    "access_rules": [], "description": "", "expires_at": "", "unrestricted": false,
                    "project_id": bed.cloud.project("demo").id, "region": "RegionOne",
                }),
                private: Vec::new(),
            },
        );
        let plan = ws.plan().await;
        assert_eq!(plan.action(CI), Action::Update, "{cli:?}");
        bed.cloud.reset_calls();
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(bed.effects(), Vec::<String>::new());
        assert!(bed.current_opens(&ws).await, "its secret came along");
        ws.plan().await.assert_empty();
        ws.change(CI, json!({ "triggers": { "v": "2" } })).up_well().await;
        assert_eq!(ws.attribute(CI, "previous_generations")["1"]["name"], json!("legacy"));
        bed.pass_days(8);
        ws.up_well().await;
        assert_eq!(bed.ids().len(), 1);
    }
}
