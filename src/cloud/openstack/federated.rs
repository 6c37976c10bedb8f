//! A token that an identity provider vouches for, as keystoneauth gets it: the provider's own token
//! first, where there is none yet, then Keystone's for it. Unscoped: what it is for is asked for by
//! whoever needs it.

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_util::bytes::Bytes;
use zeroize::Zeroizing;

use super::address::extend;
use super::answer::{judge, unreadable};
use super::config::{Client, ConfigError, Federation, Grant, TokenEndpoint};
use super::session::SUBJECT_TOKEN;
use super::token::{Token, parsed};
use super::{Error, Meaning};
use crate::cloud::http::{self, Method, Patience, Request, Response, Url};
use crate::redaction::{ExposeSecret as _, SecretString};

/// Asks the identity provider, if need be, and then the Keystone at `auth_url`.
pub(super) async fn unscoped_token(
    http: &http::Client,
    auth_url: &Url,
    federation: &Federation,
    patience: &Patience,
) -> Result<Token, Error> {
    let shown = match &federation.grant {
        Grant::AccessToken(token) => token.clone(),
        Grant::ClientCredentials(client) => {
            granted(http, client, &federation.grant, &[], patience).await?
        }
        Grant::Password { client, username, password } => {
            let user = [("username", username.as_str()), ("password", password.expose_secret())];
            granted(http, client, &federation.grant, &user, patience).await?
        }
    };
    let mut url = auth_url.clone();
    let (provider, protocol) = (&federation.identity_provider, &federation.protocol);
    let path = ["OS-FEDERATION", "identity_providers", provider, "protocols", protocol, "auth"];
    extend(&mut url, &path)?;
    let bearer = SecretString::from(format!("Bearer {}", shown.expose_secret().trim()));
    let request = Request::new(Method::POST, url)
        .repeatable()
        .secret_header(AUTHORIZATION, &bearer)
        .hides(&shown);
    let answer = judge(&request, http.send(&request, patience).await?)?;
    let value = answer.headers.get(SUBJECT_TOKEN).and_then(|value| value.to_str().ok());
    Token::parse(value.unwrap_or_default().into(), &answer.body, true)
        .map_err(|why| unreadable(&request, &answer, &why))
}

/// The token that the identity provider gives to this client.
async fn granted(
    http: &http::Client,
    client: &Client,
    grant: &Grant,
    user: &[(&str, &str)],
    patience: &Patience,
) -> Result<SecretString, Error> {
    let url = match &client.endpoint {
        TokenEndpoint::At(text) => endpoint(text, "access_token_endpoint")?,
        TokenEndpoint::DiscoveredBy(text) => {
            let document = endpoint(text, "discovery_endpoint")?;
            discovered(http, document, grant, patience).await?
        }
    };
    let mut fields =
        vec![("grant_type", grant.kind().unwrap_or_default()), ("scope", client.scope.as_str())];
    fields.extend(user);
    let mut request = Request::new(Method::POST, url).repeatable();
    match &client.secret {
        Some(secret) => {
            let pair = Zeroizing::new(format!("{}:{}", client.id, secret.expose_secret()));
            let basic = SecretString::from(format!("Basic {}", STANDARD.encode(&*pair)));
            request = request.secret_header(AUTHORIZATION, &basic).hides(secret);
        }
        None => fields.push(("client_id", &client.id)),
    }
    if let Grant::Password { password, .. } = grant {
        request = request.hides(password);
    }
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request = request.header(CONTENT_TYPE, form).header(ACCEPT, json());
    request.body = Some(Bytes::from_owner(form_of(&fields)));
    let answer = of_provider(&request, http.send(&request, patience).await?)?;
    let tokens: Map<String, Value> = parsed(&answer.body)
        .map_err(|why| by_provider(unreadable(&request, &answer, &why), &request))?;
    match tokens.get(&client.token_type).and_then(Value::as_str) {
        Some(token) if !token.is_empty() => Ok(token.into()),
        _ => {
            let why = format!("it has no {}", client.token_type);
            Err(by_provider(unreadable(&request, &answer, &why), &request))
        }
    }
}

/// Where the provider's own document says that tokens are issued.
async fn discovered(
    http: &http::Client,
    document: Url,
    grant: &Grant,
    patience: &Patience,
) -> Result<Url, Error> {
    let request = Request::new(Method::GET, document.clone()).header(ACCEPT, json());
    let answer = of_provider(&request, http.send(&request, patience).await?)?;
    let said: Document = parsed(&answer.body)
        .map_err(|why| by_provider(unreadable(&request, &answer, &why), &request))?;
    let refuse = |why: String| Err(by_provider(unreadable(&request, &answer, &why), &request));
    if let (Some(known), Some(kind)) = (&said.grant_types_supported, grant.kind())
        && !known.is_empty()
        && !known.iter().any(|known| known == kind)
    {
        return refuse(format!("the identity provider does not offer the grant {kind}"));
    }
    let Ok(url) = document.join(&said.token_endpoint) else {
        return refuse("its token_endpoint is no address".to_owned());
    };
    let encrypted = url.scheme() == "https" || url.scheme() == document.scheme();
    if !encrypted || !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "its token_endpoint is one to which no secret is sent: plain http where the document itself \
             came by https, or with a user in it"
                .to_owned(),
        );
    }
    Ok(url)
}

#[derive(Deserialize)]
struct Document {
    token_endpoint: String,
    grant_types_supported: Option<Vec<String>>,
}

fn json() -> HeaderValue {
    HeaderValue::from_static("application/json")
}

/// A configured address of the identity provider. Its query is part of it.
fn endpoint(text: &str, setting: &'static str) -> Result<Url, Error> {
    let complaint = |what: &str| {
        Err(Error::Config(ConfigError {
            message: format!("{setting} {what}"),
            setting: Some(setting),
        }))
    };
    match Url::parse(text.trim()) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            complaint("must begin with https:// or http://")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            complaint("must not hold a user name or password")
        }
        Ok(url) => Ok(url),
        Err(error) => complaint(&format!("is no address: {error}")),
    }
}

fn of_provider(request: &Request, answer: Response) -> Result<Response, Error> {
    judge(request, answer).map_err(|error| by_provider(error, request))
}

/// The same error, told as the identity provider's and with its address: the path alone would be taken
/// for Keystone's.
fn by_provider(mut error: Error, request: &Request) -> Error {
    let mut url = request.url.clone();
    url.set_query(None);
    let whole = format!("{} {url}", request.method);
    match &mut error {
        Error::Api(answer) => {
            answer.meaning = Meaning::IdentityProvider;
            answer.request = whole;
        }
        Error::Unreadable { request, .. } => *request = whole,
        _ => {}
    }
    error
}

/// As a form writes it, in memory that is wiped.
fn form_of(fields: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let longest = fields.iter().map(|(key, value)| key.len() + 3 * value.len() + 2).sum();
    let mut form = Zeroizing::new(Vec::with_capacity(longest));
    for (key, value) in fields {
        if !form.is_empty() {
            form.push(b'&');
        }
        form.extend_from_slice(key.as_bytes());
        form.push(b'=');
        for byte in value.bytes() {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'-' | b'.' | b'_' => {
                    form.push(byte);
                }
                b' ' => form.push(b'+'),
                _ => {
                    const HEX: &[u8; 16] = b"0123456789ABCDEF";
                    form.push(b'%');
                    form.push(HEX[usize::from(byte >> 4)]);
                    form.push(HEX[usize::from(byte & 15)]);
                }
            }
        }
    }
    form
}

#[cfg(test)]
mod tests;
