//! What Keystone says of a token that it issued. Holds it, does not renew it.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::catalog::Catalog;
use crate::redaction::{ExposeSecret, SecretString};

/// An id with the name that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Reference {
    pub id: String,
    /// Empty where none was said.
    #[serde(default, deserialize_with = "or_empty")]
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
    /// From the answer's header and body; an error says what is wrong, without either. A catalog that
    /// was not asked for is not read.
    pub(super) fn parse(
        value: SecretString,
        body: &[u8],
        with_catalog: bool,
    ) -> Result<Self, String> {
        if body.len() > LARGEST {
            return Err(format!("it is larger than {LARGEST} bytes"));
        }
        let (token, catalog) = if with_catalog {
            let mut answer: Answer<Catalog> = parsed(body)?;
            // an unscoped token has none, and never will
            let catalog = answer.token.catalog.take().unwrap_or_default();
            (answer.token.without_catalog(), Some(catalog))
        } else {
            let answer: Answer<IgnoredAny> = parsed(body)?;
            (answer.token, None)
        };
        if value.expose_secret().is_empty() {
            return Err("it has no X-Subject-Token".to_owned());
        }
        Ok(Self {
            value,
            user: token.user,
            project: token.project,
            roles: token.roles.unwrap_or_default(),
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
            catalog,
        })
    }
}

/// Of what is said of a token, in bytes: the largest catalogs have some hundred kilobytes. As a tree of values it would
/// take many times its own room.
const LARGEST: usize = 4 * 1024 * 1024;

/// Keystone's times: UTC whether or not they say so.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let parsed = text
        .parse::<Timestamp>()
        .or_else(|_| TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>()?));
    parsed.map_err(|_| NO_TIME.to_owned())
}

/// What the bytes say; an error names the field, and never holds a value.
pub(super) fn parsed<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| described(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| describe(&error))?;
    Ok(value)
}

fn described(path: &str, error: &serde_json::Error) -> String {
    let inside = |field: &str| match path {
        "" | "." => field.to_owned(),
        path => format!("{path}.{field}"),
    };
    let said = error.to_string();
    let missing = said.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match missing {
        Some(field) => format!("it lacks {}", inside(field)),
        // in our own words, which hold no value
        None if error.is_data() && [NO_TIME, TOO_MANY].iter().any(|own| said.starts_with(own)) => {
            said.split(" at line ").next().unwrap_or_default().to_owned()
        }
        None if error.is_data() && !matches!(path, "" | "." | "?") => {
            format!("its {path} is of another kind than it should be")
        }
        None => describe(error),
    }
}

const NO_TIME: &str = "one of its times is none";

/// Begins what is said of a list that is too long.
pub(super) const TOO_MANY: &str = "it lists more than";

/// null is empty.
fn or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
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
struct Answer<C> {
    token: Body<C>,
}

#[derive(Deserialize)]
struct Body<C> {
    user: Reference,
    project: Option<Reference>,
    roles: Option<Vec<Reference>>,
    application_credential: Option<Credential>,
    issued_at: String,
    expires_at: String,
    catalog: Option<C>,
}

impl<C> Body<C> {
    fn without_catalog(self) -> Body<IgnoredAny> {
        let Self { user, project, roles, application_credential, issued_at, expires_at, .. } = self;
        Body { user, project, roles, application_credential, issued_at, expires_at, catalog: None }
    }
}

#[derive(Deserialize)]
struct Credential {
    id: String,
    #[serde(default, deserialize_with = "or_empty")]
    name: String,
    /// Unsaid by the first releases that had application credentials: the safe reading.
    #[serde(default = "yes")]
    restricted: bool,
    access_rules: Option<Vec<IgnoredAny>>,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body() -> Value {
        json!({ "token": {
            "user": { "id": "u1", "name": null, "domain": null },
            "project": null,
            "roles": null,
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2026-01-01T01:00:00.000000Z",
            "catalog": { "not": "a list" },
        }})
    }

    fn parse(body: &Value, with_catalog: bool) -> Result<Token, String> {
        Token::parse("token-tests".into(), body.to_string().as_bytes(), with_catalog)
    }

    #[test]
    fn holes_in_what_is_not_needed_do_no_harm() {
        let token = parse(&body(), false).unwrap();
        assert_eq!((token.user.name.as_str(), token.roles.len()), ("", 0));
        assert_eq!(token.catalog, None, "it was not asked for, and not read");
        assert_eq!(parse(&body(), true).unwrap().catalog, Some(Catalog::default()));
    }

    #[test]
    fn a_catalog_without_measure_is_not_read() {
        let mut body = body();
        body["token"]["catalog"] = vec![0; 3 * 1024 * 1024].into();
        assert_eq!(parse(&body, true).unwrap_err(), "it is larger than 4194304 bytes");
    }

    #[test]
    fn errors_name_the_field_and_hold_no_value() {
        let check = |pointer: &str, value: Value, expected: &str| {
            let mut body = body();
            *body.pointer_mut(pointer).unwrap() = value;
            assert_eq!(parse(&body, false).unwrap_err(), expected);
        };
        check("/token/user", json!({}), "it lacks token.user.id");
        check(
            "/token/user/id",
            json!(["s3cr3t-value"]),
            "its token.user.id is of another kind than it should be",
        );
        check(
            "/token/roles",
            json!([{ "id": "r" }, 7]),
            "its token.roles[1] is of another kind than it should be",
        );
        check("/token/expires_at", json!("s3cr3t-value"), "one of its times is none");
        let error = Token::parse("t".into(), b"<html>", false).unwrap_err();
        assert_eq!(error, "it is not JSON (line 1, column 1)");
    }
}
