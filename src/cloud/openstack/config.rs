//! Which cloud, which login: clouds.yaml, secure.yaml, `OS_*` and explicit settings, with
//! openstacksdk's search order and precedence.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// What somebody wrote down explicitly (the provider block); every field may be missing. It wins.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub application_credential_id: Option<String>,
    pub application_credential_name: Option<String>,
    pub application_credential_secret: Option<SecretString>,
    pub auth_url: Option<String>,
    /// Path or PEM.
    pub cacert: Option<String>,
    /// Path or PEM of the client certificate.
    pub cert: Option<String>,
    pub cloud: Option<String>,
    pub domain_id: Option<String>,
    pub domain_name: Option<String>,
    pub identity_endpoint_override: Option<String>,
    pub interface: Option<String>,
    /// Path or PEM of the client certificate's key.
    pub key: Option<SecretString>,
    /// TOTP, together with `password`.
    pub passcode: Option<SecretString>,
    pub password: Option<SecretString>,
    pub project_domain_id: Option<String>,
    pub project_domain_name: Option<String>,
    pub project_id: Option<String>,
    pub project_name: Option<String>,
    pub region_name: Option<String>,
    pub timeout: Option<Duration>,
    pub token: Option<SecretString>,
    pub user_domain_id: Option<String>,
    pub user_domain_name: Option<String>,
    pub user_id: Option<String>,
    pub username: Option<String>,
    pub verify: Option<bool>,
}

/// Where settings come from besides [`Settings`]: an argument, so that tests have their own.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    pub environment: BTreeMap<String, String>,
    pub current_dir: PathBuf,
    pub home_dir: Option<PathBuf>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        todo!()
    }
}

/// A login and its place, resolved: everything a session needs.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The name in clouds.yaml, if it came from there.
    pub name: Option<String>,
    /// Ends in `/v3`.
    pub auth_url: String,
    pub region_name: Option<String>,
    // to be completed: the identity methods, scope, interface, trust, timeout
}

/// Why the configuration cannot be used; names files, keys and variables, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    pub message: String,
    /// The setting to blame, under its name in the provider block.
    pub setting: Option<&'static str>,
}

/// Resolves, reads files, contacts nobody.
pub fn resolve(_settings: &Settings, _from: &Surroundings) -> Result<Cloud, ConfigError> {
    todo!()
}
