//! Keystone's ways to say no. The texts and shapes are the real ones, oddities included.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::schema::repr;
use crate::http::Reply;

/// What every validation error ends in.
const MALFORMED: &str = "The server could not comply with the request since it is either malformed \
                         or otherwise incorrect. The client is assumed to be in error.";
const PAGE: &str = "text/html; charset=utf-8";
const UNAUTHENTICATED: &str = "The request you have made requires authentication.";

pub(crate) fn error(status: StatusCode, message: &str) -> Reply {
    let title = status.canonical_reason().unwrap_or_default();
    let error = json!({ "code": status.as_u16(), "message": message, "title": title });
    Reply::json(status, &json!({ "error": error }))
}

/// 400 with the text as it is.
pub(crate) fn bad_request(message: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, message)
}

/// 400 with Keystone's standard ending.
pub(crate) fn malformed(message: &str) -> Reply {
    bad_request(&format!("{message} {MALFORMED}"))
}

/// 400: something needed is not there.
pub(crate) fn expected(what: &str, place: &str) -> Reply {
    malformed(&format!("Expecting to find {what} in {place}."))
}

/// 400: the body breaks the schema; the value is shown as Python prints it.
pub(crate) fn invalid_field(field: &str, value: &Value, why: &str) -> Reply {
    let value = value.as_str().map_or_else(|| repr(value), str::to_owned);
    bad_request(&format!("Invalid input for field/attribute {field}. Value: {value}. {why}"))
}

/// 401, the same for every cause.
pub(crate) fn unauthorized(base: &str) -> Reply {
    error(StatusCode::UNAUTHORIZED, UNAUTHENTICATED)
        .with_header(header::WWW_AUTHENTICATE, format!("Keystone uri=\"{base}/v3\""))
}

/// 401 from the layer in front of Keystone's own code.
pub(crate) fn unauthorized_by_middleware(base: &str) -> Reply {
    error(StatusCode::UNAUTHORIZED, UNAUTHENTICATED)
        .with_header(header::WWW_AUTHENTICATE, format!("Keystone uri=\"{base}\""))
}

/// 401 for a login with an application credential that names a scope.
pub(crate) fn scope_with_credential(base: &str) -> Reply {
    let status = StatusCode::UNAUTHORIZED;
    let error = json!({
        "code": 401,
        "identity": {},
        "message": "Error authenticating with application credential: Application credentials \
                    cannot request a scope.",
        "title": "Unauthorized",
    });
    Reply::json(status, &json!({ "error": error }))
        .with_header(header::WWW_AUTHENTICATE, format!("Keystone uri=\"{base}/v3\""))
}

/// 401 for a login by a method that is not served.
pub(crate) fn unsupported_method(base: &str, methods: &[&str], totp: bool) -> Reply {
    let methods: Vec<&str> = methods.iter().copied().chain(totp.then_some("totp")).collect();
    let error = json!({
        "code": 401,
        "identity": { "methods": methods },
        "message": "Attempted to authenticate with an unsupported method.",
        "title": "Unauthorized",
    });
    Reply::json(StatusCode::UNAUTHORIZED, &json!({ "error": error }))
        .with_header(header::WWW_AUTHENTICATE, format!("Keystone uri=\"{base}/v3\""))
}

/// 403 for a rule of the policy, or an action in words.
pub(crate) fn forbidden_action(action: &str) -> Reply {
    forbidden(&format!("You are not authorized to perform the requested action: {action}."))
}

pub(crate) fn forbidden(message: &str) -> Reply {
    error(StatusCode::FORBIDDEN, message)
}

pub(crate) fn not_found(message: &str) -> Reply {
    error(StatusCode::NOT_FOUND, message)
}

/// 404: `Could not find {kind}: {id}.`
pub(crate) fn could_not_find(kind: &str, id: &str) -> Reply {
    not_found(&format!("Could not find {kind}: {id}."))
}

pub(crate) fn conflict(kind: &str, details: &str) -> Reply {
    error(
        StatusCode::CONFLICT,
        &format!("Conflict occurred attempting to store {kind} - {details}."),
    )
}

/// 404 for a path that nothing serves.
pub(crate) fn no_such_path() -> Reply {
    Reply::html(
        StatusCode::NOT_FOUND,
        "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The \
         requested URL was not found on the server. If you entered the URL manually please check \
         your spelling and try again.</p>\n",
    )
    .with_header(header::CONTENT_TYPE, PAGE)
}

/// 405 where the real one has no resource, but a page.
pub(crate) fn no_such_method_of_page() -> Reply {
    Reply::html(
        StatusCode::METHOD_NOT_ALLOWED,
        "<!doctype html>\n<html lang=en>\n<title>405 Method Not Allowed</title>\n<h1>Method Not \
         Allowed</h1>\n<p>The method is not allowed for the requested URL.</p>\n",
    )
    .with_header(header::CONTENT_TYPE, PAGE)
}

/// 405; the header that lists the allowed ones comes from the router.
pub(crate) fn no_such_method() -> Reply {
    Reply::json(
        StatusCode::METHOD_NOT_ALLOWED,
        &json!({ "message": "The method is not allowed for the requested URL." }),
    )
}

/// 500: where the real Keystone crashes. Its own code writes no header any more then.
pub(crate) fn crash() -> Reply {
    Reply::html(
        StatusCode::INTERNAL_SERVER_ERROR,
        "<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>\n  <body>\n    \
         <h1><p>Internal Server Error</p></h1>\n    \n  </body>\n</html>\n",
    )
}
