use super::super::access::{Access, Trust};
use super::*;
use crate::redaction::ExposeSecret;

fn with(variables: &[(&str, &str)]) -> Surroundings {
    let variables = variables.iter();
    Surroundings {
        environment: variables
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..Surroundings::default()
    }
}

fn resolve(settings: &Settings, variables: &[(&str, &str)]) -> Result<Access, AccessError> {
    let settings = Settings { host: Some("https://k.example".into()), ..settings.clone() };
    Access::resolve(&settings, &with(variables))
}

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";

#[test]
fn variables_stand_in_for_what_is_not_written_down() {
    let variables = [
        ("KUBE_TOKEN", "t"),
        ("KUBE_TLS_SERVER_NAME", "inside"),
        ("KUBE_CLUSTER_CA_CERT_DATA", CERTIFICATE),
        ("KUBE_CTX", ""),
    ];
    let access = resolve(&Settings::default(), &variables).unwrap();
    assert!(
        matches!(&access.login.authorization, Authorization::Token(token) if token.expose_secret() == "t")
    );
    assert!(
        matches!(&access.trust, Trust::Certificates(pem) if pem.expose_secret() == CERTIFICATE)
    );
    assert_eq!(access.server_name.as_deref(), Some("inside"));
    let host = [("KUBE_HOST", "https://variable.example")];
    let access = Access::resolve(&Settings::default(), &with(&host)).unwrap();
    assert_eq!(access.server(), "https://variable.example");
}

#[test]
fn a_variable_is_not_mixed_into_an_explicit_login() {
    let settings = Settings {
        client_certificate: Some(CERTIFICATE.into()),
        client_key: Some(KEY.into()),
        ..Settings::default()
    };
    let access = resolve(&settings, &[("KUBE_TOKEN", "other"), ("KUBE_USER", "other")]).unwrap();
    assert!(access.login.identity.is_some());
    assert!(matches!(access.login.authorization, Authorization::None));
}

#[test]
fn an_explicit_ca_keeps_the_variables_insecure_away() {
    let settings =
        Settings { cluster_ca_certificate: Some(CERTIFICATE.into()), ..Settings::default() };
    let access = resolve(&settings, &[("KUBE_INSECURE", "true")]).unwrap();
    assert!(matches!(access.trust, Trust::Certificates(_)));
    let access = resolve(&Settings::default(), &[("KUBE_INSECURE", "true")]).unwrap();
    assert!(matches!(access.trust, Trust::Anybody));
}

/// Settings that contradict each other or are half: the setting to blame, and a word of the message.
#[test]
fn what_does_not_go_together_is_refused() {
    let text = |text: &str| Some(text.to_owned());
    let secret = |text: &str| Some(SecretString::from(text));
    let none = Settings::default;
    let cases = [
        (Settings { client_certificate: text(CERTIFICATE), ..none() }, "client_key", "needs"),
        (Settings { client_key: secret(KEY), ..none() }, "client_certificate", "needs"),
        (Settings { username: text("u"), ..none() }, "password", "needs"),
        (Settings { password: secret("p"), ..none() }, "username", "needs"),
        (
            Settings {
                token: secret("t"),
                exec: Some(Exec { command: "c".into(), ..Exec::default() }),
                ..none()
            },
            "exec",
            "token and exec exclude",
        ),
        (
            Settings { token: secret("t"), username: text("u"), password: secret("p"), ..none() },
            "username",
            "exclude",
        ),
        (
            Settings { insecure: Some(true), cluster_ca_certificate: text(CERTIFICATE), ..none() },
            "insecure",
            "exclude",
        ),
        (
            Settings { config_path: text("a"), config_paths: vec!["b".into()], ..none() },
            "config_paths",
            "exclude",
        ),
        (
            Settings { cluster_ca_certificate: text("LS0tLS1CRUdJTiBD"), ..none() },
            "cluster_ca_certificate",
            "base64decode()",
        ),
        (
            Settings { cluster_ca_certificate: text("ca.pem"), ..none() },
            "cluster_ca_certificate",
            "is not PEM",
        ),
        (
            Settings {
                client_certificate: text(CERTIFICATE),
                client_key: secret("hunter2"),
                ..none()
            },
            "client_key",
            "client_key is not PEM",
        ),
    ];
    for (settings, setting, word) in cases {
        let error = resolve(&settings, &[]).unwrap_err();
        assert_eq!(error.setting, Some(setting), "{error}");
        assert!(error.message.contains(word), "{error}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }
    let error = resolve(&Settings::default(), &[("KUBE_INSECURE", "maybe")]).unwrap_err();
    assert_eq!(error.setting, Some("insecure"));
}

#[test]
fn config_paths_come_from_a_variable_as_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    std::fs::write(&one, "clusters: [{name: c, cluster: {server: https://c.example}}]").unwrap();
    std::fs::write(&two, "contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x")
        .unwrap();
    let list = format!("{}:{}", one.display(), two.display());
    let access =
        Access::resolve(&Settings::default(), &with(&[("KUBE_CONFIG_PATHS", &list)])).unwrap();
    assert_eq!(access.server(), "https://c.example");
}
