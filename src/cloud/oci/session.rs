//! One login, one place: signs calls, sends them, repeats what may be repeated.
//!
//! Each try is signed anew, as a signature lives for five minutes and a login may be renewed between two. A refused login
//! is tried again only where there is another token than the one that was refused.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::auth::Auth;
use super::config::{Account, ConfigError, Login};
use super::retry::{self, RetryToken};
use super::signer::{Covers, Signatory, sign};
use super::{ApiError, Error, KeyError, Region, VERSION};
use crate::clock;
use crate::cloud::http::{
    self as transport, Backoff, Client, Idempotency, Interruption, Method, Options, Patience,
    Request, Response, Url,
};

#[cfg(test)]
mod tests;

/// Cheap to clone; contacts nobody before the first call.
#[derive(Clone, Debug)]
pub struct Session {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    account: Account,
    auth: Auth,
    backoff: Backoff,
    client: Client,
}

/// A call of Container Engine's API, without its place and its login.
#[derive(Clone, Debug)]
pub(super) struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    accept: &'static str,
    /// Only what changes something has one.
    token: Option<RetryToken>,
}

impl Call {
    pub(super) fn get(path: &[&str]) -> Self {
        Self::of(Method::GET, path)
    }

    pub(super) fn post(path: &[&str]) -> Self {
        Self::of(Method::POST, path)
    }

    fn of(method: Method, path: &[&str]) -> Self {
        Self {
            method,
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            query: Vec::new(),
            body: None,
            accept: "application/json",
            token: None,
        }
    }

    pub(super) fn accept(mut self, kind: &'static str) -> Self {
        self.accept = kind;
        self
    }

    pub(super) fn body(mut self, value: &impl Serialize) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(value)
            .map_err(|_| ConfigError::new(None, "a request cannot be written as JSON"))?;
        self.body = Some(bytes);
        Ok(self)
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Marks it as one that changes something, which is the same one however often it is sent.
    pub(super) fn token(mut self, token: &RetryToken) -> Self {
        self.token = Some(token.clone());
        self
    }
}

impl Session {
    pub fn new(account: Account) -> Self {
        Self::with_options(account, &Options::default(), retry::BACKOFF)
    }

    /// With other time limits and intervals.
    pub fn with_options(account: Account, options: &Options, backoff: Backoff) -> Self {
        // The client repeats only where no connection came about; all else is repeated here.
        let inner = Backoff {
            attempts: options.backoff.attempts.min(3),
            longest_told: Duration::ZERO,
            ..options.backoff
        };
        let options = Options { trust: account.trust.clone(), backoff: inner, ..options.clone() };
        let auth = Auth::new(&account, &options);
        let client = Client::new(options);
        Self { shared: Arc::new(Shared { account, auth, backoff, client }) }
    }

    pub fn account(&self) -> &Account {
        &self.shared.account
    }

    /// Where the calls go.
    pub async fn endpoint(&self, patience: &Patience) -> Result<Url, Error> {
        if let Some(endpoint) = &self.shared.account.endpoint {
            return Ok(endpoint.clone());
        }
        let region = self.region(patience).await?;
        let text = format!("https://{}", region.host("containerengine"));
        Url::parse(&text)
            .map_err(|_| ConfigError::new("region", format!("{text} is no address")).into())
    }

    /// The login's region: configured, or asked of the machine that it belongs to.
    pub async fn region(&self, patience: &Patience) -> Result<Region, Error> {
        let account = &self.shared.account;
        match (&account.region, &account.login) {
            (Some(region), _) => Ok(region.clone()),
            (None, Login::InstancePrincipal { .. }) => self.shared.auth.region(patience).await,
            (None, _) => Err(ConfigError::new("region", "there is no region").into()),
        }
    }

    /// Who signs now.
    pub(super) async fn signatory(&self, patience: &Patience) -> Result<Signatory, Error> {
        self.shared.auth.signatory(patience).await
    }

    /// The answer to a call, read as JSON.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        call: Call,
        patience: &Patience,
    ) -> Result<(T, Response), Error> {
        let label = call.label();
        let answer = self.send(call, patience).await?;
        match serde_json::from_slice(&answer.body) {
            Ok(value) => Ok((value, answer)),
            Err(error) => {
                let well_formed =
                    serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok();
                let reason = if well_formed {
                    format!("it is not what was asked for ({error})")
                } else {
                    format!("it is {}", answer.what_it_is_instead())
                };
                let request_id = answer.request_id();
                Err(Error::Unreadable { request: label, reason, request_id })
            }
        }
    }

    /// Sends until there is an answer that another try would not better. A success, or an error.
    pub(super) async fn send(&self, call: Call, patience: &Patience) -> Result<Response, Error> {
        let started = Instant::now();
        let id = retry::unique();
        let request = self.request(&call, &id, patience).await?;
        let mut signatory = self.signatory(patience).await?;
        let (mut attempt, mut renewed) = (1, false);
        loop {
            patience.check().map_err(|why| interrupted(why, &request, started))?;
            let signed_at = Instant::now();
            let signed = sign(request.clone(), &signatory, Covers::Host, clock::now());
            let signed = signed.map_err(|why| unsigned(&why))?;
            let outcome = self.shared.client.send(&signed, patience).await;
            if let Ok(answer) = &outcome
                && answer.status.as_u16() == 401
                && !renewed
            {
                renewed = true;
                // The transport waited as the service told it to, and the signature has grown old.
                if signed_at.elapsed() > SIGNATURE {
                    continue;
                }
                if let Some(other) = self.shared.auth.renewed(&signatory, patience).await? {
                    signatory = other;
                    continue;
                }
            }
            let (transient, told) = match &outcome {
                Ok(answer) => {
                    let code = retry::code(answer);
                    let status = answer.status.as_u16();
                    let changes = call.token.is_some();
                    let again = retry::answer_is_transient(status, code.as_deref(), changes);
                    (again, retry::told(answer))
                }
                Err(transport::Error::NoAnswer { may_have_acted, .. }) => (*may_have_acted, None),
                Err(_) => (false, None),
            };
            attempt += 1;
            let wait = retry::wait(&self.shared.backoff, attempt, told, retry::chance());
            let wait = wait.map(clock::wait).filter(|wait| transient && patience.allows(*wait));
            let Some(wait) = wait else { return judged(&signed, outcome, &id) };
            tracing::debug!(request = %request.label(), attempt, ?wait, "will be sent again");
            if patience.sleep(wait).await.is_err() {
                return judged(&signed, outcome, &id);
            }
        }
    }

    async fn request(&self, call: &Call, id: &str, patience: &Patience) -> Result<Request, Error> {
        let mut url = self.endpoint(patience).await?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push(VERSION.trim_start_matches('/')).extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = Request::new(call.method.clone(), url)
            .header(ACCEPT, HeaderValue::from_static(call.accept));
        request.idempotency = Idempotency::Once;
        request.body = call.body.clone().map(Into::into);
        let named =
            [(REQUEST_ID, Some(id)), (RETRY_TOKEN, call.token.as_ref().map(|token| &*token.0))];
        for (name, value) in named {
            if let Some(value) = value.and_then(|text| HeaderValue::from_str(text).ok()) {
                request.headers.insert(name, value);
            }
        }
        Ok(request)
    }
}

impl Call {
    pub(super) fn label(&self) -> String {
        format!("{} {VERSION}/{}", self.method, self.path.join("/"))
    }
}

/// A success, or the service's refusal.
fn judged(
    request: &Request,
    outcome: Result<Response, transport::Error>,
    id: &str,
) -> Result<Response, Error> {
    match outcome {
        Ok(answer) if answer.status.is_success() => Ok(answer),
        Ok(answer) => Err(Error::Api(Box::new(refusal(request, &answer))).sent_as(id)),
        Err(error) => Err(Error::from(error).sent_as(id)),
    }
}

fn refusal(request: &Request, answer: &Response) -> ApiError {
    let host = request.url.host_str().unwrap_or_default();
    ApiError {
        status: answer.status.as_u16(),
        code: retry::code(answer),
        message: request.message(answer),
        request_id: answer.request_id(),
        request: request.label(),
        host: request.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    }
}

pub(super) fn unsigned(why: &KeyError) -> Error {
    ConfigError::new("private_key", format!("the private key {why}")).into()
}

fn interrupted(why: Interruption, request: &Request, started: Instant) -> Error {
    let request = request.label();
    match why {
        Interruption::Cancelled => Error::Stopped { request },
        Interruption::OutOfTime => {
            Error::TimedOut { request, after: started.elapsed(), may_have_acted: false }
        }
    }
}

/// OCI takes a signature for five minutes.
const SIGNATURE: Duration = Duration::from_mins(4);

const REQUEST_ID: HeaderName = HeaderName::from_static("opc-request-id");
const RETRY_TOKEN: HeaderName = HeaderName::from_static("opc-retry-token");
