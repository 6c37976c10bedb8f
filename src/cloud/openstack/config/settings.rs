//! The explicit settings: what the provider block says. Where they and the other sources meet: see
//! [`super::flat`].

use std::time::Duration;

use crate::redaction::{ExposeSecret as _, SecretString};

/// What somebody wrote down explicitly (the provider block); every field may be missing. It wins.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// An identity provider's, for Keystone's front to believe.
    pub access_token: Option<SecretString>,
    pub access_token_endpoint: Option<String>,
    /// `access_token` or `id_token`.
    pub access_token_type: Option<String>,
    pub application_credential_id: Option<String>,
    pub application_credential_name: Option<String>,
    pub application_credential_secret: Option<SecretString>,
    pub auth_url: Option<String>,
    /// Path or PEM.
    pub cacert: Option<String>,
    /// Path or PEM of the client certificate.
    pub cert: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    pub cloud: Option<String>,
    pub discovery_endpoint: Option<String>,
    pub domain_id: Option<String>,
    pub domain_name: Option<String>,
    pub identity_endpoint_override: Option<String>,
    pub identity_provider: Option<String>,
    pub interface: Option<String>,
    /// Path or PEM of the client certificate's key.
    pub key: Option<SecretString>,
    pub openid_scope: Option<String>,
    /// TOTP, together with `password`.
    pub passcode: Option<SecretString>,
    pub password: Option<SecretString>,
    pub project_domain_id: Option<String>,
    pub project_domain_name: Option<String>,
    pub project_id: Option<String>,
    pub project_name: Option<String>,
    pub protocol: Option<String>,
    pub region_name: Option<String>,
    pub timeout: Option<Duration>,
    pub token: Option<SecretString>,
    pub user_domain_id: Option<String>,
    pub user_domain_name: Option<String>,
    pub user_id: Option<String>,
    pub username: Option<String>,
    pub verify: Option<bool>,
}

impl Settings {
    /// Without what is empty: modules pass "" for what is not given.
    pub(super) fn given(&self) -> Self {
        let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        let secret = |value: &Option<SecretString>| {
            value.clone().filter(|secret| !secret.expose_secret().is_empty())
        };
        Self {
            access_token: secret(&self.access_token),
            access_token_endpoint: text(&self.access_token_endpoint),
            access_token_type: text(&self.access_token_type),
            application_credential_id: text(&self.application_credential_id),
            application_credential_name: text(&self.application_credential_name),
            application_credential_secret: secret(&self.application_credential_secret),
            auth_url: text(&self.auth_url),
            cacert: text(&self.cacert),
            cert: text(&self.cert),
            client_id: text(&self.client_id),
            client_secret: secret(&self.client_secret),
            cloud: text(&self.cloud),
            discovery_endpoint: text(&self.discovery_endpoint),
            domain_id: text(&self.domain_id),
            domain_name: text(&self.domain_name),
            identity_endpoint_override: text(&self.identity_endpoint_override),
            identity_provider: text(&self.identity_provider),
            interface: text(&self.interface),
            key: secret(&self.key),
            openid_scope: text(&self.openid_scope),
            passcode: secret(&self.passcode),
            password: secret(&self.password),
            project_domain_id: text(&self.project_domain_id),
            project_domain_name: text(&self.project_domain_name),
            project_id: text(&self.project_id),
            project_name: text(&self.project_name),
            protocol: text(&self.protocol),
            region_name: text(&self.region_name),
            timeout: self.timeout,
            token: secret(&self.token),
            user_domain_id: text(&self.user_domain_id),
            user_domain_name: text(&self.user_domain_name),
            user_id: text(&self.user_id),
            username: text(&self.username),
            verify: self.verify,
        }
    }
}
