//! go-plugin's handshake: what a host says in the environment, and the one line that answers it.

use std::ffi::OsString;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The major version of the provider protocol that is served.
const PROTOCOL: &str = "6";
/// Tells a host from a human. Not a secret; the same in Terraform and OpenTofu.
const COOKIE_NAME: &str = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// What a host says before it starts a plugin.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// PEM of the host's own certificate. None: no TLS.
    pub(super) certificate: Option<String>,
    pub(super) socket_dir: Option<PathBuf>,
    /// The ports that a plugin may listen on, where there are no sockets.
    pub(super) min_port: Option<String>,
    pub(super) max_port: Option<String>,
    /// Whether it knows a seventh field.
    multiplexing: bool,
}

/// Why there is no handshake.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    // go-plugin's own words, which users may know.
    #[error(
        "This binary is a plugin. These are not meant to be executed directly.\n\
         Please execute the program that consumes these plugins, which will\n\
         load any plugins automatically"
    )]
    ByHand,
    #[error(
        "The program that started this provider speaks the provider protocol in version {0}, the \
         provider in version 6. Use Terraform 1.8 or newer, or OpenTofu 1.7 or newer"
    )]
    Protocol(String),
    #[error("The variable {0} is not text")]
    NotText(&'static str),
}

impl Host {
    /// Reads the variables that a host sets.
    pub(super) fn read(
        variable: impl Fn(&'static str) -> Option<OsString>,
    ) -> Result<Self, Refusal> {
        let text = |name| match variable(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value).filter(|value| !value.is_empty())),
            Some(Err(_)) => Err(Refusal::NotText(name)),
        };
        if variable(COOKIE_NAME).is_none_or(|cookie| cookie != COOKIE) {
            return Err(Refusal::ByHand);
        }
        let versions = text("PLUGIN_PROTOCOL_VERSIONS")?.unwrap_or_default();
        if !versions.split(',').any(|version| version.trim() == PROTOCOL) {
            let versions = if versions.is_empty() { "unknown".to_owned() } else { versions };
            return Err(Refusal::Protocol(versions));
        }
        Ok(Self {
            certificate: text("PLUGIN_CLIENT_CERT")?,
            socket_dir: variable("PLUGIN_UNIX_SOCKET_DIR")
                .filter(|dir| !dir.is_empty())
                .map(PathBuf::from),
            min_port: text("PLUGIN_MIN_PORT")?,
            max_port: text("PLUGIN_MAX_PORT")?,
            multiplexing: text("PLUGIN_MULTIPLEX_GRPC")?.is_some(),
        })
    }

    /// The answer: where the plugin listens, and the certificate (DER) that it will show there.
    pub(super) fn line(&self, network: &str, address: &str, certificate: Option<&[u8]>) -> String {
        let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
        // A host that does not know the seventh field takes it for a part of the sixth.
        let multiplexing = if self.multiplexing { "|false" } else { "" };
        format!("1|{PROTOCOL}|{network}|{address}|grpc|{certificate}{multiplexing}")
    }
}

#[cfg(test)]
pub(super) mod tests;
