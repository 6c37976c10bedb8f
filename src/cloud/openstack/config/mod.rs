//! Which cloud, which login: clouds.yaml, secure.yaml, `OS_*` and explicit settings, with
//! openstacksdk's search order and precedence.
//!
//! Explicit settings win. Where they or `OS_CLOUD` name a cloud, the `OS_*` variables are ignored;
//! else they are the login. Where openstacksdk would guess (a file that cannot be parsed, a login
//! with parts missing, variables that mean nothing to it) there is an error here, so that nobody
//! logs in elsewhere than they think.

mod auth;
mod choose;
mod federation;
mod files;
mod flat;
mod layers;
mod login;
mod lookup;
#[cfg(any(test, fuzzing))]
pub(crate) mod noise;
mod settings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cloud::Surroundings;
use crate::cloud::http::{Pem, Trust, Url};
use crate::redaction::{self, ExposeSecret};
pub use auth::{Authentication, CredentialRef, DomainRef, Method, Proof, Scope, UserRef};
pub use federation::{Client, Federation, Grant, TokenEndpoint};
use files::Files;
use flat::Flat;
pub use settings::Settings;

/// For one request, where nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// A login and its place, resolved: everything a session needs.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The name in clouds.yaml, if it came from there.
    pub name: Option<String>,
    /// Where the login is written down: `cloud mine, from ~/.config/openstack/clouds.yaml`.
    pub origin: String,
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
    /// Who logs in, where, and where that is written down: what somebody needs who has ten logins.
    pub fn whom(&self) -> String {
        format!("{} at {} ({})", self.authentication.who(), self.auth_url, self.origin)
    }

    /// Whether this is the Keystone of that address, which may be written with its version or without it.
    pub fn is_at(&self, auth_url: &str) -> bool {
        fn plain(url: &str) -> &str {
            let url = url.trim_end_matches('/');
            url.strip_suffix("/v3").unwrap_or(url).trim_end_matches('/')
        }
        plain(auth_url) == plain(&self.auth_url)
    }

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
    /// What is sent to this address can be read on the way.
    PlainText { setting: String, address: String },
    /// A cloud of clouds.yaml, or `OS_PROFILE`, names a profile that is not there, and does without.
    ProfileNotUsed { profile: String, whose: String, place: String },
}

/// Why the configuration cannot be used; names files, keys and variables, and of values only addresses that hold no
/// user.
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
    for (name, value) in &from.environment {
        if name.strip_prefix("OS_").is_some_and(redaction::is_secret_name) {
            redaction::register(value);
        }
    }
    let settings = &settings.given();
    let files = Files::read(from)?;
    let chosen = choose::choose(settings, from, &files)?;
    let mut flat = Flat::of(&chosen, settings, from, &files)?;
    let way = login::way(settings, &flat)?;
    if way.is_generic() {
        flat.spread_default_domain();
    }
    flat.overlay(settings);
    // First what is missing, all of it at once.
    let authentication = login::authentication(way, &flat, &chosen, &files, from)?;
    let auth_url = login::auth_url(settings, &flat, &chosen, &files, from)?;
    let trust = trust(settings, &flat, from)?;
    if !trust.verify {
        flat.warnings.push(Caveat::NotVerified);
    }
    let endpoint_overrides = flat.endpoint_overrides();
    let plain = in_plain_text(&auth_url, &authentication, &endpoint_overrides);
    flat.warnings.extend(plain);
    let timeout = match settings.timeout {
        Some(timeout) => timeout,
        None => flat.timeout()?,
    };
    Ok(Cloud {
        name: chosen.name().map(str::to_owned),
        origin: chosen.origin(&files, from),
        auth_url,
        authentication,
        region_name: flat.top("region_name").map(str::to_owned),
        interfaces: flat.interfaces(),
        trust,
        timeout,
        endpoint_overrides,
        warnings: flat.warnings,
    })
}

/// Addresses to which secrets would go unencrypted, but for those of this machine.
fn in_plain_text(
    auth_url: &str,
    authentication: &Authentication,
    overrides: &BTreeMap<String, String>,
) -> Vec<Caveat> {
    let mut addresses = vec![("auth_url".to_owned(), auth_url)];
    if let Proof::Federated(federation) = &authentication.proof
        && let Some(client) = federation.grant.client()
    {
        addresses.push(match &client.endpoint {
            TokenEndpoint::At(url) => ("access_token_endpoint".to_owned(), url),
            TokenEndpoint::DiscoveredBy(url) => ("discovery_endpoint".to_owned(), url),
        });
    }
    addresses.extend(
        overrides.iter().map(|(service, url)| (format!("{service}_endpoint_override"), &**url)),
    );
    let exposed =
        |text: &str| Url::parse(text).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url));
    let exposed = addresses.into_iter().filter(|(_, text)| exposed(text));
    exposed
        .map(|(setting, address)| Caveat::PlainText { setting, address: address.to_owned() })
        .collect()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn trust(settings: &Settings, flat: &Flat, from: &Surroundings) -> Result<Trust, ConfigError> {
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
    let key = settings.key.as_ref().map(ExposeSecret::expose_secret);
    if key.or_else(|| flat.top("key")).is_some_and(is_no_path) {
        // the path would be in the error, and this is rather a key
        return Err(ConfigError::new(
            Some("key"),
            "key is neither a path nor PEM; a private key in PEM begins with a line such as \
             -----BEGIN PRIVATE KEY-----",
        ));
    }
    Ok(Trust {
        cacert: pem(settings.cacert.as_deref().or(bundle), "cacert"),
        cert: pem(settings.cert.as_deref(), "cert"),
        key: pem(key, "key"),
        verify: settings.verify.unwrap_or(by_file),
    })
}

/// Neither PEM nor what a file could be called.
fn is_no_path(text: &str) -> bool {
    const LONGEST_NAME: usize = 255;
    let pem = text.contains("-----BEGIN");
    !pem && (text.contains(['\n', '\r', '\0'])
        || text.split('/').any(|part| part.len() > LONGEST_NAME))
}
