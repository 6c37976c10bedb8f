//! The file as it is written, and as a YAML reader takes it. openstacksdk itself is asked by the
//! integration tests.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn call(name: &str, settings: Value) -> Result<String, FunctionError> {
    let result = CloudsYaml.call(vec![name.into(), settings.into_dynamic()])?;
    Ok(result.as_str().unwrap().to_owned())
}

type Clouds = BTreeMap<String, BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>>;

#[test]
fn a_cloud_is_written_as_people_would() {
    let settings = Value::object([
        ("auth_url", Value::from("https://keystone.example/v3")),
        ("region_name", "RegionOne".into()),
        ("application_credential_id", "abc".into()),
        ("application_credential_secret", "s3cr\"et\\\n".into()),
        ("project_id", Value::Null),
        ("verify", Value::Bool(false)),
        ("api_timeout", 30.into()),
    ]);
    assert_eq!(
        call("mycloud", settings).unwrap(),
        r#"clouds:
  "mycloud":
    auth_type: "v3applicationcredential"
    auth:
      auth_url: "https://keystone.example/v3"
      application_credential_id: "abc"
      application_credential_secret: "s3cr\"et\\\n"
    region_name: "RegionOne"
    verify: false
    api_timeout: "30"
"#
    );
}

#[test]
fn lists_and_nothing_can_be_written() {
    let settings = Value::object([("password", Value::from("p")), ("passcode", "1".into())]);
    let yaml = call("c", settings).unwrap();
    assert!(yaml.contains("    auth_methods: [\"v3password\", \"v3totp\"]\n    auth:\n"), "{yaml}");
    assert_eq!(call("c", Value::object::<&str>([])).unwrap(), "clouds:\n  \"c\": {}\n");
    let only = Value::object([("region_name", Value::from("R"))]);
    assert_eq!(call("c", only).unwrap(), "clouds:\n  \"c\":\n    region_name: \"R\"\n");
}

#[test]
fn what_yaml_cannot_hold_plainly_is_escaped() {
    assert_eq!(
        quote("\u{7f}\u{85}\u{a0}é\u{2028}\u{feff}\u{1f600}\t\r\u{1}"),
        r#""\x7f\x85\xa0\xe9\u2028\ufeff\U0001f600\t\r\x01""#
    );
}

#[test]
fn a_cloud_needs_a_name_that_yaml_can_hold() {
    let nothing = || Value::object::<&str>([]);
    let refuse = |name: &str| call(name, nothing()).unwrap_err();
    assert_eq!(refuse("").argument, Some(0));
    assert_eq!(refuse("a\0").argument, Some(0));
    assert_eq!(refuse(&"ü".repeat(300)).text, "is too long for a key in YAML");
    assert!(call("a: b # c", nothing()).is_ok());
}

#[test]
fn errors_blame_the_argument() {
    let error = call("c", Value::object([("regionname", Value::from("hunter2"))])).unwrap_err();
    assert_eq!(error.argument, Some(1));
    assert!(!error.text.contains("hunter2"));
    assert_eq!(CloudsYaml.call(vec![]).unwrap_err().argument, None);
}

proptest! {
    #[test]
    fn any_text_comes_out_as_it_went_in(name in "[^\0]{1,20}", password in "[^\0]*") {
        let settings = Value::object([("password", Value::from(password.as_str()))]);
        let yaml = call(&name, settings).unwrap();
        prop_assert!(yaml.is_ascii());
        let yaml = yaml.replace("    auth_type: \"password\"\n", "");
        let clouds: Clouds = serde_saphyr::from_str(&yaml).unwrap();
        prop_assert_eq!(&clouds["clouds"][&name]["auth"]["password"], &password);
    }
}
