//! OKE workload identity: a pod's service account token is exchanged, with the cluster itself, for a
//! token of OCI. Enhanced clusters only.

use std::path::Path;

use crate::redaction::{ExposeSecret as _, SecretString};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::instance::unreachable;
use super::token::Claims;
use super::{Held, signatory, trouble, unmade};
use crate::clock;
use crate::cloud::http::{Client, Method, Patience, Request, Response, Url};
use crate::cloud::oci::config::{ConfigError, Source};
use crate::cloud::oci::{Error, Key};

const WHAT: &str = "get a token for this pod";

/// A token for the pod, with a key that is made for it.
pub(super) async fn login(
    client: &Client,
    address: &Url,
    account: &Path,
    patience: &Patience,
) -> Result<Held, Error> {
    let account = Source::File(account.to_owned()).read("auth")?;
    let session_key = Key::generate().map_err(|why| unmade(&why))?;
    let bearer = format!("Bearer {}", account.expose_secret()).into();
    let request = Request::new(Method::POST, address.clone())
        .repeatable()
        .json(&json!({ "podKey": session_key.public_base64() }))
        .map_err(|_| ConfigError::new("auth", "a request cannot be written as JSON"))?
        .secret_header(AUTHORIZATION, &bearer)
        .hides(&account);
    let answer = client.send(&request, patience).await;
    let answer = answer.map_err(|error| unreachable(WHAT, error, ""))?;
    if !answer.status.is_success() {
        let said = format!(
            "{address} was answered {}: {}",
            answer.status.as_u16(),
            request.message(&answer).trim_end_matches('.')
        );
        let hint = match answer.status.as_u16() {
            403 => "Workload identity works on enhanced clusters only.",
            _ => "",
        };
        return Err(trouble(WHAT, &said, hint, Some(&answer)));
    }
    let Some(token) = token(&answer) else {
        let said = format!("the answer of {address} holds none");
        return Err(trouble(WHAT, &said, "", Some(&answer)));
    };
    let renew_at = Claims::of(&token).half_life(clock::now());
    Ok(Held { signatory: signatory(&token, session_key), renew_at })
}

/// The body is JSON in base64, perhaps as a JSON string; the token in it already begins with `ST$`.
fn token(answer: &Response) -> Option<SecretString> {
    #[derive(Deserialize)]
    struct Body {
        token: String,
    }
    let text = std::str::from_utf8(&answer.body).ok()?.trim().trim_matches('"');
    let json = Zeroizing::new(BASE64_STANDARD.decode(text).ok()?);
    let body: Body = serde_json::from_slice(&json).ok()?;
    let token = Zeroizing::new(body.token);
    let token = token.strip_prefix("ST$").unwrap_or(&token);
    (!token.is_empty()).then(|| token.into())
}
