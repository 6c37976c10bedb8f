//! Puts a login on a request. What cannot be put there is an error: left out, the caller would be anonymous.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::access::{AccessError, Authorization, Impersonation, sendable};
use super::error::Error;
use crate::cloud::files;
use crate::cloud::http::Request;
use crate::redaction::{ExposeSecret, SecretString};

pub(super) fn authorised(
    request: Request,
    authorization: &Authorization,
    impersonation: &Impersonation,
) -> Result<Request, Error> {
    let mut request = match authorization {
        Authorization::Basic { username, password } => {
            let both = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
            let value = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(&*both)));
            request
                .hides(password)
                .secret_header(AUTHORIZATION, &SecretString::from(value.as_str()))
        }
        Authorization::Token(token) => bearer(request, &token.expose_secret().trim().into()),
        Authorization::TokenFile(path) => bearer(request, &from_file(path)?),
        // A plugin's token has become a Token by the time that requests are sent.
        Authorization::Exec(_) | Authorization::None => request,
    };
    for (name, value) in &impersonation.0 {
        let unsendable = || Error::Unsendable {
            request: request.label(),
            reason: format!("the header {name} cannot carry whom to impersonate"),
        };
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unsendable())?;
        let name = HeaderName::try_from(name).map_err(|_| unsendable())?;
        request.headers.append(name, value);
    }
    Ok(request)
}

fn bearer(request: Request, token: &SecretString) -> Request {
    let value = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
    let request = request.hides(token);
    request.secret_header(AUTHORIZATION, &SecretString::from(value.as_str()))
}

/// Read for each request: such files are renewed.
fn from_file(path: &Path) -> Result<SecretString, Error> {
    let unusable = |why: String| AccessError {
        message: format!("the token file {} {why}", path.display()),
        setting: None,
    };
    let bytes =
        files::read(path, LARGEST).map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable("holds no text".to_owned()))?;
    if text.trim().is_empty() {
        return Err(unusable("is empty".to_owned()).into());
    }
    Ok(sendable(text).map_err(|why| unusable(format!("holds a text that {why}")))?)
}

const LARGEST: u64 = 1024 * 1024;
