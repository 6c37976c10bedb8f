//! `ApplyResourceChange`. What exists is kept outside the handler's future, so that whatever happens
//! to the handler, an error, a panic or a stop, Terraform is told of it.

use std::sync::Arc;

use super::typed::ServedResource;
use super::{guard, known, private, wire};
use crate::tfplugin::context::Context;
use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::proto::tfplugin6 as pb;
use crate::tfplugin::traits::{Change, Operation, Resource, StateCell, Stored};

type Response = pb::apply_resource_change::Response;

/// Errors that come back as `Err` come from before the handler: nothing was done, and core keeps
/// the prior state. All later ones stand in the answer, beside the state.
pub(super) async fn apply<R: Resource>(
    served: &ServedResource<R>,
    cx: Arc<Context>,
    request: pb::apply_resource_change::Request,
) -> Result<Response> {
    let prior = served.value(request.prior_state.as_ref())?;
    let planned = served.value(request.planned_state.as_ref())?;
    let private = private::unwrap::<R::Private>(&request.planned_private, R::PRIVATE_VERSION)?;
    let before = match prior {
        Value::Null => None,
        state => {
            // Until the handler saves something, what was there before the plan stays.
            let private = private.prior.unwrap_or_else(|| private.data.clone());
            Some(served.stored(state, private, request.planned_identity.as_ref())?)
        }
    };
    let cell = StateCell::new(before.clone());
    if planned.is_null() {
        return match before {
            None => answer(served, &cx, Operation::Delete, &cell, Ok(())),
            // A destroy is given the plan's private data: that is the prior one, unless it is the
            // first half of a replacement, where it belongs to the object to come.
            Some(prior) => {
                let prior = Stored { private: private.data, ..prior };
                delete(served, cx, prior, cell).await
            }
        };
    }
    let change = Change {
        prior: before.map(|stored| stored.state),
        planned: ServedResource::<R>::model(planned)?,
        config: ServedResource::<R>::config(served.value(request.config.as_ref())?)?,
        private: private.data,
    };
    write(served, cx, change, cell).await
}

async fn write<R: Resource>(
    served: &ServedResource<R>,
    cx: Arc<Context>,
    change: Change<R>,
    cell: StateCell<R>,
) -> Result<Response> {
    let operation = match change.prior {
        None => Operation::Create,
        Some(_) => Operation::Update,
    };
    served.set_deadline(&cx, operation, &change.planned);
    let (resource, handler_cx, handler_cell) =
        (Arc::clone(&served.resource), Arc::clone(&cx), cell.clone());
    let outcome = guard::effect(&name(served, operation), KEPT, async move {
        match operation {
            Operation::Create => resource.create(&handler_cx, change, &handler_cell).await,
            _ => resource.update(&handler_cx, change, &handler_cell).await,
        }
    })
    .await;
    answer(served, &cx, operation, &cell, outcome)
}

async fn delete<R: Resource>(
    served: &ServedResource<R>,
    cx: Arc<Context>,
    prior: Stored<R>,
    cell: StateCell<R>,
) -> Result<Response> {
    served.set_deadline(&cx, Operation::Delete, &prior.state);
    let (resource, handler_cx, handler_cell) =
        (Arc::clone(&served.resource), Arc::clone(&cx), cell.clone());
    let outcome = guard::effect(&name(served, Operation::Delete), KEPT, async move {
        resource.delete(&handler_cx, prior, &handler_cell).await
    })
    .await;
    if outcome.is_ok() {
        cell.clear();
    }
    answer(served, &cx, Operation::Delete, &cell, outcome)
}

const KEPT: &str = "What it had done up to there is in the state.";

fn answer<R: Resource>(
    served: &ServedResource<R>,
    cx: &Context,
    operation: Operation,
    cell: &StateCell<R>,
    outcome: Result<()>,
) -> Result<Response> {
    let mut diagnostics = cx.take();
    let failed = outcome.is_err();
    diagnostics.extend(outcome.err().into_iter().flat_map(Diagnostics::stopping));
    let mut response = Response::default();
    // In half of a replacement core sends no identity, so that an answer with what it sent would lose it. Beside an error
    // null makes core keep all that it has: state, private data and identity.
    if failed && operation == Operation::Delete && !cell.is_touched() {
        response.new_state = Some(served.null()?);
        response.diagnostics = wire::diagnostics(diagnostics);
        return Ok(response);
    }
    match cell.current() {
        None => {
            if !failed && operation != Operation::Delete {
                diagnostics.push(nothing_saved(&name(served, operation)));
            }
            response.new_state = Some(served.null()?);
        }
        Some(stored) => match served.store(stored) {
            Ok(stored) => {
                // After an error, null is the honest value of what was never reached.
                if !failed {
                    diagnostics
                        .extend(known::left_unknown(&name(served, operation), &stored.unknown));
                }
                diagnostics.extend(stored.problems);
                response.new_state = Some(stored.state);
                response.private = stored.private;
                response.new_identity = stored.identity;
            }
            Err(errors) => diagnostics.extend(errors.0),
        },
    }
    response.diagnostics = wire::diagnostics(diagnostics);
    Ok(response)
}

fn name<R: Resource>(served: &ServedResource<R>, operation: Operation) -> String {
    let verb = match operation {
        Operation::Create => "Create",
        Operation::Delete => "Delete",
        Operation::Read => "Read",
        Operation::Update => "Update",
    };
    format!("{verb} of {}", served.type_name)
}

fn nothing_saved(operation: &str) -> Diagnostic {
    Diagnostic::error(
        "Provider bug",
        format!(
            "{operation} ended without an error and without a state. Whatever it made is not in \
             the state. This is a bug in the provider; please report it"
        ),
    )
}
