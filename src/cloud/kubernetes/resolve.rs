//! From what somebody wrote down to an access: a provider block, a kubeconfig, or certificates.
//!
//! Names and precedence are those of the `kubernetes` provider: what is written down explicitly wins over the
//! kubeconfig, variables `KUBE_*` stand in for what is not written down. One thing is stricter: an explicit login
//! (token, password, client certificate, exec) replaces the kubeconfig's instead of being mixed with it.
//! Nothing here contacts anybody, and exec plugins are not run before the first call.

use std::path::Path;

use super::access::{
    Access, AccessError, Authorization, Impersonation, Login, Trust, blame, server_address,
};
use super::kubeconfig::{self, Overrides};
use super::settings::{Settings, config_paths, explicit_login, pem, with_variables};
use crate::cloud::http::Proxies;
use crate::cloud::{Surroundings, files};
use crate::redaction::SecretString;

impl Access {
    /// Resolves; reads files, contacts nobody.
    pub fn resolve(settings: &Settings, from: &Surroundings) -> Result<Self, AccessError> {
        let settings = with_variables(settings, from)?;
        let paths = config_paths(&settings, from)?;
        let mut access = if !paths.is_empty() {
            let overrides = Overrides {
                context: settings.config_context.as_deref(),
                cluster: settings.config_context_cluster.as_deref(),
                user: settings.config_context_auth_info.as_deref(),
                server_is_known: settings.host.is_some(),
                login_is_known: explicit_login(&settings)?.is_some(),
            };
            kubeconfig::read(&paths)?.choose(&overrides, from)?
        } else if let Some(host) = &settings.host {
            bare(host, "the host given", from)?
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
        let overrides = Overrides { context, ..Overrides::default() };
        kubeconfig::parse(text)?.choose(&overrides, from)
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
        let mut access = bare(server, "the cluster's certificates", from)?;
        // a CA is at hand: nobody is asked in plain text; both schemes are what a URL may change between
        let _ = access.server.set_scheme("https");
        access.override_with(&settings)?;
        Ok(access)
    }

    fn override_with(&mut self, settings: &Settings) -> Result<(), AccessError> {
        if let Some(ca) = &settings.cluster_ca_certificate {
            if settings.insecure == Some(true) {
                let message = "insecure and cluster_ca_certificate exclude each other";
                return Err(blame("insecure", message.to_owned()));
            }
            self.trust = Trust::Certificates(pem("cluster_ca_certificate", ca)?.into());
        }
        match settings.insecure {
            Some(true) => self.trust = Trust::Anybody,
            Some(false) if matches!(self.trust, Trust::Anybody) => self.trust = Trust::System,
            _ => {}
        }
        // the kubeconfig's is for the kubeconfig's server
        if settings.tls_server_name.is_some() || settings.host.is_some() {
            self.server_name.clone_from(&settings.tls_server_name);
        }
        if let Some(url) = &settings.proxy_url {
            self.proxies = Proxies::one("proxy_url", url)?;
        }
        if let Some(host) = &settings.host {
            self.server = server_address(host)?;
        }
        if let Some(login) = explicit_login(settings)? {
            self.login = login;
        }
        Ok(())
    }
}

fn bare(host: &str, origin: &str, from: &Surroundings) -> Result<Access, AccessError> {
    Ok(Access {
        server: server_address(host)?,
        trust: Trust::System,
        server_name: None,
        proxies: Proxies::of(from),
        login: Login::default(),
        impersonation: Impersonation::default(),
        origin: origin.to_owned(),
    })
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
    let unreadable = |error: String| AccessError {
        message: format!("{} cannot be read: {error}", ca.display()),
        setting: None,
    };
    let pem = files::read(&ca, files::LARGEST).map_err(|error| unreadable(error.to_string()))?;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let mut access = bare(&format!("https://{host}:{port}"), "this pod's service account", from)?;
    access.trust = Trust::Certificates(String::from_utf8_lossy(&pem).as_ref().into());
    access.login = Login { identity: None, authorization: Authorization::TokenFile(token) };
    Ok(Some(access))
}

#[cfg(test)]
mod tests;
