//! The derive: what it writes for a struct, and that nothing is lost between struct and value.

use std::collections::BTreeMap;

use super::*;
use crate::tfplugin::cty::{Number, Type, json, msgpack};
use crate::tfplugin::schema::BlockNesting;
use crate::tfplugin::validate::Validator;

/// One permission.
#[derive(Clone, Debug, Default, PartialEq, Model)]
struct Rule {
    /// The verb.
    #[attr(required, validate(one_of(&["GET", "POST"])))]
    method: Attr<String>,
    /// The way.
    #[attr(optional)]
    path: Attr<String>,
}

/// A thing of every kind,
/// told in two lines.
///
/// - With a list.
#[derive(Clone, Debug, Default, PartialEq, Model)]
struct Everything {
    /// Its name.
    #[attr(required, requires_replace, validate(length(1, 8)), conflicts_with("name_prefix"))]
    name: Attr<String>,
    /// Its name's beginning.
    #[attr(optional, exactly_one_of("name"), deprecated = "Use name.")]
    name_prefix: Attr<String>,
    /// Days.
    #[attr(optional, computed, default = 14)]
    days: Attr<i64>,
    /// A share.
    #[attr(optional)]
    share: Attr<f64>,
    /// All digits.
    #[attr(optional)]
    exact: Attr<Number>,
    /// The password.
    #[attr(computed)]
    secret: Attr<Secret>,
    /// The password that is stored nowhere.
    #[attr(optional, write_only)]
    secret_wo: Attr<Secret>,
    /// Which kind.
    #[attr(optional, computed, sensitive, default = "plain")]
    r#type: Attr<String>,
    /// Anything.
    #[attr(optional)]
    any: Attr<Dynamic>,
    /// Ordered.
    #[attr(optional)]
    list: Attr<Vec<Attr<String>>>,
    /// Unordered.
    #[attr(optional)]
    set: Attr<Set<String>>,
    /// By name.
    #[attr(optional)]
    map: Attr<Map<bool>>,
    /// Deep.
    #[attr(optional)]
    deep: Attr<Vec<Map<Vec<i64>>>>,
    /// One.
    #[attr(optional)]
    rule: Attr<Rule>,
    /// Ordered ones.
    #[attr(optional)]
    rules: Attr<Vec<Rule>>,
    /// Unordered ones.
    #[attr(optional)]
    rule_set: Attr<Set<Rule>>,
    /// Ones by name.
    #[attr(optional, name = "rules_by_name")]
    rule_map: Attr<BTreeMap<String, Rule>>,
}

/// Has blocks.
#[derive(Clone, Debug, Default, PartialEq, Model)]
struct WithBlocks {
    /// At most one.
    #[model(block)]
    one: Option<Rule>,
    /// Ordered.
    #[model(block(min = 1, max = 3, deprecated = "No more."))]
    many: Vec<Rule>,
    /// Unordered, perhaps not known yet.
    #[model(block)]
    set: Attr<Set<Rule>>,
    /// With labels.
    #[model(block)]
    labelled: Map<Rule>,
}

fn rule(method: &str) -> Rule {
    Rule { method: method.into(), path: Attr::Null }
}

fn everything() -> Everything {
    Everything {
        name: "n".into(),
        name_prefix: Attr::Unknown,
        days: 3.into(),
        share: 0.1.into(),
        exact: "123456789012345678901234567890.5".parse::<Number>().unwrap().into(),
        secret: Attr::Known("hunter2".into()),
        secret_wo: Attr::Null,
        r#type: "t".into(),
        any: Attr::Known(Dynamic(Type::list(Type::Bool), Value::List(vec![Value::Bool(true)]))),
        list: Attr::Known(vec!["a".into(), Attr::Unknown, Attr::Null]),
        set: Attr::Known(Set(vec!["x".into(), "y".into()])),
        map: Attr::Known(Map::from([("k".into(), true)])),
        deep: Attr::Known(vec![Map::from([("k".into(), vec![1, 2])])]),
        rule: Attr::Known(rule("GET")),
        rules: Attr::Known(vec![rule("GET"), rule("POST")]),
        rule_set: Attr::Known(Set(vec![rule("GET")])),
        rule_map: Attr::Known(Map::from([("r".into(), rule("GET"))])),
    }
}

fn attribute(name: &str) -> Attribute {
    Everything::attributes().into_iter().find(|attribute| attribute.name == name).unwrap()
}

#[test]
fn comments_become_descriptions() {
    assert_eq!(
        Everything::description(),
        "A thing of every kind, told in two lines.\n\n- With a list."
    );
    assert_eq!(attribute("name").description, "Its name.");
}

#[test]
fn keys_become_flags() {
    let name = attribute("name");
    assert!(name.required && !name.optional && !name.computed && name.requires_replace);
    assert!(matches!(
        name.validators.as_slice(),
        [Validator::ConflictsWith(["name_prefix"]), Validator::Length { min: 1, max: 8 }]
    ));
    let days = attribute("days");
    assert!(!days.required && days.optional && days.computed && !days.requires_replace);
    assert_eq!(days.default, Some(Value::from(14)));
    assert_eq!(attribute("name_prefix").deprecated, Some("Use name."));
    assert_eq!(attribute("type").default, Some(Value::from("plain")));
    assert!(attribute("type").sensitive && !name.sensitive);
    assert!(attribute("secret_wo").write_only && !attribute("secret").write_only);
}

#[test]
fn a_secret_is_sensitive_by_its_type() {
    assert!(attribute("secret").sensitive && attribute("secret_wo").sensitive);
}

#[test]
fn types_become_shapes() {
    let ty = |name| attribute(name).shape.ty();
    assert_eq!(ty("list"), Type::list(Type::String));
    assert_eq!(ty("deep"), Type::list(Type::map(Type::list(Type::Number))));
    assert!(matches!(attribute("any").shape, Shape::Plain(Type::Dynamic)));
    assert!(matches!(attribute("rule").shape, Shape::NestedSingle(nested) if nested.len() == 2));
    assert!(matches!(attribute("rules").shape, Shape::NestedList(_)));
    assert!(matches!(attribute("rule_set").shape, Shape::NestedSet(_)));
    assert!(matches!(attribute("rules_by_name").shape, Shape::NestedMap(_)));
}

/// Has what is configured, and the same as an answer.
#[derive(Clone, Debug, Default, PartialEq, Model)]
struct Both {
    /// As configured.
    #[attr(optional)]
    wanted: Attr<Set<Rule>>,
    /// As found.
    #[attr(computed)]
    found: Attr<Map<Rule>>,
}

#[test]
fn what_is_in_an_answer_is_computed() {
    let [wanted, found] = Both::attributes().try_into().unwrap();
    let method = &wanted.shape.nested()[0];
    assert!(method.required && !method.computed && method.validators.len() == 1);
    let method = &found.shape.nested()[0];
    assert!(!method.required && !method.optional && method.computed);
    assert!(method.validators.is_empty());
}

#[test]
fn a_value_comes_back_as_it_went() {
    let ty = Everything::schema(0).ty();
    for model in [everything(), Everything::default()] {
        let bytes = msgpack::encode(&model.clone().into_object(), &ty).unwrap();
        let value = msgpack::decode(&bytes, &ty).unwrap();
        assert_eq!(Everything::from_object(value, &AttributePath::root()).unwrap(), model);
    }
}

#[test]
fn blocks_come_back_as_they_went() {
    let schema = WithBlocks::schema(3);
    let nesting: Vec<_> = schema.blocks.iter().map(|block| block.nesting).collect();
    assert_eq!(
        nesting,
        [
            BlockNesting::Single,
            BlockNesting::List { min: 1, max: 3 },
            BlockNesting::Set { min: 0, max: 0 },
            BlockNesting::Map,
        ]
    );
    assert_eq!(schema.blocks[1].deprecated, Some("No more."));
    let full = WithBlocks {
        one: Some(rule("GET")),
        many: vec![rule("GET"), rule("POST")],
        set: Attr::Unknown,
        labelled: Map::from([("l".into(), rule("GET"))]),
    };
    let known = WithBlocks { set: Attr::Known(Set(vec![rule("GET")])), ..full.clone() };
    for model in
        [full, known, WithBlocks { set: Attr::Known(Set::default()), ..Default::default() }]
    {
        let bytes = msgpack::encode(&model.clone().into_object(), &schema.ty()).unwrap();
        let value = msgpack::decode(&bytes, &schema.ty()).unwrap();
        assert_eq!(WithBlocks::from_object(value, &AttributePath::root()).unwrap(), model);
    }
    let absent = WithBlocks::default().into_object();
    assert_eq!(absent.get("set"), Some(&Value::Set(Vec::new())), "no block is empty, not null");
}

fn entry<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    match value {
        Value::Object(entries) | Value::Map(entries) => entries.get_mut(name).unwrap(),
        Value::List(elements) | Value::Set(elements) => {
            &mut elements[name.parse::<usize>().unwrap()]
        }
        _ => panic!("nothing inside"),
    }
}

#[test]
fn errors_name_the_place() {
    let check = |mut model: Everything, change: fn(&mut Value), message: &str| {
        model.name_prefix = Attr::Null;
        let mut value = model.into_object();
        change(&mut value);
        let error = Everything::from_object(value, &AttributePath::attribute("outer")).unwrap_err();
        assert_eq!(error.to_string(), message);
    };
    check(
        everything(),
        |value| *entry(value, "name") = Value::Bool(true),
        "outer.name: string required, but this is a bool",
    );
    check(
        everything(),
        |value| *entry(entry(entry(value, "rules"), "1"), "path") = Value::Bool(true),
        "outer.rules[1].path: string required, but this is a bool",
    );
    check(
        everything(),
        |value| *entry(entry(entry(value, "rule_set"), "0"), "path") = Value::Bool(true),
        "outer.rule_set.path: string required, but this is a bool",
    );
    check(
        everything(),
        |value| *entry(entry(value, "rules_by_name"), "r") = Value::Null,
        "outer.rules_by_name[\"r\"]: must not be null",
    );
    check(
        everything(),
        |value| *entry(entry(value, "set"), "0") = Value::Unknown,
        "outer.set: must be known by now",
    );
    check(
        everything(),
        |value| *entry(value, "days") = Value::Number("1.5".parse().unwrap()),
        "outer.days: must be a whole number of at most 64 bits",
    );
    check(
        everything(),
        |value| {
            let Value::Object(attributes) = value else { panic!() };
            attributes.remove("days");
        },
        "outer.days: the attribute is missing",
    );
    check(
        everything(),
        |value| {
            let Value::Object(attributes) = value else { panic!() };
            attributes.insert("more".into(), Value::Null);
        },
        "outer.more: the schema has no such attribute",
    );
}

#[test]
fn a_secret_never_prints_itself() {
    let model = everything();
    assert!(!format!("{model:?}").contains("hunter2"), "{model:?}");
    assert_eq!(Secret::from("a"), Secret::from("a".to_owned()));
    assert_ne!(Secret::from("a"), Secret::from("b"));
    assert_ne!(Secret::from("a"), Secret::from("ab"));
}

#[test]
fn sets_are_equal_by_content() {
    assert_eq!(Set(vec![1, 2]), Set(vec![2, 1]));
    assert_ne!(Set(vec![1, 2]), Set(vec![1, 3]));
    assert_ne!(Set(vec![1]), Set(vec![1, 2]));
}

#[test]
fn no_identity_is_an_empty_object() {
    let value = NoIdentity.into_object();
    assert_eq!(json::encode(&value, &NoIdentity::schema(0).ty()).unwrap(), b"{}");
    assert!(NoIdentity::from_object(value, &AttributePath::root()).is_ok());
    assert!(NoIdentity::from_object(Value::Null, &AttributePath::root()).is_err());
}
