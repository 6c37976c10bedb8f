//! What both sides must refuse, and where we differ from openstacksdk.

use super::{CLOUDS, Case, IDS, NAMES, URL, case};

/// Both sides must refuse these.
pub(in super::super) fn refused() -> Vec<Case> {
    vec![
        case("nothing at all"),
        case("an unknown cloud").file("work/clouds.yaml", CLOUDS).cloud("three"),
        case("an unknown cloud by variable").file("work/clouds.yaml", CLOUDS).env(&[("OS_CLOUD", "three")]),
        case("two clouds and no choice").file("work/clouds.yaml", CLOUDS),
        case("an unknown region")
            .file("work/clouds.yaml", CLOUDS)
            .cloud("one")
            .set(|settings| settings.region_name = Some("r9".to_owned())),
        case("no password").env(&[URL, ("OS_USER_ID", "u")]),
        case("a key in the wrong place").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p, verify: false}}}",
        ),
        case("an access token without its provider").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3oidcaccesstoken"),
            ("OS_ACCESS_TOKEN", "t"),
        ]),
        case("a client without an endpoint").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3oidcclientcredentials"),
            ("OS_IDENTITY_PROVIDER", "i"),
            ("OS_PROTOCOL", "p"),
            ("OS_CLIENT_ID", "c"),
        ]),
        case("an unknown method").env(IDS).env(&[("OS_AUTH_TYPE", "v3magic")]),
        case("a project without domain").env(IDS).env(&[("OS_PROJECT_NAME", "demo"), ("OS_AUTH_TYPE", "v3password")]),
        case("two scopes").env(IDS).env(&[("OS_PROJECT_ID", "p"), ("OS_SYSTEM_SCOPE", "all")]),
        case("part of a system").env(IDS).env(&[("OS_SYSTEM_SCOPE", "half")]),
        case("an application credential without secret").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3applicationcredential"),
            ("OS_APPLICATION_CREDENTIAL_ID", "c1"),
        ]),
        case("the name of the variables taken")
            .file("work/clouds.yaml", "clouds: {envvars: {}}")
            .env(IDS),
        case("a region that is none")
            .file("work/clouds.yaml", "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, regions: [{nom: x}]}}"),
        case("clouds that are a list").file("work/clouds.yaml", "- a\n- b\n"),
        case("a password for Ansible").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth:\n      auth_url: https://a\n      user_id: u\n      password: !vault |\n        \
             $ANSIBLE_VAULT;1.1;AES256\n        3132\n",
        ),
        case("a password in base64").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: !!binary cHc=}}}",
        ),
        case("a merge of no mapping").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {<<: 5, auth_url: 'https://a', user_id: u, password: p}}}",
        ),
        case("auth that is no mapping").file("work/clouds.yaml", "clouds: {a: {auth: hello}}"),
    ]
}

/// What openstacksdk does, and what we do: a text that each outcome holds.
pub(in super::super) fn differing() -> Vec<(Case, &'static str, &'static str)> {
    let only = "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}}}";
    vec![
        (
            // it exchanges the token for one without a scope, which can do nothing; and Keystone lets not
            // every token be exchanged
            case("a token and no scope").env(&[
                URL,
                ("OS_AUTH_TYPE", "token"),
                ("OS_TOKEN", "given-token"),
            ]),
            r#""methods":["token"]"#,
            "the token as it is",
        ),
        (
            // it passes over a file that is not there, though somebody named it
            case("a chosen file that is missing")
                .env(&[("OS_CLIENT_CONFIG_FILE", "ROOT/missing.yaml")])
                .file("work/clouds.yaml", only),
            "https://a/v3/auth/tokens",
            "missing.yaml, which cannot be used: it is not there",
        ),
        (
            // it goes on to the next file; another login than the one meant is worse than none
            case("a file that is not YAML")
                .file("work/clouds.yaml", "clouds: {a: [")
                .file("home/.config/openstack/clouds.yaml", only),
            "https://a/v3/auth/tokens",
            "is not YAML",
        ),
        (
            // it asks for a scope, which Keystone refuses to application credentials
            case("an application credential and a project").env(&[
                URL,
                ("OS_AUTH_TYPE", "v3applicationcredential"),
                ("OS_APPLICATION_CREDENTIAL_ID", "c1"),
                ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
                ("OS_PROJECT_ID", "p"),
            ]),
            r#""scope":{"project":{"id":"p"}}"#,
            r#"{"auth":{"identity":{"application_credential":{"id":"c1","secret":"s"},"methods":["application_credential"]}}}"#,
        ),
        (
            // it sends a password of nobody
            case("a method that is not said").env(&[
                URL,
                ("OS_APPLICATION_CREDENTIAL_ID", "c1"),
                ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
            ]),
            "password is a required attribute",
            r#""methods":["application_credential"]"#,
        ),
        (
            // it takes any variable for a login
            case("a variable of the operating system").env(&[("OS_VERSION", "12")]).file("work/clouds.yaml", only),
            "not given: auth_url",
            "https://a/v3/auth/tokens",
        ),
        (
            // it makes a project named None of it
            case("null").file(
                "work/clouds.yaml",
                "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p, project_id: null}}}",
            ),
            r#"{"id":"None"}"#,
            r#""methods":["password"],"password":{"user":{"id":"u","password":"p"}}}}"#,
        ),
        (
            // it leaves the domain out, and Keystone refuses
            case("a user without domain").env(&[URL, ("OS_USERNAME", "u"), ("OS_PASSWORD", "p")]),
            r#"{"user":{"name":"u","password":"p"}}"#,
            "user_domain_name",
        ),
        (
            // it ignores the variable; the openstack command does not
            case("a region by variable")
                .file("work/clouds.yaml", "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, regions: [r1, r2]}}")
                .env(&[("OS_CLOUD", "a"), ("OS_REGION_NAME", "r2")]),
            r#""region":"r1""#,
            r#""region":"r2""#,
        ),
        (
            // a variable comes before an argument where it is about the project
            case("a project of the settings and one of the variables")
                .env(NAMES)
                .set(|settings| settings.project_name = Some("mine".to_owned())),
            r#""name":"demo""#,
            r#""name":"mine""#,
        ),
        (
            // it takes the last one; nobody means that
            case("a key in two spellings").file(
                "work/clouds.yaml",
                "clouds: {a: {auth: {auth_url: 'https://one', auth-url: 'https://two', user_id: u, password: p}}}",
            ),
            "https://two/v3/auth/tokens",
            "auth-url and auth_url are the same key",
        ),
        (
            // it mixes them
            case("settings and an only cloud").file("work/clouds.yaml", only).set(|settings| {
                settings.auth_url = Some("https://mine".to_owned());
            }),
            "https://mine/v3/auth/tokens",
            "incomplete",
        ),
    ]
}
