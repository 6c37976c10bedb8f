//! `data "rekey_application_credential"`: one of them, by id or by name.

use std::sync::Arc;

use async_trait::async_trait;

use crate::provider::data::application_credentials::{Listed, list};
use crate::provider::data::credential::One;
use crate::provider::openstack::Openstack;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::traits::DataSource;

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
        let Listed { user, credentials: listed, now } =
            list(&self.openstack, cx, &config.user_id).await?;
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
        Ok(One::at(found, now))
    }
}
