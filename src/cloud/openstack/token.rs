//! What Keystone says of a token that it issued. Holds it, does not renew it.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::Deserialize;

use super::catalog::Catalog;
use crate::redaction::{ExposeSecret, SecretString};

/// An id with the name that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Reference {
    pub id: String,
    #[serde(default)]
    pub name: String,
}

/// The application credential that a token came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCredential {
    pub id: String,
    pub name: String,
    /// May not manage other application credentials.
    pub restricted: bool,
    pub has_access_rules: bool,
}

/// An issued token and what Keystone said of it.
#[derive(Clone, Debug)]
pub struct Token {
    /// `X-Subject-Token`.
    pub value: SecretString,
    pub user: Reference,
    /// None when unscoped, domain-scoped or system-scoped.
    pub project: Option<Reference>,
    pub roles: Vec<Reference>,
    pub application_credential: Option<TokenCredential>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// None where it was not asked for; empty where the token is unscoped.
    pub catalog: Option<Catalog>,
}

impl Token {
    /// From the answer's header and body; an error says what is wrong, without either.
    pub(super) fn parse(value: SecretString, body: &[u8]) -> Result<Self, String> {
        let answer: Answer = serde_json::from_slice(body).map_err(|error| describe(&error))?;
        if value.expose_secret().is_empty() {
            return Err("it has no X-Subject-Token".to_owned());
        }
        let token = answer.token;
        Ok(Self {
            value,
            user: token.user,
            project: token.project,
            roles: token.roles,
            application_credential: token.application_credential.map(|credential| {
                TokenCredential {
                    id: credential.id,
                    name: credential.name,
                    restricted: credential.restricted,
                    has_access_rules: credential
                        .access_rules
                        .is_some_and(|rules| !rules.is_empty()),
                }
            }),
            issued_at: time(&token.issued_at)?,
            expires_at: time(&token.expires_at)?,
            catalog: token.catalog,
        })
    }
}

/// Keystone's times: UTC whether or not they say so.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let parsed = text.parse::<Timestamp>().or_else(|_| {
        text.parse::<civil::DateTime>()?.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp())
    });
    parsed.map_err(|_| format!("\"{text}\" is not a time"))
}

/// A JSON error without the data: serde may quote a value, which may be a secret.
pub(super) fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Data => "it lacks a field or has one of another kind",
        Category::Eof => "it is cut short",
        Category::Io => "it broke off",
        Category::Syntax => "it is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[derive(Deserialize)]
struct Answer {
    token: Body,
}

#[derive(Deserialize)]
struct Body {
    user: Reference,
    project: Option<Reference>,
    #[serde(default)]
    roles: Vec<Reference>,
    application_credential: Option<Credential>,
    issued_at: String,
    expires_at: String,
    catalog: Option<Catalog>,
}

#[derive(Deserialize)]
struct Credential {
    id: String,
    name: String,
    /// Unsaid by the first releases that had application credentials: the safe reading.
    #[serde(default = "yes")]
    restricted: bool,
    access_rules: Option<Vec<serde::de::IgnoredAny>>,
}

fn yes() -> bool {
    true
}
