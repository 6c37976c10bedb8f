//! What somebody wrote down of an access, and the variables that stand in for what is not written down. Names and
//! precedence are those of the `kubernetes` provider.

use std::path::PathBuf;

use super::access::{AccessError, Authorization, Exec, Identity, Login, blame, sendable};
use crate::cloud::Surroundings;
use crate::redaction::{ExposeSecret, SecretString};

/// What somebody wrote down; every field may be missing.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// PEM.
    pub client_certificate: Option<String>,
    /// PEM.
    pub client_key: Option<SecretString>,
    /// PEM; trusted instead of the system's roots.
    pub cluster_ca_certificate: Option<String>,
    pub config_context: Option<String>,
    pub config_context_auth_info: Option<String>,
    pub config_context_cluster: Option<String>,
    pub config_path: Option<String>,
    pub config_paths: Vec<String>,
    pub exec: Option<Exec>,
    pub host: Option<String>,
    pub insecure: Option<bool>,
    pub password: Option<SecretString>,
    /// May hold a password.
    pub proxy_url: Option<SecretString>,
    pub tls_server_name: Option<String>,
    pub token: Option<SecretString>,
    pub username: Option<String>,
}

pub(super) fn config_paths(
    settings: &Settings,
    from: &Surroundings,
) -> Result<Vec<PathBuf>, AccessError> {
    if settings.config_path.is_some() && !settings.config_paths.is_empty() {
        let message = "config_path and config_paths exclude each other";
        return Err(blame("config_paths", message.to_owned()));
    }
    let all = settings.config_path.iter().chain(&settings.config_paths);
    all.filter(|path| !path.is_empty())
        .map(|path| match (path.strip_prefix("~/"), &from.home_dir) {
            (Some(rest), Some(home)) => Ok(home.join(rest)),
            (Some(_), None) => {
                let message = format!("the home directory of {path:?} is not known");
                Err(blame("config_path", message))
            }
            _ => Ok(from.current_dir.join(path)),
        })
        .collect()
}

/// The settings, with variables where nothing is written down. A variable never meets another way of saying
/// the same: `KUBE_TOKEN` is not mixed into an explicit client certificate.
pub(super) fn with_variables(
    settings: &Settings,
    from: &Surroundings,
) -> Result<Settings, AccessError> {
    let variable =
        |name: &str| from.environment.get(name).filter(|value| !value.is_empty()).cloned();
    let settings = &without_empty(settings);
    let mut all = settings.clone();
    fill(&mut all.config_context, || variable("KUBE_CTX"));
    fill(&mut all.config_context_auth_info, || variable("KUBE_CTX_AUTH_INFO"));
    fill(&mut all.config_context_cluster, || variable("KUBE_CTX_CLUSTER"));
    fill(&mut all.host, || variable("KUBE_HOST"));
    fill(&mut all.proxy_url, || variable("KUBE_PROXY_URL").map(SecretString::from));
    fill(&mut all.tls_server_name, || variable("KUBE_TLS_SERVER_NAME"));
    if settings.config_path.is_none() && settings.config_paths.is_empty() {
        all.config_path = variable("KUBE_CONFIG_PATH");
        if all.config_path.is_none() {
            let list = variable("KUBE_CONFIG_PATHS").unwrap_or_default();
            all.config_paths =
                std::env::split_paths(&list).map(|path| path.display().to_string()).collect();
        }
    }
    if settings.insecure.is_none() && settings.cluster_ca_certificate.is_none() {
        all.cluster_ca_certificate = variable("KUBE_CLUSTER_CA_CERT_DATA");
        all.insecure = match variable("KUBE_INSECURE").as_deref() {
            None => None,
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Some(true),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Some(false),
            Some(_) => {
                let message = "KUBE_INSECURE is neither true nor false".to_owned();
                return Err(blame("insecure", message));
            }
        };
    }
    let no_login = settings.token.is_none()
        && settings.username.is_none()
        && settings.password.is_none()
        && settings.client_certificate.is_none()
        && settings.client_key.is_none()
        && settings.exec.is_none();
    if no_login {
        all.client_certificate = variable("KUBE_CLIENT_CERT_DATA");
        all.client_key = variable("KUBE_CLIENT_KEY_DATA").map(SecretString::from);
        all.password = variable("KUBE_PASSWORD").map(SecretString::from);
        all.token = variable("KUBE_TOKEN").map(SecretString::from);
        all.username = variable("KUBE_USER");
    }
    Ok(all)
}

/// An empty text is not set: modules pass it on for what they were not given. A token of white space is one that
/// somebody lost.
fn without_empty(settings: &Settings) -> Settings {
    let mut all = settings.clone();
    for text in [
        &mut all.client_certificate,
        &mut all.cluster_ca_certificate,
        &mut all.config_context,
        &mut all.config_context_auth_info,
        &mut all.config_context_cluster,
        &mut all.config_path,
        &mut all.host,
        &mut all.tls_server_name,
        &mut all.username,
    ] {
        *text = text.take().filter(|text| !text.trim().is_empty());
    }
    for secret in [&mut all.client_key, &mut all.password, &mut all.proxy_url] {
        *secret = secret.take().filter(|secret| !secret.expose_secret().trim().is_empty());
    }
    all.token = all.token.filter(|token| !token.expose_secret().is_empty());
    all.config_paths.retain(|path| !path.is_empty());
    all.exec = all.exec.filter(|exec| !exec.command.is_empty());
    all
}

fn fill<T>(field: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if field.is_none() {
        *field = value();
    }
}

/// The login that is written down, if one is.
pub(super) fn explicit_login(settings: &Settings) -> Result<Option<Login>, AccessError> {
    let identity = match (&settings.client_certificate, &settings.client_key) {
        (Some(certificate), Some(key)) => {
            pem("client_key", key.expose_secret())?;
            let certificate = pem("client_certificate", certificate)?.into();
            Some(Identity { certificate, key: key.clone() })
        }
        (None, None) => None,
        (Some(_), None) => {
            return Err(blame("client_key", "client_certificate needs its client_key".to_owned()));
        }
        (None, Some(_)) => {
            let message = "client_key needs its client_certificate".to_owned();
            return Err(blame("client_certificate", message));
        }
    };
    let basic = match (&settings.username, &settings.password) {
        (Some(username), Some(password)) => {
            Some(Authorization::Basic { username: username.clone(), password: password.clone() })
        }
        (None, None) => None,
        (Some(_), None) => {
            return Err(blame("password", "username needs a password".to_owned()));
        }
        (None, Some(_)) => {
            return Err(blame("username", "password needs a username".to_owned()));
        }
    };
    let token = settings.token.as_ref().map(|token| sendable(token.expose_secret()));
    let token = token.transpose().map_err(|why| blame("token", format!("token {why}")))?;
    let ways = [
        ("token", token.map(Authorization::Token)),
        ("username", basic),
        ("exec", settings.exec.clone().map(Authorization::Exec)),
    ];
    let mut given = ways.into_iter().filter_map(|(name, way)| Some((name, way?)));
    let authorization = given.next();
    if let (Some((one, _)), Some((other, _))) = (&authorization, given.next()) {
        return Err(blame(other, format!("{one} and {other} exclude each other")));
    }
    if identity.is_none() && authorization.is_none() {
        return Ok(None);
    }
    let authorization = authorization.map(|(_, way)| way).unwrap_or_default();
    Ok(Some(Login { identity, authorization }))
}

/// The text, if it looks like PEM; else a complaint that knows the usual mistake.
pub(super) fn pem(setting: &'static str, text: &str) -> Result<String, AccessError> {
    if text.contains("-----BEGIN") {
        return Ok(text.to_owned());
    }
    // base64 of "-----BEGIN"
    let hint = if text.trim_start().starts_with("LS0tLS1CRUdJT") {
        ": it is base64 of PEM, as kubeconfigs have it; wrap it in base64decode()"
    } else {
        ""
    };
    Err(blame(setting, format!("{setting} is not PEM{hint}")))
}

#[cfg(test)]
mod tests;
