//! Reads kubeconfig files and takes one context out of them. Not for deciding what overrides it: see `access`.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kube::config::{
    AuthInfo, Cluster, ExecConfig, ExecInteractiveMode, Kubeconfig, KubeconfigError,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

use super::access::{
    Access, AccessError, Authorization, Exec, Identity, Impersonation, Login, Proxy, Trust, blame,
    server_address,
};
use super::client::percent_encoded;
use crate::cloud::Surroundings;

/// One or more kubeconfig files, merged.
#[derive(Debug)]
pub(super) struct Merged {
    /// For people.
    origin: String,
    kubeconfig: Kubeconfig,
}

/// Which part of a kubeconfig; what is None is what the kubeconfig says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice<'c> {
    pub(super) context: Option<&'c str>,
    pub(super) cluster: Option<&'c str>,
    pub(super) user: Option<&'c str>,
    /// The address comes from elsewhere: then a kubeconfig without a current context will do.
    pub(super) server_is_known: bool,
}

/// Reads and merges; of two entries with the same name the first wins.
pub(super) fn read(paths: &[PathBuf]) -> Result<Merged, AccessError> {
    let mut merged = Kubeconfig::default();
    for path in paths {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| unusable(&name, &format!("cannot be read: {error}")))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for mut next in documents(&name, &text)? {
            resolve_paths(&mut next, folder);
            merged = merge(&name, merged, next)?;
        }
    }
    let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    Ok(Merged { origin: names.join(", "), kubeconfig: merged })
}

/// From text; paths in it are relative to nothing.
pub(super) fn parse(text: &str) -> Result<Merged, AccessError> {
    let origin = "the kubeconfig given".to_owned();
    let mut kubeconfig = Kubeconfig::default();
    for next in documents(&origin, text)? {
        kubeconfig = merge(&origin, kubeconfig, next)?;
    }
    Ok(Merged { origin, kubeconfig })
}

/// Every document of a file. Through JSON, as kubectl reads it, which also needs half a megabyte less of
/// code than a YAML reader for each type.
fn documents(origin: &str, text: &str) -> Result<Vec<Kubeconfig>, AccessError> {
    // A parser's own words may quote what they stumbled over.
    let documents: Vec<Json> = serde_saphyr::from_multiple(text).map_err(|error| {
        let why = match error.location() {
            Some(place) => format!("is no kubeconfig: see line {}", place.line()),
            None => "is no kubeconfig".to_owned(),
        };
        unusable(origin, &why)
    })?;
    documents
        .into_iter()
        .filter(|document| !document.is_null())
        .map(|document| {
            serde_path_to_error::deserialize(document).map_err(|error| {
                unusable(origin, &format!("is no kubeconfig: see {}", error.path()))
            })
        })
        .collect()
}

fn merge(origin: &str, first: Kubeconfig, next: Kubeconfig) -> Result<Kubeconfig, AccessError> {
    first.merge(next).map_err(|error| match error {
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            unusable(origin, "has another kind or apiVersion than the file before it")
        }
        _ => unusable(origin, "is no kubeconfig"),
    })
}

/// Relative paths in a file are relative to it. A command without a separator is looked up in `PATH`.
fn resolve_paths(kubeconfig: &mut Kubeconfig, folder: &Path) {
    let resolve = |path: &mut Option<String>| {
        if let Some(path) = path.as_mut().filter(|path| Path::new(path.as_str()).is_relative()) {
            *path = folder.join(&*path).display().to_string();
        }
    };
    for cluster in kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        resolve(&mut cluster.certificate_authority);
    }
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        resolve(&mut user.client_certificate);
        resolve(&mut user.client_key);
        resolve(&mut user.token_file);
        let command = user.exec.as_mut().map(|exec| &mut exec.command);
        if let Some(command) = command.filter(|command| {
            command.as_ref().is_some_and(|command| command.contains(std::path::MAIN_SEPARATOR))
        }) {
            resolve(command);
        }
    }
}

impl Merged {
    /// The access that a context describes; reads the files that it names.
    pub(super) fn choose(
        &self,
        choice: &Choice<'_>,
        from: &Surroundings,
    ) -> Result<Access, AccessError> {
        let name = choice.context.or(self.kubeconfig.current_context.as_deref());
        let name = name.filter(|name| !name.is_empty());
        let context = match name {
            Some(name) => Some(self.context(name)?),
            None if choice.cluster.is_some() || choice.server_is_known => None,
            None => {
                let message = format!(
                    "{} has no current context and config_context is not set; it has: {}",
                    self.origin,
                    names(self.kubeconfig.contexts.iter().map(|context| &*context.name))
                );
                return Err(blame("config_context", message));
            }
        };
        let cluster_name = choice.cluster.or(context.map(|context| &*context.cluster));
        let cluster = match cluster_name {
            Some(name) => self.cluster(name)?,
            None => &Cluster::default(),
        };
        let user_name = choice.user.or(context.and_then(|context| context.user.as_deref()));
        let user = self.user(user_name.unwrap_or_default());
        let server = match &cluster.server {
            Some(server) => server_address(server, true)?,
            // The setting that stands in for it is looked at right after this.
            None if choice.server_is_known => http::Uri::from_static("https://unset"),
            None => {
                let cluster = cluster_name.unwrap_or_default();
                let message = format!("the cluster {cluster:?} of {} has no server", self.origin);
                return Err(blame("host", message));
            }
        };
        let trust = trust(cluster)?;
        let origin = match name {
            Some(name) => format!("context {name:?} of {}", self.origin),
            None => self.origin.clone(),
        };
        Ok(Access {
            server,
            server_name: cluster.tls_server_name.clone().filter(|name| !name.is_empty()),
            proxy: match cluster.proxy_url.as_deref().filter(|url| !url.is_empty()) {
                Some(url) => Proxy::Url(url.into()),
                None => Proxy::of(from),
            },
            login: login(user, cluster, &trust)?,
            trust,
            impersonation: impersonation(user),
            origin,
        })
    }

    fn context(&self, name: &str) -> Result<&kube::config::Context, AccessError> {
        let all = &self.kubeconfig.contexts;
        let found = all.iter().find(|context| context.name == name);
        found.and_then(|context| context.context.as_ref()).ok_or_else(|| {
            let known = names(all.iter().map(|context| &*context.name));
            let message = format!("{} has no context {name:?}; it has: {known}", self.origin);
            blame("config_context", message)
        })
    }

    fn cluster(&self, name: &str) -> Result<&Cluster, AccessError> {
        let all = &self.kubeconfig.clusters;
        let found = all.iter().find(|cluster| cluster.name == name);
        found.and_then(|cluster| cluster.cluster.as_ref()).ok_or_else(|| {
            let known = names(all.iter().map(|cluster| &*cluster.name));
            let message = format!("{} has no cluster {name:?}; it has: {known}", self.origin);
            blame("config_context_cluster", message)
        })
    }

    /// As in client-go, a user that is not there is nobody: the login may come from elsewhere.
    fn user(&self, name: &str) -> Option<&AuthInfo> {
        let mut all = self.kubeconfig.auth_infos.iter();
        all.find(|user| user.name == name).and_then(|user| user.auth_info.as_ref())
    }
}

fn trust(cluster: &Cluster) -> Result<Trust, AccessError> {
    if cluster.insecure_skip_tls_verify == Some(true) {
        return Ok(Trust::Anybody);
    }
    let data = cluster.certificate_authority_data.as_deref();
    let path = cluster.certificate_authority.as_deref();
    Ok(match content("certificate-authority", data, path)? {
        Some(pem) => Trust::Certificates(pem.expose_secret().to_owned()),
        None => Trust::System,
    })
}

fn login(user: Option<&AuthInfo>, cluster: &Cluster, trust: &Trust) -> Result<Login, AccessError> {
    let Some(user) = user else {
        return Ok(Login::default());
    };
    if let Some(provider) = &user.auth_provider {
        let message = format!(
            "the kubeconfig's user logs in with the auth-provider {:?}, which Kubernetes 1.26 removed; use exec",
            provider.name
        );
        return Err(AccessError { message, setting: Some("exec") });
    }
    let certificate = content(
        "client-certificate",
        user.client_certificate_data.as_deref(),
        user.client_certificate.as_deref(),
    )?;
    let key = content(
        "client-key",
        user.client_key_data.as_ref().map(ExposeSecret::expose_secret),
        user.client_key.as_deref(),
    )?;
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(Identity { certificate: certificate.expose_secret().to_owned(), key })
        }
        (None, None) => None,
        _ => {
            let message =
                "the kubeconfig's user has one of client certificate and client key, not both";
            return Err(blame("client_certificate", message.to_owned()));
        }
    };
    let file = user.token_file.as_deref().filter(|path| !path.is_empty());
    let authorization = match (&user.token, file, &user.username, &user.password, &user.exec) {
        (Some(token), ..) if !token.expose_secret().is_empty() => {
            Authorization::Token(token.clone())
        }
        (_, Some(path), ..) => Authorization::TokenFile(path.into()),
        (_, _, Some(username), Some(password), _) => {
            Authorization::Basic { username: username.clone(), password: password.clone() }
        }
        (.., Some(plugin)) => Authorization::Exec(exec(plugin, cluster, trust)?),
        _ => Authorization::None,
    };
    Ok(Login { identity, authorization })
}

fn exec(config: &ExecConfig, cluster: &Cluster, trust: &Trust) -> Result<Exec, AccessError> {
    let Some(command) = config.command.clone().filter(|command| !command.is_empty()) else {
        let message = "the kubeconfig's user has an exec without a command".to_owned();
        return Err(blame("exec", message));
    };
    let env = config.env.iter().flatten().filter_map(|entry| {
        Some((entry.get("name")?.clone(), entry.get("value").cloned().unwrap_or_default()))
    });
    Ok(Exec {
        api_version: config.api_version.clone().unwrap_or_default(),
        command,
        args: config.args.clone().unwrap_or_default(),
        env: env.collect(),
        install_hint: config.install_hint.clone(),
        cluster: config.provide_cluster_info.then(|| cluster_info(cluster, trust)),
        interactive: config.interactive_mode == Some(ExecInteractiveMode::Always),
    })
}

/// `spec.cluster` of the `ExecCredential` that a plugin is given.
fn cluster_info(cluster: &Cluster, trust: &Trust) -> serde_json::Value {
    let extensions = cluster.extensions.iter().flatten();
    let config = extensions
        .into_iter()
        .find(|extension| extension.name == "client.authentication.k8s.io/exec")
        .map(|extension| &extension.extension);
    let ca = match trust {
        Trust::Certificates(pem) => Some(BASE64_STANDARD.encode(pem)),
        Trust::Anybody | Trust::System => None,
    };
    let mut info = json!({
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": matches!(trust, Trust::Anybody).then_some(true),
        "certificate-authority-data": ca,
        "proxy-url": cluster.proxy_url,
        "config": config,
    });
    if let Some(fields) = info.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    info
}

fn impersonation(user: Option<&AuthInfo>) -> Impersonation {
    let Some(user) = user else {
        return Impersonation::default();
    };
    let named = |name: &str, value: &String| (name.to_owned(), value.clone());
    let mut headers = Vec::new();
    headers.extend(user.impersonate.iter().map(|value| named("impersonate-user", value)));
    headers.extend(user.impersonate_uid.iter().map(|value| named("impersonate-uid", value)));
    let groups = user.impersonate_groups.iter().flatten();
    headers.extend(groups.map(|value| named("impersonate-group", value)));
    for (key, values) in user.impersonate_user_extra.iter().flatten() {
        // As it may stand in a header's name; the server undoes the percent signs.
        let key = percent_encoded(&key.to_lowercase(), b"!#$&'*+-.^_`|~");
        let header = format!("impersonate-extra-{key}");
        headers.extend(values.iter().map(|value| (header.clone(), value.clone())));
    }
    Impersonation(headers)
}

/// What `…-data` says, or what the file holds.
fn content(
    field: &str,
    data: Option<&str>,
    path: Option<&str>,
) -> Result<Option<SecretString>, AccessError> {
    let complaint = |why: String| AccessError { message: why, setting: Some("config_path") };
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        let bytes = BASE64_STANDARD
            .decode(data.split_whitespace().collect::<String>())
            .map_err(|_| complaint(format!("the kubeconfig's {field}-data is not base64")))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| complaint(format!("the kubeconfig's {field}-data is not PEM")))?;
        return Ok(Some(text.into()));
    }
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(Path::new(path)).map_err(|error| {
        complaint(format!("the kubeconfig's {field} {path} cannot be read: {error}"))
    })?;
    Ok(Some(text.into()))
}

fn unusable(name: &str, why: &str) -> AccessError {
    blame("config_path", format!("{name} {why}"))
}

fn names<'n>(all: impl Iterator<Item = &'n str>) -> String {
    let mut all: Vec<_> = all.collect();
    all.sort_unstable();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests;
