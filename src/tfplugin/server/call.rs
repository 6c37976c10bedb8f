//! What all calls of the service have in common: they run under the guard, and what was told on the
//! way stands in the answer. Which calls there are: see `rpc`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use tonic::{Response, Status};

use super::Server;
use super::guard::Calls;
use super::others::AnyFunction;
use super::wire;
use crate::redaction;
use crate::tfplugin::context::{ClientCapabilities, Context};
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::proto::tfplugin6 as pb;
use crate::tfplugin::traits::FunctionError;

pub(super) type Reply<T> = std::result::Result<Response<T>, Status>;

impl Server {
    /// Runs one call, and puts what it told and why it stopped into its answer.
    pub(super) async fn answer<T, F>(
        &self,
        call: &str,
        type_name: &str,
        capabilities: Option<pb::ClientCapabilities>,
        work: impl FnOnce(Arc<Context>) -> F,
    ) -> Reply<T>
    where
        T: Answer,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let operation = match type_name {
            "" => call.to_owned(),
            name => format!("{call} of {name}"),
        };
        let begun = Instant::now();
        let (outcome, told) = self.calls.run(&operation, understood(capabilities), work).await;
        let mut diagnostics = wire::diagnostics(told);
        let mut answer = outcome.unwrap_or_else(|errors| {
            diagnostics.extend(wire::diagnostics(errors.stopping()));
            T::default()
        });
        answer.diagnostics().splice(0..0, diagnostics);
        let (told, took) = (answer.diagnostics().len(), begun.elapsed());
        tracing::trace!(call, type_name, diagnostics = told, ?took, "answered");
        Ok(Response::new(answer))
    }
}

/// Whoever calls by a name that nobody has gets an error in the answer.
pub(super) fn find<T: ?Sized>(
    kind: &str,
    all: &BTreeMap<String, Arc<T>>,
    name: &str,
) -> Result<Arc<T>> {
    all.get(name).map(Arc::clone).ok_or_else(|| {
        let detail = format!("This version of the provider has no {kind} named {name}");
        Diagnostic::error("Not served by this provider", detail).into()
    })
}

fn understood(capabilities: Option<pb::ClientCapabilities>) -> ClientCapabilities {
    ClientCapabilities {
        deferral_allowed: capabilities.as_ref().map(|known| known.deferral_allowed),
        write_only_attributes_allowed: capabilities
            .is_some_and(|known| known.write_only_attributes_allowed),
    }
}

/// The signatures of all functions.
pub(super) fn functions(
    all: &BTreeMap<String, Arc<dyn AnyFunction>>,
) -> HashMap<String, pb::Function> {
    all.iter().map(|(name, function)| (name.clone(), function.schema())).collect()
}

/// Functions answer with an error of their own kind instead of diagnostics.
pub(super) async fn call_function(
    calls: &Calls,
    functions: &BTreeMap<String, Arc<dyn AnyFunction>>,
    request: pb::call_function::Request,
) -> pb::call_function::Response {
    let operation = format!("Function {}", request.name);
    let function = find("function", functions, &request.name);
    let (outcome, _) = calls
        .run(&operation, ClientCapabilities::default(), |_| async move {
            Ok(function?.call(&request.arguments))
        })
        .await;
    let outcome = outcome.unwrap_or_else(|Diagnostics(errors)| {
        let text = errors.into_iter().map(|error| error.detail).collect::<Vec<_>>().join(". ");
        Err(FunctionError { text, argument: None })
    });
    match outcome {
        Ok(result) => pb::call_function::Response { result: Some(result), error: None },
        Err(error) => pb::call_function::Response {
            result: None,
            error: Some(pb::FunctionError {
                text: redaction::clean_message(&error.text).into_owned(),
                function_argument: error.argument,
            }),
        },
    }
}

/// An answer that carries diagnostics.
pub(super) trait Answer: Default + Send + 'static {
    fn diagnostics(&mut self) -> &mut Vec<pb::Diagnostic>;
}

macro_rules! answers {
    ($($module:ident),* $(,)?) => {$(
        impl Answer for pb::$module::Response {
            fn diagnostics(&mut self) -> &mut Vec<pb::Diagnostic> {
                &mut self.diagnostics
            }
        }
    )*};
}

answers!(
    apply_resource_change,
    close_ephemeral_resource,
    configure_provider,
    get_functions,
    get_provider_schema,
    get_resource_identity_schemas,
    import_resource_state,
    move_resource_state,
    open_ephemeral_resource,
    plan_resource_change,
    read_data_source,
    read_resource,
    renew_ephemeral_resource,
    upgrade_resource_identity,
    upgrade_resource_state,
    validate_data_resource_config,
    validate_ephemeral_resource_config,
    validate_provider_config,
    validate_resource_config,
);
