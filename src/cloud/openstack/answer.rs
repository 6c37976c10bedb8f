//! What an answer means: a success, the service's refusal, a refusal of the token, or nothing that
//! can be read.

use http::header::LOCATION;

use super::token::Token;
use super::{ApiError, Error};
use crate::cloud::http::{Request, Response};

/// An answer that is a success, or the service's refusal.
pub(super) fn judge(request: &Request, answer: Response) -> Result<Response, Error> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let message = match location.and_then(|text| request.url.join(text).ok()) {
        Some(mut target) if answer.status.is_redirection() => {
            target.set_query(None);
            format!("it redirects to {target}, which is not followed; configure that address")
        }
        _ => request.message(&answer),
    };
    Err(Error::Api(ApiError {
        status: answer.status.as_u16(),
        message,
        request_id: answer.request_id(),
        request: request.label(),
    }))
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
        why.to_owned()
    } else {
        format!("{why}; it is {}", answer.what_it_is_instead())
    };
    Error::Unreadable { request: request.label(), reason: what, request_id: answer.request_id() }
}
