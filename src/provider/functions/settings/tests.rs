//! Which keys there are, where they belong, and what is refused without echoing a value.

use super::*;
use crate::tfplugin::cty::{Number, Type};

fn settings(entries: &[(&str, Value)]) -> Value {
    Value::object(entries.iter().map(|(name, value)| (*name, value.clone()))).into_dynamic()
}

fn read(entries: &[(&str, Value)]) -> Settings {
    Settings::read(&settings(entries)).map_err(|text| panic!("{text}")).unwrap()
}

#[track_caller]
fn refuse(entries: &[(&str, Value)], message: &str) {
    let Err(text) = Settings::read(&settings(entries)) else { panic!("taken") };
    assert_eq!(text, message);
}

fn names(list: &[(String, Setting)]) -> Vec<&str> {
    list.iter().map(|(name, _)| name.as_str()).collect()
}

fn text_of<'s>(settings: &'s Settings, name: &str) -> Option<&'s str> {
    settings.all().find(|(key, _)| key == name).map(|(_, setting)| match setting {
        Setting::Text(text) => text.as_str(),
        _ => panic!("{name} is no text"),
    })
}

#[test]
fn keys_stand_where_they_belong() {
    let given = read(&[
        ("region_name", "R".into()),
        ("auth_url", "https://k".into()),
        ("identity_endpoint_override", "https://o".into()),
        ("token", "t".into()),
        ("verify", Value::Bool(true)),
    ]);
    assert_eq!(names(&given.auth), ["auth_url", "token"]);
    assert_eq!(
        names(&given.cloud),
        ["auth_type", "region_name", "verify", "identity_endpoint_override"]
    );
}

#[test]
fn null_is_left_out() {
    let given =
        read(&[("region_name", Value::Null), ("auth", Value::Null), ("user_id", "u".into())]);
    assert_eq!(names(&given.auth), ["user_id"]);
    assert!(given.cloud.is_empty());
    let typed = Value::Dynamic(Box::new(Type::String), Box::new(Value::Null));
    assert!(read(&[("password", typed)]).auth.is_empty());
}

#[test]
fn auth_may_be_written_as_in_the_file() {
    let auth = Value::object([("auth_url", "https://k".into()), ("token", Value::Null)]);
    let given = read(&[("auth", auth.clone()), ("interface", "internal".into())]);
    assert_eq!((names(&given.auth), names(&given.cloud)), (vec!["auth_url"], vec!["interface"]));
    refuse(
        &[("auth", auth), ("auth_url", "x".into())],
        "`auth_url` is given twice, in `auth` and beside it",
    );
    refuse(
        &[("auth", Value::object([("region_name", Value::from("R"))]))],
        "`region_name` stands beside `auth`, not in it",
    );
    refuse(
        &[("auth", "x".into())],
        "`auth` must be an object, such as { auth_url = \"https://...\" }",
    );
}

#[test]
fn the_login_tells_its_type() {
    let check = |given: &[&str], auth_type: Option<&str>| {
        let given: Vec<(&str, Value)> = given.iter().map(|name| (*name, "x".into())).collect();
        assert_eq!(text_of(&read(&given), "auth_type"), auth_type);
    };
    check(
        &["application_credential_id", "application_credential_secret"],
        Some("v3applicationcredential"),
    );
    check(&["application_credential_name", "user_id"], Some("v3applicationcredential"));
    check(&["username", "password"], Some("password"));
    check(&["username", "passcode"], Some("v3totp"));
    check(&["token"], Some("v3token"));
    check(&["auth_url"], None);
    check(&["password", "auth_type"], Some("x"));
}

#[test]
fn two_factors_name_their_methods() {
    let both = [("password", Value::from("p")), ("passcode", "1".into())];
    let given = read(&both);
    assert_eq!(text_of(&given, "auth_type"), Some("v3multifactor"));
    let methods = ["v3password", "v3totp"].map(str::to_owned).to_vec();
    assert!(given.cloud[1] == ("auth_methods".to_owned(), Setting::List(methods)));
    let own = Value::List(vec!["v3totp".into()]);
    let given = read(&[both.as_slice(), &[("auth_methods", own)]].concat());
    assert!(given.cloud[1].1 == Setting::List(vec!["v3totp".to_owned()]));
}

#[test]
fn two_logins_are_refused() {
    let message = "an application credential, a password or passcode, and a token are different \
        logins; leave one, or say which with `auth_type`";
    refuse(&[("password", "p".into()), ("token", "t".into())], message);
    refuse(&[("application_credential_id", "i".into()), ("password", "p".into())], message);
}

#[test]
fn values_are_converted_as_terraform_does() {
    let given = read(&[
        ("api_timeout", Number::from(30).into()),
        ("project_name", "1.5".parse::<Number>().unwrap().into()),
        ("username", Value::Bool(true)),
        ("verify", "false".into()),
        ("identity_api_version", Number::from(3).into()),
    ]);
    assert_eq!(text_of(&given, "api_timeout"), Some("30"));
    assert_eq!(text_of(&given, "project_name"), Some("1.5"));
    assert_eq!(text_of(&given, "username"), Some("true"));
    assert_eq!(text_of(&given, "identity_api_version"), Some("3"));
    assert!(given.cloud.iter().any(|(_, setting)| *setting == Setting::Bool(false)));
}

#[test]
fn an_unknown_key_is_named_with_near_ones_and_no_value() {
    let check = |name: &str, message: &str| refuse(&[(name, "hunter2".into())], message);
    check("regionname", "clouds.yaml has no key \"regionname\"; did you mean region_name");
    check("projectid", "clouds.yaml has no key \"projectid\"; did you mean project_id");
    check("OS_USERNAME", "clouds.yaml has no key \"OS_USERNAME\"; did you mean username");
    check("tenant_name", "clouds.yaml has no key \"tenant_name\"; did you mean project_name");
    check(
        "secret",
        "clouds.yaml has no key \"secret\"; did you mean application_credential_secret",
    );
    check("insecure", "clouds.yaml has no key \"insecure\"; did you mean verify");
    let Err(text) = Settings::read(&settings(&[("zzz", "hunter2".into())])) else { panic!() };
    assert!(text.starts_with("clouds.yaml has no key \"zzz\"; it has auth_type, "), "{text}");
    assert!(!text.contains("hunter2"));
    // Also where its value is null: it is a mistake all the same.
    refuse(
        &[("regionname", Value::Null)],
        "clouds.yaml has no key \"regionname\"; did you mean region_name",
    );
    let long = "x".repeat(100_000);
    let Err(text) = Settings::read(&settings(&[(&long, Value::Null)])) else { panic!() };
    assert!(text.len() < 1000);
}

#[test]
fn misfits_are_named_without_their_value() {
    refuse(&[("password", Value::List(vec!["hunter2".into()]))], "`password` must be a string");
    refuse(&[("verify", "hunter2".into())], "`verify` must be true or false");
    refuse(&[("auth_methods", "hunter2".into())], "`auth_methods` must be a list of strings");
    refuse(
        &[("password", "hunter2\0".into())],
        "`password` holds a NUL character, which no file of settings can hold",
    );
    let Err(text) = Settings::read(&Value::from("hunter2").into_dynamic()) else { panic!() };
    assert_eq!(text, "`settings` must be an object, such as { auth_url = \"https://...\" }");
}

#[test]
fn a_map_is_as_good_as_an_object() {
    let map = Value::Map([("token".to_owned(), Value::from("t"))].into());
    let Ok(given) = Settings::read(&map.into_dynamic()) else { panic!() };
    assert_eq!(names(&given.auth), ["token"]);
}

#[test]
fn distance_counts_edits() {
    for (a, b, edits) in [("", "abc", 3), ("abc", "abc", 0), ("abc", "axc", 1), ("ab", "ba", 2)] {
        assert_eq!(distance(a, b), edits, "{a} {b}");
    }
}
