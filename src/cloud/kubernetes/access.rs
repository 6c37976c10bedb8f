//! A way into a cluster, resolved: which API server, whom to trust and who to be. Plain data; where it comes from
//! is in `resolve`, how it is used in `client`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::cloud::http::{Proxies, ProxyError, Url};
use crate::redaction::SecretString;

/// A credential plugin: a command that prints an `ExecCredential`.
#[derive(Clone, Default)]
pub struct Exec {
    /// `client.authentication.k8s.io/v1` or `/v1beta1`.
    pub api_version: String,
    pub command: String,
    pub args: Vec<String>,
    /// Added to this process's environment.
    pub env: BTreeMap<String, String>,
    /// Shown when the command is not there.
    pub install_hint: Option<String>,
    /// What a plugin that asks for it is told of the cluster (`provideClusterInfo`).
    pub cluster: Option<serde_json::Value>,
    /// It insists on a terminal (`interactiveMode: Always`).
    pub interactive: bool,
}

impl Exec {
    /// A plugin as the provider block describes one.
    pub fn new(
        api_version: String,
        command: String,
        args: Vec<String>,
        env: BTreeMap<String, String>,
    ) -> Self {
        Self { api_version, command, args, env, ..Self::default() }
    }
}

/// Everything that a connection needs, resolved.
#[derive(Clone, Debug)]
pub struct Access {
    /// With scheme; a path, if any, precedes that of each request.
    pub(super) server: Url,
    pub(super) trust: Trust,
    /// Stands in for the server's host name in TLS.
    pub(super) server_name: Option<String>,
    pub(super) proxies: Proxies,
    pub(super) login: Login,
    pub(super) impersonation: Impersonation,
    pub(super) origin: String,
}

/// Whom to take for the API server.
#[derive(Clone, Debug)]
pub(super) enum Trust {
    /// Whoever answers (`insecure`).
    Anybody,
    /// What one of these certificates signed; PEM.
    Certificates(SecretString),
    /// The system's roots.
    System,
}

/// Who to be: a client certificate, an `Authorization` header, or both.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    pub(super) identity: Option<Identity>,
    pub(super) authorization: Authorization,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Authorization {
    #[default]
    None,
    Basic {
        username: String,
        password: SecretString,
    },
    Exec(Exec),
    Token(SecretString),
    /// Read again for each request: such files are renewed.
    TokenFile(PathBuf),
}

/// A client certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) certificate: SecretString,
    pub(super) key: SecretString,
}

/// `as`, `as-uid`, `as-groups`, `as-user-extra` of a kubeconfig, as headers.
#[derive(Clone, Debug, Default)]
pub(super) struct Impersonation(pub(super) Vec<(String, String)>);

/// Why the access cannot be used as it is written; names settings, files and variables, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AccessError {
    pub message: String,
    /// The setting to blame, under its name in the provider block.
    pub setting: Option<&'static str>,
}

impl Access {
    /// Scheme, host and port.
    pub fn server(&self) -> String {
        self.server.as_str().trim_end_matches('/').to_owned()
    }

    /// Where it comes from, for people: `context "prod" of /home/me/.kube/config`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What of it is open to whoever stands between; None where nothing is.
    pub fn exposure(&self) -> Option<Exposure> {
        let host = self.server.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let here = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        match (self.server.scheme(), &self.trust) {
            ("http", _) if !here => Some(Exposure::PlainText),
            ("https", Trust::Anybody) => Some(Exposure::Unverified),
            _ => None,
        }
    }
}

/// Why an access may be read or answered by somebody else than the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// `http` to another machine: login and answers in plain text.
    PlainText,
    /// `insecure`: whoever answers gets the login.
    Unverified,
}

impl fmt::Debug for Exec {
    /// Arguments and variables may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Exec")
            .field("api_version", &self.api_version)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

impl From<ProxyError> for AccessError {
    fn from(error: ProxyError) -> Self {
        Self { message: error.to_string(), setting: Some("proxy_url") }
    }
}

pub(super) fn blame(setting: &'static str, message: String) -> AccessError {
    AccessError { message, setting: Some(setting) }
}

/// A token without the white space around it, which is none of it; else why it cannot be sent. Left out, it would make
/// nobody of the caller.
pub(super) fn sendable(token: &str) -> Result<SecretString, &'static str> {
    match token.trim() {
        "" => Err("is nothing but white space"),
        token if http::HeaderValue::from_bytes(token.as_bytes()).is_err() => {
            Err("has a line break or another control character in it")
        }
        token => Ok(token.into()),
    }
}

/// An API server's address; a bare host is reached by `https`. What may be a secret in it is refused, and not
/// repeated.
pub(super) fn server_address(text: &str) -> Result<Url, AccessError> {
    let text = text.trim();
    let whole = match text.split_once("://") {
        Some(_) => text.to_owned(),
        None => format!("https://{text}"),
    };
    let unusable =
        |why: &str| blame("host", format!("the API server's address cannot be used: {why}"));
    let mut address = Url::parse(&whole).map_err(|_| unusable("it is not a URL"))?;
    if !matches!(address.scheme(), "https" | "http") {
        return Err(unusable("its scheme is neither https nor http"));
    }
    if address.host_str().is_none_or(str::is_empty) {
        return Err(unusable("it has no host"));
    }
    if !address.username().is_empty() || address.password().is_some() {
        return Err(unusable(
            "it has a user or a password in it, which belong into settings of their own",
        ));
    }
    if address.query().is_some() || address.fragment().is_some() {
        return Err(unusable("it has a query or a fragment"));
    }
    let path = address.path().trim_end_matches('/').to_owned();
    address.set_path(&path);
    Ok(address)
}
