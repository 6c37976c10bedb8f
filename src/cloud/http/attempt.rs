//! One attempt: the connections, a request sent over one of them, and its answer read as far as the bound.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use reqwest::Proxy;
use rustls::ClientConfig;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::names::Names;
use super::options::{Options, Way};
use super::retry::Loss;
use super::{Error, Request, Response, Unreachable, lost, proxy_words};

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

/// The connections of one client that go one way.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    client: reqwest::Client,
    way: Way,
}

impl Engine {
    /// Reads the files that the trust names.
    pub(super) fn new(options: &Options, way: Way, names: Names) -> Result<Self, Error> {
        let tls = options.trust.client_config(way != Way::Plain, options.server_name.as_deref());
        let tls = tls.map_err(|(setting, reason)| Error::Setup { setting, reason })?;
        Self::with_tls(options, way, names, tls)
    }

    /// With another trust than the options'.
    pub(super) fn with_tls(
        options: &Options,
        way: Way,
        names: Names,
        tls: ClientConfig,
    ) -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("PROVIDER_VERSION")))
            .connect_timeout(options.connect.min(options.timeout))
            .dns_resolver(names)
            .pool_idle_timeout(options.idle)
            // a redirect would carry the token to a host that nobody configured
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        let builder = match way {
            Way::Direct | Way::Plain => builder,
            Way::Proxied => {
                let proxies = options.proxies.clone();
                // one that cannot be used was an error before anything came here
                builder.proxy(Proxy::custom(move |url| proxies.for_url(url).ok().flatten()))
            }
        };
        let client = builder
            .build()
            .map_err(|error| Error::Setup { setting: "cacert", reason: lost::innermost(&error) })?;
        Ok(Self { client, way })
    }
}

/// An attempt without a complete answer.
pub(super) struct Failure {
    pub(super) loss: Loss,
    pub(super) error: Error,
}

pub(super) async fn send(
    engine: &Engine,
    request: &Request,
    options: &Options,
    attempt: u32,
) -> Result<Response, Failure> {
    let started = Instant::now();
    let sent = request.body.as_ref().map_or(0, |body| body.len() as u64);
    CALLS.fetch_add(1, Ordering::Relaxed);
    SENT.fetch_add(sent, Ordering::Relaxed);
    let mut builder = engine
        .client
        .request(request.method.clone(), request.url.clone())
        .headers(request.headers.clone())
        .timeout(options.timeout);
    if let Some(body) = &request.body {
        builder = builder.body(body.clone());
    }
    let outcome = match builder.send().await {
        Ok(answer) => read(engine, request, answer, options).await,
        Err(error) => Err(failure(engine, request, options, &error, None).await),
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

/// The status of a refusal is an answer by itself, so one whose words break off or never end is handed up with what
/// there is of them: it was not lost, and sending it again would be another refused login.
async fn read(
    engine: &Engine,
    request: &Request,
    mut answer: reqwest::Response,
    options: &Options,
) -> Result<Response, Failure> {
    let limit = options.largest_body;
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
    let refuses = !response.status.is_success();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if response.body.len() + chunk.len() > limit && refuses => {
                return Ok(response);
            }
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
            Err(_) if refuses => return Ok(response),
            Err(error) => {
                let status = Some(response.status.as_u16());
                return Err(failure(engine, request, options, &error, status).await);
            }
        }
    }
}

/// `status`: of the answer that broke off.
async fn failure(
    engine: &Engine,
    request: &Request,
    options: &Options,
    error: &reqwest::Error,
    status: Option<u16>,
) -> Failure {
    let place = lost::place(&request.url);
    let proxy = match engine.way {
        Way::Proxied => options.proxies.for_url(&request.url).ok().flatten(),
        Way::Direct | Way::Plain => None,
    };
    let at = proxy.as_ref().map(lost::place);
    let mut lost = lost::judge(error, &place, at.as_deref(), status.is_some());
    if let (Some(proxy), Unreachable::Proxy, Loss::Refused) = (&proxy, lost.cause, lost.loss)
        && let Some(said) = proxy_words::ask(proxy, &request.url).await
    {
        lost.reason = format!("the proxy at {} {said}", lost::place(proxy));
    }
    if lost.cause == Unreachable::Proxy {
        lost.reason = format!("{} ({})", lost.reason, options.proxies.setting_for(&request.url));
    }
    let reason = match status {
        Some(status) => format!("after status {status} it broke off: {}", lost.reason),
        None => lost.reason,
    };
    let arrived = matches!(lost.loss, Loss::PerhapsSent | Loss::NoHttp);
    let may_have_acted = arrived && request.effect == super::Effect::Changes;
    let request = request.label();
    let error = Error::NoAnswer { request, cause: lost.cause, reason, may_have_acted };
    Failure { loss: lost.loss, error }
}

pub(super) fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
