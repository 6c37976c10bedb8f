//! `data "rekey_application_credentials"`: the fleet of one user.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::cloud::openstack::keystone::ApplicationCredential;
use crate::provider::application_credential::{RUN_PREFIX, of_one_run};
use crate::provider::arguments::{check_period, period};
use crate::provider::data::credential::Credential;
use crate::provider::errors;
use crate::provider::openstack::{Openstack, patience, token};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Result;
use crate::tfplugin::model::{Attr, Model};
use crate::tfplugin::traits::DataSource;

/// The application credentials of a user, on all projects, the expired ones included: who owns which, with which
/// roles, and when each expires.
///
/// It takes one login and one call, whatever their number.
/// Those of the ephemeral resource of the same name, which live for one run, are left out unless `name` or `name_prefix`
/// asks for them (`rekey-ephemeral-`): each run has new ones.
#[derive(Clone, Debug, Default, Model)]
pub struct Fleet {
    /// Those that were found, by name.
    #[attr(computed)]
    pub credentials: Attr<Vec<Credential>>,
    /// Only those that expire within this time, such as `14d`, or have expired.
    #[attr(optional, validate(custom(check_period)))]
    pub expires_within: Attr<String>,
    /// Only the one of this name.
    #[attr(optional)]
    pub name: Attr<String>,
    /// Only those whose names begin with this.
    #[attr(optional)]
    pub name_prefix: Attr<String>,
    /// Only those of this project.
    #[attr(optional)]
    pub project_id: Attr<String>,
    /// The owner; default the login's own user.
    /// Another user's can be seen by an administrator only.
    #[attr(optional, computed)]
    pub user_id: Attr<String>,
}

/// See the module.
#[derive(Debug)]
pub struct ApplicationCredentials {
    openstack: Arc<Openstack>,
}

impl ApplicationCredentials {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self { openstack }
    }
}

#[async_trait]
impl DataSource for ApplicationCredentials {
    type Model = Fleet;

    const NAME: &'static str = "application_credentials";

    async fn read(&self, cx: &Context, config: Fleet) -> Result<Fleet> {
        let Listed { user, credentials: listed, now } =
            list(&self.openstack, cx, &config.user_id).await?;
        let near = period(&config.expires_within).map(|within| within.after(now));
        let is = |wanted: &Attr<String>, found: Option<&str>| {
            wanted.known().is_none_or(|wanted| Some(wanted.as_str()) == found)
        };
        let mut found: Vec<&ApplicationCredential> = listed
            .iter()
            .filter(|credential| {
                is(&config.name, Some(&credential.name))
                    && (asked_for(&config) || !of_one_run(&credential.name))
                    && is(&config.project_id, credential.project_id.as_deref())
                    && config
                        .name_prefix
                        .known()
                        .is_none_or(|start| credential.name.starts_with(start))
                    && near.is_none_or(|near| {
                        credential.expires_at.is_some_and(|expiry| expiry <= near)
                    })
            })
            .collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        let credentials = found.into_iter().map(|found| Credential::at(found, now)).collect();
        Ok(Fleet { credentials: Attr::Known(credentials), user_id: Attr::Known(user), ..config })
    }
}

/// Whether the names that are asked for are those of credentials for one run.
fn asked_for(config: &Fleet) -> bool {
    let wanted = [&config.name, &config.name_prefix];
    wanted.into_iter().filter_map(Attr::known).any(|name| name.starts_with(RUN_PREFIX))
}

/// What was found, and when.
#[derive(Debug)]
pub struct Listed {
    pub user: String,
    pub credentials: Arc<Vec<ApplicationCredential>>,
    /// By the cloud's clock.
    pub now: Timestamp,
}

/// The credentials of that user, or of the caller.
pub async fn list(openstack: &Openstack, cx: &Context, user: &Attr<String>) -> Result<Listed> {
    let session = openstack.session_now().await?;
    let patience = patience(cx);
    let user = match user.known() {
        Some(user) => user.clone(),
        None => token(&session, &patience).await?.user.id,
    };
    let listed = openstack.credentials(&session, &user, &patience).await.map_err(|error| {
        let next = match error.status() {
            Some(403) => "Only the user itself and an administrator may list the application credentials of a user.",
            _ => "",
        };
        errors::call(
            "Cannot read application credentials",
            &format!("list the application credentials of user {user}"),
            &error,
            "",
            next,
        )
        .at_attribute("user_id")
    })?;
    Ok(Listed { user, credentials: listed, now: session.now() })
}
