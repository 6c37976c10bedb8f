//! The rules themselves, each with an answer that keeps it and one that breaks it.

use rekey::tfplugin::proto::tfplugin6::{Diagnostic, diagnostic::Severity, schema};
use serde_json::{Value as Json, json};

use super::super::json::{config, plain, unknown, unknown_with_prefix, view};
use super::super::schema::{Attribute, Block, Kind, NestedBlock, Nesting, Schemas};
use super::super::value::{Num, Ty, Val};
use super::super::wire;
use super::*;

fn attribute(flags: &str, kind: Kind) -> Attribute {
    Attribute {
        kind,
        required: flags.contains("required"),
        optional: flags.contains("optional"),
        computed: flags.contains("computed"),
        sensitive: flags.contains("sensitive"),
        write_only: flags.contains("write_only"),
    }
}

fn string(flags: &str) -> Attribute {
    attribute(flags, Kind::Plain(Ty::String))
}

fn nested(flags: &str, nesting: Nesting, inner: &[(&str, Attribute)]) -> Attribute {
    let inner = inner.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
    attribute(flags, Kind::Nested(nesting, inner))
}

fn block(attributes: &[(&str, Attribute)]) -> Block {
    let attributes = attributes.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
    Block { attributes, ..Block::default() }
}

/// A value of the block's type, in which also computed attributes may be set.
fn value(block: &Block, json: &Json) -> Val {
    fn opened(attribute: &Attribute) -> Attribute {
        let kind = match &attribute.kind {
            Kind::Plain(ty) => Kind::Plain(ty.clone()),
            Kind::Nested(nesting, inner) => Kind::Nested(
                *nesting,
                inner.iter().map(|(name, it)| (name.clone(), opened(it))).collect(),
            ),
        };
        Attribute { kind, optional: true, required: false, ..attribute.clone() }
    }
    let attributes = block.attributes.iter().map(|(name, it)| (name.clone(), opened(it))).collect();
    let open = Block { attributes, blocks: block.blocks.clone() };
    if json.is_null() { Val::Null } else { config(json, &open) }
}

fn things() -> Block {
    block(&[
        ("name", string("required")),
        ("size", string("optional")),
        ("id", string("computed")),
        ("region", string("optional computed")),
        ("token", string("optional write_only")),
        (
            "rules",
            nested(
                "optional",
                Nesting::List,
                &[("path", string("required")), ("id", string("computed"))],
            ),
        ),
        (
            "members",
            nested(
                "optional",
                Nesting::Set,
                &[("who", string("required")), ("id", string("computed"))],
            ),
        ),
        (
            "tags",
            nested(
                "optional",
                Nesting::Map,
                &[("text", string("optional")), ("id", string("computed"))],
            ),
        ),
        (
            "limits",
            nested(
                "optional computed",
                Nesting::Single,
                &[("most", string("optional")), ("used", string("computed"))],
            ),
        ),
    ])
}

#[track_caller]
fn proposes(prior: Json, configured: Json, expected: Json) {
    let block = things();
    let proposed = proposed_new(&block, &value(&block, &prior), &value(&block, &configured));
    assert_eq!(view(&proposed), view(&value(&block, &expected)));
}

#[test]
fn a_create_proposes_the_configuration() {
    let configured = json!({ "name": "a", "token": "t", "rules": [{ "path": "/" }] });
    proposes(Json::Null, configured.clone(), configured);
}

#[test]
fn computed_values_stay_where_the_configuration_is_silent() {
    proposes(
        json!({ "name": "a", "size": "1", "id": "7", "region": "r" }),
        json!({ "name": "b" }),
        json!({ "name": "b", "id": "7", "region": "r" }),
    );
}

#[test]
fn nested_lists_are_matched_by_index() {
    proposes(
        json!({ "name": "a", "rules": [{ "path": "/", "id": "1" }, { "path": "/x", "id": "2" }] }),
        json!({ "name": "a", "rules": [{ "path": "/new" }] }),
        json!({ "name": "a", "rules": [{ "path": "/new", "id": "1" }] }),
    );
}

#[test]
fn nested_sets_are_matched_by_what_is_configured() {
    proposes(
        json!({ "name": "a", "members": [{ "who": "x", "id": "1" }, { "who": "y", "id": "2" }] }),
        json!({ "name": "a", "members": [{ "who": "y" }, { "who": "z" }] }),
        json!({ "name": "a", "members": [{ "who": "y", "id": "2" }, { "who": "z" }] }),
    );
}

#[test]
fn nested_maps_are_matched_by_key() {
    proposes(
        json!({ "name": "a", "tags": { "k": { "text": "1", "id": "1" } } }),
        json!({ "name": "a", "tags": { "k": { "text": "2" }, "l": {} } }),
        json!({ "name": "a", "tags": { "k": { "text": "2", "id": "1" }, "l": {} } }),
    );
}

#[test]
fn a_computed_object_stays_unless_a_configuration_made_it() {
    let all_computed = json!({ "name": "a", "limits": { "used": "3" } });
    proposes(all_computed.clone(), json!({ "name": "a" }), all_computed);
    proposes(
        json!({ "name": "a", "limits": { "most": "9", "used": "3" } }),
        json!({ "name": "a" }),
        json!({ "name": "a" }),
    );
}

#[test]
fn data_that_cannot_be_read_yet_is_unknown_where_it_is_computed() {
    let block = things();
    let configured = value(&block, &json!({ "name": "a", "rules": [{ "path": "/" }] }));
    let unread = view(&unread_data(&block, &configured));
    assert_eq!(unread["name"], json!("a"));
    assert_eq!(unread["id"], unknown());
    assert_eq!(unread["size"], Json::Null);
    assert_eq!(unread["rules"], json!([{ "path": "/", "id": unknown() }]));
}

#[track_caller]
fn plan_faults(prior: Json, configured: Json, planned: Json) -> Vec<String> {
    let block = things();
    plan_valid(
        &block,
        &value(&block, &prior),
        &value(&block, &configured),
        &value(&block, &planned),
    )
}

#[track_caller]
fn one_fault(faults: Vec<String>, expected: &str) {
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains(expected), "{faults:?}");
}

#[test]
fn plans_may_fill_in_what_is_computed() {
    let planned = json!({ "name": "a", "id": unknown(), "region": "default",
        "rules": [{ "path": "/", "id": unknown() }], "limits": { "used": unknown() } });
    let configured = json!({ "name": "a", "rules": [{ "path": "/" }] });
    assert_eq!(plan_faults(Json::Null, configured, planned), Vec::<String>::new());
}

#[test]
fn plans_may_keep_a_prior_value_in_place_of_a_configured_one() {
    let prior = json!({ "name": "a", "size": "1" });
    let planned = prior.clone();
    let faults = plan_faults(prior, json!({ "name": "A", "size": "1.0" }), planned);
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn plans_may_not_contradict_the_configuration() {
    let faults = plan_faults(Json::Null, json!({ "name": "a" }), json!({ "name": "b" }));
    one_fault(faults, r#".name: planned value "b" does not match config value "a""#);
    let faults = plan_faults(Json::Null, json!({ "name": "a" }), json!({ "name": unknown() }));
    one_fault(faults, ".name: planned value (unknown) does not match");
    let faults =
        plan_faults(Json::Null, json!({ "name": unknown() }), json!({ "name": "guessed" }));
    one_fault(faults, r#".name: planned value "guessed" does not match config value (unknown)"#);
    let faults =
        plan_faults(Json::Null, json!({ "name": "a" }), json!({ "name": "a", "size": "1" }));
    one_fault(faults, r#".size: planned value "1" for a non-computed attribute"#);
    // A value that was there does not stay when the argument goes.
    let prior = json!({ "name": "a", "size": "1" });
    one_fault(plan_faults(prior.clone(), json!({ "name": "a" }), prior), ".size");
}

#[test]
fn plans_hold_no_write_only_value() {
    let configured = json!({ "name": "a", "token": "t" });
    let faults = plan_faults(Json::Null, configured.clone(), json!({ "name": "a" }));
    assert_eq!(faults, Vec::<String>::new());
    let block = things();
    let planned = value(&block, &configured);
    assert_eq!(write_only_faults(&block, &planned).len(), 1);
}

#[test]
fn plans_keep_the_shape_of_nested_attributes() {
    let configured = json!({ "name": "a", "rules": [{ "path": "/" }], "tags": { "k": {} } });
    let plan = |rules: Json, tags: Json| {
        let planned = json!({ "name": "a", "rules": rules, "tags": tags });
        plan_faults(Json::Null, configured.clone(), planned)
    };
    one_fault(plan(json!([]), json!({ "k": {} })), "count in plan (0) disagrees");
    one_fault(plan(unknown(), json!({ "k": {} })), "planned unknown for configured value");
    one_fault(plan(Json::Null, json!({ "k": {} })), "planned for absence");
    one_fault(plan(json!([{ "path": "/x" }]), json!({ "k": {} })), ".rules[0].path");
    let faults = plan(json!([{ "path": "/" }]), json!({ "l": {} }));
    assert_eq!(faults.len(), 2, "{faults:?}");
}

#[test]
fn blocks_are_counted() {
    let inner = block(&[("path", string("required")), ("id", string("computed"))]);
    let list = NestedBlock { nesting: Nesting::List, block: inner, min: 0, max: 0 };
    let block = Block { blocks: [("rule".to_owned(), list)].into(), ..Block::default() };
    let configured = config(&json!({ "rule": [{ "path": "/" }] }), &block);
    let none = config(&json!({}), &block);
    assert_eq!(view(&none), json!({ "rule": [] }));
    one_fault(plan_valid(&block, &Val::Null, &configured, &none), "block count in plan (0)");
    let absent = Val::Object([("rule".to_owned(), Val::Null)].into());
    one_fault(plan_valid(&block, &Val::Null, &none, &absent), "must be empty");
    assert_eq!(plan_valid(&block, &Val::Null, &configured, &configured), Vec::<String>::new());
}

#[track_caller]
fn differences(planned: Json, actual: Json) -> Vec<String> {
    let block = things();
    object_compatible(&block, &value(&block, &planned), &value(&block, &actual))
}

#[test]
fn results_complete_a_plan() {
    let planned = json!({ "name": "a", "id": unknown(), "size": "1",
        "members": [{ "who": "x", "id": unknown() }, { "who": "y", "id": unknown() }] });
    let actual = json!({ "name": "a", "id": "7", "size": "1",
        "members": [{ "who": "y", "id": "2" }, { "who": "x", "id": "1" }] });
    assert_eq!(differences(planned, actual), Vec::<String>::new());
}

#[test]
fn results_change_nothing_that_was_known() {
    one_fault(
        differences(json!({ "name": "a", "size": "1" }), json!({ "name": "a", "size": "2" })),
        r#".size: was "1", but now "2""#,
    );
    one_fault(
        differences(json!({ "name": "a" }), json!({ "name": "a", "id": "7" })),
        r#".id: was null, but now "7""#,
    );
    one_fault(differences(json!({ "name": "a" }), Json::Null), "was present, but now absent");
    let planned = json!({ "name": "a", "rules": [{ "path": "/", "id": unknown() }] });
    one_fault(
        differences(planned, json!({ "name": "a", "rules": [] })),
        ".rules: element 0 has vanished",
    );
}

#[test]
fn results_keep_what_an_unknown_value_promised() {
    let planned = json!({ "name": "a", "id": unknown_with_prefix("ci-") });
    let actual = |id: &str| json!({ "name": "a", "id": id });
    assert_eq!(differences(planned.clone(), actual("ci-1")), Vec::<String>::new());
    one_fault(differences(planned, actual("cd-1")), "does not conform to planning placeholder");
}

#[test]
fn sets_shrink_but_never_grow() {
    let set = |ids: &[&str]| {
        let members: Vec<_> = ids.iter().map(|id| json!({ "who": "x", "id": id })).collect();
        json!({ "name": "a", "members": members })
    };
    let planned = json!({ "name": "a", "members": [{ "who": "x", "id": unknown() }] });
    assert_eq!(differences(planned.clone(), set(&["1"])), Vec::<String>::new());
    one_fault(differences(planned, set(&["1", "2"])), "length changed from 1 to 2");
    let faults = differences(set(&["1"]), set(&["2"]));
    one_fault(faults, "does not correlate");
}

#[test]
fn a_difference_in_a_sensitive_attribute_shows_no_value() {
    let block = block(&[("secret", string("computed sensitive"))]);
    let [a, b] = ["one secret", "another secret"]
        .map(|text| Val::Object([("secret".to_owned(), Val::String(text.to_owned()))].into()));
    one_fault(object_compatible(&block, &a, &b), "inconsistent values for sensitive attribute");
}

#[test]
fn paths_lead_somewhere_or_not() {
    let block = things();
    let path = |steps: &[Step]| path_exists(&block, steps);
    let name = |text: &str| Step::Attribute(text.to_owned());
    assert!(path(&[name("rules"), Step::Index(3), name("path")]));
    assert!(path(&[name("tags"), Step::Key("any".to_owned()), name("id")]));
    assert!(path(&[name("limits"), name("used")]));
    assert!(path(&[name("members")]));
    assert!(!path(&[name("members"), Step::Index(0)]));
    assert!(!path(&[name("rules"), name("path")]));
    assert!(!path(&[name("nothing")]));
    let value = value(&block, &json!({ "name": "a", "rules": [{ "path": "/" }] }));
    let at = [name("rules"), Step::Index(0), name("path")];
    assert_eq!(apply_path(&value, &at), Some(Val::String("/".to_owned())));
    assert_eq!(apply_path(&value, &[name("rules"), Step::Index(1)]), None);
    assert_eq!(show_path(&at), "rules[0].path");
}

#[test]
fn messages_are_held_to_their_form() {
    let block = things();
    let secrets = Secrets::default().and(
        &block,
        &value(
            &block,
            &json!({ "name": "a",
        "token": "correct horse" }),
        ),
    );
    let diagnostic = |summary: &str, detail: &str| Diagnostic {
        severity: Severity::Error.into(),
        summary: summary.to_owned(),
        detail: detail.to_owned(),
        attribute: None,
    };
    let faults = |it: &Diagnostic| diagnostic_faults(it, Some(&block), &secrets);
    assert_eq!(faults(&diagnostic("Name is taken", "By \"ci-1\"")), Vec::<String>::new());
    one_fault(faults(&diagnostic("", "x")), "one line that says something");
    one_fault(faults(&diagnostic("Name \"ci\" is taken", "x")), "the summary is constant");
    one_fault(faults(&diagnostic("Name is taken", "")), "no detail");
    one_fault(faults(&diagnostic("Refused", "correct horse is wrong")), "the value of .token");
    assert_eq!(secrets.stored_in(b"..correct horse.."), Some(".token"));
    assert_eq!(secrets.stored_in(b"..correct.."), None);
}

#[test]
fn values_survive_the_wire() {
    let ty = Ty::Object(
        [
            ("n".to_owned(), Ty::Number),
            ("l".to_owned(), Ty::List(Box::new(Ty::String))),
            ("d".to_owned(), Ty::Dynamic),
        ]
        .into(),
    );
    for (n, d) in [
        (json!(1), json!("x")),
        (json!(-129), json!([1, true])),
        (json!("0.1"), json!({ "a": null })),
        (json!(1.5), Json::Null),
        (json!("1180591620717411303424"), unknown()),
        (json!("123456789.000000000000000000000000000001"), json!({ "a": { "b": [] } })),
    ] {
        let value =
            plain(&json!({ "n": n, "l": ["a", unknown_with_prefix("p")], "d": d }), &ty, "");
        let bytes = wire::write(&value, &ty);
        assert_eq!(wire::read(&bytes, &ty), Ok(value));
    }
}

#[test]
fn the_wire_is_read_as_strictly_as_core_reads_it() {
    let ty = Ty::Object([("a".to_owned(), Ty::String), ("b".to_owned(), Ty::String)].into());
    let read = |bytes: &[u8]| wire::read(bytes, &ty).unwrap_err();
    assert!(read(&[0x81, 0xa1, b'a', 0xc0]).contains("2 attributes is required (1 given)"));
    assert!(read(&[0x82, 0xa1, b'a', 0xc0, 0xa1, b'c', 0xc0]).contains("unsupported attribute"));
    assert!(read(&[0x82, 0xa1, b'a', 0xc0, 0xa1, b'a', 0xc0]).contains("stands twice"));
    assert!(read(&[0x82, 0xa1, b'a', 0x01, 0xa1, b'b', 0xc0]).contains(".a: a string is required"));
    assert!(read(&[0x82, 0xa1]).contains("must be a string"));
    assert!(read(&[0xc0, 0xc0]).contains("too many"));
    assert_eq!(wire::read(&[0xd4, 0, 0], &ty), Ok(Val::unknown()));
    assert_eq!(wire::read(&[0xc7, 0, 0], &ty), Ok(Val::unknown()));
}

#[test]
fn numbers_lose_nothing() {
    let shown = |text: &str| Num::parse(text).map(|number| number.to_string());
    for (text, expected) in [
        ("0", "0"),
        ("-0.0", "0"),
        ("10", "10"),
        ("1e3", "1000"),
        ("0.10", "0.1"),
        ("-12.5e-1", "-1.25"),
        ("007", "7"),
    ] {
        assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
    }
    for wrong in ["", "-", "1.2.3", "x", "1e", "0x1"] {
        assert_eq!(shown(wrong), None, "{wrong}");
    }
    assert_eq!(Num::parse("1.5").unwrap().as_exact_fraction(), Some(1.5));
    assert_eq!(Num::parse("0.1").unwrap().as_exact_fraction(), None);
    assert_eq!(Num::parse("3").unwrap().as_exact_fraction(), None);
}

#[test]
fn schemas_that_no_core_loads_are_refused() {
    let schema = |attributes: Vec<schema::Attribute>| {
        let block = schema::Block { attributes, ..Default::default() };
        rekey::tfplugin::proto::tfplugin6::Schema { version: 0, block: Some(block) }
    };
    let faults = |attribute: schema::Attribute| {
        let answer = rekey::tfplugin::proto::tfplugin6::get_provider_schema::Response {
            provider: Some(schema(vec![attribute])),
            ..Default::default()
        };
        Schemas::new(
            &answer,
            &rekey::tfplugin::proto::tfplugin6::get_resource_identity_schemas::Response::default(),
        )
        .err()
        .unwrap_or_default()
    };
    let text = |name: &str| schema::Attribute {
        name: name.to_owned(),
        r#type: br#""string""#.to_vec(),
        ..Default::default()
    };
    let set_of = |inner: schema::Attribute| schema::Attribute {
        name: "set".to_owned(),
        optional: true,
        nested_type: Some(schema::Object {
            attributes: vec![inner],
            nesting: schema::object::NestingMode::Set.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(faults(schema::Attribute { optional: true, ..text("a") }), Vec::<String>::new());
    one_fault(faults(text("a")), "must set Optional, Required or Computed");
    one_fault(faults(schema::Attribute { optional: true, ..text("A") }), "lowercase");
    let both = schema::Attribute { required: true, computed: true, ..text("a") };
    one_fault(faults(both), "cannot set both Computed and Required");
    let wrong = schema::Attribute { r#type: b"{}".to_vec(), optional: true, ..text("a") };
    one_fault(faults(wrong), "not the JSON form of a type");
    let inner = schema::Attribute { optional: true, write_only: true, ..text("a") };
    one_fault(faults(set_of(inner.clone())), "write-only attribute in a set");
    let twofold = schema::Attribute { r#type: br#""string""#.to_vec(), ..set_of(inner) };
    one_fault(faults(twofold), "Type and NestedType cannot both be set");
    let dynamic =
        schema::Attribute { r#type: br#""dynamic""#.to_vec(), optional: true, ..text("a") };
    one_fault(faults(set_of(dynamic)), "dynamic attribute in a nested collection");
    let untrue =
        schema::Attribute { optional: true, deprecation_message: "use b".to_owned(), ..text("a") };
    one_fault(faults(untrue), "without being deprecated");
}
