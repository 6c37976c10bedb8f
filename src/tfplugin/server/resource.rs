//! A typed resource behind the protocol's messages: all of it but Apply, which is in `apply`.

use std::sync::Arc;

use async_trait::async_trait;

use super::typed::{IDENTITY_VERSION, ServedResource, tell};
use super::{private, schema, secrets, wire, write_only};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::Model as _;
use crate::tfplugin::proto::tfplugin6 as pb;
use crate::tfplugin::schema::Schema;
use crate::tfplugin::traits::{ImportTarget, MoveSource, Operation, PlanRequest, Resource};
use crate::tfplugin::{plan_helpers, validate};

/// A resource whose types are forgotten, so that a registry can hold it.
#[async_trait]
pub(super) trait AnyResource: Send + Sync {
    fn schema(&self) -> &Schema;
    fn identity_schema(&self) -> Option<pb::ResourceIdentitySchema>;
    /// What core would refuse in the schema of its identity.
    fn identity_problems(&self) -> Vec<String>;
    async fn validate(
        &self,
        cx: &Context,
        request: pb::validate_resource_config::Request,
    ) -> Result<()>;
    fn upgrade(
        &self,
        request: &pb::upgrade_resource_state::Request,
    ) -> Result<pb::upgrade_resource_state::Response>;
    fn upgrade_identity(
        &self,
        request: &pb::upgrade_resource_identity::Request,
    ) -> Result<pb::upgrade_resource_identity::Response>;
    async fn read(
        &self,
        cx: &Context,
        request: pb::read_resource::Request,
    ) -> Result<pb::read_resource::Response>;
    async fn plan(
        &self,
        cx: &Context,
        request: pb::plan_resource_change::Request,
    ) -> Result<pb::plan_resource_change::Response>;
    async fn apply(
        &self,
        cx: Arc<Context>,
        request: pb::apply_resource_change::Request,
    ) -> Result<pb::apply_resource_change::Response>;
    async fn import(
        &self,
        cx: &Context,
        request: pb::import_resource_state::Request,
    ) -> Result<pb::import_resource_state::Response>;
    async fn move_state(
        &self,
        cx: &Context,
        request: pb::move_resource_state::Request,
    ) -> Result<pb::move_resource_state::Response>;
}

#[async_trait]
impl<R: Resource> AnyResource for ServedResource<R> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn identity_problems(&self) -> Vec<String> {
        R::Identity::schema(IDENTITY_VERSION).identity_problems()
    }

    fn identity_schema(&self) -> Option<pb::ResourceIdentitySchema> {
        self.identity
            .as_ref()
            .map(|identity| schema::identity(IDENTITY_VERSION, &identity.attributes))
    }

    async fn validate(
        &self,
        cx: &Context,
        request: pb::validate_resource_config::Request,
    ) -> Result<()> {
        let config = self.value(request.config.as_ref())?;
        let mut found = validate::check(&self.schema, &config);
        if !cx.capabilities().write_only_attributes_allowed {
            found.extend(write_only::refuse(&config, &self.schema));
        }
        tell(cx, found)?;
        self.resource.validate(cx, &Self::config(config)?).await
    }

    fn upgrade(
        &self,
        request: &pb::upgrade_resource_state::Request,
    ) -> Result<pb::upgrade_resource_state::Response> {
        let version = request.version;
        if version > R::VERSION {
            return Err(newer_state(&self.type_name, version, R::VERSION).into());
        }
        let stored = json_of(request.raw_state.as_ref(), &self.type_name)?;
        let mut value = if version == R::VERSION {
            self.decode_json(stored, &self.ty)?
        } else {
            let old = serde_json::from_slice(stored).map_err(|_| no_json(&self.type_name))?;
            let new = serde_json::to_vec(&self.resource.upgrade(version, old)?)
                .map_err(|_| no_json(&self.type_name))?;
            self.decode_json(&new, &self.ty)?
        };
        plan_helpers::null_write_only(&self.schema, &mut value);
        secrets::register(&self.schema, &value);
        Ok(pb::upgrade_resource_state::Response {
            upgraded_state: Some(wire::encode(&value, &self.ty)?),
            diagnostics: Vec::new(),
        })
    }

    fn upgrade_identity(
        &self,
        request: &pb::upgrade_resource_identity::Request,
    ) -> Result<pb::upgrade_resource_identity::Response> {
        let Some(identity) = &self.identity else {
            return Err(no_identity(&self.type_name).into());
        };
        let stored = json_of(request.raw_identity.as_ref(), &self.type_name)?;
        let value = self.decode_json(stored, &identity.ty)?;
        Ok(pb::upgrade_resource_identity::Response {
            upgraded_identity: Some(wire::identity(&value, &identity.ty)?),
            diagnostics: Vec::new(),
        })
    }

    async fn read(
        &self,
        cx: &Context,
        request: pb::read_resource::Request,
    ) -> Result<pb::read_resource::Response> {
        let current = self.value(request.current_state.as_ref())?;
        if current.is_null() {
            return Ok(pb::read_resource::Response {
                new_state: Some(self.null()?),
                ..Default::default()
            });
        }
        let private = private::unwrap(&request.private, R::PRIVATE_VERSION)?.data;
        let stored = self.stored(current, private, request.current_identity.as_ref())?;
        self.set_deadline(cx, Operation::Read, &stored.state);
        let Some(stored) = self.resource.read(cx, stored).await? else {
            return Ok(pb::read_resource::Response {
                new_state: Some(self.null()?),
                ..Default::default()
            });
        };
        let stored = self.store(stored)?.whole("Read")?;
        Ok(pb::read_resource::Response {
            new_state: Some(stored.state),
            private: stored.private,
            new_identity: stored.identity,
            ..Default::default()
        })
    }

    async fn plan(
        &self,
        cx: &Context,
        request: pb::plan_resource_change::Request,
    ) -> Result<pb::plan_resource_change::Response> {
        let prior = self.value(request.prior_state.as_ref())?;
        let mut proposed = self.value(request.proposed_new_state.as_ref())?;
        let private =
            private::unwrap::<R::Private>(&request.prior_private, R::PRIVATE_VERSION)?.data;
        if proposed.is_null() {
            if !prior.is_null() {
                let prior = self.stored(prior, private, request.prior_identity.as_ref())?;
                self.resource.plan_destroy(cx, prior).await?;
            }
            return Ok(pb::plan_resource_change::Response {
                planned_state: Some(self.null()?),
                planned_private: request.prior_private,
                planned_identity: request.prior_identity,
                ..Default::default()
            });
        }
        let config = self.value(request.config.as_ref())?;
        plan_helpers::apply_defaults(&self.schema, &config, &mut proposed);
        plan_helpers::null_write_only(&self.schema, &mut proposed);
        let asked = PlanRequest {
            prior: (!prior.is_null()).then(|| Self::model(prior.clone())).transpose()?,
            config: Self::config(config)?,
            proposed: Self::config(proposed)?,
            private: private.clone(),
        };
        let plan = self.resource.plan(cx, asked).await?;
        let planned = self.without_write_only(plan.planned);
        let mut requires_replace = plan.requires_replace;
        if !prior.is_null() {
            let marked = plan_helpers::requires_replace(&self.schema, &prior, &planned);
            requires_replace.extend(marked);
        }
        Ok(pb::plan_resource_change::Response {
            planned_state: Some(wire::encode(&planned, &self.ty)?),
            requires_replace: requires_replace.iter().map(wire::path).collect(),
            planned_private: private::wrap_planned(&plan.private, &private, R::PRIVATE_VERSION)?,
            // In an update the prior one; in a create core sends none, and none is planned:
            // Terraform 1.15 and OpenTofu 1.12 fail on an identity that is not wholly known.
            planned_identity: request.prior_identity.filter(|_| !prior.is_null()),
            ..Default::default()
        })
    }

    async fn apply(
        &self,
        cx: Arc<Context>,
        request: pb::apply_resource_change::Request,
    ) -> Result<pb::apply_resource_change::Response> {
        super::apply::apply(self, cx, request).await
    }

    async fn import(
        &self,
        cx: &Context,
        request: pb::import_resource_state::Request,
    ) -> Result<pb::import_resource_state::Response> {
        let identity = self.identity(request.identity.as_ref())?;
        let by_identity = identity.clone();
        let target = match identity {
            Some(identity) => ImportTarget::Identity(identity),
            None if request.id.is_empty() && request.identity.is_some() => {
                return Err(no_identity(&self.type_name).into());
            }
            None => ImportTarget::Id(request.id),
        };
        let mut stored = self.resource.import(cx, target).await?;
        // Core wants one back when it gave one.
        stored.identity = stored.identity.or(by_identity);
        let stored = self.store(stored)?.whole("Import")?;
        Ok(pb::import_resource_state::Response {
            imported_resources: vec![pb::import_resource_state::ImportedResource {
                type_name: self.type_name.clone(),
                state: Some(stored.state),
                private: stored.private,
                identity: stored.identity,
            }],
            ..Default::default()
        })
    }

    async fn move_state(
        &self,
        cx: &Context,
        request: pb::move_resource_state::Request,
    ) -> Result<pb::move_resource_state::Response> {
        let source = MoveSource {
            state: serde_json::from_slice(json_of(
                request.source_state.as_ref(),
                &request.source_type_name,
            )?)
            .map_err(|_| no_json(&request.source_type_name))?,
            provider_address: request.source_provider_address,
            type_name: request.source_type_name,
            schema_version: request.source_schema_version,
        };
        let from = format!("{} of {}", source.type_name, source.provider_address);
        let Some(stored) = self.resource.move_state(cx, source).await? else {
            return Err(Diagnostic::error(
                "Cannot move this resource here",
                format!(
                    "{} does not know how to take over {from}. Nothing was done. Import the object \
                     instead, with a `removed` block for the old address",
                    self.type_name
                ),
            )
            .into());
        };
        let stored = self.store(stored)?.whole("Move")?;
        Ok(pb::move_resource_state::Response {
            target_state: Some(stored.state),
            target_private: stored.private,
            target_identity: stored.identity,
            diagnostics: Vec::new(),
        })
    }
}

fn json_of<'a>(raw: Option<&'a pb::RawState>, type_name: &str) -> Result<&'a [u8]> {
    match raw {
        Some(raw) if !raw.json.is_empty() => Ok(&raw.json),
        _ => Err(no_json(type_name).into()),
    }
}

fn no_json(type_name: &str) -> Diagnostic {
    Diagnostic::error(
        "Stored state cannot be read",
        format!(
            "The stored state of {type_name} is not JSON. It may have been written by Terraform \
             before 0.12. Nothing was done"
        ),
    )
}

fn newer_state(type_name: &str, found: i64, known: i64) -> Diagnostic {
    Diagnostic::error(
        "State was written by a newer provider",
        format!(
            "The state of {type_name} has schema version {found}; this version of the provider \
             knows up to {known}. Nothing was done. Use the provider version that wrote the state, \
             or a newer one"
        ),
    )
}

fn no_identity(type_name: &str) -> Diagnostic {
    Diagnostic::error("No identity", format!("{type_name} has no identity. Import it by its `id`"))
}
