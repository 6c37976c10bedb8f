//! Runs a credential plugin and reads what it prints. Its output is a secret and is never shown; its complaints
//! (standard error) are, without the secrets that it was near.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::access::{Access, Exec, Identity, Trust, sendable};
use super::error::Error;
use super::text;
use crate::cloud::http::scrubbed;
use crate::redaction;
use crate::redaction::{ExposeSecret, SecretString};

/// What a plugin gave.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) token: Option<SecretString>,
    pub(super) identity: Option<Identity>,
    /// None: good for as long as this process lives.
    pub(super) expires_at: Option<Timestamp>,
}

/// Runs it, without a terminal, for at most [`PATIENCE`]. It is told of the cluster as `access` has it now.
pub(super) async fn run(exec: &Exec, access: &Access) -> Result<Credential, Error> {
    let failure = |reason: String, install_hint: Option<String>| Error::Exec {
        command: exec.command.clone(),
        reason,
        install_hint,
    };
    if exec.interactive {
        let reason = "wants to ask on a terminal, and a provider has none".to_owned();
        return Err(failure(reason, None));
    }
    let cluster = exec.cluster.as_ref().map(|config| cluster_info(access, config));
    let info = json!({
        "apiVersion": exec.api_version,
        "kind": "ExecCredential",
        "spec": { "interactive": false, "cluster": cluster },
    });
    let mut command = Command::new(&exec.command);
    command.args(&exec.args).envs(&exec.env).env("KUBERNETES_EXEC_INFO", info.to_string());
    let output = match tokio::time::timeout(PATIENCE, output(&mut command)).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
            let there = exec.command.contains(std::path::MAIN_SEPARATOR)
                && Path::new(&exec.command).exists();
            if there {
                let reason = "could not be run: it is there, but not the program that its first line names, or \
                              what it is loaded by";
                return Err(failure(reason.to_owned(), None));
            }
            return Err(failure("is not there".to_owned(), exec.install_hint.clone()));
        }
        Ok(Err(error)) if error.kind() == ErrorKind::FileTooLarge => {
            return Err(failure(format!("printed more than {LARGEST} bytes"), None));
        }
        Ok(Err(error)) => return Err(failure(format!("could not be run: {error}"), None)),
        Err(_) => return Err(failure(format!("did not end within {PATIENCE:?}"), None)),
    };
    if !output.status.success() {
        let complaint = complaint(exec, &output);
        return Err(failure(format!("failed with {}{complaint}", output.status), None));
    }
    let credential = read(&output.stdout, &exec.api_version);
    let credential = credential.map_err(|reason| failure(reason, None))?;
    Ok(credential)
}

struct Output {
    status: ExitStatus,
    stdout: Zeroizing<Vec<u8>>,
    stderr: Zeroizing<Vec<u8>>,
}

/// What it prints, up to the bound, and the end of what it complains of. It ends when the plugin does: what that leaves
/// running, such as a cache of tokens, may hold the pipes open for ever.
async fn output(command: &mut Command) -> io::Result<Output> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (mut stdout, mut stderr) = (Zeroizing::default(), Zeroizing::default());
    let status = {
        let printed = whole(child.stdout.take(), &mut stdout);
        let complained = end(child.stderr.take(), &mut stderr);
        let mut read = pin!(async { tokio::try_join!(printed, complained) });
        tokio::select! {
            all = &mut read => {
                all?;
                child.wait().await?
            }
            status = child.wait() => {
                // its last words are in the pipes already
                if let Ok(all) = tokio::time::timeout(LAST_WORDS, read).await {
                    all?;
                }
                status?
            }
        }
    };
    Ok(Output { status, stdout, stderr })
}

/// Everything, or an error where that is too much.
async fn whole(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(from) = from else { return Ok(()) };
    from.take(LARGEST as u64).read_to_end(into).await?;
    if into.len() < LARGEST { Ok(()) } else { Err(ErrorKind::FileTooLarge.into()) }
}

/// The end. All of it is read: a plugin that complains a lot may be a good one, and must not end by a broken pipe.
async fn end(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(mut from) = from else { return Ok(()) };
    // on the heap: it would be part of every call's future
    let mut some = Zeroizing::new(vec![0; 8 * 1024]);
    loop {
        let read = from.read(&mut some).await?;
        if read == 0 {
            return Ok(());
        }
        into.extend_from_slice(&some[..read]);
        into.drain(..into.len().saturating_sub(COMPLAINT_BYTES));
    }
}

/// `spec.cluster` of the `ExecCredential` that a plugin is given.
fn cluster_info(access: &Access, config: &Value) -> Value {
    let ca = match &access.trust {
        Trust::Certificates(pem) => Some(BASE64_STANDARD.encode(pem.expose_secret())),
        Trust::Anybody | Trust::System => None,
    };
    let mut info = json!({
        "server": access.server(),
        "tls-server-name": access.server_name,
        "insecure-skip-tls-verify": matches!(access.trust, Trust::Anybody).then_some(true),
        "certificate-authority-data": ca,
        "proxy-url": access.proxies.given().map(|url| url.expose_secret().to_owned()),
        "config": config,
    });
    if let Some(fields) = info.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    info
}

/// Reads an `ExecCredential`, JSON or YAML; complains without quoting it.
pub(super) fn read(stdout: &[u8], api_version: &str) -> Result<Credential, String> {
    let first = text::document(stdout).map_err(|error| match error {
        text::Unreadable::At(line) => format!("printed no ExecCredential (line {line})"),
        text::Unreadable::NotText => "printed no ExecCredential".to_owned(),
    })?;
    let credential: ExecCredential = serde_path_to_error::deserialize(first)
        .map_err(|error| format!("printed no ExecCredential (see {})", error.path()))?;
    if credential.api_version != api_version {
        return Err(format!(
            "answered in {:?}, but is configured to speak {api_version:?}",
            credential.api_version
        ));
    }
    let status = credential.status.ok_or("printed an ExecCredential without status")?;
    // an empty one is none, as everywhere in Kubernetes
    let said = |text: Option<String>| {
        text.map(SecretString::from).filter(|text| !text.expose_secret().trim().is_empty())
    };
    let identity = match (said(status.client_certificate_data), said(status.client_key_data)) {
        (Some(certificate), Some(key)) => {
            if ![&certificate, &key].iter().all(|pem| pem.expose_secret().contains("-----BEGIN")) {
                return Err("gave a client certificate or a key that is not PEM".to_owned());
            }
            Some(Identity { certificate, key })
        }
        (None, None) => None,
        _ => return Err("gave one of client certificate and key, not both".to_owned()),
    };
    let token = said(status.token).map(|token| sendable(token.expose_secret())).transpose();
    let token = token.map_err(|why| format!("gave a token that {why}"))?;
    if token.is_none() && identity.is_none() {
        return Err("gave neither a token nor a client certificate".to_owned());
    }
    Ok(Credential { token, identity, expires_at: status.expiration_timestamp })
}

/// The end of what it said on standard error, without what it was given in secret.
fn complaint(exec: &Exec, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let own = exec.env.values().map(|value| SecretString::from(value.as_str()));
    let secrets: Vec<SecretString> = own.chain(secret_variables(std::env::vars_os())).collect();
    let text = redaction::clean_message(text).into_owned();
    // before it is cut: half a secret is not found
    let text = scrubbed(text, &secrets);
    let skipped = text.chars().count().saturating_sub(COMPLAINT_CHARACTERS);
    let end: String = text.chars().skip(skipped).collect();
    let end = crate::cloud::http::one_line(&end);
    format!(": {}{end}", if skipped > 0 { "…" } else { "" })
}

/// Those that it inherits. A variable need not be text; it is read as what the plugin says is.
fn secret_variables(
    all: impl IntoIterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = SecretString> {
    let secret = all.into_iter().filter(|(name, _)| may_be_secret(&name.to_string_lossy()));
    secret.map(|(_, value)| SecretString::from(value.to_string_lossy().as_ref()))
}

/// Of a variable that a plugin gets.
fn may_be_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["CREDENTIAL", "KEY", "PASS", "SECRET", "TOKEN"].iter().any(|word| name.contains(word))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    #[serde(default)]
    api_version: String,
    status: Option<ExecStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecStatus {
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
}

const COMPLAINT_CHARACTERS: usize = 500;
/// What is looked at for them: a secret before them must be found as a whole.
const COMPLAINT_BYTES: usize = 32 * 1024;
/// Of what it prints.
const LARGEST: usize = 1024 * 1024;
/// From its end to that of what it has written.
const LAST_WORDS: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests;
