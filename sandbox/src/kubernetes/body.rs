//! The bodies of requests, read.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::refuse::{failure, no_json};
use crate::http::{Ask, Reply};

/// An object.
pub(super) fn object(ask: &Ask) -> Result<Value, Reply> {
    let body: Value = serde_json::from_slice(&ask.body).map_err(|_| no_json())?;
    if body.is_object() { Ok(body) } else { Err(no_json()) }
}

/// A patch, of a kind that is merged.
pub(super) fn patch(ask: &Ask) -> Result<Value, Reply> {
    let kind = ask.header("content-type").unwrap_or_default();
    let merges = ["application/strategic-merge-patch+json", "application/merge-patch+json"];
    if !merges.contains(&kind) {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            merges.join(", ")
        );
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(failure(status, "UnsupportedMediaType", &message, &json!({})));
    }
    serde_json::from_slice(&ask.body).map_err(|_| no_json())
}
