//! The rules, through a model as a resource writes it.

use super::check;
use crate::tfplugin::cty::{Number, Value};
use crate::tfplugin::model::{Attr, Map, Model, Secret, Set};

/// An inner object.
#[derive(Clone, Debug, Default, Model)]
struct Inner {
    /// The verb.
    #[attr(required, validate(one_of(&["GET", "POST"])))]
    method: Attr<String>,
    /// One.
    #[attr(optional, conflicts_with("two"))]
    one: Attr<String>,
    /// Two.
    #[attr(optional, conflicts_with("one"))]
    two: Attr<String>,
}

fn even(value: &Value) -> Result<(), String> {
    let even = value.as_number().and_then(Number::as_i64).is_some_and(|number| number % 2 == 0);
    if even { Ok(()) } else { Err("must be even; for example 4".to_owned()) }
}

fn echo(value: &Value) -> Result<(), String> {
    Err(format!("cannot be {:?}.", value.as_str().unwrap_or_default()))
}

fn lowercase(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Every rule.
#[derive(Clone, Debug, Default, Model)]
struct Outer {
    /// Characters.
    #[attr(optional, validate(length(2, 4)))]
    short: Attr<String>,
    /// Bytes.
    #[attr(optional, validate(bytes(0, 4)))]
    small: Attr<String>,
    /// Elements.
    #[attr(
        optional,
        validate(items(1, 2), each(matches("small letters such as \"ab\"", lowercase)))
    )]
    tags: Attr<Set<String>>,
    /// In order.
    #[attr(optional, validate(each(length(1, usize::MAX))))]
    words: Attr<Vec<Attr<String>>>,
    /// Bounds.
    #[attr(optional, validate(range(1, 90)))]
    days: Attr<Number>,
    /// One bound.
    #[attr(optional, validate(at_least(0), custom(even)))]
    count: Attr<i64>,
    /// A moment.
    #[attr(optional, validate(rfc3339()))]
    at: Attr<String>,
    /// A secret.
    #[attr(optional, validate(length(8, 72), custom(echo)))]
    secret: Attr<Secret>,
    /// Any text.
    #[attr(optional, validate(custom(echo)))]
    shown: Attr<String>,
    /// Inner ones.
    #[attr(optional)]
    list: Attr<Vec<Inner>>,
    /// Inner ones by name.
    #[attr(optional)]
    map: Attr<Map<Inner>>,
    /// Inner ones without order.
    #[attr(optional)]
    set: Attr<Set<Inner>>,
    /// A block.
    #[model(block)]
    block: Vec<Inner>,
}

/// Found out, whole or in part.
#[derive(Clone, Debug, Default, Model)]
struct Found {
    /// Nobody's to say.
    #[attr(computed)]
    id: Attr<String>,
    /// Anybody's.
    #[attr(optional, computed)]
    region: Attr<String>,
    /// Nobody's, and with rules of its own inside.
    #[attr(computed)]
    inner: Attr<Inner>,
}

/// Attributes that know of each other.
#[derive(Clone, Debug, Default, Model)]
struct Related {
    /// One.
    #[attr(optional, exactly_one_of("name_prefix"))]
    name: Attr<String>,
    /// The other.
    #[attr(optional, exactly_one_of("name"))]
    name_prefix: Attr<String>,
    /// Needs another.
    #[attr(optional, requires("expires_in"))]
    renew_before: Attr<String>,
    /// Stands alone or not.
    #[attr(optional, conflicts_with("expires_at"))]
    expires_in: Attr<String>,
    /// Stands alone.
    #[attr(optional, conflicts_with("expires_in"))]
    expires_at: Attr<String>,
}

/// One of two.
#[derive(Clone, Debug, Default, Model)]
struct Either {
    /// One.
    #[attr(optional, at_least_one_of("b"))]
    a: Attr<String>,
    /// The other.
    #[attr(optional, at_least_one_of("a"))]
    b: Attr<String>,
}

#[track_caller]
fn expect<M: Model>(model: M, messages: &[&str]) {
    let found = check(&M::schema(0), &model.into_object());
    let details: Vec<&str> = found.iter().map(|diagnostic| diagnostic.detail.as_str()).collect();
    assert_eq!(details, messages);
}

#[test]
fn null_and_unknown_pass() {
    expect(Outer::default(), &[]);
    let unknown = Outer {
        short: Attr::Unknown,
        tags: Attr::Unknown,
        words: Attr::Known(vec![Attr::Unknown]),
        days: Attr::Unknown,
        count: Attr::Unknown,
        at: Attr::Unknown,
        secret: Attr::Unknown,
        list: Attr::Unknown,
        ..Outer::default()
    };
    expect(unknown, &[]);
}

#[test]
fn what_is_found_out_is_nobodys_to_say() {
    expect(Found { region: "r".into(), ..Found::default() }, &[]);
    let message = "its value is found out by the provider; remove it here.";
    let said =
        Found { id: Attr::Unknown, inner: Attr::Known(Inner::default()), ..Found::default() };
    expect(said, &[&format!("id: {message}"), &format!("inner: {message}")]);
}

#[test]
fn a_list_or_a_set_has_no_element_that_is_null() {
    let message = "an element is null, often a variable without a value.";
    let words = Attr::Known(vec!["a".into(), Attr::Null]);
    expect(Outer { words, ..Outer::default() }, &[&format!("words[1]: {message}")]);
    let mut config = Outer::default().into_object();
    if let Value::Object(members) = &mut config {
        members.insert("tags".into(), Value::Set(vec![Value::Null]));
    }
    let found = check(&Outer::schema(0), &config);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].detail, format!("tags: {message}"));
}

#[test]
fn sizes_are_counted_in_their_unit() {
    let short = |text: &str| Outer { short: text.into(), ..Outer::default() };
    expect(short("äöüß"), &[]);
    expect(short("x"), &["short: must have 2 to 4 characters, not 1."]);
    let small = |text: &str| Outer { small: text.into(), ..Outer::default() };
    expect(small("äöü"), &["small: must have at most 4 bytes, not 6."]);
    let words = Outer { words: Attr::Known(vec!["a".into(), "".into()]), ..Outer::default() };
    expect(words, &["words[1]: must have at least 1 character, not 0."]);
    let tags = |tags: &[&str]| Outer {
        tags: Attr::Known(tags.iter().map(|&tag| tag.to_owned()).collect()),
        ..Outer::default()
    };
    expect(tags(&["a", "b"]), &[]);
    expect(tags(&[]), &["tags: must have 1 to 2 elements, not 0."]);
    expect(tags(&["a", "B"]), &["tags: must be small letters such as \"ab\", not \"B\"."]);
}

#[test]
fn numbers_have_bounds() {
    let days = |text: &str| Outer {
        days: Attr::Known(text.parse::<Number>().unwrap()),
        ..Outer::default()
    };
    expect(days("1"), &[]);
    expect(days("90.0"), &[]);
    expect(days("90.5"), &["days: must be 1 to 90, not 90.5."]);
    let count = |count: i64| Outer { count: count.into(), ..Outer::default() };
    expect(count(4), &[]);
    expect(count(-2), &["count: must be 0 or more, not -2."]);
    expect(count(3), &["count: must be even; for example 4."]);
}

#[test]
fn moments_have_an_offset() {
    let at = |text: &str| {
        check(&Outer::schema(0), &Outer { at: text.into(), ..Outer::default() }.into_object())
    };
    for good in [
        "2026-12-31T23:59:59Z",
        "2026-12-31t23:59:59.123456789z",
        "2026-12-31T23:59:59+02:00",
        "2026-12-31T23:59:59-00:30",
    ] {
        assert_eq!(at(good), [], "{good}");
    }
    for bad in [
        "",
        "2026-12-31",
        "2026-12-31T23:59:59",
        "2026-12-31 23:59:59Z",
        "2026-13-31T23:59:59Z",
        "2026-12-31T23:59:59.Z",
        "2026-12-31T23:59:59+0200",
        "2026-12-31T23:59:59+02",
        "2026-12-31T23:59:59+02:00[Europe/Berlin]",
        "2026-12-31T23:59Z",
        "äääääääääääääää",
    ] {
        let found = at(bad);
        assert_eq!(found.len(), 1, "{bad}");
        assert!(
            found[0].detail.contains("such as \"2026-12-31T23:59:59Z\""),
            "{}",
            found[0].detail
        );
    }
}

#[test]
fn sensitive_values_are_never_shown() {
    let found = check(
        &Outer::schema(0),
        &Outer { secret: Attr::Known("hunter2".into()), shown: "plain".into(), ..Outer::default() }
            .into_object(),
    );
    let details: Vec<&str> = found.iter().map(|diagnostic| diagnostic.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "secret: must have 8 to 72 characters.",
            "secret: is not valid; why is not shown, because the value is sensitive.",
            "shown: cannot be \"plain\".",
        ]
    );
}

#[test]
fn rules_inside_point_inside() {
    let bad = || Inner { method: "PUT".into(), ..Inner::default() };
    let good = || Inner { method: "GET".into(), ..Inner::default() };
    let message = "must be one of \"GET\", \"POST\", not \"PUT\".";
    let model = Outer {
        list: Attr::Known(vec![good(), bad()]),
        map: Attr::Known(Map::from([("k".to_owned(), bad())])),
        set: Attr::Known(Set(vec![bad()])),
        block: vec![bad()],
        ..Outer::default()
    };
    expect(
        model,
        &[
            &format!("list[1].method: {message}"),
            &format!("map[\"k\"].method: {message}"),
            &format!("set.method: {message}"),
            &format!("block[0].method: {message}"),
        ],
    );
    let both = Inner { one: "1".into(), two: "2".into(), ..good() };
    expect(
        Outer { list: Attr::Known(vec![both]), ..Outer::default() },
        &["list[0].one: `one` and `two` cannot be set together, keep one."],
    );
}

#[test]
fn relations_are_told_once_and_at_a_place() {
    let related = Related { name: "n".into(), ..Related::default() };
    expect(related.clone(), &[]);
    expect(Related::default(), &["exactly one of `name` and `name_prefix` must be set."]);
    expect(Related { name: Attr::Unknown, ..Related::default() }, &[]);
    expect(Related { name_prefix: Attr::Unknown, ..related.clone() }, &[]);
    expect(
        Related { name_prefix: "p".into(), ..related.clone() },
        &["name: of `name` and `name_prefix` only one can be set, and 2 are."],
    );
    expect(
        Related { renew_before: "P1D".into(), ..related.clone() },
        &["renew_before: `renew_before` works only together with `expires_in`."],
    );
    expect(
        Related { renew_before: "P1D".into(), expires_in: Attr::Unknown, ..related.clone() },
        &[],
    );
    expect(
        Related { expires_in: "P1D".into(), expires_at: "x".into(), ..related },
        &["expires_in: `expires_at` and `expires_in` cannot be set together, keep one."],
    );
    expect(Either::default(), &["at least one of `a` and `b` must be set."]);
    expect(Either { a: "x".into(), b: "y".into() }, &[]);
}

#[test]
fn a_missing_configuration_passes() {
    assert_eq!(check(&Outer::schema(0), &Value::Null), []);
    assert_eq!(check(&Outer::schema(0), &Value::Unknown), []);
}
