//! The one call of AWS' token service that tells whose a key is, to who signed it with that key's secret.

use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};
use ring::hmac;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::cloud::Cloud;

/// Serves as long as it is kept.
#[derive(Debug)]
pub struct Sts {
    /// For `AWS_ENDPOINT_URL_STS`.
    pub url: String,
    task: JoinHandle<()>,
}

impl Sts {
    /// Of that cloud, on the current runtime.
    pub async fn start(cloud: Cloud) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Router::new().fallback(answer).with_state(cloud);
        let task = tokio::spawn(async move {
            // Ends with the task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, task })
    }
}

impl Drop for Sts {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(cloud): State<Cloud>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let signed = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let signature = signed.and_then(Signature::read);
    let id = signature.as_ref().map_or("", |signature| signature.id);
    let Some((user, secret)) = cloud.whose(id) else {
        let said = "The security token included in the request is invalid.";
        return refusal("InvalidClientTokenId", said);
    };
    if !signature.is_some_and(|signature| signature.is_of(&secret, uri.path(), &headers, &body)) {
        let said = "The request signature we calculated does not match the signature you provided.";
        return refusal("SignatureDoesNotMatch", said);
    }
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::123456789012:user/{user}</Arn><UserId>{id}</UserId><Account>123456789012</Account>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>"
    );
    (XML, body).into_response()
}

const XML: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/xml")];

fn refusal(code: &str, message: &str) -> Response {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
    );
    (StatusCode::FORBIDDEN, XML, body).into_response()
}

/// AWS' signature, version 4, as its header tells it.
struct Signature<'h> {
    id: &'h str,
    /// Date, region, service and a fixed word.
    scope: &'h str,
    headers: &'h str,
    told: &'h str,
}

impl<'h> Signature<'h> {
    fn read(header: &'h str) -> Option<Self> {
        let rest = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part = |name: &str| {
            rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let (id, scope) = part("Credential")?.split_once('/')?;
        Some(Self { id, scope, headers: part("SignedHeaders")?, told: part("Signature")? })
    }

    fn is_of(&self, secret: &str, path: &str, headers: &HeaderMap, body: &[u8]) -> bool {
        let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let named: Option<String> = self
            .headers
            .split(';')
            .map(|name| Some(format!("{name}:{}\n", value(name)?)))
            .collect();
        let (Some(named), Some(time)) = (named, value("x-amz-date")) else { return false };
        let sum = hexadecimal(digest(&SHA256, body).as_ref());
        let canonical = format!("POST\n{path}\n\n{named}\n{}\n{sum}", self.headers);
        let sum = hexadecimal(digest(&SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{}\n{sum}", self.scope);
        let first = format!("AWS4{secret}").into_bytes();
        let key = self.scope.split('/').fold(first, |key, part| mac(&key, part));
        hexadecimal(&mac(&key, &to_sign)) == self.told
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
