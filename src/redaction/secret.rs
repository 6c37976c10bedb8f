//! The one type for a text that nobody may see.

use std::fmt;

use secrecy::ExposeSecret;

/// Not shown by `Debug`, wiped when dropped, and on the list of what is crossed out everywhere from
/// the moment it is made: there is no way to have one that is not.
#[derive(Clone, Default)]
#[expect(clippy::disallowed_types, reason = "the one place that makes them")]
pub struct SecretString(secrecy::SecretString);

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        super::register(&text);
        Self(text.into())
    }
}

impl From<&str> for SecretString {
    fn from(text: &str) -> Self {
        super::register(text);
        Self(text.into())
    }
}

impl ExposeSecret<str> for SecretString {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::REDACTED)
    }
}
