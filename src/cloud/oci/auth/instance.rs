//! Instance principal: the machine's own certificate, from its metadata service, is exchanged for a token.

use crate::redaction::SecretString;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, HeaderValue};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use zeroize::Zeroizing;

use super::token::Claims;
use super::{Held, signatory, trouble, unmade};
use crate::clock;
use crate::cloud::http::{Client, Error as HttpError, Method, Patience, Request, Response, Url};
use crate::cloud::oci::config::{ConfigError, Login};
use crate::cloud::oci::signer::{Covers, Signatory, sign};
use crate::cloud::oci::{Error, Key, Region};

const HINT: &str = "InstancePrincipal works only on an OCI compute instance.";

/// Whom to ask.
pub(super) struct Places {
    metadata: Url,
    federation: Url,
}

impl Places {
    pub(super) fn of(
        metadata: Option<&Url>,
        federation: Option<&Url>,
        region: Option<Region>,
    ) -> Result<Self, Error> {
        let address = |text: String| {
            Url::parse(&text)
                .map_err(|_| ConfigError::new("region", format!("{text} is no address")))
        };
        let federation = match (federation, region) {
            (Some(federation), _) => federation.clone(),
            (None, Some(region)) => address(format!("https://{}/v1/x509", region.auth_host()))?,
            (None, None) => return Err(ConfigError::new("region", "there is no region").into()),
        };
        Ok(Self { metadata: base(metadata)?, federation })
    }
}

/// Where this machine is.
pub(super) async fn region(
    client: &Client,
    login: &Login,
    patience: &Patience,
) -> Result<String, Error> {
    let Login::InstancePrincipal { metadata, .. } = login else {
        return Err(ConfigError::new("region", "there is no region").into());
    };
    let answer = fetched(client, &base(metadata.as_ref())?, "instance/region", patience).await?;
    Ok(answer.trim().to_owned())
}

/// A token for the machine, with a key that is made for it.
pub(super) async fn login(
    client: &Client,
    places: &Places,
    patience: &Patience,
) -> Result<Held, Error> {
    const WHAT: &str = "get a token for this machine";
    let leaf = fetched(client, &places.metadata, "identity/cert.pem", patience).await?;
    let key = fetched(client, &places.metadata, "identity/key.pem", patience).await?;
    let between = fetched(client, &places.metadata, "identity/intermediate.pem", patience).await?;
    let odd = |what: &str| trouble("read the certificate of this machine", what, "", None);
    let leaf = certificates(&leaf);
    let leaf = leaf.first().ok_or_else(|| odd("its metadata service gives none"))?;
    let tenancy = tenancy(leaf).ok_or_else(|| odd("it names no tenancy"))?;
    let key = Key::from_pem(&key, None).map_err(|why| odd(&format!("its private key {why}")))?;
    let machine = Signatory {
        key_id: format!("{tenancy}/fed-x509/{}", fingerprint(leaf)).into(),
        key: Arc::new(key),
    };
    let session_key = Key::generate().map_err(|why| unmade(&why))?;
    let between: Vec<_> =
        certificates(&between).iter().map(|der| BASE64_STANDARD.encode(der)).collect();
    let request = Request::new(Method::POST, places.federation.clone())
        .repeatable()
        .json(&json!({
            "certificate": BASE64_STANDARD.encode(leaf),
            "publicKey": session_key.public_base64(),
            "intermediateCertificates": between,
        }))
        .map_err(|_| odd("it cannot be written as JSON"))?;
    let request = sign(request, &machine, Covers::AllButHost, clock::now())
        .map_err(|why| odd(&format!("its private key {why}")))?;
    let answer = client.send(&request, patience).await;
    let answer = answer.map_err(|error| unreachable(WHAT, error, ""))?;
    if !answer.status.is_success() {
        let said = format!(
            "{} was answered {}: {}",
            places.federation,
            answer.status.as_u16(),
            request.message(&answer).trim_end_matches('.')
        );
        return Err(trouble(WHAT, &said, "", Some(&answer)));
    }
    let token = token(&answer).ok_or_else(|| {
        let said = format!("the answer of {} holds none", places.federation);
        trouble(WHAT, &said, "", Some(&answer))
    })?;
    let renew_at = Claims::of(&token).renew_at(clock::now());
    Ok(Held { signatory: signatory(&token, session_key), renew_at })
}

fn base(configured: Option<&Url>) -> Result<Url, Error> {
    match configured {
        Some(url) => Ok(url.clone()),
        None => Url::parse("http://169.254.169.254/opc/v2")
            .map_err(|_| ConfigError::new("auth", "there is no metadata service").into()),
    }
}

async fn fetched(
    client: &Client,
    base: &Url,
    path: &str,
    patience: &Patience,
) -> Result<Zeroizing<String>, Error> {
    let what = format!("read {path} from the metadata service {base}");
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    // No secret: what keeps strangers away is that only this machine can ask.
    let bearer = HeaderValue::from_static("Bearer Oracle");
    let request = Request::new(Method::GET, url).header(AUTHORIZATION, bearer);
    let answer = client.send(&request, patience).await;
    let answer = answer.map_err(|error| unreachable(&what, error, HINT))?;
    if !answer.status.is_success() {
        let said = format!("it answered {}", answer.status.as_u16());
        return Err(trouble(&what, &said, HINT, Some(&answer)));
    }
    match std::str::from_utf8(&answer.body) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(trouble(&what, "its answer is no text", HINT, Some(&answer))),
    }
}

/// Interruptions are passed on as what they are.
pub(super) fn unreachable(what: &str, error: HttpError, hint: &str) -> Error {
    match error {
        HttpError::NoAnswer { reason, .. } | HttpError::Unreadable { reason, .. } => {
            trouble(what, &reason, hint, None)
        }
        other => other.into(),
    }
}

fn token(answer: &Response) -> Option<SecretString> {
    #[derive(Deserialize)]
    struct Body {
        token: String,
    }
    let body: Body = serde_json::from_slice(&answer.body).ok()?;
    Some(body.token).filter(|token| !token.is_empty()).map(SecretString::from)
}

fn certificates(text: &str) -> Vec<Vec<u8>> {
    let blocks = pem::parse_many(text).unwrap_or_default();
    blocks
        .into_iter()
        .filter(|block| block.tag() == "CERTIFICATE")
        .map(pem::Pem::into_contents)
        .collect()
}

/// What Oracle writes into the subject of a machine's certificate.
fn tenancy(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let named = certificate.subject().iter_attributes().find_map(|attribute| {
        let text = attribute.as_str().ok()?;
        text.strip_prefix("opc-tenant:")
            .or_else(|| text.strip_prefix("opc-identity:"))
            .map(str::to_owned)
    });
    named.filter(|tenancy| !tenancy.is_empty())
}

fn fingerprint(der: &[u8]) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, der);
    let pairs: Vec<_> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}
