//! Which cloud, which login: clouds.yaml, secure.yaml, `OS_*` and explicit settings, with
//! openstacksdk's search order and precedence.
//!
//! Explicit settings win. Where they or `OS_CLOUD` name a cloud, the `OS_*` variables are ignored;
//! else they are the login. Where openstacksdk would guess (a file that cannot be parsed, a login
//! with parts missing, variables that mean nothing to it) there is an error here, so that nobody
//! logs in elsewhere than they think.

mod auth;
mod choose;
mod files;
mod flat;
mod layers;
mod login;
pub(in crate::cloud) mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cloud::Surroundings;
use crate::cloud::http::{Pem, Trust};
use crate::redaction::SecretString;
pub use auth::{Authentication, CredentialRef, DomainRef, Method, Scope, UserRef};
use files::Files;
use flat::Flat;

/// For one request, where nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

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

/// A login and its place, resolved: everything a session needs.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The name in clouds.yaml, if it came from there.
    pub name: Option<String>,
    /// Ends in `/v3`.
    pub auth_url: String,
    pub authentication: Authentication,
    pub region_name: Option<String>,
    /// Of endpoints in the catalog, in order of preference: `public`, `internal`, `admin`.
    pub interfaces: Vec<String>,
    pub trust: Trust,
    /// For one request.
    pub timeout: Duration,
    /// Where services are instead of where the catalog says: by type, with underscores.
    pub endpoint_overrides: BTreeMap<String, String>,
    /// What the operator should know; constant for a configuration.
    pub warnings: Vec<Caveat>,
}

impl Cloud {
    /// `{service}_endpoint_override`, by the service's type.
    pub fn endpoint_override(&self, service: &str) -> Option<&str> {
        self.endpoint_overrides.get(&service.replace('-', "_")).map(String::as_str)
    }
}

/// A configuration that can be used, but is hardly meant so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// Any certificate of the cloud is trusted.
    NotVerified,
    /// A cloud of clouds.yaml, or `OS_PROFILE`, names a profile that is not there, and does without.
    ProfileNotUsed { profile: String, whose: String, place: String },
}

/// Why the configuration cannot be used; names files, keys and variables, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    pub message: String,
    /// The setting to blame, under its name in the provider block.
    pub setting: Option<&'static str>,
}

impl ConfigError {
    fn new(setting: Option<&'static str>, message: impl Into<String>) -> Self {
        Self { message: message.into(), setting }
    }
}

/// Resolves, reads files, contacts nobody.
pub fn resolve(settings: &Settings, from: &Surroundings) -> Result<Cloud, ConfigError> {
    let files = Files::read(from)?;
    let chosen = choose::choose(settings, from, &files)?;
    let mut flat = Flat::of(&chosen, settings, from, &files)?;
    let way = login::way(settings, &flat)?;
    if way.is_generic() {
        flat.spread_default_domain();
    }
    flat.overlay(settings);
    let auth_url = login::auth_url(&flat, &chosen, &files)?;
    let authentication = login::authentication(way, &flat, &chosen, &files)?;
    let trust = trust(settings, &flat, from);
    if !trust.verify {
        flat.warnings.push(Caveat::NotVerified);
    }
    let timeout = match settings.timeout {
        Some(timeout) => timeout,
        None => flat.timeout()?,
    };
    Ok(Cloud {
        name: chosen.name().map(str::to_owned),
        auth_url,
        authentication,
        region_name: flat.top("region_name").map(str::to_owned),
        interfaces: flat.interfaces(),
        trust,
        timeout,
        endpoint_overrides: flat.endpoint_overrides(),
        warnings: flat.warnings,
    })
}

fn trust(settings: &Settings, flat: &Flat, from: &Surroundings) -> Trust {
    use crate::redaction::ExposeSecret;
    let pem = |given: Option<&str>, key: &str| {
        let text = given.or_else(|| flat.top(key))?;
        Some(match Pem::parse(text, from.home_dir.as_deref()) {
            Pem::File(path) => Pem::File(from.current_dir.join(path)),
            text @ Pem::Text(_) => text,
        })
    };
    let truth = |key: &str| flat.top(key).and_then(flat::truth);
    let by_file = truth("insecure") != Some(true) && truth("verify") != Some(false);
    let bundle = flat.top("verify").filter(|text| flat::truth(text).is_none());
    Trust {
        cacert: pem(settings.cacert.as_deref().or(bundle), "cacert"),
        cert: pem(settings.cert.as_deref(), "cert"),
        key: pem(settings.key.as_ref().map(ExposeSecret::expose_secret), "key"),
        verify: settings.verify.unwrap_or(by_file),
    }
}
