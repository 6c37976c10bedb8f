//! Why a configuration of Oracle's cloud cannot be used.

/// Why the configuration cannot be used; names files, keys and variables, never values that are secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    pub message: String,
    /// The setting to blame, under its name in the provider block.
    pub setting: Option<&'static str>,
}

impl ConfigError {
    pub(in crate::cloud::oci) fn new(
        setting: impl Into<Option<&'static str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { message: message.into(), setting: setting.into() }
    }
}
