//! One run of Create or Update.

use crate::cloud::openstack::{Patience, Session, Token};
use crate::provider::application_credential::ApplicationCredentialResource as Resource;
use crate::provider::openstack::{Openstack, patience, token};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Result;

/// What every step needs.
#[derive(Debug)]
pub struct Run<'a> {
    pub openstack: &'a Openstack,
    pub cx: &'a Context,
    pub session: Session,
    pub caller: Token,
    pub patience: Patience,
}

impl<'a> Run<'a> {
    pub async fn begin(resource: &'a Resource, cx: &'a Context) -> Result<Self> {
        let session = resource.openstack.session_now().await?;
        let patience = patience(cx);
        let caller = token(&session, &patience).await?;
        Ok(Self { openstack: &resource.openstack, cx, session, caller, patience })
    }
}
