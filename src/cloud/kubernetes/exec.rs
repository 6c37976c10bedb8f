//! Runs a credential plugin and reads what it prints. Its output is a secret and is never shown; its complaints
//! (standard error) are.

use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::Error;
use super::access::{Exec, Identity};

/// What a plugin gave.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) token: Option<SecretString>,
    pub(super) identity: Option<Identity>,
    /// None: good for as long as this process lives.
    pub(super) expires_at: Option<Timestamp>,
}

/// Runs it, without a terminal, for at most [`PATIENCE`].
pub(super) async fn run(exec: &Exec) -> Result<Credential, Error> {
    let failure = |reason: String, install_hint: Option<String>| Error::Exec {
        command: exec.command.clone(),
        reason,
        install_hint,
    };
    if exec.interactive {
        let reason = "wants to ask on a terminal, and a provider has none".to_owned();
        return Err(failure(reason, None));
    }
    let info = json!({
        "apiVersion": exec.api_version,
        "kind": "ExecCredential",
        "spec": { "interactive": false, "cluster": exec.cluster },
    });
    let mut command = Command::new(&exec.command);
    command
        .args(&exec.args)
        .envs(&exec.env)
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(failure("is not there".to_owned(), exec.install_hint.clone()));
        }
        Ok(Err(error)) => return Err(failure(format!("could not be run: {error}"), None)),
        Err(_) => return Err(failure(format!("did not end within {PATIENCE:?}"), None)),
    };
    let stdout = Zeroizing::new(output.stdout);
    if !output.status.success() {
        let complaint = complaint(&output.stderr);
        return Err(failure(format!("failed with {}{complaint}", output.status), None));
    }
    read(&stdout, &exec.api_version).map_err(|reason| failure(reason, None))
}

/// Reads an `ExecCredential`; complains without quoting it.
fn read(stdout: &[u8], api_version: &str) -> Result<Credential, String> {
    let credential: ExecCredential = serde_json::from_slice(stdout)
        .map_err(|error| format!("printed no ExecCredential (line {})", error.line()))?;
    if credential.api_version != api_version {
        return Err(format!(
            "answered in {:?}, but is configured to speak {api_version:?}",
            credential.api_version
        ));
    }
    let status = credential.status.ok_or("printed an ExecCredential without status")?;
    let identity = match (status.client_certificate_data, status.client_key_data) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key: key.into() }),
        (None, None) => None,
        _ => return Err("gave one of client certificate and key, not both".to_owned()),
    };
    let token = status.token.filter(|token| !token.is_empty()).map(SecretString::from);
    if token.is_none() && identity.is_none() {
        return Err("gave neither a token nor a client certificate".to_owned());
    }
    Ok(Credential { token, identity, expires_at: status.expiration_timestamp })
}

/// The end of what it said on standard error.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let skipped = text.chars().count().saturating_sub(COMPLAINT_CHARACTERS);
    let end: String = text.chars().skip(skipped).collect();
    format!(": {}{end}", if skipped > 0 { "…" } else { "" })
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
const PATIENCE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests;
