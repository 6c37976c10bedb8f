//! Magnum's ways to say no. The texts and shapes are the real ones, oddities included.

use axum::http::{StatusCode, header};
use serde_json::json;

use super::microversion::Version;
use crate::http::{Ask, Reply};
use crate::world::World;

/// With the code of who is to blame; the title is what comes before the first full stop.
pub(crate) fn error(status: StatusCode, detail: &str) -> Reply {
    let code = if status.is_server_error() { "server" } else { "client" };
    coded(status, code, detail.split('.').next().unwrap_or_default(), detail)
}

fn coded(status: StatusCode, code: &str, title: &str, detail: &str) -> Reply {
    let error = json!({
        "request_id": "",
        "code": code,
        "status": status.as_u16(),
        "title": title,
        "detail": detail,
        "links": [],
    });
    Reply::json(status, &json!({ "errors": [error] }))
}

pub(crate) fn bad_request(detail: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, detail)
}

/// 401 by the layer in front of Magnum.
pub(crate) fn unauthorized(world: &World) -> Reply {
    let message = "The request you have made requires authentication.";
    let error = json!({ "code": 401, "title": "Unauthorized", "message": message });
    Reply::json(StatusCode::UNAUTHORIZED, &json!({ "error": error }))
        .with_header(header::WWW_AUTHENTICATE, format!("Keystone uri=\"{}/v3\"", world.base))
}

/// 403 for a rule of the policy.
pub(crate) fn forbidden(rule: &str) -> Reply {
    let detail = format!("Policy doesn't allow {rule} to be performed.");
    error(StatusCode::FORBIDDEN, &detail)
}

pub(crate) fn not_found(kind: &str, id: &str) -> Reply {
    error(StatusCode::NOT_FOUND, &format!("{kind} {id} could not be found."))
}

/// 409 for a name that several have.
pub(crate) fn ambiguous(kind: &str, plural: &str) -> Reply {
    let detail =
        format!("Multiple {plural} exist with same name. Please use the {kind} uuid instead.");
    error(StatusCode::CONFLICT, &detail)
}

/// Whether a client asks for JSON. What is refused before Magnum's own code runs has no words for others.
pub(crate) fn wants_json(ask: &Ask) -> bool {
    ask.header("accept").is_some_and(|accepted| accepted.contains("json"))
}

fn early(ask: &Ask, status: StatusCode, detail: &str) -> Reply {
    if wants_json(ask) {
        coded(status, "", status.canonical_reason().unwrap_or_default(), detail)
    } else {
        coded(status, "", "", "")
    }
}

pub(crate) fn not_acceptable(ask: &Ask, detail: &str) -> Reply {
    early(ask, StatusCode::NOT_ACCEPTABLE, detail)
}

pub(crate) fn too_old(ask: &Ask, version: Version) -> Reply {
    not_acceptable(
        ask,
        &format!(
            "Version {version} was requested but the requested API patch is not supported for this version."
        ),
    )
}

/// 404 for a path that nothing serves.
pub(crate) fn no_such_path(ask: &Ask) -> Reply {
    early(ask, StatusCode::NOT_FOUND, "")
}

/// 405; the header that lists the allowed ones comes from the router.
pub(crate) fn no_such_method(ask: &Ask) -> Reply {
    early(ask, StatusCode::METHOD_NOT_ALLOWED, "")
}

pub(crate) fn unknown_attribute(argument: &str, name: &str) -> Reply {
    bad_request(&format!("Unknown attribute for argument {argument}: {name}"))
}

pub(crate) fn no_json() -> Reply {
    bad_request("Request is not in valid JSON format")
}
