//! The values in secrets, and what may be remembered of them: salted digests, never the values.

use std::fmt;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::redaction;

/// One value of a secret's `data`. Does not print itself and is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Zeroizing<Vec<u8>>);

impl Value {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// None where it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// White space is nothing too.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(u8::is_ascii_whitespace)
    }

    /// As `data` has it.
    pub fn base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(&*self.0))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Value(..)")
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        // The error's own words would quote a byte of it.
        let bytes = STANDARD.decode(&*text).map_err(|_| serde::de::Error::custom("no base64"))?;
        Ok(Self::new(bytes))
    }
}

/// What makes digests useless to whoever does not have the values: random, one for each rotation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salt(String);

impl Salt {
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hexadecimal(&bytes)))
    }

    /// Of these parts in this order; where one ends and the next begins counts.
    pub fn digest<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>) -> Digest {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.0.as_bytes());
        let mut context = ring::hmac::Context::with_key(&key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        Digest(hexadecimal(context.sign().as_ref()))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Salt(..)")
    }
}

/// Tells whether a value is the same as before, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest(String);

/// Has what is secret in a value never be printed, in whatever message it comes back. Names, ids and addresses beside
/// it stay: they are what an operator needs to read.
pub(super) fn hush(key: &str, value: &Value) {
    let Some(text) = value.text() else { return };
    match key {
        "aws_secret_access_key" | "azure_client_secret" => redaction::register(text.trim()),
        "credentials" => hush_lines(text, &["secret_access_key"]),
        "clouds.yaml" => hush_lines(text, &["secret", "password", "token"]),
        "service_account.json" => {
            let key: Option<PrivateKey> = serde_json::from_str(text).ok();
            if let Some(PrivateKey { private_key }) = key {
                redaction::register(&Zeroizing::new(private_key));
            }
        }
        _ if key.ends_with(".password") => redaction::register(text),
        _ => {}
    }
}

/// `key: value` and `key = value`, where the key ends so.
fn hush_lines(text: &str, endings: &[&str]) {
    for line in text.lines() {
        let Some((key, value)) = line.split_once([':', '=']) else { continue };
        let key = key.trim().trim_matches(['"', '-', ' ']);
        if endings.iter().any(|ending| key.ends_with(ending)) {
            let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
            redaction::register(value);
        }
    }
}

#[derive(Deserialize)]
struct PrivateKey {
    private_key: String,
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_tell_equal_from_different_and_depend_on_the_salt() {
        let (one, other) = (Salt::random().unwrap(), Salt::random().unwrap());
        let of =
            |salt: &Salt, parts: &[&str]| salt.digest(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&one, &["ab", "c"]), of(&one, &["ab", "c"]));
        assert_ne!(of(&one, &["ab", "c"]), of(&one, &["a", "bc"]));
        assert_ne!(of(&one, &["ab", "c"]), of(&other, &["ab", "c"]));
    }

    #[test]
    fn nothing_here_prints_a_value() {
        let value = Value::new("AKIAEXAMPLE");
        let salt = Salt("73616c74".to_owned());
        let shown = format!("{value:?} {salt:?}");
        assert!(!shown.contains("AKIA") && !shown.contains("7361"), "{shown}");
        let wrong = serde_json::from_str::<Value>("\"%AKIAEXAMPLE\"").unwrap_err().to_string();
        assert!(!wrong.contains("AKIA") && !wrong.contains("37"), "{wrong}");
    }

    #[test]
    fn what_is_secret_in_a_value_is_never_printed() {
        let shown = |key: &str, value: &str, text: &str| {
            hush(key, &Value::new(value));
            redaction::clean(text).into_owned()
        };
        let yaml = "clouds:\n  openstack:\n    auth:\n      auth_url: https://keystone.example.com\n      \
                    application_credential_secret: 'hushed-secret-1'\n      \"password\": hushed-password-2\n";
        for secret in ["hushed-secret-1", "hushed-password-2"] {
            assert!(!shown("clouds.yaml", yaml, secret).contains("hushed"));
        }
        let url = "https://keystone.example.com";
        assert_eq!(shown("clouds.yaml", yaml, url), url);
        let json = r#"{"client_email":"hushed@example.com","private_key":"-----BEGIN\nhushedhushedhushed\n"}"#;
        let line = shown("service_account.json", json, "hushedhushedhushed hushed@example.com");
        assert_eq!(line, format!("{} hushed@example.com", redaction::REDACTED));
        let ini =
            "[default]\naws_access_key_id = AKIAHUSHED\naws_secret_access_key = hushed-secret-3";
        assert!(!shown("credentials", ini, "hushed-secret-3").contains("hushed"));
        assert_eq!(shown("credentials", ini, "AKIAHUSHED"), "AKIAHUSHED");
        assert!(
            !shown("vc.example.com.password", "hushed-pass-4", "hushed-pass-4").contains("hush")
        );
        assert_eq!(shown("vc.example.com.username", "hushed-name", "hushed-name"), "hushed-name");
    }

    #[test]
    fn base64_goes_both_ways() {
        let value: Value = serde_json::from_str("\"Y2xvdWRz\"").unwrap();
        assert_eq!(value.text(), Some("clouds"));
        assert_eq!(value.base64().as_str(), "Y2xvdWRz");
        assert!(Value::new(" \n").is_empty() && !value.is_empty());
    }
}
