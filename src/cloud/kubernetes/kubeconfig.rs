//! Reads kubeconfig files and takes one context out of them, as client-go does: what is null or missing is empty,
//! and what the chosen context does not use may be anything. Not for deciding what overrides it: see `resolve`.

mod entries;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use self::entries::{AuthInfo, Cluster, Context, ExecConfig, Files};
use super::access::{
    Access, AccessError, Authorization, Exec, Identity, Impersonation, Login, Trust, blame,
    sendable, server_address,
};

use crate::cloud::http::{Proxies, Url};
use crate::cloud::{Surroundings, files};
use crate::redaction::SecretString;

/// One or more kubeconfig files, merged.
#[derive(Debug)]
pub(super) struct Merged {
    /// For people.
    origin: String,
    files: Files,
}

/// What is said elsewhere; what is None is what the kubeconfig says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Overrides<'c> {
    pub(super) context: Option<&'c str>,
    pub(super) cluster: Option<&'c str>,
    pub(super) user: Option<&'c str>,
    /// The address comes from elsewhere: then a kubeconfig without a current context will do.
    pub(super) server_is_known: bool,
    /// The login comes from elsewhere: then the kubeconfig's is not looked at.
    pub(super) login_is_known: bool,
}

/// Reads and merges; of two entries with the same name the first wins. One of several files may be missing.
pub(super) fn read(paths: &[PathBuf]) -> Result<Merged, AccessError> {
    let mut merged = Files::default();
    let mut names = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let bytes = match files::read(path, files::LARGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && paths.len() > 1 => {
                continue;
            }
            Err(error) => return Err(unusable(&name, &format!("cannot be read: {error}"))),
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        merged.add(&bytes, Some(folder)).map_err(|why| unusable(&name, &why))?;
        names.push(name);
    }
    if names.is_empty() {
        let all: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(unusable(&all.join(", "), "are not there"));
    }
    Ok(Merged { origin: names.join(", "), files: merged })
}

/// From text; paths in it are relative to nothing.
pub(super) fn parse(text: &str) -> Result<Merged, AccessError> {
    let origin = "the kubeconfig given".to_owned();
    let mut files = Files::default();
    files.add(text.as_bytes(), None).map_err(|why| unusable(&origin, &why))?;
    Ok(Merged { origin, files })
}

impl Merged {
    /// The access that a context describes; reads the files that it names.
    pub(super) fn choose(
        &self,
        overrides: &Overrides<'_>,
        from: &Surroundings,
    ) -> Result<Access, AccessError> {
        let name = overrides.context.or(self.files.current_context());
        let name = name.filter(|name| !name.is_empty());
        let context = match name {
            Some(name) => self.context(name)?,
            None if overrides.cluster.is_some() || overrides.server_is_known => Context::default(),
            None => {
                let message = format!(
                    "{} has no current context and config_context is not set; it has: {}",
                    self.origin,
                    list(&self.files.contexts())
                );
                return Err(blame("config_context", message));
            }
        };
        let cluster_name = overrides.cluster.unwrap_or(&context.cluster);
        let cluster = match cluster_name {
            "" => Cluster::default(),
            name => self.cluster(name)?,
        };
        let server = match &*cluster.server {
            // The setting that stands in for it is looked at right after this.
            "" if overrides.server_is_known => {
                Url::parse("https://unset").map_err(|_| blame("host", String::new()))?
            }
            "" => {
                let message =
                    format!("the cluster {cluster_name:?} of {} has no server", self.origin);
                return Err(blame("host", message));
            }
            server => server_address(server)?,
        };
        let user = if overrides.login_is_known {
            AuthInfo::default()
        } else {
            self.user(overrides, &context)?
        };
        let origin = match name {
            Some(name) => format!("context {name:?} of {}", self.origin),
            None => self.origin.clone(),
        };
        Ok(Access {
            server,
            server_name: Some(cluster.tls_server_name.clone()).filter(|name| !name.is_empty()),
            proxies: match &*cluster.proxy_url {
                "" => Proxies::of(from),
                url => Proxies::one("the kubeconfig's proxy-url", &url.into())?,
            },
            login: login(&user, &cluster)?,
            trust: trust(&cluster)?,
            impersonation: impersonation(&user)?,
            origin,
        })
    }

    fn context(&self, name: &str) -> Result<Context, AccessError> {
        let found = self.files.context(name).map_err(|why| unusable(&self.origin, &why))?;
        found.ok_or_else(|| {
            let known = list(&self.files.contexts());
            let message = format!("{} has no context {name:?}; it has: {known}", self.origin);
            blame("config_context", message)
        })
    }

    fn cluster(&self, name: &str) -> Result<Cluster, AccessError> {
        let found = self.files.cluster(name).map_err(|why| unusable(&self.origin, &why))?;
        found.ok_or_else(|| {
            let known = list(&self.files.clusters());
            let message = format!("{} has no cluster {name:?}; it has: {known}", self.origin);
            blame("config_context_cluster", message)
        })
    }

    /// A context without a user is anonymous; a user that is named and not there is a mistake.
    fn user(&self, overrides: &Overrides<'_>, context: &Context) -> Result<AuthInfo, AccessError> {
        let name = overrides.user.unwrap_or(&context.user);
        if name.is_empty() {
            return Ok(AuthInfo::default());
        }
        let found = self.files.user(name).map_err(|why| unusable(&self.origin, &why))?;
        found.ok_or_else(|| {
            let known = list(&self.files.users());
            let message = format!("{} has no user {name:?}; it has: {known}", self.origin);
            let setting = if overrides.user.is_some() {
                "config_context_auth_info"
            } else {
                "config_context"
            };
            blame(setting, message)
        })
    }
}

fn trust(cluster: &Cluster) -> Result<Trust, AccessError> {
    let data = &cluster.certificate_authority_data;
    let pem = content("certificate-authority", data, &cluster.certificate_authority)?;
    match (cluster.insecure_skip_tls_verify, pem) {
        (true, Some(_)) => {
            let message = "the kubeconfig's cluster has insecure-skip-tls-verify together with a certificate-authority: \
                           one of them has to go";
            Err(blame("insecure", message.to_owned()))
        }
        (true, None) => Ok(Trust::Anybody),
        (false, Some(pem)) => Ok(Trust::Certificates(pem)),
        (false, None) => Ok(Trust::System),
    }
}

fn login(user: &AuthInfo, cluster: &Cluster) -> Result<Login, AccessError> {
    if let Some(provider) = &user.auth_provider {
        let message = format!(
            "the kubeconfig's user logs in with the auth-provider {:?}, which Kubernetes 1.26 removed; use exec",
            provider.name
        );
        return Err(blame("exec", message));
    }
    let certificate =
        content("client-certificate", &user.client_certificate_data, &user.client_certificate)?;
    let key = content("client-key", &user.client_key_data, &user.client_key)?;
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
        (None, None) => None,
        _ => {
            let message =
                "the kubeconfig's user has one of client certificate and client key, not both";
            return Err(blame("client_certificate", message.to_owned()));
        }
    };
    let has_token = !user.token_file.is_empty() || !user.token.is_empty();
    let has_password = !user.username.is_empty() || !user.password.is_empty();
    if has_token && has_password {
        let message =
            "the kubeconfig's user has a token and a username or password: one login has to go";
        return Err(blame("config_context_auth_info", message.to_owned()));
    }
    // the file wins, since it is renewed
    let authorization = if !user.token_file.is_empty() {
        Authorization::TokenFile(user.token_file.as_str().into())
    } else if !user.token.is_empty() {
        let unsendable = |why| {
            let message = format!("the kubeconfig's user has a token that {why}");
            blame("config_context_auth_info", message)
        };
        Authorization::Token(sendable(&user.token).map_err(unsendable)?)
    } else if has_password {
        Authorization::Basic {
            username: user.username.clone(),
            password: user.password.as_str().into(),
        }
    } else if let Some(plugin) = &user.exec {
        Authorization::Exec(exec(plugin, cluster)?)
    } else {
        Authorization::None
    };
    Ok(Login { identity, authorization })
}

fn exec(config: &ExecConfig, cluster: &Cluster) -> Result<Exec, AccessError> {
    if config.command.is_empty() {
        let message = "the kubeconfig's user has an exec without a command".to_owned();
        return Err(blame("exec", message));
    }
    let env = config.env.iter().filter(|entry| !entry.name.is_empty());
    Ok(Exec {
        api_version: config.api_version.clone(),
        command: config.command.clone(),
        args: config.args.clone(),
        env: env.map(|entry| (entry.name.clone(), entry.value.clone())).collect(),
        install_hint: Some(config.install_hint.clone()).filter(|hint| !hint.is_empty()),
        cluster: config.provide_cluster_info.then(|| cluster.exec_extension()),
        interactive: config.interactive_mode == "Always",
    })
}

/// As headers. One that HTTP cannot carry is refused: left out, it would make somebody else of the caller.
fn impersonation(user: &AuthInfo) -> Result<Impersonation, AccessError> {
    let mut headers = Vec::new();
    let mut add = |name: &str, value: &str| {
        if http::HeaderValue::from_bytes(value.as_bytes()).is_err() {
            let message = format!(
                "the kubeconfig's user impersonates ({name}) a name with a control character"
            );
            return Err(blame("config_context_auth_info", message));
        }
        headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    };
    if user.impersonate.is_empty() {
        let more = !user.impersonate_groups.is_empty()
            || !user.impersonate_uid.is_empty()
            || !user.impersonate_user_extra.is_empty();
        if more {
            let message = "the kubeconfig's user has as-groups, as-uid or as-user-extra without as"
                .to_owned();
            return Err(blame("config_context_auth_info", message));
        }
        return Ok(Impersonation::default());
    }
    add("impersonate-user", &user.impersonate)?;
    if !user.impersonate_uid.is_empty() {
        add("impersonate-uid", &user.impersonate_uid)?;
    }
    for group in &user.impersonate_groups {
        add("impersonate-group", group)?;
    }
    for (key, values) in &user.impersonate_user_extra {
        // As it may stand in a header's name; the server undoes the percent signs.
        let key = super::path::percent_encoded(&key.to_lowercase(), b"!#$&'*+-.^_`|~");
        for value in values {
            add(&format!("impersonate-extra-{key}"), value)?;
        }
    }
    Ok(Impersonation(headers))
}

/// What `…-data` says, or what the file holds. Bytes around the PEM may be of any encoding.
fn content(field: &str, data: &str, path: &str) -> Result<Option<SecretString>, AccessError> {
    let complaint = |why: String| blame("config_path", why);
    let bytes = if !data.is_empty() {
        let compact = Zeroizing::new(data.split_whitespace().collect::<String>());
        let decoded = BASE64_STANDARD.decode(compact.as_bytes());
        let decoded = decoded
            .map_err(|_| complaint(format!("the kubeconfig's {field}-data is not base64")))?;
        Zeroizing::new(decoded)
    } else if !path.is_empty() {
        files::read(Path::new(path), files::LARGEST).map_err(|error| {
            complaint(format!("the kubeconfig's {field} {path} cannot be read: {error}"))
        })?
    } else {
        return Ok(None);
    };
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    Ok(Some(SecretString::from(text.as_str())))
}

fn unusable(name: &str, why: &str) -> AccessError {
    blame("config_path", format!("{name} {why}"))
}

fn list(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
