//! The file as it is written. A shell and openstacksdk are asked by the integration tests.

use proptest::prelude::*;

use super::*;

fn call(settings: &[(&str, Value)]) -> Result<String, FunctionError> {
    let settings = Value::object(settings.iter().map(|(name, value)| (*name, value.clone())));
    let result = Openrc.call(vec![settings.into_dynamic()])?;
    Ok(result.as_str().unwrap().to_owned())
}

fn exports(openrc: &str) -> &str {
    openrc.split_once('\n').unwrap().1
}

#[test]
fn settings_become_variables() {
    let openrc = call(&[
        ("auth_url", "https://keystone.example/v3".into()),
        ("region_name", "RegionOne".into()),
        ("application_credential_id", "abc".into()),
        ("application_credential_secret", "it's $HOME `x` \\ \"y\"".into()),
        ("project_id", Value::Null),
        ("identity_api_version", 3.into()),
    ])
    .unwrap();
    assert_eq!(
        exports(&openrc),
        r#"export OS_AUTH_TYPE='v3applicationcredential'
export OS_REGION_NAME='RegionOne'
export OS_IDENTITY_API_VERSION='3'
export OS_AUTH_URL='https://keystone.example/v3'
export OS_APPLICATION_CREDENTIAL_ID='abc'
export OS_APPLICATION_CREDENTIAL_SECRET='it'\''s $HOME `x` \ "y"'
"#
    );
}

#[test]
fn what_another_login_left_is_unset() {
    let openrc = call(&[("token", "t".into())]).unwrap();
    let unset: Vec<&str> = openrc.lines().next().unwrap().split(' ').collect();
    assert_eq!(unset[0], "unset");
    for name in ["OS_CLOUD", "OS_PASSWORD", "OS_PROJECT_NAME", "OS_INSECURE", "OS_VERIFY"] {
        assert!(unset.contains(&name), "{name}");
    }
    for name in ["OS_TOKEN", "OS_AUTH_TYPE", "OS_PROFILE"] {
        assert!(!unset.contains(&name), "{name}");
    }
}

#[test]
fn verification_has_its_own_variable() {
    let off = call(&[("verify", Value::Bool(false))]).unwrap();
    assert_eq!(exports(&off), "export OS_INSECURE='true'\n");
    assert!(!off.lines().next().unwrap().contains("OS_INSECURE"));
    assert_eq!(exports(&call(&[("verify", Value::Bool(true))]).unwrap()), "");
}

#[test]
fn lists_are_joined_as_the_sdk_splits_them() {
    let openrc = call(&[("password", "p".into()), ("passcode", "1".into())]).unwrap();
    assert!(openrc.contains("export OS_AUTH_METHODS='v3password,v3totp'\n"), "{openrc}");
}

#[test]
fn errors_blame_the_argument() {
    for settings in [("profile", "p".into()), ("x", Value::from("hunter2")), ("key", "\0".into())] {
        let error = call(&[settings]).unwrap_err();
        assert_eq!(error.argument, Some(0));
        assert!(!error.text.contains("hunter2"));
    }
    assert_eq!(Openrc.call(vec![]).unwrap_err().argument, None);
}

proptest! {
    /// Read back by the rules of POSIX, section 2.2.2: nothing is special between single quotes.
    #[test]
    fn any_text_is_one_word(text in "[^\0]*") {
        let quoted = quote(&text);
        let mut plain = String::new();
        let mut inside = false;
        let mut rest = quoted.chars();
        while let Some(char) = rest.next() {
            match (inside, char) {
                (_, '\'') => inside = !inside,
                (true, char) => plain.push(char),
                (false, '\\') => plain.push(rest.next().unwrap()),
                (false, char) => panic!("{char} stands outside of quotes"),
            }
        }
        prop_assert!(!inside);
        prop_assert_eq!(plain, text);
    }
}
