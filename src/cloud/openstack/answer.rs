//! What an answer means: a success, the service's refusal, a refusal of the token, or nothing that
//! can be read.

use http::StatusCode;
use http::header::LOCATION;
use serde::Deserialize;

use super::token::Token;
use super::{ApiError, Error, Meaning};
use crate::cloud::http::{Request, Response, Url};

/// An answer that is a success, or the service's refusal.
pub(super) fn judge(request: &Request, answer: Response) -> Result<Response, Error> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let message = match location.and_then(|text| request.url.join(text).ok()) {
        Some(target) if answer.status.is_redirection() => {
            format!(
                "it redirects to {}, which is not followed; configure that address",
                request.cleaned(&shown(target))
            )
        }
        _ => request.message(&answer),
    };
    let meaning = meaning(request, &answer);
    // The login was answered by a Keystone: this comes from something before it.
    let message = if meaning == Meaning::NoKeystone && !is_login(request) {
        format!("{message} (by a proxy or a load balancer, not by Keystone)")
    } else {
        message
    };
    Err(Error::Api(ApiError {
        status: answer.status.as_u16(),
        message,
        request_id: answer.request_id(),
        request: request.label(),
        meaning,
    }))
}

/// What of an address may be repeated that a server gave.
fn shown(mut url: Url) -> String {
    url.set_query(None);
    url.set_fragment(None);
    // an address without a host has neither
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

fn meaning(request: &Request, answer: &Response) -> Meaning {
    let body = String::from_utf8_lossy(&answer.body);
    match answer.status {
        StatusCode::BAD_REQUEST
            if request.url.scheme() == "http"
                && [
                    "to HTTPS port",
                    "SSL-enabled server port",
                    "HTTP request to an HTTPS server",
                ]
                .iter()
                .any(|words| body.contains(words)) =>
        {
            Meaning::PlainToTls
        }
        StatusCode::UNAUTHORIZED if answer.headers.contains_key("openstack-auth-receipt") => {
            let required = answer.refusal().and_then(|body| serde_json::from_value(body).ok());
            let mut required: Receipt = required.unwrap_or_default();
            // Keystone lists them in an order that changes from call to call.
            required.required_auth_methods.iter_mut().for_each(|methods| methods.sort_unstable());
            Meaning::MoreFactors(required.required_auth_methods)
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
            if is_for_keystone(request) && !speaks_as_keystone(answer) =>
        {
            Meaning::NoKeystone
        }
        _ => Meaning::Status,
    }
}

fn is_for_keystone(request: &Request) -> bool {
    let path = request.url.path();
    is_login(request) || path.contains("/users/") || path.contains("/projects/")
}

fn is_login(request: &Request) -> bool {
    request.url.path().ends_with("/auth/tokens")
}

/// Keystone says what it does not find; for a path that it does not have, the framework below it speaks,
/// and before it a proxy with a page.
fn speaks_as_keystone(answer: &Response) -> bool {
    let body = answer.refusal();
    let message = body.as_ref().and_then(|body| body.pointer("/error/message")?.as_str());
    message.is_some_and(|text| !text.contains("requested URL was not found"))
}

/// What Keystone gives with the first of several proofs.
#[derive(Default, Deserialize)]
struct Receipt {
    #[serde(default)]
    required_auth_methods: Vec<Vec<String>>,
}

/// Whether it is the token that an answer refuses: a 401, or the 404 that Keystone gives to
/// whatever comes with a token of an application credential that is gone.
pub(super) fn refuses_token(refusal: &ApiError, token: &Token) -> bool {
    if refusal.status == 401 {
        return true;
    }
    let Some(own) = &token.application_credential else { return false };
    refusal.status == 404
        && refusal.message.contains("Application Credential")
        && refusal.message.contains(&own.id)
        && !refusal.request.ends_with(&own.id)
}

pub(super) fn unreadable(request: &Request, answer: &Response, why: &str) -> Error {
    let what = if serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok() {
        request.cleaned(why)
    } else {
        request.cleaned(&format!("{why}; it is {}", answer.what_it_is_instead()))
    };
    Error::Unreadable { request: request.label(), reason: what, request_id: answer.request_id() }
}
