//! Where one setting comes from: the block, the environment, the profile; the first that says something.

use std::path::PathBuf;

use crate::redaction::{ExposeSecret as _, SecretString};

use super::ini::{DEFAULT, File, Profile};
use super::{ConfigError, Settings, Source};
use crate::cloud::Surroundings;
use crate::cloud::http::Url;

/// All places at once.
pub(super) struct Layers<'a> {
    pub(super) settings: &'a Settings,
    from: &'a Surroundings,
    pub(super) profile: Profile,
    /// `profile "DEFAULT" of ~/.oci/config`, and that it is not there, if so.
    pub(super) place: String,
}

/// The names of a setting: in the block and in Oracle's provider, in the CLI, in the file.
pub(super) struct Names {
    pub(super) attribute: &'static str,
    cli: &'static [&'static str],
    file: &'static [&'static str],
}

pub(super) const AUTH: Names =
    Names { attribute: "auth", cli: &["OCI_CLI_AUTH"], file: &["authentication_type"] };
pub(super) const FINGERPRINT: Names =
    Names { attribute: "fingerprint", cli: &["OCI_CLI_FINGERPRINT"], file: &["fingerprint"] };
pub(super) const PASSWORD: Names = Names {
    attribute: "private_key_password",
    cli: &["OCI_CLI_PASSPHRASE"],
    file: &["pass_phrase", "passphrase"],
};
pub(super) const REGION: Names =
    Names { attribute: "region", cli: &["OCI_CLI_REGION"], file: &["region"] };
pub(super) const TENANCY: Names =
    Names { attribute: "tenancy_ocid", cli: &["OCI_CLI_TENANCY"], file: &["tenancy"] };
pub(super) const USER: Names =
    Names { attribute: "user_ocid", cli: &["OCI_CLI_USER"], file: &["user"] };

impl<'a> Layers<'a> {
    pub(super) fn of(settings: &'a Settings, from: &'a Surroundings) -> Result<Self, ConfigError> {
        let mut layers = Self { settings, from, profile: Profile::default(), place: String::new() };
        let named = given(settings.profile.as_ref())
            .or_else(|| layers.provider_variable("config_file_profile"))
            .or_else(|| layers.variable("OCI_CLI_PROFILE"));
        let wanted = named.as_deref().unwrap_or(DEFAULT);
        let path = layers.file()?;
        let shown =
            path.as_ref().map_or("~/.oci/config".to_owned(), |path| path.display().to_string());
        layers.place = format!("the profile {wanted:?} of {shown}");
        let Some(path) = path else {
            if named.is_some() {
                let message = format!("{} cannot be read: there is no such file", layers.place);
                return Err(ConfigError::new("profile", message));
            }
            layers.place = format!("{shown} (which is not there)");
            return Ok(layers);
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            ConfigError::new("config_file", format!("cannot read {shown}: {error}"))
        })?;
        let file = File::parse(&text)
            .map_err(|why| ConfigError::new("config_file", format!("{shown}: {why}")))?;
        match file.profile(wanted) {
            Some(profile) => layers.profile = profile,
            None if named.is_some() => {
                let known = file.names().join(", ");
                let message = format!("{shown} has no profile {wanted:?}; it has: {known}");
                return Err(ConfigError::new("profile", message));
            }
            None => layers.place = format!("{shown} (which has no profile {wanted:?})"),
        }
        if layers.profile.get("key_content").is_some() {
            let message =
                format!("{shown} has a key in its text, which Oracle's tools refuse; use key_file");
            return Err(ConfigError::new("config_file", message));
        }
        Ok(layers)
    }

    /// As Oracle's tools find it: the default place wins over `OCI_CONFIG_FILE`.
    fn file(&self) -> Result<Option<PathBuf>, ConfigError> {
        let named = given(self.settings.config_file.as_ref())
            .or_else(|| self.variable("OCI_CLI_CONFIG_FILE"));
        if let Some(path) = named.map(|text| self.path(&text)) {
            if !path.is_file() {
                let message = format!("there is no file {}", path.display());
                return Err(ConfigError::new("config_file", message));
            }
            return Ok(Some(path));
        }
        let at_home = |path: &str| self.from.home_dir.as_ref().map(|home| home.join(path));
        let fallback = self.variable("OCI_CONFIG_FILE").map(|text| self.path(&text));
        let places = [
            at_home(".oci/config"),
            fallback,
            at_home(".oraclebmc/config"),
            at_home(".obmcs/config"),
        ];
        Ok(places.into_iter().flatten().find(|path| path.is_file()))
    }

    /// One setting's value.
    pub(super) fn text(&self, block: Option<&String>, names: &Names) -> Option<String> {
        given(block)
            .or_else(|| self.provider_variable(names.attribute))
            .or_else(|| names.cli.iter().find_map(|name| self.variable(name)))
            .or_else(|| names.file.iter().find_map(|key| self.profile.get(key)).map(str::to_owned))
    }

    /// The block's or the environment's.
    pub(super) fn region(&self, of_principal: bool) -> Option<String> {
        let block = given(self.settings.region.as_ref());
        let own = || of_principal.then(|| self.variable("OCI_RESOURCE_PRINCIPAL_REGION")).flatten();
        block.or_else(own).or_else(|| self.text(None, &REGION))
    }

    pub(super) fn password(&self) -> Option<SecretString> {
        let block =
            self.settings.private_key_password.as_ref().map(|text| text.expose_secret().to_owned());
        self.text(block.as_ref(), &PASSWORD).map(SecretString::from)
    }

    /// The key: each place's text before its path, and each place before the next.
    pub(super) fn key(&self) -> Option<Source> {
        let text = |text: String| Source::Text(text.into());
        let file = |path: String| Source::File(self.path(&path));
        let block = self.settings.private_key.as_ref().map(|text| text.expose_secret().to_owned());
        given(block.as_ref())
            .map(text)
            .or_else(|| given(self.settings.private_key_path.as_ref()).map(file))
            .or_else(|| self.provider_variable("private_key").map(text))
            .or_else(|| self.provider_variable("private_key_path").map(file))
            .or_else(|| self.variable("OCI_CLI_KEY_CONTENT").map(text))
            .or_else(|| self.variable("OCI_CLI_KEY_FILE").map(file))
            .or_else(|| self.profile.get("key_file").map(str::to_owned).map(file))
    }

    pub(super) fn endpoint(&self) -> Result<Option<Url>, ConfigError> {
        let block = given(self.settings.endpoint.as_ref());
        let Some(text) = block.or_else(|| self.variable("OCI_CLI_ENDPOINT")) else {
            return Ok(None);
        };
        let bare = |url: &Url| {
            let path = url.path().trim_end_matches('/');
            let version_only = path.is_empty() || path == super::super::VERSION;
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && version_only
        };
        match Url::parse(&text).ok().filter(bare) {
            Some(mut url) => {
                url.set_path("");
                Ok(Some(url))
            }
            None => Err(ConfigError::new(
                "endpoint",
                "endpoint must be the address of Container Engine, such as \
                 https://containerengine.us-ashburn-1.oci.oraclecloud.com: a host, perhaps a port, and nothing else",
            )),
        }
    }

    /// An environment variable, if it says something.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        given(self.from.environment.get(name))
    }

    /// Those of Oracle's Terraform provider.
    fn provider_variable(&self, attribute: &str) -> Option<String> {
        self.variable(&format!("TF_VAR_{attribute}"))
            .or_else(|| self.variable(&format!("OCI_{}", attribute.to_ascii_uppercase())))
    }

    /// `~` is the home directory; other paths begin where the process runs.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.from.home_dir) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.from.current_dir.join(text),
        }
    }

    pub(super) fn missing(&self, what: &[&'static str]) -> ConfigError {
        let message = format!(
            "there is no {}. It is looked for in the provider's oci block, in the variables of Oracle's provider (OCI_{}) and \
             of its CLI, and in {}",
            what.join(", no "),
            what[0].to_ascii_uppercase(),
            self.place
        );
        ConfigError::new(what[0], message)
    }
}

fn given(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}
