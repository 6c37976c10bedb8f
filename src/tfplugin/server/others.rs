//! The provider block, data sources, ephemeral resources and functions, each with its types
//! forgotten so that a registry can hold it.

use async_trait::async_trait;

use super::typed::{configured, tell};
use super::{known, private, schema, secrets, wire};
use crate::tfplugin::context::Context;
use crate::tfplugin::cty::{Type, Value};
use crate::tfplugin::diagnostics::{Diagnostics, Result};
use crate::tfplugin::model::Model;
use crate::tfplugin::proto::tfplugin6 as pb;
use crate::tfplugin::schema::Schema;
use crate::tfplugin::traits::{
    DataSource, Ephemeral, Function, FunctionError, Parameter, Provider,
};
use crate::tfplugin::{plan_helpers, validate};

/// The version of an ephemeral resource's private data, which lives for one run only.
const EPHEMERAL_PRIVATE: u32 = 1;

#[async_trait]
pub(super) trait AnyProvider: Send + Sync {
    fn schema(&self) -> &Schema;
    async fn validate(&self, cx: &Context, config: Option<pb::DynamicValue>) -> Result<()>;
    async fn configure(&self, cx: &Context, config: Option<pb::DynamicValue>) -> Result<()>;
}

#[async_trait]
pub(super) trait AnyDataSource: Send + Sync {
    fn schema(&self) -> &Schema;
    async fn validate(&self, cx: &Context, config: Option<pb::DynamicValue>) -> Result<()>;
    async fn read(
        &self,
        cx: &Context,
        config: Option<pb::DynamicValue>,
    ) -> Result<pb::read_data_source::Response>;
}

#[async_trait]
pub(super) trait AnyEphemeral: Send + Sync {
    fn schema(&self) -> &Schema;
    async fn validate(&self, cx: &Context, config: Option<pb::DynamicValue>) -> Result<()>;
    async fn open(
        &self,
        cx: &Context,
        config: Option<pb::DynamicValue>,
    ) -> Result<pb::open_ephemeral_resource::Response>;
    async fn renew(
        &self,
        cx: &Context,
        private: Vec<u8>,
    ) -> Result<pb::renew_ephemeral_resource::Response>;
    async fn close(&self, cx: &Context, private: Vec<u8>) -> Result<()>;
}

pub(super) trait AnyFunction: Send + Sync {
    fn schema(&self) -> pb::Function;
    fn call(
        &self,
        arguments: &[pb::DynamicValue],
    ) -> std::result::Result<pb::DynamicValue, FunctionError>;
}

/// A trait's implementor with its schema.
pub(super) struct Served<T> {
    inner: T,
    schema: Schema,
    ty: Type,
}

impl<T> Served<T> {
    pub(super) fn new<M: Model>(inner: T) -> Self {
        let schema = M::schema(0);
        Self { inner, ty: schema.ty(), schema }
    }

    fn config<M: Model>(&self, config: Option<&pb::DynamicValue>) -> Result<M> {
        configured(self.value(config)?)
    }

    /// A null configuration, which an older core sends for an empty provider block, has every
    /// attribute null.
    fn value(&self, config: Option<&pb::DynamicValue>) -> Result<Value> {
        let value = match (wire::decode(config, &self.ty)?, &self.ty) {
            (Value::Null, Type::Object(members)) => {
                Value::object(members.keys().map(|name| (name, Value::Null)))
            }
            (value, _) => value,
        };
        secrets::register(&self.schema, &value);
        Ok(value)
    }

    /// Checks the schema's own rules, and gives the configuration to be checked further.
    fn checked<M: Model>(&self, cx: &Context, config: Option<&pb::DynamicValue>) -> Result<M> {
        let value = self.value(config)?;
        tell(cx, validate::check(&self.schema, &value))?;
        configured(value)
    }

    fn result<M: Model>(&self, operation: &str, result: M) -> Result<pb::DynamicValue> {
        let mut value = result.into_object();
        plan_helpers::null_write_only(&self.schema, &mut value);
        secrets::register(&self.schema, &value);
        let (value, unknown) = known::without_unknown(value);
        match known::left_unknown(operation, &unknown) {
            Some(bug) => Err(bug.into()),
            None => wire::encode(&value, &self.ty),
        }
    }
}

#[async_trait]
impl<P: Provider> AnyProvider for Served<P> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn validate(&self, cx: &Context, config: Option<pb::DynamicValue>) -> Result<()> {
        self.inner.validate(cx, &self.checked(cx, config.as_ref())?).await
    }

    async fn configure(&self, cx: &Context, config: Option<pb::DynamicValue>) -> Result<()> {
        self.inner.configure(cx, self.config(config.as_ref())?).await
    }
}

#[async_trait]
impl<D: DataSource> AnyDataSource for Served<D> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn validate(&self, cx: &Context, config: Option<pb::DynamicValue>) -> Result<()> {
        self.inner.validate(cx, &self.checked(cx, config.as_ref())?).await
    }

    async fn read(
        &self,
        cx: &Context,
        config: Option<pb::DynamicValue>,
    ) -> Result<pb::read_data_source::Response> {
        let result = self.inner.read(cx, self.config(config.as_ref())?).await?;
        let state = self.result("Read of the data source", result)?;
        Ok(pb::read_data_source::Response { state: Some(state), ..Default::default() })
    }
}

#[async_trait]
impl<E: Ephemeral> AnyEphemeral for Served<E> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn validate(&self, cx: &Context, config: Option<pb::DynamicValue>) -> Result<()> {
        self.inner.validate(cx, &self.checked(cx, config.as_ref())?).await
    }

    async fn open(
        &self,
        cx: &Context,
        config: Option<pb::DynamicValue>,
    ) -> Result<pb::open_ephemeral_resource::Response> {
        let opened = self.inner.open(cx, self.config(config.as_ref())?).await?;
        let private = private::wrap(&opened.private, EPHEMERAL_PRIVATE)?;
        match self.result("Opening of the ephemeral resource", opened.result) {
            Ok(result) => Ok(pb::open_ephemeral_resource::Response {
                result: Some(result),
                private: Some(private),
                renew_at: opened.renew_at.map(wire::timestamp),
                ..Default::default()
            }),
            // Core closes only what it got: what was opened for nothing is closed here.
            Err(Diagnostics(mut errors)) => {
                if let Err(more) = self.inner.close(cx, opened.private).await {
                    errors.extend(more.0);
                }
                Err(Diagnostics(errors))
            }
        }
    }

    async fn renew(
        &self,
        cx: &Context,
        private: Vec<u8>,
    ) -> Result<pb::renew_ephemeral_resource::Response> {
        let data = private::unwrap(&private, EPHEMERAL_PRIVATE)?.data;
        let renew_at = self.inner.renew(cx, &data).await?;
        Ok(pb::renew_ephemeral_resource::Response {
            renew_at: renew_at.map(wire::timestamp),
            // What is not echoed is lost to the next call.
            private: Some(private),
            ..Default::default()
        })
    }

    async fn close(&self, cx: &Context, private: Vec<u8>) -> Result<()> {
        self.inner.close(cx, private::unwrap(&private, EPHEMERAL_PRIVATE)?.data).await
    }
}

impl<F: Function> AnyFunction for F {
    fn schema(&self) -> pb::Function {
        schema::function(self)
    }

    fn call(
        &self,
        arguments: &[pb::DynamicValue],
    ) -> std::result::Result<pb::DynamicValue, FunctionError> {
        let parameters = self.parameters();
        if arguments.len() != parameters.len() {
            let text = format!("{} arguments wanted, {} given", parameters.len(), arguments.len());
            return Err(FunctionError { text, argument: None });
        }
        let values = (0..)
            .zip(parameters.iter().zip(arguments))
            .map(|(position, (parameter, argument))| decode_argument(position, parameter, argument))
            .collect::<std::result::Result<_, _>>()?;
        let result = Function::call(self, values)?;
        wire::encode(&result, &self.returns()).map_err(|errors| FunctionError {
            text: errors.0.into_iter().map(|e| e.detail).collect::<Vec<_>>().join(". "),
            argument: None,
        })
    }
}

fn decode_argument(
    position: i64,
    parameter: &Parameter,
    argument: &pb::DynamicValue,
) -> std::result::Result<Value, FunctionError> {
    let refuse = |text: String| FunctionError { text, argument: Some(position) };
    let value = wire::decode(Some(argument), &parameter.ty)
        .map_err(|errors| refuse(errors.0.into_iter().map(|e| e.detail).collect()))?;
    if value == Value::Null && !parameter.allow_null {
        return Err(refuse(format!("{} must not be null", parameter.name)));
    }
    Ok(value)
}
