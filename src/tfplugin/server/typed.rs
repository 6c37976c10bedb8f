//! A typed resource and its wire forms: what all calls of one share. Not for what a call means, which
//! is in `resource` and `apply`.

use std::sync::Arc;

use tokio::time::Instant;

use super::{known, private, secrets, wire};
use crate::tfplugin::context::Context;
use crate::tfplugin::cty::{Type, Value, json};
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Diagnostics, Result, Severity};
use crate::tfplugin::model::Model;
use crate::tfplugin::plan_helpers;
use crate::tfplugin::proto::tfplugin6 as pb;
use crate::tfplugin::schema::{Attribute, Schema};
use crate::tfplugin::traits::{Operation, Resource, Stored};

/// Identities have kept their shape so far.
pub(super) const IDENTITY_VERSION: i64 = 0;

/// A resource with what the server derives from its types, once.
pub(super) struct ServedResource<R: Resource> {
    pub(super) resource: Arc<R>,
    pub(super) type_name: String,
    pub(super) schema: Schema,
    pub(super) ty: Type,
    /// None where the resource has no identity.
    pub(super) identity: Option<Identity>,
}

/// The shape of a resource's identity.
pub(super) struct Identity {
    pub(super) attributes: Vec<Attribute>,
    pub(super) ty: Type,
}

/// A [`Stored`] in the protocol's words.
pub(super) struct StoredWire {
    pub(super) state: pb::DynamicValue,
    pub(super) private: Vec<u8>,
    pub(super) identity: Option<pb::ResourceIdentityData>,
    /// Where the handler left a value open: null in `state`.
    pub(super) unknown: Vec<AttributePath>,
    /// What could not be written, and is missing here.
    pub(super) problems: Vec<Diagnostic>,
}

impl StoredWire {
    /// For answers that an error replaces: nothing open, nothing missing.
    pub(super) fn whole(mut self, operation: &str) -> Result<Self> {
        self.problems.extend(known::left_unknown(operation, &self.unknown));
        if self.problems.is_empty() { Ok(self) } else { Err(Diagnostics(self.problems)) }
    }
}

impl<R: Resource> ServedResource<R> {
    pub(super) fn new(resource: R, provider: &str) -> Self {
        let schema = R::Model::schema(R::VERSION);
        let identity = R::Identity::schema(IDENTITY_VERSION);
        Self {
            resource: Arc::new(resource),
            type_name: format!("{provider}_{}", R::NAME),
            ty: schema.ty(),
            schema,
            identity: (!identity.attributes.is_empty())
                .then(|| Identity { ty: identity.ty(), attributes: identity.attributes }),
        }
    }

    pub(super) fn value(&self, value: Option<&pb::DynamicValue>) -> Result<Value> {
        let value = wire::decode(value, &self.ty)?;
        secrets::register(&self.schema, &value);
        Ok(value)
    }

    /// From a state or a plan.
    pub(super) fn model(value: Value) -> Result<R::Model> {
        R::Model::from_object(value, &AttributePath::root())
            .map_err(|error| wire::misfit("State does not fit the provider", &error))
    }

    /// From a configuration.
    pub(super) fn config(value: Value) -> Result<R::Model> {
        configured(value)
    }

    pub(super) fn stored(
        &self,
        state: Value,
        private: R::Private,
        identity: Option<&pb::ResourceIdentityData>,
    ) -> Result<Stored<R>> {
        Ok(Stored { state: Self::model(state)?, private, identity: self.identity(identity)? })
    }

    /// What a state may hold: no write-only value, nothing unknown.
    pub(super) fn store(&self, stored: Stored<R>) -> Result<StoredWire> {
        let value = self.without_write_only(stored.state);
        secrets::register(&self.schema, &value);
        let (value, unknown) = known::without_unknown(value);
        let mut problems = Vec::new();
        let state = wire::encode(&value, &self.ty)?;
        // One part that cannot be written must not cost the others.
        let private = private::wrap(&stored.private, R::PRIVATE_VERSION).unwrap_or_else(|errors| {
            problems.extend(errors.0);
            Vec::new()
        });
        let identity = self.identity_wire(stored.identity).unwrap_or_else(|errors| {
            problems.extend(errors.0);
            None
        });
        Ok(StoredWire { state, private, identity, unknown, problems })
    }

    pub(super) fn null(&self) -> Result<pb::DynamicValue> {
        wire::encode(&Value::Null, &self.ty)
    }

    pub(super) fn set_deadline(&self, cx: &Context, operation: Operation, model: &R::Model) {
        if let Some(timeout) = self.resource.timeout(operation, model) {
            cx.set_deadline(Instant::now() + timeout);
        }
    }

    /// As plans and states must have it.
    pub(super) fn without_write_only(&self, model: R::Model) -> Value {
        let mut value = model.into_object();
        plan_helpers::null_write_only(&self.schema, &mut value);
        value
    }

    pub(super) fn identity(
        &self,
        data: Option<&pb::ResourceIdentityData>,
    ) -> Result<Option<R::Identity>> {
        let (Some(identity), Some(data)) = (&self.identity, data) else { return Ok(None) };
        let value = wire::decode(data.identity_data.as_ref(), &identity.ty)?;
        if value.is_null() {
            return Ok(None);
        }
        R::Identity::from_object(value, &AttributePath::root())
            .map(Some)
            .map_err(|error| wire::misfit("Identity does not fit the provider", &error))
    }

    fn identity_wire(
        &self,
        identity: Option<R::Identity>,
    ) -> Result<Option<pb::ResourceIdentityData>> {
        let (Some(schema), Some(identity)) = (&self.identity, identity) else { return Ok(None) };
        let (value, unknown) = known::without_unknown(identity.into_object());
        if let Some(bug) = known::left_unknown("The identity", &unknown) {
            // The path is the identity's: in the configuration there is no such place.
            return Err(Diagnostic { path: None, ..bug }.into());
        }
        wire::identity(&value, &schema.ty).map(Some)
    }

    /// A stored value of an earlier provider, fitted to the present schema.
    pub(super) fn decode_json(&self, stored: &[u8], ty: &Type) -> Result<Value> {
        json::decode_lenient(stored, ty).map_err(|error| {
            let detail = format!(
                "The stored state of {} cannot be read: {}. Nothing was done. Restore the state \
                 from a backup, or remove the object from the state and import it",
                self.type_name, error.message
            );
            Diagnostic::error("Stored state cannot be read", detail).at(error.path).into()
        })
    }
}

/// From a configuration: what does not fit is the user's to change.
pub(super) fn configured<M: Model>(value: Value) -> Result<M> {
    M::from_object(value, &AttributePath::root())
        .map_err(|error| Diagnostic::error("Invalid value", error.message).at(error.path).into())
}

/// Passes warnings on, and stops where there are errors.
pub(super) fn tell(cx: &Context, found: Vec<Diagnostic>) -> Result<()> {
    if found.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(Diagnostics(found));
    }
    if !found.is_empty() {
        cx.tell(Diagnostics(found));
    }
    Ok(())
}
