//! How credentials, roles and rules are shown. Written straight into the answer: lists are long.

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::model::{AccessRule, Credential, Keystone, Role};
use crate::http::Ask;

/// An application credential; with its secret only in the answer that makes it.
#[derive(serde::Serialize)]
pub(crate) struct CredentialView<'k> {
    id: &'k str,
    name: &'k str,
    description: Option<&'k str>,
    user_id: &'k str,
    project_id: Option<&'k str>,
    system: Option<&'k str>,
    expires_at: Option<String>,
    unrestricted: Option<bool>,
    roles: Vec<RoleView<'k>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_rules: Vec<RuleView<'k>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<&'k str>,
    links: Links,
}

#[derive(serde::Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
}

/// A role as it stands inside other things: without links.
#[derive(serde::Serialize)]
pub(crate) struct RoleView<'k> {
    id: &'k str,
    name: &'k str,
    domain_id: Option<&'k str>,
    description: Option<&'k str>,
    options: RoleOptions,
}

#[derive(serde::Serialize)]
struct RoleOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    immutable: Option<bool>,
}

/// A rule as it stands inside other things: without links.
#[derive(serde::Serialize)]
pub(crate) struct RuleView<'k> {
    id: &'k str,
    service: &'k str,
    path: &'k str,
    method: &'k str,
}

impl<'k> From<&'k Role> for RoleView<'k> {
    fn from(role: &'k Role) -> Self {
        Self {
            id: &role.id,
            name: &role.name,
            domain_id: None,
            description: role.description.as_deref(),
            options: RoleOptions { immutable: role.immutable.then_some(true) },
        }
    }
}

impl<'k> From<&'k AccessRule> for RuleView<'k> {
    fn from(rule: &'k AccessRule) -> Self {
        Self { id: &rule.id, service: &rule.service, path: &rule.path, method: &rule.method }
    }
}

impl Keystone {
    /// With these roles, in this order.
    pub(super) fn view<'k>(
        &'k self,
        credential: &'k Credential,
        roles: &'k [String],
    ) -> CredentialView<'k> {
        CredentialView {
            id: &credential.id,
            name: &credential.name,
            description: credential.description.as_deref(),
            user_id: &credential.user_id,
            project_id: credential.project_id.as_deref(),
            system: credential.system.as_deref(),
            expires_at: credential.expires_at.map(expiry_text),
            unrestricted: credential.unrestricted,
            roles: roles.iter().filter_map(|id| self.role(id)).map(RoleView::from).collect(),
            access_rules: self.rule_views(credential),
            secret: None,
            links: Links {
                this: format!("{}/v3/application_credentials/{}", self.base, credential.id),
            },
        }
    }

    pub(super) fn rule_views<'k>(&'k self, credential: &'k Credential) -> Vec<RuleView<'k>> {
        let rules = credential
            .access_rules
            .iter()
            .filter_map(|id| self.access_rules.iter().find(|rule| rule.id == *id));
        rules.map(RuleView::from).collect()
    }
}

/// A list as Keystone wraps it: never more than one page.
pub(crate) struct Collection<'a, T> {
    plural: &'a str,
    members: &'a [T],
    this: String,
}

impl<'a, T> Collection<'a, T> {
    pub(crate) fn new(keystone: &Keystone, ask: &Ask, plural: &'a str, members: &'a [T]) -> Self {
        let query = ask.raw_query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        let this = format!("{}{}{query}", keystone.base, ask.path.trim_end_matches('/'));
        Self { plural, members, this }
    }
}

impl<T: Serialize> Serialize for Collection<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.plural, self.members)?;
        let links = json!({ "next": null, "self": self.this, "previous": null });
        map.serialize_entry("links", &links)?;
        map.end()
    }
}

/// `2027-01-01T00:00:00.000000`: without zone, always with six digits.
fn expiry_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
}
