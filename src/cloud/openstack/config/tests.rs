//! Which source wins, what is refused, and in which words.

use serde_json::{Value, json};

use super::*;
use crate::redaction::ExposeSecret;

/// A home, a working directory and a system's directory with these files, and these variables.
struct Place {
    root: tempfile::TempDir,
    from: Surroundings,
}

impl Place {
    fn new(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let at = |path: &str| root.path().join(path);
        let absolute = |value: &str| value.replace("ROOT", root.path().to_str().unwrap());
        let from = Surroundings {
            environment: variables
                .iter()
                .map(|(key, value)| ((*key).to_owned(), absolute(value)))
                .collect(),
            current_dir: at("here"),
            home_dir: Some(at("home")),
            system_dirs: vec![at("etc/xdg"), at("etc")],
        };
        Self { root, from }
    }

    fn resolve(&self, settings: &Settings) -> Result<Cloud, ConfigError> {
        resolve(settings, &self.from)
    }

    /// The error, with this place's own path taken out.
    fn error(&self, settings: &Settings) -> (Option<&'static str>, String) {
        let error = self.resolve(settings).unwrap_err();
        let root = self.root.path().to_str().unwrap();
        (error.setting, error.message.replace(root, "ROOT"))
    }
}

fn body(cloud: &Cloud) -> Value {
    serde_json::to_value(cloud.authentication.request()).unwrap()["auth"].clone()
}

fn user(cloud: &Cloud) -> String {
    let body = body(cloud);
    let user = &body["identity"]["password"]["user"];
    user["name"].as_str().or(user["id"].as_str()).unwrap().to_owned()
}

/// A clouds.yaml of clouds that log in as a user of the cloud's name.
fn clouds(names: &[&str]) -> String {
    let entry = |name: &&str| {
        format!(
            "  {name}:\n    auth: {{auth_url: 'https://{name}/v3', user_id: {name}, password: pw, \
             project_id: p}}\n"
        )
    };
    format!("clouds:\n{}", names.iter().map(entry).collect::<String>())
}

fn named(cloud: &str) -> Settings {
    Settings { cloud: Some(cloud.to_owned()), ..Settings::default() }
}

#[expect(clippy::unnecessary_wraps, reason = "settings are optional")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

const OS_LOGIN: &[(&str, &str)] = &[
    ("OS_AUTH_URL", "https://env:5000"),
    ("OS_USERNAME", "env"),
    ("OS_PASSWORD", "pw"),
    ("OS_USER_DOMAIN_NAME", "Default"),
    ("OS_PROJECT_NAME", "demo"),
    ("OS_PROJECT_DOMAIN_ID", "default"),
];

#[test]
fn the_nearest_file_counts_and_only_it() {
    let all = [
        ("chosen.yaml", "chosen"),
        ("here/clouds.yaml", "work-yaml"),
        ("here/clouds.yml", "work-yml"),
        ("here/clouds.json", "work-json"),
        ("xdg/openstack/clouds.yaml", "xdg"),
        ("home/.config/openstack/clouds.yaml", "home"),
        ("etc/xdg/openstack/clouds.yaml", "site"),
        ("etc/openstack/clouds.yaml", "etc"),
    ];
    let variables =
        [("OS_CLIENT_CONFIG_FILE", "ROOT/chosen.yaml"), ("XDG_CONFIG_HOME", "ROOT/xdg")];
    for first in 0..all.len() {
        let texts: Vec<_> = all[first..]
            .iter()
            .map(|(path, name)| {
                let json = path.ends_with("json").then(|| {
                    json!({ "clouds": { *name: { "auth": {
                        "auth_url": "https://x", "user_id": *name, "password": "pw",
                    }}}})
                    .to_string()
                });
                (*path, json.unwrap_or_else(|| clouds(&[name])))
            })
            .collect();
        let files: Vec<_> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
        // A file that is named must be there: without it, the variable is not set.
        let set = if first == 0 { &variables[..] } else { &variables[1..] };
        let cloud = Place::new(&files, set).resolve(&Settings::default()).unwrap();
        assert_eq!(cloud.name.as_deref(), Some(all[first].1));
        assert_eq!(user(&cloud), all[first].1);
    }
}

#[test]
fn a_cloud_is_named_by_settings_then_variable_then_the_login_of_the_variables_then_alone() {
    let both = clouds(&["a", "b"]);
    let files = [("here/clouds.yaml", both.as_str())];
    let mut variables = OS_LOGIN.to_vec();
    variables.push(("OS_CLOUD", "b"));
    let place = Place::new(&files, &variables);
    assert_eq!(user(&place.resolve(&named("a")).unwrap()), "a");
    assert_eq!(user(&place.resolve(&Settings::default()).unwrap()), "b");
    // the login of the variables has a name too
    assert_eq!(user(&place.resolve(&named("envvars")).unwrap()), "env");

    let place = Place::new(&files, OS_LOGIN);
    let cloud = place.resolve(&Settings::default()).unwrap();
    assert_eq!((user(&cloud).as_str(), cloud.name), ("env", None));
    assert_eq!(cloud.auth_url, "https://env:5000/v3");

    let one = clouds(&["only"]);
    let files = [("here/clouds.yaml", one.as_str())];
    // variables of an operating system are no login
    let place = Place::new(&files, &[("OS_VERSION", "12"), ("OS_CLOUD", "")]);
    assert_eq!(user(&place.resolve(&Settings::default()).unwrap()), "only");
    // a login written out is not mixed with a file that happens to hold one cloud
    let (setting, message) =
        place.error(&Settings { auth_url: some("https://mine"), ..Settings::default() });
    assert_eq!(setting, Some("username"));
    assert!(message.contains("the settings lack username (or user_id), password. "), "{message}");
}

#[test]
fn explicit_settings_win_and_displace_what_says_the_same_in_another_way() {
    let place = Place::new(&[], OS_LOGIN);
    let check = |settings: Settings, expected: Value| {
        let cloud = place.resolve(&settings).unwrap();
        assert_eq!(body(&cloud), expected, "{settings:?}");
    };
    let env_user = json!({ "name": "env", "domain": { "name": "Default" }, "password": "pw" });
    let password = |user: Value| json!({ "methods": ["password"], "password": { "user": user } });
    let env_scope = json!({ "project": { "name": "demo", "domain": { "id": "default" } } });
    let none = Settings::default;
    check(none(), json!({ "identity": password(env_user.clone()), "scope": env_scope }));
    check(
        Settings { project_id: some("p9"), ..none() },
        json!({ "identity": password(env_user.clone()), "scope": { "project": { "id": "p9" } } }),
    );
    check(
        Settings { user_id: some("u9"), ..none() },
        json!({ "identity": password(json!({ "id": "u9", "password": "pw" })), "scope": env_scope }),
    );
    check(
        Settings { password: Some("other".into()), user_domain_id: some("d9"), ..none() },
        json!({
            "identity": password(
                json!({ "name": "env", "domain": { "id": "d9" }, "password": "other" })
            ),
            "scope": env_scope,
        }),
    );
    check(
        Settings { domain_name: some("D"), ..none() },
        json!({
            "identity": password(
                json!({ "name": "env", "domain": { "name": "D" }, "password": "pw" })
            ),
            "scope": { "project": { "name": "demo", "domain": { "name": "D" } } },
        }),
    );
    check(
        Settings {
            application_credential_id: some("c1"),
            application_credential_secret: Some("s".into()),
            ..none()
        },
        json!({ "identity": {
            "methods": ["application_credential"],
            "application_credential": { "id": "c1", "secret": "s" },
        }}),
    );
    check(
        Settings { passcode: Some("123456".into()), ..none() },
        json!({
            "identity": {
                "methods": ["password", "totp"],
                "password": { "user": env_user },
                "totp": { "user": {
                    "name": "env", "domain": { "name": "Default" }, "passcode": "123456",
                }},
            },
            "scope": env_scope,
        }),
    );
    check(
        Settings { token: Some("t".into()), ..none() },
        json!({ "identity": { "methods": ["token"], "token": { "id": "t" } }, "scope": env_scope }),
    );
}

#[test]
fn two_logins_at_once_are_refused_by_name() {
    let credential = Settings { application_credential_id: some("c"), ..Settings::default() };
    let table = [
        (Settings { password: Some("p".into()), ..credential.clone() }, "password"),
        (Settings { passcode: Some("p".into()), ..credential.clone() }, "passcode"),
        (Settings { token: Some("t".into()), ..credential }, "token"),
        (
            Settings { token: Some("t".into()), password: Some("p".into()), ..Settings::default() },
            "token",
        ),
    ];
    for (settings, blamed) in table {
        let (setting, message) = Place::new(&[], OS_LOGIN).error(&settings);
        assert_eq!(setting, Some(blamed));
        assert!(message.starts_with("two logins at once: "), "{message}");
        assert!(message.contains(&format!(" and {blamed};")), "{message}");
    }
}

#[test]
fn a_method_that_is_not_said_is_seen_from_what_there_is() {
    let url = ("OS_AUTH_URL", "https://x");
    let methods = |variables: &[(&str, &str)]| {
        let mut all = vec![url];
        all.extend(variables);
        let cloud = Place::new(&[], &all).resolve(&Settings::default()).unwrap();
        body(&cloud)["identity"]["methods"].clone()
    };
    let credential =
        [("OS_APPLICATION_CREDENTIAL_ID", "c"), ("OS_APPLICATION_CREDENTIAL_SECRET", "s")];
    assert_eq!(methods(&credential), json!(["application_credential"]));
    assert_eq!(methods(&[("OS_TOKEN", "t")]), json!(["token"]));
    let user = [("OS_USER_ID", "u"), ("OS_PASSWORD", "p"), ("OS_TOKEN", "t")];
    assert_eq!(methods(&user), json!(["password"]));
    assert_eq!(methods(&[("OS_USER_ID", "u"), ("OS_PASSCODE", "1")]), json!(["totp"]));
    let several = [
        ("OS_AUTH_TYPE", "v3multifactor"),
        ("OS_AUTH_METHODS", "v3password,v3totp"),
        ("OS_USER_ID", "u"),
        ("OS_PASSWORD", "p"),
        ("OS_PASSCODE", "1"),
    ];
    assert_eq!(methods(&several), json!(["password", "totp"]));
    assert_eq!(
        methods(&several[..1].iter().chain(&several[2..]).copied().collect::<Vec<_>>()),
        json!(["password", "totp"])
    );
}

#[test]
fn methods_that_are_not_supported_are_told_with_those_that_are() {
    let check = |kind: &str, methods: &str, expected: &str| {
        let place = Place::new(&[], &[("OS_AUTH_TYPE", kind), ("OS_AUTH_METHODS", methods)]);
        let (_, message) = place.error(&Settings::default());
        assert_eq!(message, expected);
    };
    let factors = "password, v3password, token, v3token, v3applicationcredential, v3totp";
    let known = format!(
        "{factors}, v3multifactor, v3oidcaccesstoken, v3oidcclientcredentials, v3oidcpassword"
    );
    check("v3magic", "", &format!("auth_type v3magic is not supported; supported are: {known}"));
    check(
        "v2password",
        "",
        "auth_type v2password is of Identity API v2, which is no more; use v3password",
    );
    check(
        "v3multifactor",
        "v3password,magic",
        &format!("auth_methods may name: {factors}, not v3password, magic"),
    );
}

#[test]
fn a_login_that_cannot_work_here_is_refused_with_the_one_that_does() {
    for (kind, why) in [
        ("v3websso", "a person at a browser"),
        ("v3oidcauthcode", "a person at a browser"),
        ("v3oidcdeviceauthz", "a person at a browser"),
        ("v3samlpassword", "SAML"),
        ("v3adfspassword", "SAML"),
        ("v3kerberos", "Kerberos"),
        ("v3oauth1", "nobody may issue application credentials"),
        ("v3tokenlessauth", "gives no token"),
    ] {
        let (_, message) = Place::new(&[], &[("OS_AUTH_TYPE", kind)]).error(&Settings::default());
        assert!(message.starts_with(&format!("auth_type {kind} ")), "{message}");
        for part in [why, "OS_TOKEN", "--unrestricted", "v3oidcaccesstoken"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}

#[test]
fn what_is_missing_is_named_with_the_three_ways_to_give_it() {
    let (setting, message) = Place::new(&[], &[]).error(&Settings::default());
    assert_eq!(setting, Some("auth_url"));
    assert_eq!(
        message,
        "the OpenStack login is incomplete: the settings lack auth_url, username (or user_id), password. Give it in one of three ways: \
         as settings of these names, as a cloud of clouds.yaml chosen by cloud or OS_CLOUD; there is \
         no clouds.yaml (looked for ROOT/here/clouds.yaml, ROOT/home/.config/openstack/clouds.yaml, \
         ROOT/etc/xdg/openstack/clouds.yaml, ROOT/etc/openstack/clouds.yaml), or as variables \
         (OS_AUTH_URL, OS_USERNAME, OS_PASSWORD)"
    );
    let lacks = |variables: &[(&str, &str)], expected: &str| {
        let (_, message) = Place::new(&[], variables).error(&Settings::default());
        assert!(
            message.contains(&format!("the OS_* variables lack {expected}. Give")),
            "{message}"
        );
    };
    let url = ("OS_AUTH_URL", "https://x");
    lacks(&[url], "username (or user_id), password");
    lacks(&[url, ("OS_PASSWORD", "p")], "username (or user_id)");
    lacks(
        &[url, ("OS_USERNAME", "u"), ("OS_PROJECT_NAME", "p")],
        "user_domain_name (or user_domain_id), password, project_domain_name (or project_domain_id)",
    );
    lacks(
        &[url, ("OS_AUTH_TYPE", "v3applicationcredential")],
        "application_credential_secret, application_credential_id (or application_credential_name and its user)",
    );
    lacks(
        &[url, ("OS_APPLICATION_CREDENTIAL_NAME", "n"), ("OS_APPLICATION_CREDENTIAL_SECRET", "s")],
        "username (or user_id)",
    );
    let two = clouds(&["a", "b"]);
    let place = Place::new(&[("here/clouds.yaml", &two)], &[]);
    let (_, message) = place.error(&Settings::default());
    assert!(message.contains("ROOT/here/clouds.yaml has: a, b"), "{message}");
    let (setting, message) = place.error(&named("c"));
    assert_eq!(setting, Some("cloud"));
    assert_eq!(
        message,
        "cloud names the cloud \"c\", which is not there; ROOT/here/clouds.yaml has: a, b"
    );
    let place = Place::new(&[], &[("OS_CLOUD", "c")]);
    let (_, message) = place.error(&Settings::default());
    assert!(message.starts_with(
        "OS_CLOUD names the cloud \"c\", which is not there; there is no clouds.yaml"
    ));
}

#[test]
fn auth_urls_are_completed_or_refused() {
    let url = |text: &str| {
        let mut variables = OS_LOGIN.to_vec();
        variables[0].1 = text;
        Place::new(&[], &variables).resolve(&Settings::default()).map(|cloud| cloud.auth_url)
    };
    for (given, expected) in [
        ("https://k:5000", "https://k:5000/v3"),
        ("https://k:5000/", "https://k:5000/v3"),
        ("https://k:5000/v3", "https://k:5000/v3"),
        ("https://k:5000/v3/", "https://k:5000/v3"),
        ("http://k/identity", "http://k/identity/v3"),
        (" https://[::1]:5000/v3 ", "https://[::1]:5000/v3"),
    ] {
        assert_eq!(url(given).unwrap(), expected);
    }
    for bad in ["k:5000", "ftp://k/v3", "https://", "https://k/v2.0", "https://u:pw@k/v3"] {
        let error = url(bad).unwrap_err();
        assert_eq!(error.setting, Some("auth_url"), "{bad}");
        assert!(!error.message.contains("pw"), "{}", error.message);
        assert!(error.message.contains("in OS_AUTH_URL "), "{}", error.message);
        assert_eq!(error.message.contains(bad), !bad.contains('@'), "{}", error.message);
    }
    let text = "clouds: {c: {auth: {auth_url: 'k:5000', user_id: u, password: p}}}";
    let place = Place::new(&[("here/clouds.yaml", text)], &[]);
    let (_, message) = place.error(&Settings::default());
    for part in ["\"k:5000\"", "the cloud \"c\"", "clouds.yaml"] {
        assert!(message.contains(part), "{message}");
    }
}

proptest::proptest! {
    #[test]
    fn braces_in_whatever_order_are_read(text in "[{}ab]{0,12}") {
        let values = [("a".to_owned(), "A".to_owned())].into();
        let told = super::layers::formatted(&text, &values);
        proptest::prop_assert!(told.matches('b').count() == text.matches('b').count());
    }
}

#[test]
fn a_brace_that_names_nothing_is_itself() {
    let values = [("a".to_owned(), "A".to_owned())].into();
    for (text, expected) in [
        ("p}w", "p}w"),
        ("a}b{a}", "a}bA"),
        ("${a}", "$A"),
        ("{{a}}", "{a}"),
        ("{}}x}", "{}x}"),
        ("{", "{"),
    ] {
        assert_eq!(super::layers::formatted(text, &values), expected, "{text}");
    }
    // In any variable, be it of ours or not.
    let variables = [
        ("OS_AUTH_URL", "https://k/v3"),
        ("OS_USER_ID", "u"),
        ("OS_PASSWORD", "p}w"),
        ("OS_PROJECT_ID", "p"),
        ("OS_UNUSED", "{}}x}"),
    ];
    let cloud = Place::new(&[], &variables).resolve(&Settings::default()).unwrap();
    let secrets: Vec<_> = cloud.authentication.secrets().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["p}w"]);
}

#[test]
fn secure_yaml_completes_and_a_profile_precedes() {
    let files = [
        (
            "here/clouds.yaml",
            "clouds:\n  mine:\n    profile: vendor\n    auth: {user_id: u, project-id: p}\n",
        ),
        ("etc/openstack/secure.yaml", "clouds: {mine: {auth: {password: hidden}}}"),
        (
            "home/.config/openstack/clouds-public.yaml",
            "public-clouds:\n  vendor:\n    auth: {auth_url: 'https://{region_name}.vendor'}\n    \
             region_name: r1\n    interface: internalURL\n    api_timeout: 7\n",
        ),
    ];
    let cloud = Place::new(&files, &[]).resolve(&Settings::default()).unwrap();
    assert_eq!(cloud.auth_url, "https://r1.vendor/v3");
    assert_eq!(cloud.region_name.as_deref(), Some("r1"));
    assert_eq!(cloud.interfaces, ["internal"]);
    assert_eq!(cloud.timeout, Duration::from_secs(7));
    let secrets: Vec<_> = cloud.authentication.secrets().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["hidden"]);
    assert!(!format!("{cloud:?}").contains("hidden"));

    let place = Place::new(&files[..2], &[]);
    let (setting, message) = place.error(&Settings::default());
    assert_eq!(setting, Some("cloud"));
    assert!(message.starts_with(
        "cloud \"mine\" has the profile \"vendor\", which is expected in a clouds-public.yaml"
    ));
    // with an address of its own it does without, and says so
    let cloud =
        place.resolve(&Settings { auth_url: some("https://own"), ..named("mine") }).unwrap();
    assert!(
        matches!(cloud.warnings.as_slice(), [Caveat::ProfileNotUsed { profile, .. }] if profile == "vendor")
    );
}

#[test]
fn regions_are_chosen_from_those_there_are() {
    let text = "clouds:\n  c:\n    auth: {auth_url: 'https://x', user_id: u, password: p}\n    \
                regions:\n    - name: r1\n      values: {interface: admin, auth: {project_id: one}}\n    \
                - r2\n";
    let files = [("here/clouds.yaml", text)];
    let place = Place::new(&files, &[]);
    let region = |settings: Settings| {
        let cloud = place.resolve(&settings)?;
        let project = body(&cloud)["scope"]["project"]["id"].as_str().map(str::to_owned);
        Ok::<_, ConfigError>((cloud.region_name.unwrap(), cloud.interfaces[0].clone(), project))
    };
    let r1 = ("r1".to_owned(), "admin".to_owned(), some("one"));
    assert_eq!(region(Settings::default()).unwrap(), r1);
    let wish = |name: &str| Settings { region_name: some(name), ..Settings::default() };
    assert_eq!(region(wish("r2")).unwrap(), ("r2".to_owned(), "public".to_owned(), None));
    let error = region(wish("r3")).unwrap_err();
    assert_eq!(error.setting, Some("region_name"));
    assert_eq!(error.message, "the cloud has no region \"r3\"; clouds.yaml gives it: r1, r2");

    let chosen = |variables: &[(&str, &str)], settings: &Settings| {
        Place::new(&files, variables).resolve(settings).unwrap().region_name.unwrap()
    };
    let variables = [("OS_CLOUD", "c"), ("OS_REGION_NAME", "r2")];
    assert_eq!(chosen(&variables, &Settings::default()), "r2", "as the openstack command does");
    assert_eq!(chosen(&variables, &named("c")), "r1", "a cloud of the settings is theirs alone");
    let mut login = OS_LOGIN.to_vec();
    login.push(("OS_REGION_NAME", "r9"));
    assert_eq!(chosen(&login, &Settings::default()), "r9");
    assert_eq!(chosen(&login, &wish("r8")), "r8");
}

#[test]
fn trust_is_collected_from_settings_and_files() {
    let text = "clouds:\n  c:\n    auth: {auth_url: 'https://x', user_id: u, password: p}\n    \
                cacert: ~/ca.pem\n    cert: client.pem\n    key: /k.pem\n    verify: no\n";
    let place = Place::new(&[("here/clouds.yaml", text)], &[]);
    let cloud = place.resolve(&Settings::default()).unwrap();
    let file = |pem: Option<Pem>| match pem {
        Some(Pem::File(path)) => {
            path.to_str().unwrap().replace(place.root.path().to_str().unwrap(), "ROOT")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(file(cloud.trust.cacert), "ROOT/home/ca.pem");
    assert_eq!(file(cloud.trust.cert), "ROOT/here/client.pem");
    assert_eq!(file(cloud.trust.key), "/k.pem");
    assert!(!cloud.trust.verify);
    assert_eq!(cloud.warnings, [Caveat::NotVerified]);
    let explicit = Settings {
        verify: Some(true),
        cacert: some("-----BEGIN CERTIFICATE-----\n"),
        timeout: Some(Duration::from_secs(3)),
        ..Settings::default()
    };
    let cloud = place.resolve(&explicit).unwrap();
    assert!(cloud.trust.verify && matches!(cloud.trust.cacert, Some(Pem::Text(_))));
    assert_eq!((cloud.timeout, cloud.warnings.len()), (Duration::from_secs(3), 0));
    let verify = |variable: (&'static str, &'static str)| {
        let mut variables = OS_LOGIN.to_vec();
        variables.push(variable);
        Place::new(&[], &variables).resolve(&Settings::default()).unwrap().trust
    };
    assert!(!verify(("OS_INSECURE", "true")).verify);
    assert!(verify(("OS_INSECURE", "False")).verify);
    assert!(!verify(("OS_VERIFY", "false")).verify);
    assert_eq!(file(verify(("OS_CACERT", "/ca.pem")).cacert), "/ca.pem");
    assert_eq!(file(verify(("OS_VERIFY", "/bundle.pem")).cacert), "/bundle.pem");
}

#[test]
fn endpoints_of_services_may_be_given() {
    let mut variables = OS_LOGIN.to_vec();
    variables.push(("OS_IDENTITY_ENDPOINT_OVERRIDE", "https://i/v3"));
    variables.push(("OS_CONTAINER_INFRA_ENDPOINT", "https://m/v1"));
    let place = Place::new(&[], &variables);
    let cloud = place.resolve(&Settings::default()).unwrap();
    assert_eq!(cloud.endpoint_override("identity"), Some("https://i/v3"));
    assert_eq!(cloud.endpoint_override("container-infra"), Some("https://m/v1"));
    assert_eq!(cloud.endpoint_override("compute"), None);
    let explicit =
        Settings { identity_endpoint_override: some("https://j"), ..Settings::default() };
    let cloud = place.resolve(&explicit).unwrap();
    assert_eq!(cloud.endpoint_override("identity"), Some("https://j"));
}

#[test]
fn timeouts_are_seconds() {
    let timeout = |key: &'static str, value: &'static str| {
        let mut variables = OS_LOGIN.to_vec();
        variables.push((key, value));
        Place::new(&[], &variables).resolve(&Settings::default()).map(|cloud| cloud.timeout)
    };
    assert_eq!(timeout("OS_API_TIMEOUT", "30").unwrap(), Duration::from_secs(30));
    assert_eq!(timeout("OS_API_TIMEOUT", "2.5").unwrap(), Duration::from_millis(2500));
    assert_eq!(timeout("OS_NOVA_TIMEOUT", "9").unwrap(), Duration::from_secs(9));
    assert_eq!(timeout("OS_API_TIMEOUT", "").unwrap(), DEFAULT_TIMEOUT);
    for bad in ["0", "-1", "soon", "inf", "nan"] {
        assert_eq!(timeout("OS_API_TIMEOUT", bad).unwrap_err().setting, Some("timeout"), "{bad}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named_and_not_quoted() {
    let check = |path: &str, text: &str, expected: &str| {
        let (_, message) = Place::new(&[(path, text)], &[]).error(&Settings::default());
        assert_eq!(message, format!("ROOT/{path} cannot be used: {expected}"));
    };
    check("here/clouds.yaml", "clouds:\n  a: [secret\n", "it is not YAML (line 2, column 6)");
    check("here/clouds.json", "{\"clouds\": secret}", "it is not JSON (line 1, column 12)");
    check("here/clouds.yaml", "- secret\n", "it is not a mapping with a key clouds");
    check("here/secure.yaml", "clouds: 'secret", "it is not YAML (line 1, column 9)");
    let place = Place::new(&[("here/clouds.yaml", "clouds: {a: secret}")], &[]);
    let (_, message) = place.error(&named("a"));
    assert_eq!(message, "the cloud \"a\" in clouds.yaml is not a mapping");
    let place = Place::new(&[("here/clouds.yaml", &clouds(&["envvars"]))], &[]);
    assert!(place.error(&Settings::default()).1.contains("OS_CLOUD_NAME"));
    let empty = Place::new(&[("here/clouds.yaml", "")], &[]);
    assert!(empty.error(&Settings::default()).1.contains("ROOT/here/clouds.yaml has no clouds"));
}

#[test]
fn an_empty_setting_is_none() {
    let none = || some("");
    let nothing = || Some("".into());
    let settings = Settings {
        access_token: nothing(),
        application_credential_id: none(),
        application_credential_secret: nothing(),
        cacert: none(),
        cert: none(),
        client_id: none(),
        cloud: none(),
        interface: none(),
        key: nothing(),
        passcode: nothing(),
        region_name: none(),
        token: nothing(),
        username: none(),
        ..Settings::default()
    };
    let cloud = Place::new(&[], OS_LOGIN).resolve(&settings).unwrap();
    assert_eq!(user(&cloud), "env");
    assert_eq!(cloud.interfaces, ["public"]);
    assert!(
        cloud.trust.cacert.is_none() && cloud.trust.cert.is_none() && cloud.trust.key.is_none()
    );
}

#[test]
fn a_file_that_is_named_is_the_one() {
    let one = clouds(&["only"]);
    let files = [("here/clouds.yaml", one.as_str())];
    for variable in ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"] {
        let (_, message) =
            Place::new(&files, &[(variable, "ROOT/typo.yaml")]).error(&Settings::default());
        assert_eq!(
            message,
            format!(
                "{variable} names ROOT/typo.yaml, which cannot be used: it is not there; correct or \
                 unset it"
            )
        );
        let (_, message) =
            Place::new(&files, &[(variable, "~/clouds.yaml")]).error(&Settings::default());
        assert!(message.contains("nobody has expanded its ~"), "{message}");
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    for device in ["/dev/zero", "ROOT/here"] {
        let place = Place::new(&[("here/x", "")], &[("OS_CLIENT_CONFIG_FILE", device)]);
        let (_, message) = place.error(&Settings::default());
        assert!(message.contains("it is not a regular file"), "{message}");
    }
    let large = format!("clouds: {{}} # {}", "x".repeat(5 * 1024 * 1024));
    let (_, message) = Place::new(&[("here/clouds.yaml", &large)], &[]).error(&Settings::default());
    assert!(message.starts_with("ROOT/here/clouds.yaml cannot be used: it is larger"), "{message}");
}

#[test]
fn every_secret_that_is_read_is_known_to_redaction() {
    let text = "clouds:\n  one:\n    auth: {auth_url: 'https://x', user_id: u, password: config-tests-1}\n  \
                two:\n    auth: {password: config-tests-2, token: config-tests-3}\n    regions:\n    \
                - name: r\n      values: {auth: {client-secret: config-tests-4}}\n";
    let secure = "clouds: {two: {auth: {application_credential_secret: config-tests-5}}}";
    let files = [("here/clouds.yaml", text), ("here/secure.yaml", secure)];
    let variables = [
        ("OS_CLOUD", "one"),
        ("OS_PASSWORD", "config-tests-6"),
        ("OS_TOKEN", "config-tests-7"),
        ("OS_ACCESS_TOKEN", "config-tests-8"),
    ];
    let place = Place::new(&files, &variables);
    place.resolve(&Settings { passcode: Some("config-tests-9".into()), ..named("one") }).unwrap();
    for number in 1..=9 {
        let text = format!("see config-tests-{number}");
        assert_eq!(redaction::clean_message(&text), "see (redacted)", "{number}");
    }
}

#[test]
fn what_stands_in_the_wrong_place_is_refused() {
    let check = |auth: &str, expected: &str| {
        let text = format!("clouds:\n  c:\n    auth: {{auth_url: 'https://x', {auth}}}\n");
        let place = Place::new(&[("home/.config/openstack/clouds.yaml", &text)], &[]);
        let (_, message) = place.error(&Settings::default());
        let whose = "the cloud \"c\" (~/.config/openstack/clouds.yaml)";
        assert!(message.starts_with(&format!("{whose} {expected}")), "{message}");
    };
    check(
        "user_id: u, password: p, verify: false",
        "has verify inside auth, where it has no effect",
    );
    check("user_id: u, password: p, cacert: /x", "has cacert inside auth");
    check("user_id: u, password: [a, b]", "gives a list for password, which must be a text");
    check("user_id: u, password: {a: b}", "gives a mapping for password");
}

#[test]
fn variables_that_are_ignored_are_not_asked_for() {
    let text = "clouds: {c: {auth: {auth_url: 'https://x', user_id: u}}}";
    let variables = [("OS_CLOUD", "c"), ("OS_PASSWORD", "given")];
    let place = Place::new(&[("here/clouds.yaml", text)], &variables);
    let (setting, message) = place.error(&Settings::default());
    assert_eq!(setting, Some("password"));
    assert!(message.contains("lacks password. OS_PASSWORD is set, and ignored: "), "{message}");
}

#[test]
fn who_logs_in_is_told_with_the_place() {
    let one = clouds(&["mine"]);
    let place = Place::new(&[("home/.config/openstack/clouds.yaml", &one)], &[]);
    assert_eq!(
        place.resolve(&Settings::default()).unwrap().whom(),
        "the user mine at https://mine/v3 (cloud mine, from ~/.config/openstack/clouds.yaml)"
    );
    assert_eq!(
        Place::new(&[], OS_LOGIN).resolve(&Settings::default()).unwrap().whom(),
        "env at https://env:5000/v3 (from OS_AUTH_URL, OS_PASSWORD, OS_PROJECT_NAME, OS_USERNAME)"
    );
}

#[test]
fn what_can_be_read_on_the_way_is_warned_of() {
    let warned = |url: &str, service: Option<(&'static str, &'static str)>| {
        let mut variables = OS_LOGIN.to_vec();
        variables[0].1 = url;
        variables.extend(service);
        let cloud = Place::new(&[], &variables).resolve(&Settings::default()).unwrap();
        let settings = cloud.warnings.into_iter().map(|caveat| match caveat {
            Caveat::PlainText { setting, .. } => setting,
            other => panic!("{other:?}"),
        });
        settings.collect::<Vec<_>>()
    };
    assert_eq!(warned("http://keystone:5000", None), ["auth_url"]);
    for harmless in
        ["https://keystone", "http://127.0.0.1:5000", "http://[::1]", "http://localhost"]
    {
        assert!(warned(harmless, None).is_empty(), "{harmless}");
    }
    let magnum = ("OS_CONTAINER_INFRA_ENDPOINT_OVERRIDE", "http://magnum/v1");
    assert_eq!(warned("https://keystone", Some(magnum)), ["container_infra_endpoint_override"]);
}

#[test]
fn a_key_that_is_no_path_is_not_quoted_as_one() {
    let mut variables = OS_LOGIN.to_vec();
    variables.push(("OS_KEY", "MIIEvQIBADANBgkqhki\nG9w0BAQEFAASC"));
    let (setting, message) = Place::new(&[], &variables).error(&Settings::default());
    assert_eq!(setting, Some("key"));
    assert!(message.starts_with("key is neither a path nor PEM"), "{message}");
    assert!(!message.contains("MIIE"), "{message}");
}

#[test]
fn an_identity_provider_may_vouch() {
    let common = [
        ("OS_AUTH_URL", "https://k"),
        ("OS_IDENTITY_PROVIDER", "gitlab"),
        ("OS_PROTOCOL", "openid"),
        ("OS_PROJECT_ID", "p1"),
    ];
    let resolved = |more: &[(&str, &str)], settings: &Settings| {
        let variables: Vec<_> = common.iter().chain(more).copied().collect();
        Place::new(&[], &variables).resolve(settings).map(|cloud| {
            let Proof::Federated(federation) = cloud.authentication.proof else { panic!() };
            assert_eq!(federation.identity_provider, "gitlab");
            assert_eq!(federation.protocol, "openid");
            assert_eq!(cloud.authentication.scope, Scope::ProjectId("p1".to_owned()));
            federation.grant
        })
    };
    let none = Settings::default();
    for kind in [&[("OS_AUTH_TYPE", "v3oidcaccesstoken")][..], &[]] {
        let more = [kind, &[("OS_ACCESS_TOKEN", "eyJ.config-tests")]].concat();
        let Grant::AccessToken(token) = resolved(&more, &none).unwrap() else { panic!() };
        assert_eq!(token.expose_secret(), "eyJ.config-tests");
    }
    let client = [
        ("OS_CLIENT_ID", "ci"),
        ("OS_CLIENT_SECRET", "config-tests-cs"),
        ("OS_DISCOVERY_ENDPOINT", "https://i/.well-known/openid-configuration"),
    ];
    let Grant::ClientCredentials(of_client) = resolved(&client, &none).unwrap() else { panic!() };
    assert_eq!((of_client.id.as_str(), of_client.scope.as_str()), ("ci", "openid profile"));
    assert!(matches!(of_client.endpoint, TokenEndpoint::DiscoveredBy(_)));
    let user = [
        ("OS_AUTH_TYPE", "v3oidcpassword"),
        ("OS_CLIENT_ID", "ci"),
        ("OS_ACCESS_TOKEN_ENDPOINT", "https://i/token"),
        ("OS_USERNAME", "alice"),
        ("OS_OPENID_SCOPE", "openid"),
        ("OS_ACCESS_TOKEN_TYPE", "id_token"),
    ];
    let password = Settings { password: Some("config-tests-pw".into()), ..Settings::default() };
    let Grant::Password { client, username, .. } = resolved(&user, &password).unwrap() else {
        panic!()
    };
    assert_eq!((username.as_str(), client.secret.is_none()), ("alice", true));
    assert_eq!(client.endpoint, TokenEndpoint::At("https://i/token".to_owned()));
    assert_eq!((client.scope.as_str(), client.token_type.as_str()), ("openid", "id_token"));

    let lacks = |more: &[(&str, &str)], expected: &str| {
        let message = resolved(more, &none).unwrap_err().message;
        assert!(message.contains(&format!("lack {expected}. Give")), "{message}");
    };
    lacks(&[("OS_AUTH_TYPE", "v3oidcaccesstoken")], "access_token");
    lacks(
        &[("OS_AUTH_TYPE", "v3oidcclientcredentials"), ("OS_CLIENT_ID", "ci")],
        "client_secret, discovery_endpoint (or access_token_endpoint)",
    );
    let (_, message) =
        Place::new(&[], &[("OS_AUTH_URL", "https://k"), ("OS_ACCESS_TOKEN", "eyJ.x")]).error(&none);
    assert!(message.contains("lack identity_provider, protocol. Give"), "{message}");
}

#[test]
fn a_token_without_a_scope_is_used_as_it_is() {
    let login = |more: &[(&str, &str)]| {
        let mut variables = vec![("OS_AUTH_URL", "https://k"), ("OS_TOKEN", "config-tests-token")];
        variables.extend(more);
        Place::new(&[], &variables).resolve(&Settings::default()).unwrap().authentication
    };
    assert!(login(&[]).token_as_it_is().is_some());
    assert!(login(&[]).only_once().is_some());
    assert!(login(&[("OS_PROJECT_ID", "p")]).token_as_it_is().is_none());
    assert!(login(&[("OS_SYSTEM_SCOPE", "all")]).token_as_it_is().is_none());
}

#[test]
fn a_token_is_for_one_thing() {
    let scope = |variables: &[(&str, &str)]| {
        let mut all = vec![("OS_AUTH_URL", "https://x"), ("OS_USER_ID", "u"), ("OS_PASSWORD", "p")];
        all.extend(variables);
        let cloud = Place::new(&[], &all).resolve(&Settings::default());
        cloud.map(|cloud| body(&cloud)["scope"].clone())
    };
    assert_eq!(scope(&[]).unwrap(), Value::Null);
    assert_eq!(scope(&[("OS_DOMAIN_ID", "d")]).unwrap(), json!({ "domain": { "id": "d" } }));
    let system = ("OS_SYSTEM_SCOPE", "all");
    assert_eq!(scope(&[system]).unwrap(), json!({ "system": { "all": true } }));
    assert_eq!(scope(&[("OS_TRUST_ID", "t")]).unwrap(), json!({ "OS-TRUST:trust": { "id": "t" } }));
    let error = scope(&[system, ("OS_PROJECT_ID", "p")]).unwrap_err();
    assert_eq!(error.message, "a token cannot be for a project and a system at once; keep one");
    assert!(scope(&[("OS_SYSTEM_SCOPE", "some")]).is_err());
}
