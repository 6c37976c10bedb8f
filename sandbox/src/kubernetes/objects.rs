//! Requests about objects of the store: get, list, create, replace, patch, delete.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::body;
use super::fields::By;
use super::kinds::Sort;
use super::refuse::failure;
use super::state::State;
use super::store::{Deleted, Key, Part, Preconditions, missing};
use super::wanted::Action;
use super::watch::is_selected;
use crate::http::{Ask, Reply};

/// The answer to a request about that kind of objects; the action's verb is no watch.
pub(super) fn answer(
    state: &mut State,
    sort: &Sort,
    ask: &Ask,
    action: &Action,
) -> Result<Reply, Reply> {
    let key = Key::new(sort, &action.namespace, &action.name);
    let manager = manager(ask);
    let by = By { manager: &manager, now: ask.now };
    let part =
        if action.subresource == "status" && sort.custom { Part::Status } else { Part::Main };
    match action.verb.as_str() {
        "get" => {
            let found = state.store.get(&key).ok_or_else(|| missing(sort, &action.name))?;
            Ok(Reply::ok(found))
        }
        "list" => {
            let items: Vec<&Value> = state
                .store
                .list(sort, &action.namespace)
                .filter(|object| is_selected(object, ask))
                .collect();
            Ok(Reply::ok(&json!({
                "kind": format!("{}List", sort.kind),
                "apiVersion": sort.version(),
                "metadata": { "resourceVersion": state.store.version().to_string() },
                "items": items,
            })))
        }
        "create" => {
            let made = state.store.create(
                sort,
                &action.namespace,
                body::object(ask)?,
                &mut state.ids,
                by,
            )?;
            Ok(Reply::json(StatusCode::CREATED, &made))
        }
        "update" => {
            state.store.replace(sort, &key, body::object(ask)?, part, by).map(|o| Reply::ok(&o))
        }
        "patch" => {
            state.store.patch(sort, &key, &body::patch(ask)?, part, by).map(|o| Reply::ok(&o))
        }
        "delete" => {
            let options = if ask.body.is_empty() { Value::Null } else { body::object(ask)? };
            let asked = |field: &str| options["preconditions"][field].as_str().map(str::to_owned);
            let only_if = Preconditions { uid: asked("uid"), version: asked("resourceVersion") };
            Ok(match state.store.delete(sort, &key, &only_if, ask.now)? {
                Deleted::Pending(object) => Reply::ok(&object),
                Deleted::Gone { uid } => Reply::ok(&json!({
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Success",
                    "details": { "name": action.name, "group": sort.group, "kind": sort.plural, "uid": uid },
                })),
            })
        }
        _ => Err(failure(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
            &json!({}),
        )),
    }
}

/// Under which name the sender changes objects.
fn manager(ask: &Ask) -> String {
    let agent = ask.header("user-agent").and_then(|agent| agent.split('/').next());
    ask.query("fieldManager").or(agent).unwrap_or("unknown").to_owned()
}
