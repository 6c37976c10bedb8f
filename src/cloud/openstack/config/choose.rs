//! Which source the login comes from, before explicit settings: a cloud that is named, the `OS_*`
//! variables, the only cloud there is, or none.

use super::files::Files;
use super::{ConfigError, Settings};
use crate::cloud::Surroundings;
use crate::cloud::yaml::{Map, Node};

/// Where the login comes from, before explicit settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// `OS_*`.
    Environment,
    /// A cloud of clouds.yaml.
    Named(String),
    /// Explicit settings only.
    Nothing,
}

impl Chosen {
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Environment | Self::Nothing => None,
        }
    }

    /// `the cloud "mine" (~/.config/openstack/clouds.yaml)`, for an error.
    pub(super) fn described(&self, files: &Files) -> String {
        match self {
            Self::Environment => "the login of the OS_* variables".to_owned(),
            Self::Named(name) => match files.place() {
                Some(place) => format!("the cloud \"{name}\" ({place})"),
                None => format!("the cloud \"{name}\""),
            },
            Self::Nothing => "the provider's configuration".to_owned(),
        }
    }

    /// `cloud mine, from ~/.config/openstack/clouds.yaml`, beside who logs in and where.
    pub(super) fn origin(&self, files: &Files, from: &Surroundings) -> String {
        match self {
            Self::Environment => format!("from {}", variables(from).join(", ")),
            Self::Named(name) => match files.place() {
                Some(place) => format!("cloud {name}, from {place}"),
                None => format!("cloud {name}"),
            },
            Self::Nothing => "from the provider's configuration".to_owned(),
        }
    }
}

/// Named by the settings, by `OS_CLOUD`, the variables, or the only cloud there is.
pub(super) fn choose(
    settings: &Settings,
    from: &Surroundings,
    files: &Files,
) -> Result<Chosen, ConfigError> {
    let variable = |name: &str| from.environment.get(name).filter(|value| !value.is_empty());
    let of_environment = variable("OS_CLOUD_NAME").map_or("envvars", String::as_str);
    if files.clouds.contains_key(of_environment) {
        return Err(ConfigError::new(
            None,
            format!(
                "clouds.yaml has a cloud named {of_environment}, which is what the login of the \
                 OS_* variables is called; rename it, or set OS_CLOUD_NAME to another name"
            ),
        ));
    }
    let given = settings.cloud.as_ref().map(|name| (name, "cloud"));
    let told = given.or_else(|| variable("OS_CLOUD").map(|name| (name, "OS_CLOUD")));
    if let Some((name, by)) = told {
        if files.clouds.contains_key(name) {
            return Ok(Chosen::Named(name.clone()));
        }
        if name == of_environment {
            return Ok(Chosen::Environment);
        }
        return Err(ConfigError::new(
            Some("cloud"),
            format!("{by} names the cloud \"{name}\", which is not there; {}", files.describe()),
        ));
    }
    if environment(from).keys().any(|key| MEANINGFUL.contains(&key.as_str())) {
        return Ok(Chosen::Environment);
    }
    // a login written out here has nothing to do with a file that happens to hold one cloud
    match files.names()[..] {
        [only] if settings.auth_url.is_none() => Ok(Chosen::Named(only.to_owned())),
        _ => Ok(Chosen::Nothing),
    }
}

/// Variables that make a login of the environment; others (`OS_REGION_NAME`, or something of an
/// operating system) do not.
const MEANINGFUL: &[&str] = &[
    "access_token",
    "application_credential_id",
    "application_credential_name",
    "application_credential_secret",
    "auth_token",
    "auth_type",
    "auth_url",
    "passcode",
    "password",
    "profile",
    "project_id",
    "project_name",
    "tenant_id",
    "tenant_name",
    "token",
    "user_id",
    "username",
];

/// By name, those that make the login.
fn variables(from: &Surroundings) -> Vec<String> {
    let set = environment(from);
    let told = MEANINGFUL.iter().filter(|name| set.contains_key(**name));
    let names: Vec<String> = told.map(|name| format!("OS_{}", name.to_ascii_uppercase())).collect();
    if names.is_empty() { vec!["the OS_* variables".to_owned()] } else { names }
}

/// `OS_USERNAME` as `username`; without those of test tools, as in openstacksdk.
pub(super) fn environment(from: &Surroundings) -> Map {
    let skipped = ["OS_TEST", "OS_STD", "OS_LOG"];
    let chooses = ["OS_CLOUD", "OS_CLOUD_NAME", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"];
    from.environment
        .iter()
        .filter(|(key, value)| !value.is_empty() && !chooses.contains(&key.as_str()))
        .filter(|(key, _)| !skipped.iter().any(|prefix| key.starts_with(prefix)))
        .filter_map(|(key, value)| {
            Some((key.strip_prefix("OS_")?.to_ascii_lowercase(), Node::of(value.as_str())))
        })
        .collect()
}
