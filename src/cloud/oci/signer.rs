//! Signs requests: "signature version 1", after draft-cavage-http-signatures-08. Pure: the moment is an
//! argument, nothing is sent.
//!
//! An empty POST is signed like one with a body: its length 0, its type, and the digest of nothing.

use crate::redaction::{ExposeSecret as _, SecretString};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

use super::key::{Key, KeyError};
use crate::cloud::http::{Method, Request, Url};

/// Who signs: a key, and the name that the service knows it by.
#[derive(Clone, Debug)]
pub struct Signatory {
    /// `TENANCY/USER/FINGERPRINT`, or `ST$` and a token, which makes it a secret.
    pub key_id: SecretString,
    pub key: Arc<Key>,
}

/// Whether the signature covers the host. The login of an instance's certificate is the exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Covers {
    AllButHost,
    Host,
}

/// The request with the headers that sign it, as of `now`; the service takes it for five minutes.
pub(super) fn sign(
    mut request: Request,
    signatory: &Signatory,
    covers: Covers,
    now: Timestamp,
) -> Result<Request, KeyError> {
    let date = http_date(now);
    let mut headers = vec![("date", date.clone()), ("(request-target)", target(&request))];
    if covers == Covers::Host {
        headers.push(("host", host(&request.url)));
    }
    set(&mut request, DATE, &date);
    if has_body(&request.method) {
        let body = request.body.get_or_insert_default();
        let (length, digest) = (body.len().to_string(), Sha256::digest(&*body));
        let digest = BASE64_STANDARD.encode(digest);
        set(&mut request, CONTENT_LENGTH, &length);
        set(&mut request, CONTENT_TYPE, JSON);
        set(&mut request, CONTENT_SHA256, &digest);
        headers.push(("content-length", length));
        headers.push(("content-type", JSON.to_owned()));
        headers.push(("x-content-sha256", digest));
    }
    let authorization = authorization(&headers, signatory)?;
    // Good for five minutes only, so it is kept from logs and not remembered as a secret.
    let mut value = HeaderValue::from_str(&authorization)
        .map_err(|_| KeyError::Unreadable("its owner's name does not fit a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(request.header(AUTHORIZATION, value).hides(&signatory.key_id))
}

/// The header's value for these headers, which are signed in this order.
fn authorization(headers: &[(&str, String)], signatory: &Signatory) -> Result<String, KeyError> {
    let signature = signatory.key.sign(&signing_string(headers))?;
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    Ok(format!(
        "Signature algorithm=\"rsa-sha256\",headers=\"{}\",keyId=\"{}\",signature=\"{signature}\",version=\"1\"",
        names.join(" "),
        signatory.key_id.expose_secret(),
    ))
}

/// Of a request that is never sent, but handed to somebody: `authorization` and `date`.
pub(super) fn presigned(
    url: &Url,
    signatory: &Signatory,
    now: Timestamp,
) -> Result<(String, String), KeyError> {
    let request = Request::new(Method::GET, url.clone());
    let date = http_date(now);
    let headers =
        [("date", date.clone()), ("(request-target)", target(&request)), ("host", host(url))];
    Ok((authorization(&headers, signatory)?, date))
}

fn signing_string(headers: &[(&str, String)]) -> String {
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.join("\n")
}

fn target(request: &Request) -> String {
    let (url, method) = (&request.url, request.method.as_str().to_ascii_lowercase());
    match url.query() {
        Some(query) => format!("{method} {}?{query}", url.path()),
        None => format!("{method} {}", url.path()),
    }
}

/// As the header has it: with the port, unless it is the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn has_body(method: &Method) -> bool {
    matches!(*method, Method::PATCH | Method::POST | Method::PUT)
}

fn set(request: &mut Request, name: HeaderName, value: &str) {
    // Digits, base64 and dates are all fit for a header.
    if let Ok(value) = HeaderValue::from_str(value) {
        request.headers.insert(name, value);
    }
}

/// `Thu, 05 Jan 2034 21:31:40 GMT`.
fn http_date(moment: Timestamp) -> String {
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-content-sha256");
const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("vectors.json")).unwrap()
    }

    fn signatory(key_id: &str) -> Signatory {
        let pem = vectors()["key"]["private_key_pkcs8_pem"].as_str().unwrap().to_owned();
        let key = Arc::new(Key::from_pem(&pem, None).unwrap());
        Signatory { key_id: key_id.into(), key }
    }

    fn moment() -> Timestamp {
        "2034-01-05T21:31:40Z".parse().unwrap()
    }

    #[test]
    fn signs_byte_for_byte_as_oracles_own_sdk() {
        let vectors = vectors();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            let text = |key: &str| vector[key].as_str().unwrap().to_owned();
            let url: Url = text("url").parse().unwrap();
            let mut request = Request::new(text("method").parse().unwrap(), url);
            request.body = vector["body"].as_str().map(|body| body.to_owned().into());
            let signed =
                sign(request, &signatory(&text("key_id")), Covers::Host, moment()).unwrap();
            let name = text("name");
            let header = |key: &str| signed.headers.get(key).map(|value| value.to_str().unwrap());
            assert_eq!(header("date"), Some(text("date").as_str()), "{name}");
            assert_eq!(
                header("authorization"),
                Some(text("authorization_python_sdk_order").as_str()),
                "{name}"
            );
            assert_eq!(header("content-length"), vector["content_length"].as_str(), "{name}");
            assert_eq!(header("x-content-sha256"), vector["x_content_sha256"].as_str(), "{name}");
            let body = signed.body.as_ref();
            assert_eq!(body.is_some(), vector["content_length"].is_string(), "{name}");
        }
    }

    #[test]
    fn the_target_is_signed_as_it_goes_out_and_the_host_with_its_port() {
        let url: Url = "http://127.0.0.1:18080/20180222/clusters?compartmentId=a%2Fb&name=x%20y"
            .parse()
            .unwrap();
        let request = Request::new(Method::GET, url.clone());
        assert_eq!(target(&request), "get /20180222/clusters?compartmentId=a%2Fb&name=x%20y");
        assert_eq!(host(&url), "127.0.0.1:18080");
        assert_eq!(host(&"https://h.example:443/".parse().unwrap()), "h.example");
    }

    #[test]
    fn what_signs_is_shown_nowhere() {
        let request = Request::new(Method::POST, "https://h.example/x".parse().unwrap());
        let signed =
            sign(request, &signatory("ST$a-long-token"), Covers::AllButHost, moment()).unwrap();
        assert!(!format!("{signed:?} {:?}", signed.headers).contains("a-long-token"));
        let value = signed.headers["authorization"].to_str().unwrap();
        let names =
            "headers=\"date (request-target) content-length content-type x-content-sha256\"";
        assert!(value.contains(names), "{value}");
    }
}
