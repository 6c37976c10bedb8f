use std::path::Path;

use super::super::access::{Exec, Exposure};
use super::*;
use crate::redaction::ExposeSecret;

fn with_variables(variables: &[(&str, &str)]) -> Surroundings {
    let variables = variables.iter();
    Surroundings {
        environment: variables
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        current_dir: "/nowhere".into(),
        home_dir: Some("/home/somebody".into()),
        ..Surroundings::default()
    }
}

fn nowhere() -> Surroundings {
    with_variables(&[])
}

const PEM: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
clusters: [{name: one, cluster: {server: "https://one.example:6443", certificate-authority-data: LS0tLS1CRUdJTg==}}]
users: [{name: me, user: {token: from-the-file}}]
contexts: [{name: ctx, context: {cluster: one, user: me}}]
current-context: ctx
"#;

fn host_only(host: &str) -> Settings {
    Settings { host: Some(host.to_owned()), ..Settings::default() }
}

#[test]
fn a_host_alone_is_enough() {
    let access = Access::resolve(&host_only("https://k.example:6443/"), &nowhere()).unwrap();
    assert_eq!(access.server(), "https://k.example:6443");
    assert!(matches!(access.trust, Trust::System));
    assert!(matches!(access.login.authorization, Authorization::None));
}

/// Never in plain text by accident: a token could be sent that way.
#[test]
fn a_host_without_scheme_is_https() {
    let access = Access::resolve(&host_only("k.example:8080"), &nowhere()).unwrap();
    assert_eq!(access.server(), "https://k.example:8080");
}

#[test]
fn what_lies_open_is_known() {
    let exposure = |settings: Settings| Access::resolve(&settings, &nowhere()).unwrap().exposure();
    let insecure = Settings { insecure: Some(true), ..host_only("https://k.example") };
    assert_eq!(exposure(host_only("https://k.example")), None);
    assert_eq!(exposure(insecure), Some(Exposure::Unverified));
    assert_eq!(exposure(host_only("http://k.example")), Some(Exposure::PlainText));
    assert_eq!(exposure(host_only("http://127.0.0.1:8001")), None, "kubectl proxy");
}

/// Modules pass "" for what they were not given.
#[test]
fn an_empty_setting_is_not_set() {
    let empty = || Some(String::new());
    let secret = || Some(crate::redaction::SecretString::from(""));
    let settings = Settings {
        client_certificate: empty(),
        client_key: secret(),
        cluster_ca_certificate: empty(),
        config_context: empty(),
        config_context_auth_info: empty(),
        config_context_cluster: empty(),
        config_path: empty(),
        config_paths: vec![String::new()],
        exec: Some(Exec::default()),
        insecure: None,
        password: secret(),
        proxy_url: secret(),
        tls_server_name: empty(),
        token: secret(),
        username: empty(),
        host: empty(),
    };
    let variables = with_variables(&[("KUBE_HOST", "https://k.example"), ("KUBE_TOKEN", "t")]);
    let access = Access::resolve(&settings, &variables).unwrap();
    assert_eq!((access.server().as_str(), access.server_name), ("https://k.example", None));
    assert!(access.proxies.given().is_none() && matches!(access.trust, Trust::System));
    assert!(matches!(access.login.authorization, Authorization::Token(_)), "the variable's");
}

#[test]
fn a_host_that_is_no_address_is_refused() {
    let hosts = [
        "ftp://k.example",
        "https://",
        "https://a b",
        "https://k.example/?token=hunter2",
        "https://u:hunter2@k.example",
        "u:hunter2@k.example",
        "https://k.example/#hunter2",
    ];
    for host in hosts {
        let error = Access::resolve(&host_only(host), &nowhere()).unwrap_err();
        assert_eq!(error.setting, Some("host"), "{host}: {error}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }
}

#[test]
fn nothing_at_all_says_what_is_needed() {
    let error = Access::resolve(&Settings::default(), &nowhere()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no Kubernetes cluster is configured: config_path or host is needed"
    );
}

#[test]
fn an_explicit_setting_wins_over_the_kubeconfig() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, KUBECONFIG).unwrap();
    let settings = Settings {
        config_path: Some(path.display().to_string()),
        host: Some("https://two.example".into()),
        insecure: Some(true),
        token: Some("explicit".into()),
        tls_server_name: Some("inside".into()),
        ..Settings::default()
    };
    let access = Access::resolve(&settings, &nowhere()).unwrap();
    assert_eq!(access.server(), "https://two.example");
    assert_eq!(access.server_name.as_deref(), Some("inside"));
    assert!(matches!(access.trust, Trust::Anybody));
    let Authorization::Token(token) = &access.login.authorization else { panic!("no token") };
    assert_eq!(token.expose_secret(), "explicit");
    assert_eq!(access.origin(), format!("context \"ctx\" of {}", path.display()));
}

/// As kubectl has it with `--server`.
#[test]
fn a_name_for_tls_goes_with_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, KUBECONFIG.replace("{server:", "{tls-server-name: inside, server:"))
        .unwrap();
    let by_file = Settings { config_path: Some(path.display().to_string()), ..Settings::default() };
    let name = |settings: &Settings| Access::resolve(settings, &nowhere()).unwrap().server_name;
    assert_eq!(name(&by_file).as_deref(), Some("inside"));
    let elsewhere = Settings { host: Some("https://two.example".into()), ..by_file };
    assert_eq!(name(&elsewhere), None);
    let named = Settings { tls_server_name: Some("own".into()), ..elsewhere };
    assert_eq!(name(&named).as_deref(), Some("own"));
}

/// A file that was to hold it, and holds a line end: nobody is not who was meant.
#[test]
fn a_token_that_cannot_be_sent_is_refused() {
    for (token, why) in
        [(" \n", "token is nothing but white space"), ("hunter2\nb", "token has a line break")]
    {
        let by_setting = Settings { token: Some(token.into()), ..host_only("https://k.example") };
        let by_variable = with_variables(&[("KUBE_TOKEN", token)]);
        for tried in [
            Access::resolve(&by_setting, &nowhere()),
            Access::resolve(&host_only("https://k.example"), &by_variable),
        ] {
            let error = tried.unwrap_err();
            assert_eq!(error.setting, Some("token"));
            assert!(
                error.message.starts_with(why) && !error.message.contains("hunter2"),
                "{error}"
            );
        }
    }
}

#[test]
fn insecure_false_takes_back_what_the_kubeconfig_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let open = KUBECONFIG
        .replace("certificate-authority-data: LS0tLS1CRUdJTg==", "insecure-skip-tls-verify: true");
    std::fs::write(&path, open).unwrap();
    let mut settings =
        Settings { config_path: Some(path.display().to_string()), ..Settings::default() };
    assert!(matches!(Access::resolve(&settings, &nowhere()).unwrap().trust, Trust::Anybody));
    settings.insecure = Some(false);
    assert!(matches!(Access::resolve(&settings, &nowhere()).unwrap().trust, Trust::System));
}

#[test]
fn a_home_directory_and_relative_paths_are_resolved() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".kube")).unwrap();
    std::fs::write(folder.path().join(".kube/config"), KUBECONFIG).unwrap();
    let from = Surroundings {
        current_dir: folder.path().join(".kube"),
        home_dir: Some(folder.path().to_owned()),
        ..nowhere()
    };
    for path in ["~/.kube/config", "config"] {
        let settings = Settings { config_path: Some(path.into()), ..Settings::default() };
        assert_eq!(Access::resolve(&settings, &from).unwrap().server(), "https://one.example:6443");
    }
}

#[test]
fn certificates_as_a_cluster_manager_gives_them() {
    let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    let access =
        Access::with_certificate("https://10.0.0.5:6443", PEM, PEM, key.into(), &nowhere())
            .unwrap();
    assert_eq!(access.server(), "https://10.0.0.5:6443");
    assert!(access.login.identity.is_some());
    // An address without scheme, as some APIs give it, and one with the wrong scheme
    for address in ["10.0.0.5:6443", "http://10.0.0.5:6443"] {
        let access = Access::with_certificate(address, PEM, PEM, key.into(), &nowhere()).unwrap();
        assert_eq!(access.server(), "https://10.0.0.5:6443");
    }
}

#[test]
fn a_pod_finds_its_own_cluster() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "t").unwrap();
    std::fs::write(folder.path().join("ca.crt"), PEM).unwrap();
    let variables = [("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", "443")];
    let access = in_cluster(folder.path(), &with_variables(&variables)).unwrap().unwrap();
    assert_eq!(access.server(), "https://[fd00::1]");
    assert!(
        matches!(&access.login.authorization, Authorization::TokenFile(path) if path.ends_with("token"))
    );
    assert!(in_cluster(folder.path(), &nowhere()).unwrap().is_none());
    assert!(in_cluster(Path::new("/nowhere"), &with_variables(&variables)).unwrap().is_none());
}

#[test]
fn debug_shows_no_secret() {
    let settings = Settings {
        exec: Some(Exec {
            command: "plugin".into(),
            args: vec!["--password=hunter2".into()],
            env: [("SECRET".to_owned(), "hunter2".to_owned())].into(),
            ..Exec::default()
        }),
        proxy_url: Some("http://u:hunter2@proxy:3128".into()),
        ..host_only("https://k.example")
    };
    let access = Access::resolve(&settings, &nowhere()).unwrap();
    let shown = format!("{access:?} {settings:?}");
    assert!(shown.contains("plugin"));
    assert!(!shown.contains("hunter2"), "{shown}");
}
