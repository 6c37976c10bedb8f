use base64::Engine as _;

use super::super::testing::{access, host};
use super::*;
use crate::redaction::ExposeSecret;

fn somewhere() -> Access {
    access(&host("https://k.example:6443"))
}

/// A plugin that is a shell script.
fn script(text: &str) -> Exec {
    Exec {
        api_version: "client.authentication.k8s.io/v1".to_owned(),
        command: "/bin/sh".to_owned(),
        args: vec!["-c".to_owned(), text.to_owned()],
        ..Exec::default()
    }
}

fn credential(status: &str) -> String {
    format!(
        r#"{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{status}}}"#
    )
}

async fn complaint(exec: &Exec) -> (String, Option<String>) {
    match run(exec, &somewhere()).await {
        Err(Error::Exec { reason, install_hint, .. }) => (reason, install_hint),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_with_its_end_is_read() {
    let status = r#"{"token":"t","expirationTimestamp":"2030-01-02T03:04:05Z"}"#;
    let exec = script(&format!("echo '{}'", credential(status)));
    let credential = run(&exec, &somewhere()).await.unwrap();
    assert_eq!(credential.token.unwrap().expose_secret(), "t");
    assert_eq!(credential.expires_at.unwrap().to_string(), "2030-01-02T03:04:05Z");
    assert!(credential.identity.is_none());
}

#[tokio::test]
async fn a_certificate_is_read() {
    let status = r#"{"clientCertificateData":"-----BEGIN c","clientKeyData":"-----BEGIN k"}"#;
    let credential =
        run(&script(&format!("echo '{}'", credential(status))), &somewhere()).await.unwrap();
    let identity = credential.identity.unwrap();
    assert_eq!(identity.certificate.expose_secret(), "-----BEGIN c");
    assert_eq!(identity.key.expose_secret(), "-----BEGIN k");
}

#[tokio::test]
async fn it_gets_its_variables_the_cluster_and_no_terminal() {
    let mut exec = script(
        r#"test ! -t 0 || exit 3
        token=$(printf '%s' "$KUBERNETES_EXEC_INFO$EXTRA" | base64 | tr -d '\n')
        printf '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$token""#,
    );
    exec.env = [("EXTRA".to_owned(), "extra".to_owned())].into();
    exec.cluster = Some(json!({ "audience": "prod" }));
    let token = run(&exec, &somewhere()).await.unwrap().token.unwrap();
    let token = base64::prelude::BASE64_STANDARD.decode(token.expose_secret()).unwrap();
    let info = String::from_utf8(token).unwrap();
    let info: serde_json::Value =
        serde_json::from_str(info.strip_suffix("extra").unwrap()).unwrap();
    assert_eq!(info["kind"], "ExecCredential");
    assert_eq!(info["spec"]["interactive"], false);
    // of the cluster as it is reached in the end, not as the kubeconfig has it
    assert_eq!(info["spec"]["cluster"]["server"], "https://k.example:6443");
    assert_eq!(info["spec"]["cluster"]["config"]["audience"], "prod");
    assert!(info["spec"]["cluster"].get("insecure-skip-tls-verify").is_none());
}

#[tokio::test]
async fn its_complaint_is_shown_and_its_output_is_not() {
    let (reason, _) = complaint(&script("echo hunter2; echo 'session expired' >&2; exit 2")).await;
    assert_eq!(reason, "failed with exit status: 2: session expired");
    let long = format!("printf '%0600d' 7 >&2; echo {} >&2; exit 1", "end");
    let (reason, _) = complaint(&script(&long)).await;
    assert!(reason.ends_with("7end") && reason.contains(": …0"), "{reason}");
}

#[tokio::test]
async fn what_is_no_credential_is_refused_unquoted() {
    let cases = [
        ("hunter2".to_owned(), "printed no ExecCredential"),
        (
            credential(r#"{"token":"hunter2","expirationTimestamp":"-9999-01-01T00:00:00Z"}"#),
            "no ExecCredential",
        ),
        (credential(r#"{"token":"","clientKeyData":" "}"#), "neither a token nor"),
        (credential("{}"), "neither a token nor"),
        (credential(r#"{"clientCertificateData":"c"}"#), "not both"),
        (credential(r#"{"clientCertificateData":"hunter2","clientKeyData":"k"}"#), "not PEM"),
        (credential(r#"{"token":"hunter2\u000ahunter2"}"#), "gave a token that has a line break"),
        (credential(r#"{"token":{"hunter2":1}}"#), "printed no ExecCredential"),
        (r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#.to_owned(), "without status"),
        (credential("{}").replace("v1", "v1beta1"), "is configured to speak"),
    ];
    for (output, word) in cases {
        let (reason, _) = complaint(&script(&format!("echo '{output}'"))).await;
        assert!(reason.contains(word), "{reason}");
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}

#[tokio::test]
async fn a_missing_command_comes_with_its_hint() {
    let exec = Exec {
        command: "/nowhere/plugin".to_owned(),
        install_hint: Some("see the wiki".to_owned()),
        ..Exec::default()
    };
    assert_eq!(
        complaint(&exec).await,
        ("is not there".to_owned(), Some("see the wiki".to_owned()))
    );
}

#[tokio::test]
async fn one_that_is_there_and_cannot_be_run_is_not_said_to_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plugin");
    std::fs::write(&path, "#!/nowhere/python\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&path, executable).unwrap();
    let exec = Exec { command: path.display().to_string(), ..Exec::default() };
    assert!(complaint(&exec).await.0.contains("not the program that its first line names"));
}

/// Such as a cache of tokens, which outlives the plugin and keeps what it has inherited.
#[tokio::test]
async fn what_a_plugin_leaves_running_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left");
    for kept in ["", ">/dev/null", "2>/dev/null"] {
        let output = credential(r#"{"token":"t"}"#);
        let exec = format!("sleep 600 {kept} & echo $! >{}; echo '{output}'", left.display());
        let credential = run(&script(&exec), &somewhere()).await;
        let process = std::fs::read_to_string(&left).unwrap();
        std::process::Command::new("kill").arg(process.trim()).status().unwrap();
        assert_eq!(credential.unwrap().token.unwrap().expose_secret(), "t", "{kept}");
    }
}

#[tokio::test]
async fn one_that_complains_a_lot_may_be_a_good_one() {
    // written by one process: it ends when its pipe does
    let noise = "head -c 3000000 /dev/zero >&2 || exit 9";
    let output = credential(r#"{"token":"t"}"#);
    let given = run(&script(&format!("{noise}; echo '{output}'")), &somewhere()).await.unwrap();
    assert_eq!(given.token.unwrap().expose_secret(), "t");
    let (reason, _) = complaint(&script(&format!("{noise}; echo at last >&2; exit 3"))).await;
    assert!(
        reason.starts_with("failed with exit status: 3: …") && reason.ends_with("at last"),
        "{reason}"
    );
}

#[test]
fn variables_that_are_no_text_do_no_harm() {
    use std::os::unix::ffi::OsStringExt as _;
    let variable = |name: &[u8], value: &[u8]| {
        (std::ffi::OsString::from_vec(name.to_vec()), std::ffi::OsString::from_vec(value.to_vec()))
    };
    let all = [
        variable(b"PLAIN", b"exec-tests-plain"),
        variable(b"\xff_TOKEN", b"exec-tests-odd-name"),
        variable(b"A_TOKEN", b"exec-tests-\xff"),
    ];
    let secrets: Vec<_> =
        secret_variables(all).map(|secret| secret.expose_secret().to_owned()).collect();
    assert_eq!(secrets, ["exec-tests-odd-name", "exec-tests-\u{fffd}"]);
}

#[tokio::test]
async fn one_that_insists_on_a_terminal_is_not_run() {
    let exec = Exec { interactive: true, ..script("exit 7") };
    assert!(complaint(&exec).await.0.contains("terminal"));
}

#[tokio::test]
async fn yaml_and_a_byte_order_mark_are_read_and_white_space_is_not_the_tokens() {
    let yaml = "apiVersion: client.authentication.k8s.io/v1\nstatus:\n  token: |\n    t\n  clientCertificateData: \"\"";
    let marked = format!("\u{feff}{}", credential(r#"{"token":" t\n"}"#));
    for output in [yaml, &marked] {
        let exec = Exec {
            env: [("OUT".to_owned(), output.to_owned())].into(),
            ..script("printf %s \"$OUT\"")
        };
        let credential = run(&exec, &somewhere()).await.unwrap();
        assert_eq!(credential.token.unwrap().expose_secret(), "t");
        assert!(credential.identity.is_none());
    }
}

/// What a plugin was given in secret is not what it may complain with.
#[tokio::test]
async fn a_complaint_holds_no_secret_and_nothing_that_a_terminal_obeys() {
    let mut exec = script(r"printf 'login of %s failed\033[2J\r\n' $PASSWORD >&2; exit 1");
    exec.env = [("PASSWORD".to_owned(), "hunter2-hunter2".to_owned())].into();
    let (reason, _) = complaint(&exec).await;
    assert_eq!(reason, "failed with exit status: 1: login of (redacted) failed\\u{1b}[2J");
}

#[tokio::test]
async fn one_that_prints_without_end_is_stopped() {
    let (reason, _) = complaint(&script("exec cat /dev/zero")).await;
    assert!(reason.contains("signal") || reason.contains("printed more than"), "{reason}");
}
