//! Everything of a resource but Apply.

use super::*;

async fn plan(
    prior: Option<pb::DynamicValue>,
    config: Option<pb::DynamicValue>,
    proposed: Option<pb::DynamicValue>,
) -> (pb::plan_resource_change::Response, Arc<Seen>) {
    let (server, seen) = server();
    let identity = (prior != null()).then(|| id("id-0")).flatten();
    let request = pb::plan_resource_change::Request {
        type_name: "probe_thing".into(),
        prior_state: prior,
        proposed_new_state: proposed,
        config,
        prior_private: private(4),
        prior_identity: identity,
        ..Default::default()
    };
    let response = server.plan_resource_change(Request::new(request)).await.unwrap().into_inner();
    (response, seen)
}

fn planned(response: &pb::plan_resource_change::Response) -> Value {
    read::<Thing>(response.planned_state.as_ref())
}

#[tokio::test]
async fn a_create_is_planned_with_defaults_and_without_what_is_not_stored() {
    let part = object::<probe::Part>(&[("key_wo", text("server-tests-key"))]);
    let config = thing(&[
        ("name", text("x")),
        ("secret_wo", text("server-tests-wo")),
        ("parts", Value::List(vec![part])),
    ]);
    let (plan, seen) = plan(null(), config.clone(), config).await;
    assert_eq!(words(&plan.diagnostics), Vec::<String>::new());
    let bare = object::<probe::Part>(&[]);
    let wanted = object::<Thing>(&[
        ("name", text("x")),
        ("color", text("blue")),
        ("id", Value::Unknown),
        ("parts", Value::List(vec![bare])),
    ]);
    assert_eq!(planned(&plan), wanted);
    assert_eq!(seen.take(), ["proposed secret true"]);
    // Anything unknown in it breaks Terraform 1.15 and OpenTofu 1.12, so there is none.
    assert_eq!(plan.planned_identity, None);
    assert!(plan.requires_replace.is_empty());
}

#[tokio::test]
async fn an_update_keeps_the_identity_and_remembers_both_private_data() {
    let prior = [("name", text("x")), ("color", text("blue")), ("id", text("id-0"))];
    let config = thing(&[("name", text("y"))]);
    let proposed = [&prior[1..], &[("name", text("y"))]].concat();
    let (plan, _) = plan(thing(&prior), config, thing(&proposed)).await;
    assert_eq!(planned(&plan).get("id"), Some(&text("id-0")));
    assert_eq!(identity_of(plan.planned_identity.as_ref()).get("id"), Some(&text("id-0")));
    let kept = String::from_utf8(plan.planned_private).unwrap();
    assert_eq!(kept, r#"{"v":3,"data":{"round":14},"prior":{"round":4}}"#);
}

#[tokio::test]
async fn a_marked_attribute_asks_for_a_replacement_when_it_changes() {
    let base = [("name", text("x")), ("color", text("blue")), ("id", text("id-0"))];
    let with = |place: &str| thing(&[&base[..], &[("place", text(place))]].concat());
    let (changed, _) = plan(with("a"), with("b"), with("b")).await;
    let paths: Vec<_> = changed.requires_replace.iter().map(|path| &path.steps).collect();
    assert_eq!(paths.len(), 1);
    assert_eq!(
        changed.requires_replace[0],
        crate::tfplugin::server::wire::path(
            &crate::tfplugin::diagnostics::AttributePath::attribute("place")
        )
    );
    let (same, _) = plan(with("a"), with("a"), with("a")).await;
    assert!(same.requires_replace.is_empty());
    // In a create there is nothing to replace.
    let (new, _) = plan(null(), with("b"), with("b")).await;
    assert!(new.requires_replace.is_empty());
}

#[tokio::test]
async fn a_destroy_is_planned_null_with_what_was_there() {
    let prior = thing(&[("name", text("x"))]);
    let (gone, _) = plan(prior, null(), null()).await;
    assert_eq!((planned(&gone), words(&gone.diagnostics)), (Value::Null, vec![]));
    assert_eq!(gone.planned_private, private(4));
    assert_eq!(identity_of(gone.planned_identity.as_ref()).get("id"), Some(&text("id-0")));
    let (blocked, _) = plan(thing(&[("name", text("guarded"))]), null(), null()).await;
    assert_eq!(words(&blocked.diagnostics), ["error: Guarded"]);
}

async fn refresh(
    name: &str,
    private: Vec<u8>,
    identity: Option<pb::ResourceIdentityData>,
) -> pb::read_resource::Response {
    let (server, _) = server();
    let request = pb::read_resource::Request {
        type_name: "probe_thing".into(),
        current_state: thing(&[("name", text(name)), ("id", text("id-0"))]),
        private,
        current_identity: identity,
        ..Default::default()
    };
    server.read_resource(Request::new(request)).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_read_hands_everything_back() {
    let read_back = refresh("x", private(4), id("id-0")).await;
    assert_eq!(read::<Thing>(read_back.new_state.as_ref()).get("id"), Some(&text("id-0")));
    assert_eq!(read_back.private, private(5));
    assert_eq!(identity_of(read_back.new_identity.as_ref()).get("id"), Some(&text("id-0")));
    // A state from before there were identities or private data.
    let bare = refresh("x", Vec::new(), None).await;
    assert_eq!((bare.private, bare.new_identity), (private(1), None));
    let null_identity = wire::<probe::ThingIdentity>(&Value::Null);
    let null_identity = Some(pb::ResourceIdentityData { identity_data: null_identity });
    assert_eq!(refresh("x", Vec::new(), null_identity).await.new_identity, None);
}

#[tokio::test]
async fn what_is_gone_is_null() {
    let gone = refresh("gone", private(4), id("id-0")).await;
    assert_eq!(read::<Thing>(gone.new_state.as_ref()), Value::Null);
    assert_eq!((words(&gone.diagnostics), gone.new_identity), (vec![], None));
}

#[tokio::test]
async fn a_read_leaves_nothing_open_and_leaks_nothing() {
    let open = refresh("open", private(4), None).await;
    assert_eq!(words(&open.diagnostics), ["error: Provider left a value unknown at .id"]);
    assert!(open.new_state.is_none(), "core keeps the old one");
    let leaky = refresh("leaky", private(4), None).await;
    assert_eq!(read::<Thing>(leaky.new_state.as_ref()).get("secret_wo"), Some(&Value::Null));
    let dead = refresh("panic", private(4), None).await;
    assert_eq!(words(&dead.diagnostics), ["error: Provider bug"]);
    assert!(dead.diagnostics[0].detail.starts_with("ReadResource of probe_thing stopped"));
}

#[tokio::test]
async fn private_data_of_a_newer_provider_is_refused() {
    for (bytes, summary) in [
        (&br#"{"v":4,"data":{}}"#[..], "error: State was written by a newer provider"),
        (b"nonsense", "error: Private data cannot be read"),
        (br#"{"v":3}"#, "error: Private data cannot be read"),
        (
            br#"{"v":3,"data":{"round":"server-tests-private"}}"#,
            "error: Private data cannot be read",
        ),
    ] {
        let refused = refresh("x", bytes.to_vec(), None).await;
        assert_eq!(words(&refused.diagnostics), [summary]);
        assert!(!refused.diagnostics[0].detail.contains("server-tests"));
    }
}

async fn upgrade(version: i64, json: &str) -> (pb::upgrade_resource_state::Response, Arc<Seen>) {
    let (server, seen) = server();
    let request = pb::upgrade_resource_state::Request {
        type_name: "probe_thing".into(),
        version,
        raw_state: Some(pb::RawState { json: json.into(), ..Default::default() }),
    };
    let response = server.upgrade_resource_state(Request::new(request)).await.unwrap().into_inner();
    (response, seen)
}

#[tokio::test]
async fn a_state_is_fitted_to_the_schema() {
    let stored = r#"{"name":"x","old":{"a":[1]},"parts":[{"count":9007199254740993,"was":true}],
        "secret_wo":"server-tests-stored"}"#;
    let (fitted, seen) = upgrade(2, stored).await;
    assert_eq!(words(&fitted.diagnostics), Vec::<String>::new());
    let state = read::<Thing>(fitted.upgraded_state.as_ref());
    let part = object::<probe::Part>(&[("count", Value::Number(9_007_199_254_740_993_i64.into()))]);
    let wanted = object::<Thing>(&[("name", text("x")), ("parts", Value::List(vec![part]))]);
    assert_eq!(state, wanted);
    assert!(seen.take().is_empty(), "the same version needs no handler");
}

#[tokio::test]
async fn an_older_state_goes_through_the_resource() {
    // With a number that only its text can say.
    const MANY: &str = "12345678901234567890.123456789";
    let stored = format!(r#"{{"title":"x","parts":[{{"count":{MANY}}}]}}"#);
    let (fitted, seen) = upgrade(1, &stored).await;
    let state = read::<Thing>(fitted.upgraded_state.as_ref());
    let part = object::<probe::Part>(&[("count", Value::Number(MANY.parse().unwrap()))]);
    let wanted = object::<Thing>(&[("name", text("x")), ("parts", Value::List(vec![part]))]);
    assert_eq!(state, wanted);
    assert_eq!(seen.take(), ["upgraded from 1"]);
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_told() {
    for (version, json, summary) in [
        (3, "{}", "error: State was written by a newer provider"),
        (2, "", "error: Stored state cannot be read"),
        (2, "{", "error: Stored state cannot be read"),
        (2, "[]", "error: Stored state cannot be read"),
        (2, r#"{"name":{}}"#, "error: Stored state cannot be read at .name"),
        (1, "{", "error: Stored state cannot be read"),
    ] {
        let (refused, _) = upgrade(version, json).await;
        assert_eq!(words(&refused.diagnostics), [summary], "{json}");
        assert!(refused.upgraded_state.is_none());
    }
}

#[tokio::test]
async fn an_identity_is_fitted_too() {
    let (server, _) = server();
    let request = pb::upgrade_resource_identity::Request {
        type_name: "probe_thing".into(),
        version: 0,
        raw_identity: Some(pb::RawState {
            json: br#"{"id":"id-0","gone":1}"#.to_vec(),
            ..Default::default()
        }),
    };
    let fitted =
        server.upgrade_resource_identity(Request::new(request)).await.unwrap().into_inner();
    let identity = identity_of(fitted.upgraded_identity.as_ref());
    assert_eq!(identity, object::<probe::ThingIdentity>(&[("id", text("id-0"))]));
}

async fn import(
    id: &str,
    identity: Option<pb::ResourceIdentityData>,
) -> pb::import_resource_state::Response {
    let (server, _) = server();
    let request = pb::import_resource_state::Request {
        type_name: "probe_thing".into(),
        id: id.into(),
        identity,
        ..Default::default()
    };
    server.import_resource_state(Request::new(request)).await.unwrap().into_inner()
}

#[tokio::test]
async fn an_import_is_by_id_or_by_identity() {
    let by_id = import("id-5", None).await.imported_resources.remove(0);
    assert_eq!(by_id.type_name, "probe_thing");
    assert_eq!(read::<Thing>(by_id.state.as_ref()).get("id"), Some(&text("id-5")));
    assert_eq!((by_id.private, by_id.identity), (private(7), None));
    let by_identity = import("", id("id-6")).await.imported_resources.remove(0);
    assert_eq!(read::<Thing>(by_identity.state.as_ref()).get("id"), Some(&text("id-6")));
    // Core wants one back.
    assert_eq!(identity_of(by_identity.identity.as_ref()).get("id"), Some(&text("id-6")));
}

async fn take_over(type_name: &str, json: &str) -> pb::move_resource_state::Response {
    let (server, _) = server();
    let request = pb::move_resource_state::Request {
        source_provider_address: "registry.opentofu.org/other/other".into(),
        source_type_name: type_name.into(),
        source_state: Some(pb::RawState { json: json.into(), ..Default::default() }),
        target_type_name: "probe_thing".into(),
        ..Default::default()
    };
    server.move_resource_state(Request::new(request)).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_move_is_taken_over_or_refused_in_words() {
    let moved = take_over("other_thing", r#"{"identifier":"id-8"}"#).await;
    assert_eq!(read::<Thing>(moved.target_state.as_ref()).get("id"), Some(&text("id-8")));
    assert_eq!(moved.target_private, private(9));
    assert_eq!(identity_of(moved.target_identity.as_ref()).get("id"), Some(&text("id-8")));
    let refused = take_over("strange_thing", "{}").await;
    assert_eq!(words(&refused.diagnostics), ["error: Cannot move this resource here"]);
    let detail = &refused.diagnostics[0].detail;
    assert!(detail.contains("strange_thing of registry.opentofu.org/other/other"), "{detail}");
}

async fn validate(
    config: Option<pb::DynamicValue>,
    write_only: bool,
) -> (Vec<String>, Vec<String>) {
    let (server, seen) = server();
    let request = pb::validate_resource_config::Request {
        type_name: "probe_thing".into(),
        config,
        client_capabilities: Some(pb::ClientCapabilities {
            write_only_attributes_allowed: write_only,
            ..Default::default()
        }),
    };
    let response = server.validate_resource_config(Request::new(request)).await.unwrap();
    (words(&response.into_inner().diagnostics), seen.take())
}

#[tokio::test]
async fn the_schemas_rules_come_before_the_resources_own() {
    assert_eq!(
        validate(thing(&[("name", text("x"))]), true).await,
        (vec![], vec!["validated".into()])
    );
    let (told, seen) = validate(thing(&[("name", text(""))]), true).await;
    assert_eq!((told.len(), seen.len()), (1, 0), "{told:?}");
    assert!(told[0].ends_with(" at .name"), "{told:?}");
    let (told, _) = validate(thing(&[("name", text("invalid"))]), true).await;
    assert_eq!(told, ["error: Invalid at .name"]);
    // Without an error the host would go on.
    let (told, _) = validate(thing(&[("name", text("only-warned"))]), true).await;
    assert_eq!(told, ["warning: Careful", "error: Provider bug"]);
    let unknown = thing(&[("name", Value::Unknown), ("parts", Value::Unknown)]);
    assert_eq!(validate(unknown, true).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn a_host_that_would_store_write_only_values_is_refused() {
    let part = object::<probe::Part>(&[("key_wo", Value::Unknown)]);
    let config = thing(&[
        ("name", text("x")),
        ("secret_wo", text("server-tests-wo")),
        ("parts", Value::List(vec![object::<probe::Part>(&[]), part])),
    ]);
    let (told, seen) = validate(config.clone(), false).await;
    assert_eq!(
        told,
        [
            "error: Write-only attributes need a newer Terraform at .secret_wo",
            "error: Write-only attributes need a newer Terraform at .parts[1].key_wo",
        ]
    );
    assert!(seen.is_empty());
    assert_eq!(validate(config, true).await.0, Vec::<String>::new());
    assert_eq!(validate(thing(&[("name", text("x"))]), false).await.0, Vec::<String>::new());
}
