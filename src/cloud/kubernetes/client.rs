//! Calls to one API server: its login, renewed where a plugin gives it, and errors in Kubernetes' own words. How calls
//! travel and when they are repeated is the transport's; what is asked for is in the files above this one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::access::{Access, Authorization, Identity, Trust};
use super::error::{Error, Refusal};
use super::{exec, login, path};
use crate::clock;
use crate::cloud::http::{
    self as transport, Backoff, Interruption, Method, Options, Patience, Pem, Request, Response,
};

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
    open: Mutex<Option<Arc<Open>>>,
}

/// A login in use.
struct Open {
    transport: transport::Client,
    authorization: Authorization,
    /// The credential plugin's word.
    expires_at: Option<Timestamp>,
}

/// A successful answer.
pub(super) struct Answer<T> {
    pub(super) body: T,
    pub(super) response: Response,
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
        let request = self.request(Method::GET, "/version", &[])?;
        let answer: Answer<Version> = self.call(&request, patience).await?;
        let date = answer.response.date().ok_or_else(|| Error::Unreadable {
            request: request.label(),
            reason: "it has no date".to_owned(),
        })?;
        Ok((answer.body.git_version, date))
    }

    pub(super) fn access(&self) -> &Access {
        &self.0.access
    }

    /// For what is at `path`.
    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Request, Error> {
        let Some(url) = path::under(&self.0.access.server, path, query) else {
            return Err(Error::Unsendable {
                request: format!("{method} {path:?}"),
                reason: "that is no path of an API".to_owned(),
            });
        };
        let request = Request::new(method, url);
        Ok(request.header(ACCEPT, HeaderValue::from_static("application/json")))
    }

    /// Sends, and reads JSON; an answer that refuses is an error.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: &Request,
        patience: &Patience,
    ) -> Result<Answer<T>, Error> {
        let response = self.send(request, patience).await?;
        match serde_json::from_slice(&response.body) {
            Ok(body) => Ok(Answer { body, response }),
            Err(error) => {
                let reason = match serde_json::from_slice::<serde::de::IgnoredAny>(&response.body) {
                    // The error's own words may quote a value.
                    Ok(_) => format!(
                        "no such JSON as was expected, at line {} column {}",
                        error.line(),
                        error.column()
                    ),
                    Err(_) => format!("it is {}", response.what_it_is_instead()),
                };
                Err(Error::Unreadable { request: request.label(), reason })
            }
        }
    }

    async fn send(&self, request: &Request, patience: &Patience) -> Result<Response, Error> {
        let open = self.open(patience, &request.label()).await?;
        let answer = self.send_by(&open, request, patience).await;
        let plugin = matches!(self.0.access.login.authorization, Authorization::Exec(_));
        if plugin && matches!(answer, Err(Error::Unauthorized(_))) {
            // A plugin may know better by now: its credential was revoked, or the clocks differ.
            self.forget(&open).await;
            let open = self.open(patience, &request.label()).await?;
            return self.send_by(&open, request, patience).await;
        }
        answer
    }

    async fn send_by(
        &self,
        open: &Open,
        request: &Request,
        patience: &Patience,
    ) -> Result<Response, Error> {
        let access = &self.0.access;
        let request =
            login::authorised(request.clone(), &open.authorization, &access.impersonation)?;
        let answer = open.transport.send(&request, patience).await;
        let answer = answer.map_err(|error| Error::from_transport(error, &self.server()))?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.refused(&request, &answer)) }
    }

    /// The login to use now. A plugin runs at the first call, and again before what it gave ends.
    async fn open(&self, patience: &Patience, what: &str) -> Result<Arc<Open>, Error> {
        let begun = Instant::now();
        let mut slot = within(patience, what, begun, self.0.open.lock()).await?;
        let renewal = |at: Timestamp| {
            at.checked_sub(RENEWAL_MARGIN).unwrap_or(Timestamp::MIN) <= clock::now()
        };
        if let Some(open) = &*slot
            && !open.expires_at.is_some_and(renewal)
        {
            return Ok(Arc::clone(open));
        }
        let access = &self.0.access;
        let mut login = access.login.clone();
        let mut expires_at = None;
        if let Authorization::Exec(plugin) = &login.authorization {
            let credential = within(patience, what, begun, exec::run(plugin, access)).await??;
            expires_at = credential.expires_at;
            login.identity = credential.identity.or(login.identity);
            login.authorization =
                credential.token.map_or(Authorization::None, Authorization::Token);
        }
        let open = Arc::new(Open {
            transport: transport::Client::new(self.options(login.identity.as_ref())),
            authorization: login.authorization,
            expires_at,
        });
        *slot = Some(Arc::clone(&open));
        Ok(open)
    }

    /// Lets go of a login that was refused, unless another has taken its place meanwhile.
    async fn forget(&self, spent: &Arc<Open>) {
        let mut slot = self.0.open.lock().await;
        if slot.as_ref().is_some_and(|open| Arc::ptr_eq(open, spent)) {
            *slot = None;
        }
    }

    /// How calls travel, showing this certificate.
    pub(super) fn options(&self, identity: Option<&Identity>) -> Options {
        let Shared { access, limits, .. } = &*self.0;
        Options {
            trust: transport::Trust {
                cacert: match &access.trust {
                    Trust::Certificates(pem) => Some(Pem::Text(pem.clone())),
                    Trust::Anybody | Trust::System => None,
                },
                cert: identity.map(|identity| Pem::Text(identity.certificate.clone())),
                key: identity.map(|identity| Pem::Text(identity.key.clone())),
                verify: !matches!(access.trust, Trust::Anybody),
            },
            proxies: access.proxies.clone(),
            server_name: access.server_name.clone(),
            connect: limits.connect,
            timeout: limits.connect + limits.request,
            idle: IDLE,
            backoff: Backoff { attempts: limits.attempts, ..Backoff::default() },
            largest_body: LARGEST,
        }
    }

    fn refused(&self, request: &Request, answer: &Response) -> Error {
        let words: Words = serde_json::from_slice(&answer.body).unwrap_or_default();
        let message = match &*words.message {
            "" => request.message(answer),
            message => request.cleaned(message),
        };
        let refusal = Box::new(Refusal {
            server: self.server(),
            request: request.label(),
            status: answer.status.as_u16(),
            reason: request.cleaned(&words.reason),
            message,
            audit_id: answer.request_id(),
        });
        match refusal.status {
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
#[derive(Default, Deserialize)]
#[serde(default)]
struct Words {
    message: String,
    reason: String,
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

const IDLE: Duration = Duration::from_secs(30);
/// A page of 500 pods is 10 MB at the most.
const LARGEST: usize = 64 * 1024 * 1024;
const RENEWAL_MARGIN: SignedDuration = SignedDuration::from_secs(60);

#[cfg(test)]
mod tests;
