//! What Keystone's calls have in common: the answer, the body of a request, lists. Refusals are `refuse`'s.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::model::Keystone;
use super::refuse;
use super::views::Collection;
use crate::http::{Ask, Reply};

/// An answer, or a refusal.
pub(crate) type Answer = Result<Reply, Reply>;

/// 200 with a list.
pub(crate) fn collection(
    keystone: &Keystone,
    ask: &Ask,
    plural: &str,
    members: &[impl Serialize],
) -> Reply {
    Reply::json(StatusCode::OK, &Collection::new(keystone, ask, plural, members))
}

/// 204.
pub(crate) fn done() -> Answer {
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The body as JSON, which must be an object; an empty one if there is none.
pub(crate) fn json_body(ask: &Ask) -> Result<Value, Reply> {
    if ask.body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let kind = ask.header("content-type").unwrap_or_default();
    if !kind.is_empty() && !kind.contains("json") {
        return Err(refuse::expected("application/json", "Content-Type header"));
    }
    match serde_json::from_slice(&ask.body) {
        Ok(Value::Object(body)) => Ok(Value::Object(body)),
        _ => Err(refuse::expected("valid JSON", "request body")),
    }
}

/// The object below that key of the body.
pub(crate) fn member(ask: &Ask, key: &str) -> Result<Value, Reply> {
    let body = json_body(ask)?;
    match body.get(key) {
        Some(value) if value.is_object() => Ok(value.clone()),
        _ => Err(refuse::bad_request(&format!("'{key}' is a required property"))),
    }
}

/// The object below that key of the body, and the name that it must have.
pub(crate) fn named_member(ask: &Ask, key: &str) -> Result<(String, Value), Reply> {
    let wanted = member(ask, key)?;
    match wanted["name"].as_str().filter(|name| !name.is_empty()) {
        Some(name) => Ok((name.to_owned(), wanted)),
        None => Err(refuse::invalid_field(key, &wanted, "'name' is a required property")),
    }
}
