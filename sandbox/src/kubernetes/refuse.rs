//! An API server's ways to say no: objects of the kind `Status`.

use axum::http::{HeaderName, StatusCode};
use serde_json::{Value, json};

use crate::http::Reply;

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// With a reason in one word, and the details that clients read.
pub(super) fn failure(status: StatusCode, reason: &str, message: &str, details: &Value) -> Reply {
    let body = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": status.as_u16(),
    });
    Reply::json(status, &body).with_header(AUDIT_ID, "00000000-0000-4000-8000-000000000000")
}

/// 404 for a path that nothing serves.
pub(super) fn no_such_path() -> Reply {
    let message = "the server could not find the requested resource";
    failure(StatusCode::NOT_FOUND, "NotFound", message, &json!({}))
}

/// 400.
pub(super) fn no_json() -> Reply {
    failure(StatusCode::BAD_REQUEST, "BadRequest", "the body is no JSON", &json!({}))
}
