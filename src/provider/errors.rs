//! Turns a cloud's error into a diagnostic, once.
//!
//! Whoever reads one was woken at night. The summary is a constant of its kind, so that Terraform folds
//! equal ones; the detail says, in this order: what happened, in the service's own words; what is still
//! valid; what to do next; the request id, for the cloud's operators. The caller knows what is still valid
//! and what to do, and hands it in; this file knows how services fail.

use crate::cloud::openstack::{ApiError, Error, Meaning};
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
    if let Error::Config(config) = error {
        return Diagnostic::error("OpenStack is not configured", config.message.clone());
    }
    let next = match error {
        Error::Login(answer) | Error::Api(answer) => advice(answer),
        _ => "",
    };
    call("Cannot log in to OpenStack", "log in to OpenStack", error, "Nothing was changed.", next)
}

/// What to do about a refused login. A status has many causes; those that the answer itself names come
/// first, and no cause is named that the answer rules out.
fn advice(refusal: &ApiError) -> &'static str {
    match &refusal.meaning {
        Meaning::IdentityProvider => {
            return "It is the identity provider that refuses, before Keystone is asked: look at client_id, client_secret, \
                    username and password, and whether the client may use this grant.";
        }
        Meaning::MoreFactors(_) => {
            return "Give the provider a login by these methods (a one-time code is `passcode`, beside `password`). An \
                    application credential of such a user is refused too, unless an administrator adds a rule that is \
                    [\"application_credential\"] to the user's multi_factor_auth_rules.";
        }
        Meaning::NoKeystone => {
            return "No Keystone API answers at this address: the path of auth_url is wrong, or it is another service. It is \
                    the address of the identity service, often https://HOST:5000/v3 or https://HOST/identity/v3; the \
                    dashboard shows it under API Access.";
        }
        Meaning::PlainToTls => return "The port speaks TLS: begin auth_url with https://.",
        Meaning::Spent(_) => {
            return "Give the provider a new token, or a login that can be made again: a password, an application \
                    credential, or an OIDC access token.";
        }
        Meaning::Status => {}
    }
    let says = |words: &str| refusal.message.to_lowercase().contains(words);
    match refusal.status {
        401 if says("password is expired") => {
            "The password was right and is too old: set a new one with `openstack user password set`, and give that to the \
             provider. Application credentials of the user go on working."
        }
        401 if says("locked") => {
            "Failed logins have locked the account for a while; until then the right password is refused too. It is not \
             tried again."
        }
        401 if refusal.request.contains("/OS-FEDERATION/") => {
            "Keystone, or what stands before it, does not accept the access token: it may be over (a pipeline's lives for \
             minutes), for another audience, or from an issuer that this identity_provider and protocol do not know."
        }
        401 => {
            "Keystone gives the same answer for a wrong password, an unknown or disabled user, an expired application \
             credential and a missing role on the project. Check the login with `openstack token issue`. It is not tried \
             again, as accounts get locked."
        }
        403 if refusal.request.contains("/auth/tokens") => {
            "Keystone lets not every token be exchanged for one of another scope; that of an application credential never. \
             Where the login is a token, leave project, domain and system_scope out: it is then used as it is."
        }
        404 if says("application credential") => {
            "The application credential of the login was deleted. Give the provider another login."
        }
        404 if says("project") => {
            "The project of the login is disabled or gone, or its name is another one. Correct the project, or give the \
             provider another login."
        }
        404 if refusal.request.contains("/OS-FEDERATION/") => {
            "This Keystone has no such identity_provider or protocol; `openstack identity provider list` and `openstack \
             federation protocol list` show an administrator which there are."
        }
        429 => {
            "The cloud limits how often it may be called; nothing is wrong with the login. Apply again in some minutes, with \
             a lower -parallelism if need be."
        }
        _ => "",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, message: &str, meaning: Meaning) -> String {
        let request =
            "POST /v3/auth/tokens as alice at https://k/v3 (cloud mine, from ~/clouds.yaml)";
        let (message, request) = (message.to_owned(), request.to_owned());
        login(&Error::Login(ApiError { status, message, request_id: None, request, meaning }))
            .detail
    }

    #[test]
    fn a_refused_login_says_whose_it_is_and_what_the_answer_does_not_rule_out() {
        let generic = "The request you have made requires authentication.";
        let told = refused(401, generic, Meaning::Status);
        assert!(
            told.contains("as alice at https://k/v3 (cloud mine, from ~/clouds.yaml)"),
            "{told}"
        );
        assert!(told.contains("the same answer for a wrong password"), "{told}");
        for (status, message, meaning, says) in [
            (401, "The password is expired and needs to be changed", Meaning::Status, "is too old"),
            (401, "The account is locked for user: u1", Meaning::Status, "have locked the account"),
            (401, "", Meaning::MoreFactors(vec![]), "passcode"),
            (404, "Not Found", Meaning::NoKeystone, "No Keystone API answers"),
            (404, "Could not find Application Credential: c", Meaning::Status, "was deleted"),
            (404, "Could not find project: p", Meaning::Status, "The project of the login"),
            (400, "Bad Request", Meaning::PlainToTls, "begin auth_url with https://"),
            (401, generic, Meaning::Spent("it is a token"), "a new token"),
            (401, "invalid_client", Meaning::IdentityProvider, "identity provider that refuses"),
            (429, "Too Many Requests", Meaning::Status, "nothing is wrong with the login"),
        ] {
            let told = refused(status, message, meaning);
            assert!(told.contains(says), "{told}");
            assert!(!told.contains("the same answer for a wrong password"), "{told}");
        }
    }
}
