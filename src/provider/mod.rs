//! The Terraform face: one file for each type; each reads as schema, observe, decide, act, save.

use async_trait::async_trait;

use crate::tfplugin::context::Context;
use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, DecodeError, Result};
use crate::tfplugin::model::Model;
use crate::tfplugin::schema::Attribute;
use crate::tfplugin::server::Registry;
use crate::tfplugin::traits::Provider;

/// Everything that the provider serves.
pub fn registry() -> Registry {
    Registry::new(Rekey)
}

/// The provider block.
#[derive(Debug)]
struct Rekey;

#[derive(Clone, Debug)]
struct Config;

impl Model for Config {
    fn description() -> &'static str {
        "Life cycle of credentials."
    }

    fn attributes() -> Vec<Attribute> {
        Vec::new()
    }

    fn from_object(_: Value, _: &AttributePath) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn into_object(self) -> Value {
        Value::Object(std::collections::BTreeMap::new())
    }
}

#[async_trait]
impl Provider for Rekey {
    type Config = Config;

    const NAME: &'static str = "rekey";

    async fn configure(&self, _cx: &Context, _config: Config) -> Result<()> {
        Ok(())
    }
}
