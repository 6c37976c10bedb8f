//! The text of kubeconfigs as lists of named entries; an entry is read when it is asked for, so that one that nobody
//! uses may be of any shape. Null and missing are the same: empty. Through JSON, as
//! kubectl reads it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::cloud::kubernetes::text;

/// The entries of one or more files, each with the folder that its paths are relative to.
#[derive(Default)]
pub(super) struct Files(Vec<File>);

struct File {
    folder: Option<String>,
    content: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Context {
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) cluster: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) user: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Cluster {
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) server: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) tls_server_name: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) insecure_skip_tls_verify: bool,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) certificate_authority: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) certificate_authority_data: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) proxy_url: String,
    extensions: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct AuthInfo {
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) client_certificate: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) client_certificate_data: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) client_key: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) client_key_data: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) token: String,
    #[serde(rename = "tokenFile", deserialize_with = "null_is_empty")]
    pub(super) token_file: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) username: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) password: String,
    #[serde(rename = "as", deserialize_with = "null_is_empty")]
    pub(super) impersonate: String,
    #[serde(rename = "as-uid", deserialize_with = "null_is_empty")]
    pub(super) impersonate_uid: String,
    #[serde(rename = "as-groups", deserialize_with = "null_is_empty")]
    pub(super) impersonate_groups: Vec<String>,
    #[serde(rename = "as-user-extra", deserialize_with = "null_is_empty")]
    pub(super) impersonate_user_extra: BTreeMap<String, Vec<String>>,
    pub(super) auth_provider: Option<AuthProvider>,
    pub(super) exec: Option<ExecConfig>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthProvider {
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExecConfig {
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) api_version: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) args: Vec<String>,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) command: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) env: Vec<Variable>,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) install_hint: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) interactive_mode: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) provide_cluster_info: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Variable {
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) name: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(super) value: String,
}

impl Cluster {
    /// What the cluster says to credential plugins; null where it says nothing.
    pub(super) fn exec_extension(&self) -> Value {
        let all = self.extensions.as_array().into_iter().flatten();
        let mut all = all.filter(|entry| entry["name"] == "client.authentication.k8s.io/exec");
        all.next().map_or(Value::Null, |entry| entry["extension"].clone())
    }
}

impl Files {
    /// Complains in words that quote nothing of what was read.
    pub(super) fn add(&mut self, bytes: &[u8], folder: Option<&Path>) -> Result<(), String> {
        let document = text::document(bytes).map_err(|error| match error {
            text::Unreadable::NotText => "is no kubeconfig: it is not text".to_owned(),
            text::Unreadable::At(line) => format!("is no kubeconfig: see line {line}"),
        })?;
        let folder = folder.map(|folder| folder.display().to_string());
        match document {
            Value::Null => {}
            Value::Object(content) => self.0.push(File { folder, content }),
            _ => return Err("is no kubeconfig: it is not a map".to_owned()),
        }
        Ok(())
    }

    /// Of the first file that says one.
    pub(super) fn current_context(&self) -> Option<&str> {
        let mut said =
            self.0.iter().filter_map(|file| file.content.get("current-context")?.as_str());
        said.find(|name| !name.is_empty())
    }

    pub(super) fn contexts(&self) -> Vec<&str> {
        self.names("contexts")
    }

    pub(super) fn clusters(&self) -> Vec<&str> {
        self.names("clusters")
    }

    pub(super) fn users(&self) -> Vec<&str> {
        self.names("users")
    }

    pub(super) fn context(&self, name: &str) -> Result<Option<Context>, String> {
        Ok(self.entry("contexts", "context", name)?.map(|(context, _)| context))
    }

    /// Its paths are absolute.
    pub(super) fn cluster(&self, name: &str) -> Result<Option<Cluster>, String> {
        let found: Option<(Cluster, _)> = self.entry("clusters", "cluster", name)?;
        Ok(found.map(|(mut cluster, folder)| {
            resolve(&mut cluster.certificate_authority, folder);
            cluster
        }))
    }

    /// Its paths are absolute. A command without a separator is looked up in `PATH`.
    pub(super) fn user(&self, name: &str) -> Result<Option<AuthInfo>, String> {
        let found: Option<(AuthInfo, _)> = self.entry("users", "user", name)?;
        Ok(found.map(|(mut user, folder)| {
            resolve(&mut user.client_certificate, folder);
            resolve(&mut user.client_key, folder);
            resolve(&mut user.token_file, folder);
            let exec = user.exec.as_mut().map(|exec| &mut exec.command);
            if let Some(command) =
                exec.filter(|command| command.contains(std::path::MAIN_SEPARATOR))
            {
                resolve(command, folder);
            }
            user
        }))
    }

    fn names(&self, list: &str) -> Vec<&str> {
        self.named(list).map(|(_, _, _, name)| name).collect()
    }

    /// The entry of this name in the first file that has one. Which of two in one file is meant nobody can say.
    fn entry<T: DeserializeOwned + Default>(
        &self,
        list: &str,
        key: &str,
        wanted: &str,
    ) -> Result<Option<(T, Option<&str>)>, String> {
        let found = self.named(list).find(|(_, _, _, name)| *name == wanted);
        let Some((file, position, entry, _)) = found else { return Ok(None) };
        let same = |other: &&File| std::ptr::eq(*other, file);
        let named = self.named(list).filter(|(other, _, _, name)| same(other) && *name == wanted);
        if named.count() > 1 {
            return Err(format!("has two {list} that are named {wanted:?}: one of them has to go"));
        }
        let value = match entry.get(key) {
            None | Some(Value::Null) => T::default(),
            Some(value) => serde_path_to_error::deserialize(value).map_err(|error| {
                format!("is no kubeconfig: see {list}[{position}].{key}.{}", error.path())
            })?,
        };
        Ok(Some((value, file.folder.as_deref())))
    }

    fn named(&self, list: &str) -> impl Iterator<Item = (&File, usize, &Value, &str)> {
        self.0.iter().flat_map(move |file| {
            let entries = file.content.get(list).and_then(Value::as_array).into_iter().flatten();
            entries.enumerate().filter_map(move |(position, entry)| {
                Some((file, position, entry, entry.get("name")?.as_str()?))
            })
        })
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Files").field("contexts", &self.contexts()).finish_non_exhaustive()
    }
}

/// Relative paths in a file are relative to it.
fn resolve(path: &mut String, folder: Option<&str>) {
    if let Some(folder) = folder
        && !path.is_empty()
        && Path::new(path.as_str()).is_relative()
    {
        *path = Path::new(folder).join(&*path).display().to_string();
    }
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
