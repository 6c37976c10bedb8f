//! Which API server, whom to trust and who to be: from a provider block, a kubeconfig, or certificates.
//!
//! Names and precedence are those of the `kubernetes` provider: what is written down explicitly wins over the
//! kubeconfig, variables `KUBE_*` stand in for what is not written down. One thing is stricter: an explicit login
//! (token, password, client certificate, exec) replaces the kubeconfig's instead of being mixed with it.
//! Nothing here contacts anybody, and exec plugins are not run before the first call.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use http::Uri;
use http::uri::Scheme;
use secrecy::SecretString;

use super::kubeconfig;
use super::settings::{Settings, config_paths, explicit_login, pem, with_variables};
use crate::cloud::Surroundings;

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
    pub(super) server: Uri,
    pub(super) trust: Trust,
    /// Stands in for the server's host name in TLS.
    pub(super) server_name: Option<String>,
    pub(super) proxy: Proxy,
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
    Certificates(String),
    /// The system's roots.
    System,
}

/// Which proxy stands before the API server.
#[derive(Clone, Debug)]
pub(super) enum Proxy {
    /// What these variables say: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`.
    Environment { http: String, https: String, no: String },
    /// This one, in any case.
    Url(SecretString),
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
    pub(super) certificate: String,
    pub(super) key: SecretString,
}

/// `as`, `as-uid`, `as-groups`, `as-user-extra` of a kubeconfig.
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
    /// Resolves; reads files, contacts nobody.
    pub fn resolve(settings: &Settings, from: &Surroundings) -> Result<Self, AccessError> {
        let settings = with_variables(settings, from)?;
        let paths = config_paths(&settings, from)?;
        let mut access = if !paths.is_empty() {
            let choice = kubeconfig::Choice {
                context: settings.config_context.as_deref(),
                cluster: settings.config_context_cluster.as_deref(),
                user: settings.config_context_auth_info.as_deref(),
                server_is_known: settings.host.is_some(),
            };
            kubeconfig::read(&paths)?.choose(&choice, from)?
        } else if let Some(host) = &settings.host {
            Self {
                server: server_address(host, false)?,
                trust: Trust::System,
                server_name: None,
                proxy: Proxy::of(from),
                login: Login::default(),
                impersonation: Impersonation::default(),
                origin: "the host given".to_owned(),
            }
        } else {
            in_cluster(Path::new(SERVICE_ACCOUNT), from)?.ok_or_else(|| {
                let message = "no Kubernetes cluster is configured: config_path or host is needed";
                blame("config_path", message.to_owned())
            })?
        };
        access.override_with(&settings)?;
        Ok(access)
    }

    /// From the text of a kubeconfig; `context` instead of its current one.
    pub fn from_kubeconfig(
        text: &str,
        context: Option<&str>,
        from: &Surroundings,
    ) -> Result<Self, AccessError> {
        let choice = kubeconfig::Choice { context, ..kubeconfig::Choice::default() };
        kubeconfig::parse(text)?.choose(&choice, from)
    }

    /// By a client certificate: the address (`https://host:port`), the cluster's CA, the certificate and its
    /// key, all three PEM. The proxy is what the variables say.
    pub fn with_certificate(
        server: &str,
        ca: &str,
        certificate: &str,
        key: SecretString,
        from: &Surroundings,
    ) -> Result<Self, AccessError> {
        let settings = Settings {
            client_certificate: Some(certificate.to_owned()),
            client_key: Some(key),
            cluster_ca_certificate: Some(ca.to_owned()),
            ..Settings::default()
        };
        let mut access = Self {
            server: server_address(server, true)?,
            trust: Trust::System,
            server_name: None,
            proxy: Proxy::of(from),
            login: Login::default(),
            impersonation: Impersonation::default(),
            origin: "the cluster's certificates".to_owned(),
        };
        access.override_with(&settings)?;
        Ok(access)
    }

    /// Scheme, host and port.
    pub fn server(&self) -> String {
        self.server.to_string().trim_end_matches('/').to_owned()
    }

    /// Where it comes from, for people: `context "prod" of /home/me/.kube/config`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    fn override_with(&mut self, settings: &Settings) -> Result<(), AccessError> {
        if let Some(ca) = &settings.cluster_ca_certificate {
            if settings.insecure == Some(true) {
                let message = "insecure and cluster_ca_certificate exclude each other";
                return Err(blame("insecure", message.to_owned()));
            }
            self.trust = Trust::Certificates(pem("cluster_ca_certificate", ca)?);
        }
        match settings.insecure {
            Some(true) => self.trust = Trust::Anybody,
            Some(false) if matches!(self.trust, Trust::Anybody) => self.trust = Trust::System,
            _ => {}
        }
        if let Some(name) = &settings.tls_server_name {
            self.server_name = Some(name.clone());
        }
        if let Some(url) = &settings.proxy_url {
            self.proxy = Proxy::Url(url.clone());
        }
        if let Some(login) = explicit_login(settings)? {
            self.login = login;
        }
        if let Some(host) = &settings.host {
            let tls = !matches!(self.trust, Trust::System) || self.login.identity.is_some();
            self.server = server_address(host, tls)?;
        }
        Ok(())
    }
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

impl Proxy {
    pub(super) fn of(from: &Surroundings) -> Self {
        let variable = |upper: &str, lower: &str| {
            let value = from.environment.get(upper).or_else(|| from.environment.get(lower));
            value.cloned().unwrap_or_default()
        };
        Self::Environment {
            http: variable("HTTP_PROXY", "http_proxy"),
            https: variable("HTTPS_PROXY", "https_proxy"),
            no: variable("NO_PROXY", "no_proxy"),
        }
    }
}

pub(super) fn blame(setting: &'static str, message: String) -> AccessError {
    AccessError { message, setting: Some(setting) }
}

/// An API server's address; a bare host gets `https` or, as client-go has it, `http` where nothing says TLS.
pub(super) fn server_address(text: &str, tls: bool) -> Result<Uri, AccessError> {
    let whole = match text.split_once("://") {
        Some(_) => text.to_owned(),
        None => format!("{}://{text}", if tls { "https" } else { "http" }),
    };
    let unusable = |why: &str| {
        blame("host", format!("the API server's address {text:?} cannot be used: {why}"))
    };
    let address: Uri = whole.trim_end_matches('/').parse().map_err(|_| unusable("not a URL"))?;
    if address.host().is_none_or(str::is_empty) {
        return Err(unusable("it has no host"));
    }
    if address.query().is_some() {
        return Err(unusable("it has a query"));
    }
    match address.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS || *scheme == Scheme::HTTP => Ok(address),
        _ => Err(unusable("its scheme is neither https nor http")),
    }
}

/// Where Kubernetes shows a pod its service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The pod that this process runs in, if it does.
fn in_cluster(folder: &Path, from: &Surroundings) -> Result<Option<Access>, AccessError> {
    let variable = |name: &str| from.environment.get(name).filter(|value| !value.is_empty());
    let (Some(host), Some(port)) =
        (variable("KUBERNETES_SERVICE_HOST"), variable("KUBERNETES_SERVICE_PORT"))
    else {
        return Ok(None);
    };
    let token = folder.join("token");
    if !token.exists() {
        return Ok(None);
    }
    let ca = folder.join("ca.crt");
    let ca = std::fs::read_to_string(&ca).map_err(|error| AccessError {
        message: format!("{} cannot be read: {error}", ca.display()),
        setting: None,
    })?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    Ok(Some(Access {
        server: server_address(&format!("https://{host}:{port}"), true)?,
        trust: Trust::Certificates(ca),
        server_name: None,
        proxy: Proxy::of(from),
        login: Login { identity: None, authorization: Authorization::TokenFile(token) },
        impersonation: Impersonation::default(),
        origin: "this pod's service account".to_owned(),
    }))
}

#[cfg(test)]
mod tests;
