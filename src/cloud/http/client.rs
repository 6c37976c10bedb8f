//! Sends requests: builds the connection pool on first use, repeats what may be repeated.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::retry::{self, Backoff, Loss};
use super::trust::{Complaint, Trust};
use super::{Error, Interruption, Patience, Request, Response, Url};

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Options {
    pub trust: Trust,
    /// For one attempt, from connecting to the last byte of the answer.
    pub timeout: Duration,
    pub backoff: Backoff,
    /// The largest body that is read, in bytes.
    pub largest_body: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trust: Trust::default(),
            timeout: Duration::from_mins(1),
            backoff: Backoff::default(),
            largest_body: 32 * 1024 * 1024,
        }
    }
}

/// Calls of this process since it began, whatever came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent, retries counted.
    pub calls: u64,
    /// Bytes of bodies.
    pub sent: u64,
    pub received: u64,
}

static CALLS: AtomicU64 = AtomicU64::new(0);
static SENT: AtomicU64 = AtomicU64::new(0);
static RECEIVED: AtomicU64 = AtomicU64::new(0);

/// What this process has sent and received so far.
pub fn traffic() -> Traffic {
    Traffic {
        calls: CALLS.load(Ordering::Relaxed),
        sent: SENT.load(Ordering::Relaxed),
        received: RECEIVED.load(Ordering::Relaxed),
    }
}

/// A pool of connections with one trust. Cheap to clone; costs nothing before the first call.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    /// With roots; reading them takes milliseconds and megabytes.
    secure: OnceLock<Result<reqwest::Client, Complaint>>,
    /// Without roots, for `http` on loopback.
    plain: OnceLock<Result<reqwest::Client, Complaint>>,
}

impl Client {
    pub fn new(options: Options) -> Self {
        let (secure, plain) = (OnceLock::new(), OnceLock::new());
        Self { shared: Arc::new(Shared { options, secure, plain }) }
    }

    /// Sends until there is an answer that another attempt would not better, and hands it up
    /// whatever its status. A request in flight is awaited; waits between attempts end when
    /// `patience` does, and what the last attempt brought is then the result.
    pub async fn send(&self, request: &Request, patience: &Patience) -> Result<Response, Error> {
        let started = Instant::now();
        let client = self.pool_for(&request.url)?;
        patience.check().map_err(|why| interrupted(why, request, started))?;
        let backoff = &self.shared.options.backoff;
        let mut attempt = 1;
        loop {
            let outcome = self.attempt(&client, request, attempt).await;
            let told = match &outcome {
                Ok(answer) => retry::retry_after(&answer.headers, crate::clock::now()),
                Err(_) => None,
            };
            let transient = match &outcome {
                Ok(answer) => {
                    retry::answer_is_transient(answer.status, request.idempotency, told.is_some())
                }
                Err(failure) => retry::loss_is_transient(failure.loss, request.idempotency),
            };
            attempt += 1;
            let wait = retry::wait(backoff, attempt, told, chance()).filter(|_| transient);
            let Some(wait) = wait.filter(|wait| patience.allows(*wait)) else {
                return outcome.map_err(|failure| failure.error);
            };
            tracing::debug!(
                request = %request.label(),
                attempt,
                wait_ms = millis(wait),
                "will be sent again"
            );
            if patience.sleep(wait).await.is_err() {
                return outcome.map_err(|failure| failure.error);
            }
        }
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
        request: &Request,
        attempt: u32,
    ) -> Result<Response, Failure> {
        let started = Instant::now();
        let sent = request.body.as_ref().map_or(0, |body| body.len() as u64);
        CALLS.fetch_add(1, Ordering::Relaxed);
        SENT.fetch_add(sent, Ordering::Relaxed);
        let mut builder = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .timeout(self.shared.options.timeout);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let outcome = match builder.send().await {
            Ok(answer) => self.read(request, answer).await,
            Err(error) => Err(self.failure(request, &error)),
        };
        let ms = millis(started.elapsed());
        let (method, path) = (request.method.as_str(), request.url.path());
        match &outcome {
            Ok(answer) => tracing::debug!(
                method,
                path,
                attempt,
                ms,
                status = answer.status.as_u16(),
                request_id = answer.request_id().as_deref().unwrap_or_default(),
                bytes_sent = sent,
                bytes_received = answer.body.len(),
                calls_so_far = CALLS.load(Ordering::Relaxed),
                "HTTP"
            ),
            Err(failure) => {
                tracing::debug!(method, path, attempt, ms, error = %failure.error, "HTTP");
            }
        }
        outcome
    }

    async fn read(
        &self,
        request: &Request,
        mut answer: reqwest::Response,
    ) -> Result<Response, Failure> {
        let limit = self.shared.options.largest_body;
        let expected = answer
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
            .unwrap_or_default();
        let mut response = Response {
            status: answer.status(),
            headers: std::mem::take(answer.headers_mut()),
            body: Zeroizing::new(Vec::with_capacity(expected.min(64 * 1024))),
        };
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if response.body.len() + chunk.len() > limit => {
                    let error = Error::Unreadable {
                        request: request.label(),
                        reason: format!("it is larger than {limit} bytes"),
                        request_id: response.request_id(),
                    };
                    return Err(Failure { loss: Loss::Refused, error });
                }
                Ok(Some(chunk)) => {
                    RECEIVED.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                    response.body.extend_from_slice(&chunk);
                }
                Ok(None) => return Ok(response),
                Err(error) => {
                    let mut failure = self.failure(request, &error);
                    if let Error::NoAnswer { reason, .. } = &mut failure.error {
                        *reason = format!(
                            "after status {} it broke off: {reason}",
                            response.status.as_u16()
                        );
                    }
                    return Err(failure);
                }
            }
        }
    }

    fn failure(&self, request: &Request, error: &reqwest::Error) -> Failure {
        let host = request.url.host_str().unwrap_or_default();
        let place = match request.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let tls = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
        let (loss, reason) = match tls {
            Some(rustls::Error::InvalidCertificate(why)) => {
                (Loss::Refused, format!("the certificate of {place} is not trusted: {why}"))
            }
            Some(why @ (rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_))) => {
                (Loss::Refused, format!("{place} refuses the TLS handshake: {why}"))
            }
            _ if error.is_connect() => {
                (Loss::NotSent, format!("no connection to {place}: {}", innermost(error)))
            }
            _ if error.is_timeout() => {
                let limit = self.shared.options.timeout;
                (Loss::PerhapsSent, format!("nothing came from {place} within {limit:.1?}"))
            }
            _ if error.is_builder() => {
                (Loss::Refused, format!("it cannot be sent: {}", innermost(error)))
            }
            _ => (
                Loss::PerhapsSent,
                format!("the connection to {place} broke: {}", innermost(error)),
            ),
        };
        let may_have_acted = loss == Loss::PerhapsSent;
        Failure {
            loss,
            error: Error::NoAnswer { request: request.label(), reason, may_have_acted },
        }
    }

    fn pool_for(&self, url: &Url) -> Result<reqwest::Client, Error> {
        let secure = url.scheme() != "http" || !is_loopback(url);
        let slot = if secure { &self.shared.secure } else { &self.shared.plain };
        slot.get_or_init(|| build(&self.shared.options, secure))
            .clone()
            .map_err(|(setting, reason)| Error::Setup { setting, reason })
    }
}

/// An attempt without a complete answer.
struct Failure {
    loss: Loss,
    error: Error,
}

fn build(options: &Options, secure: bool) -> Result<reqwest::Client, Complaint> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(options.trust.client_config(secure)?)
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("PROVIDER_VERSION")))
        .connect_timeout(options.timeout.min(Duration::from_secs(15)))
        // shorter than any usual server's keep-alive, so that no call is lost on a dying connection
        .pool_idle_timeout(Duration::from_millis(1500))
        // a redirect would carry the token to a host that nobody configured
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| ("cacert", innermost(&error)))
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

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn causes<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        // io::Error hides what it wraps from `source`
        match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        }
    })
}

/// The cause at the bottom, which says what happened; the layers above only say where.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

fn chance() -> f64 {
    // without randomness there is no spread, and nothing worse
    getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX))
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
