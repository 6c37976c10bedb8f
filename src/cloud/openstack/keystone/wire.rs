//! The shapes on the wire.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error as _, SeqAccess, Visitor};

use super::{
    AccessRule, ApplicationCredential, Deserialize, ExposeSecret, NewApplicationCredential,
    Reference, RoleRef, Serialize, TOO_MANY, time,
};

#[derive(Deserialize)]
pub(super) struct One {
    pub(super) application_credential: ApplicationCredential,
}

#[derive(Deserialize)]
pub(super) struct Many {
    pub(super) application_credentials: Bounded,
    pub(super) links: Option<Links>,
}

/// So many has no user; and in memory each is many times what it is on the wire.
pub(super) const MOST: usize = 20_000;

/// Credentials up to [`MOST`], counted while they are read.
pub(super) struct Bounded(pub(super) Vec<ApplicationCredential>);

impl<'de> Deserialize<'de> for Bounded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counted).map(Self)
    }
}

struct Counted;

impl<'de> Visitor<'de> for Counted {
    type Value = Vec<ApplicationCredential>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of application credentials")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            if all.len() == MOST {
                return Err(A::Error::custom(format!("{TOO_MANY} {MOST}")));
            }
            all.push(item);
        }
        Ok(all)
    }
}

#[derive(Deserialize)]
pub(super) struct Links {
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Roles {
    pub(super) roles: Vec<Reference>,
}

#[derive(Deserialize)]
pub(super) struct Rules {
    pub(super) access_rules: Vec<AccessRule>,
}

#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) user: Enabled,
}

#[derive(Deserialize)]
pub(super) struct Enabled {
    pub(super) enabled: bool,
}

#[derive(Deserialize)]
pub(super) struct Assignments {
    pub(super) role_assignments: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) user: Reference,
}

#[derive(Deserialize)]
pub(super) struct Project {
    pub(super) project: Reference,
}

#[derive(Deserialize)]
pub(super) struct Credential {
    id: String,
    name: String,
    description: Option<String>,
    #[serde(default)]
    user_id: String,
    project_id: Option<String>,
    expires_at: Option<String>,
    unrestricted: Option<bool>,
    #[serde(default)]
    roles: Vec<Reference>,
    access_rules: Option<Vec<AccessRule>>,
}

impl TryFrom<Credential> for ApplicationCredential {
    type Error = String;

    fn try_from(said: Credential) -> Result<Self, String> {
        Ok(Self {
            id: said.id,
            name: said.name,
            description: said.description,
            user_id: said.user_id,
            project_id: said.project_id,
            expires_at: said.expires_at.as_deref().map(time).transpose()?,
            unrestricted: said.unrestricted.unwrap_or(false),
            roles: said.roles,
            access_rules: said.access_rules.unwrap_or_default(),
        })
    }
}

#[derive(Serialize)]
pub(super) struct Create<'a> {
    pub(super) application_credential: New<'a>,
}

#[derive(Serialize)]
pub(super) struct New<'a> {
    name: &'a str,
    secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "<[RoleRef]>::is_empty")]
    roles: &'a [RoleRef],
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    unrestricted: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_rules: Vec<NewRule<'a>>,
}

#[derive(Serialize)]
struct NewRule<'a> {
    service: &'a str,
    method: &'a str,
    path: &'a str,
}

impl<'a> From<&'a NewApplicationCredential> for New<'a> {
    fn from(new: &'a NewApplicationCredential) -> Self {
        Self {
            name: &new.name,
            secret: new.secret.expose_secret(),
            description: new.description.as_deref(),
            roles: &new.roles,
            expires_at: new
                .expires_at
                .map(|time| time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()),
            unrestricted: new.unrestricted,
            access_rules: new
                .access_rules
                .iter()
                .map(|rule| NewRule {
                    service: &rule.service,
                    method: &rule.method,
                    path: &rule.path,
                })
                .collect(),
        }
    }
}
