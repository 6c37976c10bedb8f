//! Each helper on one model that has every kind of nesting.

use super::*;
use crate::tfplugin::cty::Value;
use crate::tfplugin::model::{Attr, Map, Model, Secret, Set};

/// An inner object.
#[derive(Clone, Debug, Default, Model)]
struct Inner {
    /// Its replacement is forced.
    #[attr(optional, requires_replace)]
    fixed: Attr<String>,
    /// Has a default.
    #[attr(optional, computed, default = "d")]
    filled: Attr<String>,
    /// Is computed.
    #[attr(computed)]
    made: Attr<String>,
    /// Not in a set.
    #[attr(optional)]
    free: Attr<String>,
}

/// An inner object with a secret.
#[derive(Clone, Debug, Default, Model)]
struct Hidden {
    /// Is stored nowhere.
    #[attr(optional, write_only)]
    secret: Attr<Secret>,
    /// Is stored.
    #[attr(optional)]
    plain: Attr<String>,
}

/// The outer object.
#[derive(Clone, Debug, Default, Model)]
struct Outer {
    /// Its replacement is forced.
    #[attr(optional, requires_replace)]
    fixed: Attr<String>,
    /// Has a default.
    #[attr(optional, computed, default = 7)]
    filled: Attr<i64>,
    /// Is computed.
    #[attr(computed)]
    made: Attr<String>,
    /// One.
    #[attr(optional)]
    one: Attr<Inner>,
    /// Ordered.
    #[attr(optional)]
    list: Attr<Vec<Inner>>,
    /// Unordered.
    #[attr(optional)]
    set: Attr<Set<Inner>>,
    /// By name.
    #[attr(optional)]
    map: Attr<Map<Inner>>,
    /// Secrets.
    #[attr(optional)]
    hidden: Attr<Map<Hidden>>,
    /// Is stored nowhere.
    #[attr(optional, write_only)]
    secret: Attr<Secret>,
    /// A block.
    #[model(block)]
    block: Vec<Hidden>,
    /// Blocks in order.
    #[model(block)]
    ordered: Vec<Inner>,
    /// Blocks without an order.
    #[model(block)]
    unordered: Set<Inner>,
}

fn inner(fixed: &str) -> Inner {
    Inner { fixed: fixed.into(), ..Inner::default() }
}

#[track_caller]
fn check_replace(prior: Outer, planned: Outer, paths: &[&str]) {
    let found = requires_replace(&Outer::schema(0), &prior.into_object(), &planned.into_object());
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, paths);
}

#[test]
fn a_marked_change_forces_a_replacement() {
    let fixed = |value: Attr<String>| Outer { fixed: value, ..Outer::default() };
    check_replace(fixed("a".into()), fixed("a".into()), &[]);
    check_replace(fixed("a".into()), fixed("b".into()), &["fixed"]);
    check_replace(fixed("a".into()), fixed(Attr::Unknown), &["fixed"]);
    check_replace(fixed("a".into()), fixed(Attr::Null), &["fixed"]);
    let free = Outer { filled: 1.into(), made: "m".into(), ..Outer::default() };
    check_replace(Outer::default(), free, &[]);
}

#[test]
fn a_marked_change_inside_forces_a_replacement() {
    let one = |value: &str| Outer { one: Attr::Known(inner(value)), ..Outer::default() };
    check_replace(one("a"), one("b"), &["one.fixed"]);
    check_replace(Outer::default(), one("b"), &["one.fixed"]);
    check_replace(one("a"), Outer::default(), &["one.fixed"]);

    let list = |values: &[&str]| Outer {
        list: Attr::Known(values.iter().map(|value| inner(value)).collect()),
        ..Outer::default()
    };
    check_replace(list(&["a", "b"]), list(&["a", "c", "d"]), &["list[1].fixed", "list[2].fixed"]);

    let map = |values: &[(&str, &str)]| Outer {
        map: Attr::Known(values.iter().map(|(k, v)| ((*k).to_owned(), inner(v))).collect()),
        ..Outer::default()
    };
    check_replace(
        map(&[("a", "1"), ("b", "2")]),
        map(&[("b", "3"), ("c", "4")]),
        &["map[\"a\"].fixed", "map[\"b\"].fixed", "map[\"c\"].fixed"],
    );
}

#[test]
fn a_set_counts_as_one() {
    let set = |values: &[(&str, &str)]| Outer {
        set: Attr::Known(
            values
                .iter()
                .map(|(fixed, free)| Inner { free: (*free).into(), ..inner(fixed) })
                .collect(),
        ),
        ..Outer::default()
    };
    check_replace(set(&[("a", ""), ("b", "")]), set(&[("b", ""), ("a", "x")]), &[]);
    check_replace(set(&[("a", "")]), set(&[("b", "")]), &["set"]);
}

#[test]
fn a_set_without_marks_may_come_and_go() {
    /// A note.
    #[derive(Clone, Debug, Default, Model)]
    struct Note {
        /// What it says.
        #[attr(optional)]
        text: Attr<String>,
    }
    /// Notes.
    #[derive(Clone, Debug, Default, Model)]
    struct Notes {
        /// Unordered.
        #[attr(optional)]
        set: Attr<Set<Note>>,
    }
    let none = Notes::default().into_object();
    let one = Notes { set: Attr::Known(Set(vec![Note { text: "a".into() }])) }.into_object();
    assert_eq!(requires_replace(&Notes::schema(0), &none, &one), []);
    assert_eq!(requires_replace(&Notes::schema(0), &one, &none), []);
}

#[test]
fn defaults_stand_where_nothing_is_configured() {
    let list = |inner: Inner| Outer { list: Attr::Known(vec![inner]), ..Outer::default() };
    let config = list(Inner::default()).into_object();
    let mut planned = config.clone();
    apply_defaults(&Outer::schema(0), &config, &mut planned);
    let wanted =
        Outer { filled: 7.into(), ..list(Inner { filled: "d".into(), ..Inner::default() }) };
    assert_eq!(planned, wanted.into_object());

    let config =
        Outer { filled: 1.into(), ..list(Inner { filled: "x".into(), ..Inner::default() }) };
    let config = config.into_object();
    let mut planned = config.clone();
    apply_defaults(&Outer::schema(0), &config, &mut planned);
    assert_eq!(planned, config);

    let config = Outer { filled: Attr::Unknown, ..Outer::default() }.into_object();
    let mut planned = config.clone();
    apply_defaults(&Outer::schema(0), &config, &mut planned);
    assert_eq!(planned, config, "an unknown value may turn out to be there");
}

#[test]
fn defaults_stand_in_every_kind_of_nesting() {
    let all = |inner: Inner| Outer {
        one: Attr::Known(inner.clone()),
        set: Attr::Known(Set(vec![inner.clone()])),
        map: Attr::Known(Map::from([("k".to_owned(), inner)])),
        ..Outer::default()
    };
    let config = all(Inner::default()).into_object();
    let mut planned = config.clone();
    apply_defaults(&Outer::schema(0), &config, &mut planned);
    let wanted = all(Inner { filled: "d".into(), ..Inner::default() });
    assert_eq!(planned, Outer { filled: 7.into(), ..wanted }.into_object());
}

#[test]
fn blocks_are_no_exception() {
    let with = |value: &str| Outer { ordered: vec![inner("a"), inner(value)], ..Outer::default() };
    check_replace(with("b"), with("c"), &["ordered[1].fixed"]);
    let set = |value: &str| Outer { unordered: Set(vec![inner(value)]), ..Outer::default() };
    check_replace(set("b"), set("c"), &["unordered"]);
    let free = Inner { free: "f".into(), ..inner("b") };
    check_replace(set("b"), Outer { unordered: Set(vec![free]), ..Outer::default() }, &[]);

    let config = Outer { unordered: Set(vec![inner("x")]), ..with("b") }.into_object();
    let mut planned = config.clone();
    apply_defaults(&Outer::schema(0), &config, &mut planned);
    let filled = |fixed: &str| Inner { filled: "d".into(), ..inner(fixed) };
    let wanted = Outer {
        filled: 7.into(),
        ordered: vec![filled("a"), filled("b")],
        unordered: Set(vec![filled("x")]),
        ..Outer::default()
    };
    assert_eq!(planned, wanted.into_object());
}

#[test]
fn what_a_create_decides_is_unknown() {
    let config = Outer { one: Attr::Known(inner("a")), ..Outer::default() }.into_object();
    let mut planned = config.clone();
    unknown_computed(&Outer::schema(0), &config, &mut planned);
    let wanted = Outer {
        made: Attr::Unknown,
        one: Attr::Known(Inner { made: Attr::Unknown, ..inner("a") }),
        ..Outer::default()
    };
    assert_eq!(planned, wanted.into_object());
}

#[test]
fn write_only_values_leave_every_depth() {
    let hidden = |secret: Attr<Secret>| Hidden { secret, plain: "p".into() };
    let outer = |secret: fn() -> Attr<Secret>| Outer {
        secret: secret(),
        hidden: Attr::Known(Map::from([("k".to_owned(), hidden(secret()))])),
        block: vec![hidden(secret())],
        fixed: "f".into(),
        ..Outer::default()
    };
    let mut value = outer(|| Attr::Known("s".into())).into_object();
    null_write_only(&Outer::schema(0), &mut value);
    assert_eq!(value, outer(|| Attr::Null).into_object());
    let mut nothing = Value::Null;
    null_write_only(&Outer::schema(0), &mut nothing);
    assert_eq!(nothing, Value::Null);
}

#[test]
fn the_schema_of_these_tests_is_one_that_core_takes() {
    assert_eq!(Outer::schema(0).problems(), [] as [String; 0]);
}
