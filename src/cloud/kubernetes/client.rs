//! Calls to one API server: opened at the first call, each bounded in time, repeated where that is safe, and
//! with errors in the house's own words. Knows requests and answers, no workloads.

use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, DATE, HeaderMap, HeaderValue};
use http::{Method, Request};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::access::{Access, AccessError, Authorization};
use super::connection::{self, Connector, Failure};
use super::error::{Error, Refusal, Unreachable};
use super::{exec, tls};
use crate::clock;
use crate::cloud::http::{Interruption, Patience};

/// One API server and one login. Cheap to clone; contacts nobody before the first call.
#[derive(Clone, Debug)]
pub struct Client(Arc<Shared>);

/// How long one attempt may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Name, TCP, proxy and TLS together.
    pub connect: Duration,
    /// From there to the last byte of the answer.
    pub request: Duration,
    /// How often a call that may be repeated is tried.
    pub attempts: u32,
}

struct Shared {
    access: Access,
    limits: Limits,
    open: Mutex<Option<Open>>,
}

struct Open {
    kube: kube::Client,
    /// The credential plugin's word.
    expires_at: Option<Timestamp>,
}

/// What a request does where it succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It changes something, twice no more than once. In flight it is always waited for.
    Changes,
    /// Nothing; it is dropped when the operation is stopped.
    Reads,
}

/// A successful answer.
pub(super) struct Answer<T> {
    pub(super) body: T,
    pub(super) headers: HeaderMap,
}

impl Client {
    pub fn new(access: Access) -> Self {
        Self::with_limits(access, Limits::default())
    }

    pub fn with_limits(access: Access, limits: Limits) -> Self {
        Self(Arc::new(Shared { access, limits, open: Mutex::default() }))
    }

    /// The address: scheme, host and port.
    pub fn server(&self) -> String {
        self.0.access.server()
    }

    /// Where the access comes from, for people.
    pub fn origin(&self) -> &str {
        self.0.access.origin()
    }

    /// The server's version (`v1.36.3`) and its clock, as one call tells them. The clock has whole seconds.
    pub async fn version(&self, patience: &Patience) -> Result<(String, Timestamp), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            git_version: String,
        }
        let answer: Answer<Version> =
            self.call(&get("/version", &[]), Effect::Reads, patience).await?;
        let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let unreadable = || Error::Unreadable {
            request: "GET /version".to_owned(),
            reason: "it has no date".to_owned(),
        };
        Ok((answer.body.git_version, date.ok_or_else(unreadable)?.timestamp()))
    }

    /// A client of `kube`, for what is not offered here: with this login, over these connections. Where the
    /// login is a plugin's it is not renewed for clients that were given out before.
    pub async fn kube(&self) -> Result<kube::Client, Error> {
        let mut open = self.0.open.lock().await;
        let renewal = |at: Timestamp| at - RENEWAL_MARGIN <= clock::now();
        if let Some(open) = &*open
            && !open.expires_at.is_some_and(renewal)
        {
            return Ok(open.kube.clone());
        }
        let fresh = self.open().await?;
        let kube = fresh.kube.clone();
        *open = Some(fresh);
        Ok(kube)
    }

    async fn open(&self) -> Result<Open, Error> {
        let access = &self.0.access;
        let mut login = access.login.clone();
        let mut expires_at = None;
        if let Authorization::Exec(plugin) = &login.authorization {
            let credential = exec::run(plugin).await?;
            expires_at = credential.expires_at;
            login.identity = credential.identity.or(login.identity);
            login.authorization =
                credential.token.map_or(Authorization::None, Authorization::Token);
        }
        let tls = tls::client_config(&access.trust, login.identity.as_ref())
            .map_err(|message| AccessError { message, setting: None })?;
        let connector = Connector::new(access, tls, self.0.limits.connect);
        Ok(Open { kube: connection::client(access, connector, &login.authorization), expires_at })
    }

    pub(super) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(super) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Sends, and reads JSON; tried again after failures that pass.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: &Request<Vec<u8>>,
        effect: Effect,
        patience: &Patience,
    ) -> Result<Answer<T>, Error> {
        let what = label(request);
        let begun = Instant::now();
        let mut attempt = 1;
        loop {
            let answer = match effect {
                Effect::Reads => {
                    within(patience, &what, begun, Box::pin(self.send(request))).await?
                }
                Effect::Changes => {
                    // Nothing to wait for: only whether it is still wanted.
                    within(patience, &what, begun, std::future::ready(())).await?;
                    Box::pin(self.send(request)).await
                }
            };
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if attempt >= self.0.limits.attempts || !error.is_transient() {
                return Err(error);
            }
            let pause = PAUSE * 2_u32.pow(attempt - 1);
            tracing::debug!(%error, attempt, ?pause, "the API server is asked again");
            if !patience.allows(pause) {
                return Err(error);
            }
            within(patience, &what, begun, tokio::time::sleep(pause)).await?;
            attempt += 1;
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: &Request<Vec<u8>>,
    ) -> Result<Answer<T>, Error> {
        let answer = self.send_once(request).await;
        let plugin = matches!(self.0.access.login.authorization, Authorization::Exec(_));
        if plugin && matches!(answer, Err(Error::Unauthorized(_))) {
            // A plugin may know better by now: its credential was revoked, or the clocks differ.
            *self.0.open.lock().await = None;
            return self.send_once(request).await;
        }
        answer
    }

    async fn send_once<T: DeserializeOwned>(
        &self,
        request: &Request<Vec<u8>>,
    ) -> Result<Answer<T>, Error> {
        let kube = self.kube().await?;
        let what = label(request);
        let mutating = request.method() != Method::GET;
        let begun = Instant::now();
        let mut request = request.clone().map(kube::client::Body::from);
        request.headers_mut().entry(ACCEPT).or_insert(HeaderValue::from_static(JSON));
        let exchange = async {
            let answer = kube.send(request).await?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, kube::Error>((head, body))
        };
        let time = self.0.limits.connect + self.0.limits.request;
        let exchanged = tokio::time::timeout(time, exchange).await;
        let (head, body) = match exchanged {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.unreachable(&error, mutating)),
            Err(_) => {
                return Err(Error::Unreachable {
                    server: self.server(),
                    cause: Unreachable::TimedOut,
                    reason: format!("no answer to {what} within {time:?}"),
                    may_have_acted: mutating,
                });
            }
        };
        tracing::debug!(request = %what, status = head.status.as_u16(), time = ?begun.elapsed(), "API server");
        if !head.status.is_success() {
            return Err(self.refused(what, head.status.as_u16(), &head.headers, &body));
        }
        match serde_json::from_slice(&body) {
            Ok(body) => Ok(Answer { body, headers: head.headers }),
            Err(error) => Err(Error::Unreadable {
                request: what,
                // The error's own words may quote a value.
                reason: format!("no such JSON as was expected, at byte {}", error.column()),
            }),
        }
    }

    fn unreachable(&self, error: &kube::Error, mutating: bool) -> Error {
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(Failure { cause, reason }) = error.downcast_ref() {
                return Error::Unreachable {
                    server: self.server(),
                    cause: *cause,
                    reason: reason.clone(),
                    may_have_acted: false,
                };
            }
            next = error.source();
        }
        Error::Unreachable {
            server: self.server(),
            cause: Unreachable::Broken,
            reason: connection::chain(error),
            may_have_acted: mutating,
        }
    }

    fn refused(&self, request: String, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        let words: Words = serde_json::from_slice(body).unwrap_or_else(|_| Words {
            message: String::from_utf8_lossy(body).trim().chars().take(WORDS).collect(),
            reason: String::new(),
        });
        let audit_id = headers.get("audit-id").and_then(|id| id.to_str().ok());
        let refusal = Box::new(Refusal {
            server: self.server(),
            request,
            status,
            reason: words.reason,
            message: words.message,
            audit_id: audit_id.map(str::to_owned),
        });
        match status {
            401 => Error::Unauthorized(refusal),
            403 => Error::Forbidden(refusal),
            _ => Error::Api(refusal),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(30), attempts: 4 }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("access", &self.access).finish_non_exhaustive()
    }
}

/// The words of a refusal: `Status`.
#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    message: String,
    #[serde(default)]
    reason: String,
}

/// A request for what is at `path`, with this query. The path is made of checked names.
pub(super) fn get(path: &str, query: &[(&str, &str)]) -> Request<Vec<u8>> {
    let mut target = path.to_owned();
    for (index, (name, value)) in query.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(name);
        target.push('=');
        target.push_str(&percent_encoded(value, b"-._~"));
    }
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = target.parse().unwrap_or_default();
    request
}

/// All but letters, digits and what is in `kept` as percent signs.
pub(super) fn percent_encoded(text: &str, kept: &[u8]) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// Method and path: for errors and logs.
pub(super) fn label(request: &Request<Vec<u8>>) -> String {
    format!("{} {}", request.method(), request.uri().path())
}

/// Waits for it, unless stopped or out of time.
pub(super) async fn within<T>(
    patience: &Patience,
    what: &str,
    begun: Instant,
    wait: impl Future<Output = T>,
) -> Result<T, Error> {
    patience.until(wait).await.map_err(|interruption| match interruption {
        Interruption::Cancelled => Error::Stopped { what: what.to_owned() },
        Interruption::OutOfTime => {
            Error::TimedOut { what: what.to_owned(), after: begun.elapsed() }
        }
    })
}

const JSON: &str = "application/json";
const PAUSE: Duration = Duration::from_millis(500);
const RENEWAL_MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// Characters of an answer that is not a `Status`, such as a proxy's page.
const WORDS: usize = 200;

#[cfg(test)]
mod tests;
