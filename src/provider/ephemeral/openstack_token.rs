//! `ephemeral "rekey_openstack_token"`: a token for the length of a run.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::cloud::openstack::Login;
use crate::provider::arguments::written;
use crate::provider::errors;
use crate::provider::openstack::{Openstack, patience};
use crate::redaction::{ExposeSecret as _, SecretString};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Result;
use crate::tfplugin::model::{Attr, Model, Secret};
use crate::tfplugin::traits::{Ephemeral, Opened};

/// A Keystone token for this run, by the provider's own login or by an application credential.
/// It is revoked when the run no longer needs it.
///
/// Terraform opens it in plan and again in apply, each time with a new token.
#[derive(Clone, Debug, Default, Model)]
pub struct Token {
    /// Log in with this application credential instead of the provider's own login.
    #[attr(optional, requires("application_credential_secret"))]
    pub application_credential_id: Attr<String>,
    /// Its secret.
    #[attr(optional, sensitive, requires("application_credential_id"))]
    pub application_credential_secret: Attr<Secret>,
    /// The identity endpoint that issued the token.
    #[attr(computed)]
    pub auth_url: Attr<String>,
    /// When the token ends by itself.
    #[attr(computed)]
    pub expires_at: Attr<String>,
    /// The project that it gives access to.
    #[attr(computed)]
    pub project_id: Attr<String>,
    /// The token, for the header `X-Auth-Token` or the variable `OS_TOKEN`.
    #[attr(computed, sensitive)]
    pub token: Attr<Secret>,
    /// The user whose token it is.
    #[attr(computed)]
    pub user_id: Attr<String>,
}

/// What Close needs. Ephemeral private data is kept in memory only.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Private {
    token: String,
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Private(..)")
    }
}

/// See the module.
#[derive(Debug)]
pub struct OpenstackToken {
    openstack: Arc<Openstack>,
}

impl OpenstackToken {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self { openstack }
    }
}

#[async_trait]
impl Ephemeral for OpenstackToken {
    type Model = Token;
    type Private = Private;

    const NAME: &'static str = "openstack_token";

    async fn open(&self, cx: &Context, config: Token) -> Result<Opened<Token, Private>> {
        let session = self.openstack.session_now().await?;
        let patience = patience(cx);
        let issued = match (
            config.application_credential_id.known(),
            config.application_credential_secret.known(),
        ) {
            (Some(id), Some(secret)) => {
                let login =
                    Login { application_credential_id: id.clone(), secret: secret.0.clone() };
                session.log_in(&login, &patience).await.map_err(|error| {
                    errors::call(
                        "Cannot log in with the application credential",
                        &format!("log in with the application credential {id}"),
                        &error,
                        "No token was issued.",
                        "Keystone answers 404 for one that was deleted, and 401 for a wrong secret, an expired one, or one \
                         whose owner is disabled or has lost its roles.",
                    )
                })?
            }
            _ => session.new_token(&patience).await.map_err(|error| errors::login(&error))?,
        };
        let private = Private { token: issued.value.expose_secret().to_owned() };
        let result = Token {
            auth_url: Attr::Known(session.cloud().auth_url.clone()),
            expires_at: Attr::Known(written(issued.expires_at)),
            project_id: issued.project.map(|project| project.id).into(),
            token: Attr::Known(Secret(issued.value)),
            user_id: Attr::Known(issued.user.id),
            ..config
        };
        Ok(Opened { result, private, renew_at: None })
    }

    async fn close(&self, cx: &Context, private: Private) -> Result<()> {
        let session = self.openstack.session_now().await?;
        let token = SecretString::from(private.token);
        match session.revoke(&token, &patience(cx)).await {
            // Revoked already, or ended by itself.
            Err(error) if matches!(error.status(), Some(401 | 404)) => Ok(()),
            Err(error) => Err(errors::call(
                "A token was not revoked",
                "revoke the token of this run",
                &error,
                "It goes on working until it ends by itself.",
                "",
            )
            .into()),
            Ok(()) => Ok(()),
        }
    }
}
