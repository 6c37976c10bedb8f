//! Turns a cloud's error into a diagnostic, once.
//!
//! Whoever reads one was woken at night. The summary is a constant of its kind, so that Terraform folds
//! equal ones; the detail says, in this order: what happened, in the service's own words; what is still
//! valid; what to do next; the request id, for the cloud's operators. The caller knows what is still valid
//! and what to do, and hands it in; this file knows how services fail.

use crate::cloud::openstack::Error;
use crate::tfplugin::diagnostics::Diagnostic;

/// A call failed. `doing` completes "could not …"; `valid` and `next` are whole sentences.
pub fn call(summary: &str, doing: &str, error: &Error, valid: &str, next: &str) -> Diagnostic {
    let mut detail = format!("Could not {doing}: {}.", story(error));
    for sentence in [valid, next] {
        if !sentence.is_empty() {
            detail.push_str("\n\n");
            detail.push_str(sentence);
        }
    }
    if let Some(id) = error.request_id() {
        detail.push_str("\n\nRequest id: ");
        detail.push_str(id);
    }
    Diagnostic::error(summary, detail)
}

/// The provider's own login failed.
pub fn login(error: &Error) -> Diagnostic {
    let next = match error.login_status() {
        Some(401) => {
            "Keystone gives the same answer for a wrong password, an unknown or disabled user, an expired application \
             credential and a missing role on the project. Check the login with `openstack token issue`. It is not tried \
             again, as accounts get locked."
        }
        Some(404) => {
            "The application credential of the login was deleted, or its project is disabled or gone. Give the provider \
             another login."
        }
        _ => "",
    };
    let valid = match error {
        Error::Config(_) => "",
        _ => "Nothing was changed.",
    };
    let diagnostic = call("Cannot log in to OpenStack", "log in to OpenStack", error, valid, next);
    match error {
        Error::Config(config) => {
            Diagnostic::error("OpenStack is not configured", config.message.clone())
        }
        _ => diagnostic,
    }
}

/// What happened, without a full stop.
pub fn story(error: &Error) -> String {
    match error {
        Error::Api(answer) | Error::Login(answer) => {
            format!(
                "{} was answered {}: {}",
                answer.request,
                answer.status,
                answer.message.trim_end_matches('.')
            )
        }
        other => other.to_string(),
    }
}
