//! What stands between core and a resource, on its good days: every kind of value, every kind of
//! plan, on every CLI.

use serde_json::{Value as Json, json};

use crate::host::{Action, Cli, Foreign, ImportTarget, PlanOptions, reference, unknown};
use crate::probe;

const A: &str = "probe_thing.a";
const B: &str = "probe_thing.b";

/// Every argument that a thing has, each with a value that a codec could spoil.
fn everything() -> Json {
    json!({
        "name": "a",
        "label": "Grüße, 世界 \u{1F511}",
        "amount": "0.1000000000000000000000000001",
        "ratio": 0.1,
        "enabled": false,
        "anything": { "list": [1, "two", null, { "deep": [] }], "none": null },
        "words": ["b", "a", "", "b"],
        "marks": ["b", "a"],
        "tags": { "k": "v", "empty": "", "null": null },
        "part": { "title": "one" },
        "parts": [{ "title": "first", "weight": 9 }, { "title": "second" }],
        "part_set": [{ "title": "x", "weight": 1 }, { "title": "y", "weight": 2 }],
        "part_map": { "left": { "title": "l" } },
        "secret_wo": "my own secret",
        "secret_wo_version": 1,
        "rule": [{ "path": "/" }, { "path": "/x" }],
    })
}

#[tokio::test]
async fn a_life_of_every_kind_of_value_on_every_cli() {
    for cli in Cli::ALL {
        let (host, cloud) = probe::host();
        let mut ws = host.cli(cli).workspace();
        let mut config = everything();
        if cli == Cli::Terraform8 {
            config.as_object_mut().unwrap().remove("secret_wo");
        }
        ws.provider(json!({ "login": "alice" })).resource(A, config);
        let plan = ws.plan().await;
        assert_eq!(plan.action(A), Action::Create, "{cli:?}");
        let after = plan.change(A).after();
        assert_eq!(after["id"], unknown());
        assert_eq!(after["note"], json!("none"));
        assert_eq!(after["secret_wo"], Json::Null);
        assert_eq!(after["part"], json!({ "title": "one", "weight": 1, "key": unknown() }));
        assert_eq!(after["parts"][1], json!({ "title": "second", "weight": 1, "key": unknown() }));
        assert_eq!(after["earlier"], json!({}));
        ws.apply(&plan).await.told.assert_silent();
        assert!(ws.state.text().contains("\"amount\":0.1000000000000000000000000001,"));
        assert_eq!(ws.attribute(A, "made_by"), json!("alice"));
        assert_eq!(ws.attribute(A, "part_map")["left"]["key"], json!("l-key"));
        assert!(!ws.state.text().contains("my own secret"));
        ws.plan().await.assert_empty();

        ws.change(A, json!({ "label": "new", "secret_wo_version": 2 }));
        let plan = ws.plan().await;
        assert_eq!(plan.action(A), Action::Update, "{cli:?}");
        let (before, after) = plan.change(A).attribute("earlier");
        assert_eq!(before, json!({}));
        assert_eq!(after["1"]["until"], unknown());
        assert_ne!(after["1"]["label"], unknown());
        ws.apply(&plan).await.told.assert_silent();
        assert_eq!(ws.attribute(A, "earlier")["1"]["until"], json!("later"));
        assert_eq!(ws.attribute(A, "revision"), json!(2));
        ws.plan().await.assert_empty();

        ws.destroy().await.told.assert_silent();
        assert_eq!(cloud.count(), 0);
        assert!(ws.state.instances.is_empty());
    }
}

#[tokio::test]
async fn identity_is_kept_where_the_cli_knows_it() {
    for cli in Cli::ALL {
        let (host, _cloud) = probe::host();
        let mut ws = host.cli(cli).workspace();
        ws.resource(A, json!({ "name": "a" })).up_well().await;
        let identity = ws.state.object(A).unwrap().identity();
        let known = matches!(cli, Cli::OpenTofu | Cli::Terraform15 | Cli::Terraform16);
        let expected = if known { json!({ "id": "thing-1", "zone": "here" }) } else { Json::Null };
        assert_eq!(identity, expected, "{cli:?}");
        ws.change(A, json!({ "label": "x" })).up_well().await;
        assert_eq!(ws.state.object(A).unwrap().identity(), expected, "{cli:?}");
    }
}

#[tokio::test]
async fn private_data_goes_from_call_to_call() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" })).up_well().await;
    ws.change(A, json!({ "label": "x" })).up_well().await;
    ws.refresh().await;
    let trail = &ws.state.object(A).unwrap().private()["data"]["trail"];
    // Core plans twice, each time from the stored private data.
    assert_eq!(*trail, json!(["plan create", "apply", "plan update", "apply"]));
}

#[tokio::test]
async fn unknown_arguments_stay_unknown_until_apply() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(
        A,
        json!({ "name": unknown(), "words": ["a", unknown()], "part": unknown(),
        "parts": [unknown()], "anything": unknown(), "marks": ["b", unknown()] }),
    );
    let plan = ws.plan().await;
    let after = plan.change(A).after();
    for (name, expected) in [
        ("name", unknown()),
        ("words", json!(["a", unknown()])),
        ("part", unknown()),
        ("parts", json!([unknown()])),
        ("anything", unknown()),
    ] {
        assert_eq!(after[name], expected, "{name}");
    }
    ws.becomes(
        A,
        json!({ "name": "a", "words": ["a", "b"], "part": { "title": "p" },
        "parts": [{ "title": "q" }], "anything": true, "marks": ["b", "c"] }),
    );
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!(ws.attribute(A, "part"), json!({ "title": "p", "weight": 1, "key": "p-key" }));
    // The state keeps the type of what may be anything.
    assert_eq!(ws.attribute(A, "anything"), json!({ "value": true, "type": "bool" }));
}

#[tokio::test]
async fn dependents_get_new_values_in_the_same_apply() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" }));
    ws.resource(B, json!({ "name": "b", "label": reference(A, "secret") }));
    let plan = ws.plan().await;
    assert_eq!(plan.change(B).after()["label"], unknown());
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!(ws.attribute(B, "label"), ws.attribute(A, "secret"));
    ws.plan().await.assert_empty();
    ws.change(A, json!({ "label": "x" })).up_well().await;
    assert_eq!(ws.attribute(B, "label"), ws.attribute(A, "secret"));
}

#[tokio::test]
async fn a_replacement_destroys_first_or_last() {
    for create_before_destroy in [false, true] {
        let (host, cloud) = probe::host();
        let mut ws = host.workspace();
        ws.resource(A, json!({ "name": "a" }));
        ws.create_before_destroy(A, create_before_destroy).up_well().await;
        cloud.take_calls();
        ws.change(A, json!({ "name": "b" }));
        let plan = ws.plan().await;
        let change = plan.change(A);
        assert_eq!(change.forced_by, ["name"]);
        assert_eq!(change.after()["revision"], json!(1));
        assert_eq!(change.after()["id"], unknown());
        let (action, order) = if create_before_destroy {
            (Action::CreateThenDelete, ["create", "delete"])
        } else {
            (Action::DeleteThenCreate, ["delete", "create"])
        };
        assert_eq!(change.action, action);
        ws.apply(&plan).await.told.assert_silent();
        let effects: Vec<_> =
            cloud.take_calls().into_iter().filter(|call| order.contains(&call.as_str())).collect();
        assert_eq!(effects, order);
        assert_eq!((cloud.count(), ws.state.deposed(A)), (1, 0));
        ws.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn taint_and_replace_make_a_replacement() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" })).up_well().await;
    let replace = PlanOptions { replace: vec![A.to_owned()], ..PlanOptions::default() };
    let plan = ws.plan_with(replace).await;
    assert_eq!(plan.action(A), Action::DeleteThenCreate);
    assert!(plan.change(A).forced_by.is_empty());
    ws.apply(&plan).await.told.assert_silent();
    assert_eq!(ws.attribute(A, "revision"), json!(1));
    let first = ws.attribute(A, "id");
    ws.taint(A);
    assert_eq!(ws.plan().await.action(A), Action::DeleteThenCreate);
    ws.up_well().await;
    assert_ne!(ws.attribute(A, "id"), first);
    assert_eq!(cloud.count(), 1);
}

#[tokio::test]
async fn drift_is_seen_by_a_refresh_only() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a", "label": "mine" })).up_well().await;
    let id = ws.attribute(A, "id");
    cloud.relabel(id.as_str().unwrap(), "theirs");
    let blind = PlanOptions { refresh: false, ..PlanOptions::default() };
    ws.plan_with(blind).await.assert_empty();
    let plan = ws.plan().await;
    assert_eq!(plan.change(A).attribute("label"), (json!("theirs"), json!("mine")));
    assert!(plan.drift.contains_key(A));
    let only = PlanOptions { refresh_only: true, ..PlanOptions::default() };
    let seen = ws.plan_with(only.clone()).await;
    assert!(!seen.is_empty() && seen.changes.is_empty());
    ws.refresh().await;
    assert_eq!(ws.attribute(A, "label"), json!("theirs"));
    assert!(ws.plan_with(only).await.is_empty());
    cloud.remove(id.as_str().unwrap());
    assert_eq!(ws.plan().await.action(A), Action::Create);
}

#[tokio::test]
async fn a_plan_of_an_older_state_is_stale() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" }));
    let plan = ws.plan().await;
    let mut other = ws.clone();
    other.apply(&plan).await.told.assert_silent();
    let stale = tokio::spawn(async move { other.apply(&plan).await }).await;
    let panic = stale.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("Saved plan is stale"), "{message}");
}

#[tokio::test]
async fn imports_by_id_by_block_and_by_identity() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a", "label": "x" })).up_well().await;
    let id = ws.attribute(A, "id").as_str().unwrap().to_owned();
    let by_identity = ImportTarget::Identity(json!({ "id": id }));
    for target in [None, Some(ImportTarget::Id(id.clone())), Some(by_identity)] {
        let mut other = host.workspace();
        other.resource(B, json!({ "name": "a", "label": "x" }));
        match target {
            None => other.import(B, &id).await.assert_silent(),
            Some(target) => {
                other.import_block(B, target);
                let plan = other.plan().await;
                assert!(plan.change(B).imported && !plan.is_empty());
                assert_eq!(plan.action(B), Action::NoOp);
                other.apply(&plan).await.told.assert_silent();
            }
        }
        assert_eq!(other.attribute(B, "id"), json!(id));
        assert_eq!(other.state.object(B).unwrap().private()["data"]["imported"], json!(true));
        assert_eq!(other.state.object(B).unwrap().identity()["zone"], json!("here"));
        other.plan().await.assert_empty();
    }
}

#[tokio::test]
async fn an_import_of_nothing_is_an_error() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a" }));
    assert!(ws.import(A, "thing-9").await.has("Cannot import non-existent remote object"));
    assert!(ws.state.instances.is_empty());
}

#[tokio::test]
async fn a_resource_of_another_type_moves_in_on_every_cli() {
    for cli in Cli::ALL {
        let (host, cloud) = probe::host();
        let host = host.cli(cli);
        let mut ws = host.workspace();
        ws.resource(A, json!({ "name": "a" })).up_well().await;
        let foreign = |type_name: &str| Foreign {
            provider: "other/other".to_owned(),
            type_name: type_name.to_owned(),
            schema_version: 3,
            attributes: json!({ "uuid": "thing-1", "whatever": [1] }),
            private: b"theirs".to_vec(),
        };
        let mut other = host.workspace();
        other.resource(B, json!({ "name": "a" })).moved(B, foreign("other_thing"));
        cloud.take_calls();
        let plan = other.plan().await;
        plan.assert_empty();
        assert_eq!(cloud.take_calls().iter().filter(|call| *call == "move").count(), 1, "{cli:?}");
        other.apply(&plan).await.told.assert_silent();
        assert_eq!(other.attribute(B, "id"), json!("thing-1"));
        let mut wrong = host.workspace();
        wrong.resource(B, json!({ "name": "a" })).moved(B, foreign("other_stranger"));
        let told = wrong.plan().await.told;
        let detail = &told.only("Cannot move this resource here").detail;
        assert!(detail.contains("other_stranger"), "{detail}");
    }
}

#[tokio::test]
async fn states_of_older_versions_are_read() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource(A, json!({ "name": "a", "amount": "1180591620717411303424" })).up_well().await;
    let object = ws.state.instances.get_mut(A).unwrap().current.as_mut().unwrap();
    // The name was called title then, and some attributes are gone or did not exist.
    object.attributes = object
        .attributes
        .replace("\"name\":", "\"title\":")
        .replacen('{', "{\"obsolete\":{\"x\":1},", 1)
        .replace(",\"ratio\":null", "");
    object.schema_version = 1;
    ws.plan().await.assert_empty();
    ws.refresh().await;
    assert_eq!(ws.state.object(A).unwrap().schema_version, 2);
    assert_eq!(ws.attribute(A, "name"), json!("a"));
    assert!(ws.state.text().contains("1180591620717411303424"));
    // At the present version, core takes out what the schema no longer has.
    let object = ws.state.instances.get_mut(A).unwrap().current.as_mut().unwrap();
    object.attributes = object.attributes.replacen('{', "{\"obsolete\":1,", 1);
    ws.plan().await.assert_empty();
}

#[tokio::test]
async fn ten_objects_at_a_time_and_none_mixed_up() {
    let (host, cloud) = probe::host();
    let mut ws = host.workspace();
    for number in 0..50 {
        ws.resource(&format!("probe_thing.n{number}"), json!({ "name": format!("n{number}") }));
    }
    ws.up_well().await;
    assert_eq!(cloud.count(), 50);
    ws.plan().await.assert_empty();
    for number in 0..50 {
        let address = format!("probe_thing.n{number}");
        assert_eq!(ws.attribute(&address, "name"), json!(format!("n{number}")));
    }
    ws.destroy().await.told.assert_silent();
    assert_eq!(cloud.count(), 0);
}
