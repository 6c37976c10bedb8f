//! Which login, where: the provider block, the environment of Oracle's Terraform provider and of its CLI,
//! `~/.oci/config`, in this order of precedence, setting by setting. An empty text is no setting.
//!
//! Reads files, contacts nobody. Where Oracle's tools would guess (a profile that is not there, a key of
//! another fingerprint, a region that nobody knows) there is an error here.

pub(super) mod error;
mod ini;
mod layers;
pub(super) mod login;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::redaction::SecretString;

use super::regions::{Region, Regions};
use super::signer::Signatory;
use crate::cloud::Surroundings;
use crate::cloud::http::{Pem, Trust, Url};
pub use error::ConfigError;
use layers::Layers;

/// What somebody wrote down explicitly (the provider block); every field may be missing. It wins.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub auth: Option<String>,
    pub config_file: Option<String>,
    pub endpoint: Option<String>,
    pub fingerprint: Option<String>,
    /// PEM.
    pub private_key: Option<SecretString>,
    pub private_key_password: Option<SecretString>,
    pub private_key_path: Option<String>,
    pub profile: Option<String>,
    pub region: Option<String>,
    pub tenancy_ocid: Option<String>,
    pub user_ocid: Option<String>,
}

/// A login and its place, resolved: everything a session needs.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who calls, for messages: a user, a session token's profile, an instance.
    pub whose: String,
    /// Where Container Engine is, instead of where the region says.
    pub endpoint: Option<Url>,
    pub login: Login,
    /// None where the login itself tells it later, or an endpoint is given.
    pub region: Option<Region>,
    pub regions: Regions,
    pub trust: Trust,
}

/// What signs the calls.
#[derive(Clone, Debug)]
pub enum Login {
    /// A user's key.
    ApiKey(Signatory),
    /// The identity of the machine that this runs on. None: metadata and tokens are where they always are.
    InstancePrincipal { metadata: Option<Url>, federation: Option<Url> },
    /// The identity of the pod that this runs in.
    OkeWorkloadIdentity { address: Url, token: PathBuf, ca: PathBuf },
    /// The identity of a function or another resource, which its surroundings hold.
    ResourcePrincipal { token: Source, key: Source, passphrase: Option<Source> },
    /// A session that `oci session authenticate` began.
    SecurityToken { token: Source, key: Source, passphrase: Option<SecretString> },
}

/// Something that is written down, or stands in a file that somebody else may renew.
#[derive(Clone, Debug)]
pub enum Source {
    File(PathBuf),
    Text(SecretString),
}

impl Source {
    /// What it says now, without white space around it.
    pub fn read(&self, setting: &'static str) -> Result<SecretString, ConfigError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    ConfigError::new(setting, format!("cannot read {}: {error}", path.display()))
                })?;
                Ok(text.trim().into())
            }
        }
    }

    /// For messages.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Text(_) => "the text given".to_owned(),
        }
    }
}

/// Resolves, reads files, contacts nobody.
pub fn resolve(settings: &Settings, from: &Surroundings) -> Result<Account, ConfigError> {
    let layers = Layers::of(settings, from)?;
    let regions = Regions::known(from)?;
    let endpoint = layers.endpoint()?;
    let (login, whose) = login::login(&layers)?;
    let region = layers.region(matches!(
        login,
        Login::ResourcePrincipal { .. } | Login::OkeWorkloadIdentity { .. }
    ));
    let region = match region {
        Some(region) => match regions.find(&region) {
            Ok(region) => Some(region),
            // with an address of its own the region is only a name
            Err(_) if endpoint.is_some() => None,
            Err(error) => return Err(error),
        },
        None if endpoint.is_some() || matches!(login, Login::InstancePrincipal { .. }) => None,
        None => return Err(layers.missing(&["region"])),
    };
    let bundle = layers.variable("OCI_CLI_CERT_BUNDLE");
    let cacert = bundle.map(|path| Pem::File(layers.path(&path)));
    let trust = Trust { cacert, ..Trust::default() };
    Ok(Account { whose, endpoint, login, region, regions, trust })
}
