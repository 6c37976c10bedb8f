//! Refusals, in the service's form.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::answers::Refusal;
use super::signature::Unproven;
use crate::http::Reply;

pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "code": code, "message": message }))
}

pub(crate) fn unproven(why: &Unproven) -> Reply {
    let message = match why {
        Unproven::Incomplete => {
            "The required information to complete authentication was not provided or was incorrect."
                .to_owned()
        }
        Unproven::Wrong => "Failed to verify the HTTP(S) Signature".to_owned(),
        Unproven::Skew { date, now } => {
            let minutes = |by| now.saturating_add(jiff::SignedDuration::from_mins(by));
            let ends = [minutes(-5), minutes(5)].map(|end| told(end.unwrap_or(*now)));
            format!(
                "Date '{}' is not within allowed clock skew. Current '{}', valid datetime range: ['{}', '{}']",
                told(*date),
                told(*now),
                ends[0],
                ends[1]
            )
        }
    };
    error(StatusCode::UNAUTHORIZED, "NotAuthenticated", &message)
}

fn told(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
}

/// Missing, or not for the caller: the service does not say which.
pub(crate) fn not_found() -> Reply {
    let message = "Authorization failed or requested resource not found.";
    error(StatusCode::NOT_FOUND, "NotAuthorizedOrNotFound", message)
}

pub(crate) fn no_such_path() -> Reply {
    error(StatusCode::NOT_FOUND, "NotFound", "The requested resource was not found.")
}

pub(crate) fn no_such_method() -> Reply {
    let message = "The method is not allowed for the requested resource.";
    error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
}

pub(crate) fn parameter(message: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, "InvalidParameter", message)
}

pub(crate) fn missing(parameter: &str) -> Reply {
    let message = format!("Missing required parameter: {parameter}");
    error(StatusCode::BAD_REQUEST, "MissingParameter", &message)
}

/// Another work request is running.
pub(crate) fn busy(request: &str) -> Reply {
    let message = format!("The cluster has a work request in progress: {request}");
    error(StatusCode::CONFLICT, "Conflict", &message)
}

pub(crate) fn stale() -> Reply {
    let message = "The If-Match header does not match the resource's current ETag.";
    error(StatusCode::PRECONDITION_FAILED, "NoEtagMatch", message)
}

pub(crate) fn used_token() -> Reply {
    let message = "The retry token was used by an earlier request, which is no longer valid.";
    error(StatusCode::CONFLICT, "InvalidatedRetryToken", message)
}

/// What is asked for does not suit the cluster's state.
pub(crate) fn unsuitable(how: Refusal, message: &str) -> Reply {
    let (status, code) = match how {
        Refusal::Conflict => (StatusCode::CONFLICT, "Conflict"),
        Refusal::IncorrectState => (StatusCode::CONFLICT, "IncorrectState"),
        Refusal::InvalidParameter => (StatusCode::BAD_REQUEST, "InvalidParameter"),
        Refusal::UnprocessableEntity => (StatusCode::UNPROCESSABLE_ENTITY, "UnprocessableEntity"),
    };
    error(status, code, message)
}
