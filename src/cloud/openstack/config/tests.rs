//! Which source wins, what is refused, and in which words.

mod files;
mod logins;

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
        ("https://k/?region=one", "https://k/v3"),
        ("https://k/v3?a=/x#top", "https://k/v3"),
        ("https://k/identity/#/v3", "https://k/identity/v3"),
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
fn variables_that_are_ignored_are_not_asked_for() {
    let text = "clouds: {c: {auth: {auth_url: 'https://x', user_id: u}}}";
    let variables = [("OS_CLOUD", "c"), ("OS_PASSWORD", "given")];
    let place = Place::new(&[("here/clouds.yaml", text)], &variables);
    let (setting, message) = place.error(&Settings::default());
    assert_eq!(setting, Some("password"));
    assert!(message.contains("lacks password. OS_PASSWORD is set, and ignored: "), "{message}");
}
