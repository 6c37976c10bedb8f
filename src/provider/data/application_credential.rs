//! `data "rekey_application_credential"`: one of them, by id or by name.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock;
use crate::provider::application_credential::AccessRule;
use crate::provider::data::application_credentials::{Credential, list};
use crate::provider::openstack::Openstack;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::{Attr, Model, Set};
use crate::tfplugin::traits::DataSource;

/// One application credential, by its id or its name.
#[derive(Clone, Debug, Default, Model)]
pub struct One {
    /// The requests that it may make; empty when every one that its roles allow.
    #[attr(computed)]
    pub access_rules: Attr<Set<AccessRule>>,
    /// Whole days until it expires; negative when it has, null when it never does.
    #[attr(computed)]
    pub days_left: Attr<i64>,
    /// What it is for.
    #[attr(computed)]
    pub description: Attr<String>,
    /// When it expires; null when it never does.
    #[attr(computed)]
    pub expires_at: Attr<String>,
    /// Its id.
    #[attr(optional, computed, exactly_one_of("name"))]
    pub id: Attr<String>,
    /// Its name.
    #[attr(optional, computed)]
    pub name: Attr<String>,
    /// The project that it gives access to.
    #[attr(computed)]
    pub project_id: Attr<String>,
    /// The names of its roles.
    #[attr(computed)]
    pub roles: Attr<Set<String>>,
    /// Whether it may make and delete other application credentials.
    #[attr(computed)]
    pub unrestricted: Attr<bool>,
    /// Its owner; default the login's own user.
    #[attr(optional, computed)]
    pub user_id: Attr<String>,
}

/// See the module.
#[derive(Debug)]
pub struct OneApplicationCredential {
    openstack: Arc<Openstack>,
}

impl OneApplicationCredential {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self { openstack }
    }
}

#[async_trait]
impl DataSource for OneApplicationCredential {
    type Model = One;

    const NAME: &'static str = "application_credential";

    async fn read(&self, cx: &Context, config: One) -> Result<One> {
        let (user, listed) = list(&self.openstack, cx, &config.user_id).await?;
        let found = listed.iter().find(|credential| {
            config.id.known() == Some(&credential.id)
                || config.name.known() == Some(&credential.name)
        });
        let Some(found) = found else {
            let wanted = config.id.or(config.name).known_or_default();
            return Err(Diagnostic::error(
                "No such application credential",
                format!(
                    "User {user} has no application credential {wanted:?} among {}, on any project.",
                    listed.len()
                ),
            )
            .into());
        };
        let Credential {
            access_rules,
            days_left,
            description,
            expires_at,
            id,
            name,
            project_id,
            roles,
            unrestricted,
            user_id,
        } = Credential::at(found, clock::now());
        Ok(One {
            access_rules,
            days_left,
            description,
            expires_at,
            id,
            name,
            project_id,
            roles,
            unrestricted,
            user_id,
        })
    }
}
