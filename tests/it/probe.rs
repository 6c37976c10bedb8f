//! A small provider with one of everything, for tests of what stands between Terraform and a resource.
//! Its cloud is a map in memory; its moods are what real clouds and real bugs do to a handler.

mod cloud;
mod others;
mod thing;

use async_trait::async_trait;
use rekey::tfplugin::context::Context;
use rekey::tfplugin::diagnostics::{Diagnostic, Result};
use rekey::tfplugin::model::{Attr, Model, Secret};
use rekey::tfplugin::server::Registry;
use rekey::tfplugin::traits::Provider;

use crate::host::{Host, InProcess};

pub(crate) use cloud::{Cloud, Mood};

/// The provider block.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct Config {
    /// Who logs in.
    #[attr(optional)]
    login: Attr<String>,
    /// With what.
    #[attr(optional)]
    password: Attr<Secret>,
}

/// The provider.
pub(crate) struct Probe(Cloud);

#[async_trait]
impl Provider for Probe {
    type Config = Config;

    const NAME: &'static str = "probe";

    async fn validate(&self, _cx: &Context, config: &Config) -> Result<()> {
        match config.login.known() {
            Some(login) if login.contains(' ') => Err(Diagnostic::error(
                "Login with a blank",
                "A login has no blanks in it; leave them out",
            )
            .at_attribute("login")
            .into()),
            _ => Ok(()),
        }
    }

    async fn configure(&self, cx: &Context, config: Config) -> Result<()> {
        if config.login.is_unknown() {
            let detail = "The login is known at apply only; nothing can be asked before";
            cx.tell(Diagnostic::warning("Login is not known yet", detail).at_attribute("login"));
        }
        self.0.log_in(config.login.into_option());
        Ok(())
    }
}

/// A host with this provider, on a cloud that outlives every walk.
pub(crate) fn host() -> (Host, Cloud) {
    let cloud = Cloud::default();
    let shared = cloud.clone();
    (Host::new(InProcess(move || registry(&shared.session()))), cloud)
}

pub(crate) fn registry(cloud: &Cloud) -> Registry {
    Registry::new(Probe(cloud.clone()))
        .resource(thing::ThingResource(cloud.clone()))
        .data_source(others::Census(cloud.clone()))
        .ephemeral(others::Pass(cloud.clone()))
        .function(others::Shout)
        .function(others::Describe)
}
