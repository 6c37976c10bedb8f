//! Sends requests: repeats what may be repeated, waits as told, drops what may be dropped.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use http::header::{HOST, HeaderValue};
use reqwest::Url;
use rustls::pki_types::ServerName;
use tokio::time::Instant;

use super::attempt::{self, Engine, Failure};
use super::names::Names;
use super::options::{Options, Way};
use super::pace::Pace;
use super::retry::{self, Tried};
use super::{Effect, Error, Interruption, Patience, Request, Response, lost};
use crate::clock;

pub use super::attempt::{Traffic, traffic};

/// A pool of connections with one trust. Cheap to clone; costs nothing before the first call.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    /// One for each [`Way`]: reading roots takes milliseconds and megabytes.
    engines: [OnceLock<Result<Engine, Error>>; 3],
}

impl Client {
    pub fn new(options: Options) -> Self {
        Self { shared: Arc::new(Shared { options, engines: Default::default() }) }
    }

    pub(super) fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Sends until there is an answer that another attempt would not better, and hands it up whatever its
    /// status. A request that may change something is awaited once it is in flight; one that only reads is
    /// dropped when `patience` ends. Waits between attempts end when it does, and what the last attempt
    /// brought is then the result.
    pub async fn send(&self, request: &Request, patience: &Patience) -> Result<Response, Error> {
        let started = Instant::now();
        request.check()?;
        let way = self.way(&request.url)?;
        let pace = Pace::of(&request.url);
        let (request, names) = &self.as_sent(request)?;
        let engine = self.engine(way, names.clone())?;
        patience.check().map_err(|why| interrupted(why, request, started))?;
        let mut tried = Tried::default();
        let mut last: Option<Result<Response, Failure>> = None;
        loop {
            if let Err(why) = patience.until(pace.turn()).await {
                return brought(last).unwrap_or_else(|| Err(interrupted(why, request, started)));
            }
            // on the heap: the engine's future is large, and every call's is around it
            let number = tried.attempts + 1;
            let attempt = Box::pin(attempt::send(&engine, request, &self.shared.options, number));
            let outcome = match request.effect {
                Effect::Changes => attempt.await,
                Effect::Reads => match patience.until(attempt).await {
                    Ok(outcome) => outcome,
                    Err(why) => return Err(interrupted(why, request, started)),
                },
            };
            let Some(wait) = self.wait(&outcome, request, patience, started, &mut tried) else {
                return outcome.map_err(|failure| failure.error);
            };
            if matches!(&outcome, Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS) {
                pace.limited(wait);
            }
            tracing::debug!(
                request = %request.label(),
                attempt = tried.attempts + 1,
                wait_ms = attempt::millis(wait),
                "will be sent again"
            );
            if patience.sleep(wait).await.is_err() {
                return outcome.map_err(|failure| failure.error);
            }
            last = Some(outcome);
        }
    }

    /// How long to wait before another attempt; None: this is the outcome.
    fn wait(
        &self,
        outcome: &Result<Response, Failure>,
        request: &Request,
        patience: &Patience,
        started: Instant,
        tried: &mut Tried,
    ) -> Option<Duration> {
        let backoff = &self.shared.options.backoff;
        let wait = match outcome {
            Ok(answer) => {
                let told = retry::retry_after(&answer.headers, clock::now());
                let limit = patience.deadline.is_none().then(|| started.elapsed());
                tried.after_answer(
                    backoff,
                    answer.status,
                    request.idempotency,
                    told,
                    limit,
                    chance(),
                )
            }
            Err(failure) => tried.after_loss(backoff, failure.loss, request.idempotency, chance()),
        };
        wait.map(clock::wait).filter(|wait| patience.allows(*wait))
    }

    /// A server that is called otherwise than its certificate is asked for by the certificate's name, so that
    /// it knows which certificate to show; the resolver knows where it is.
    pub(super) fn as_sent(&self, request: &Request) -> Result<(Request, Names), Error> {
        let mut request = request.clone();
        let Some(name) = self.stand_in(&request.url) else {
            return Ok((request, Names::default()));
        };
        let unsendable = |request: &Request| Error::Unsendable {
            request: request.label(),
            reason: format!("{name} cannot stand in for a host"),
        };
        let names = Names::standing_in(name, request.url.host_str().unwrap_or_default());
        let host = lost::place(&request.url);
        let host = HeaderValue::from_str(&host).map_err(|_| unsendable(&request))?;
        request.url.set_host(Some(name)).map_err(|_| unsendable(&request))?;
        request.headers.insert(HOST, host);
        Ok((request, names))
    }

    /// The name to ask for a server by, where that takes more than checking it. Through a proxy the server must
    /// be named as the proxy knows it, and an address is never said in TLS.
    fn stand_in(&self, url: &Url) -> Option<&str> {
        let name = self.shared.options.server_name.as_deref()?;
        let is_name = matches!(ServerName::try_from(name), Ok(ServerName::DnsName(_)));
        let here = self.way(url).is_ok_and(|way| way == Way::Direct) && url.scheme() == "https";
        (is_name && here).then_some(name)
    }

    pub(super) fn way(&self, url: &Url) -> Result<Way, Error> {
        let proxy = self.shared.options.proxies.for_url(url);
        let proxy =
            proxy.map_err(|error| Error::Setup { setting: error.setting, reason: error.reason })?;
        // the engine asks for a certificate by the brackets too; found out by it, the proxy would be blamed
        let is_ipv6 = url.host_str().is_some_and(|host| host.starts_with('['));
        if proxy.is_some() && url.scheme() == "https" && is_ipv6 {
            let reason = "a server that is named by an IPv6 address is not reached through a proxy: name it by a name, \
                          or spare the address by NO_PROXY";
            let setting = self.shared.options.proxies.setting_for(url);
            return Err(Error::Setup { setting, reason: reason.to_owned() });
        }
        Ok(match proxy {
            Some(_) => Way::Proxied,
            None if url.scheme() == "http" && is_loopback(url) => Way::Plain,
            None => Way::Direct,
        })
    }

    fn engine(&self, way: Way, names: Names) -> Result<Engine, Error> {
        let slot = &self.shared.engines[way as usize];
        slot.get_or_init(|| Engine::new(&self.shared.options, way, names)).clone()
    }
}

/// What an earlier attempt brought.
fn brought(last: Option<Result<Response, Failure>>) -> Option<Result<Response, Error>> {
    last.map(|outcome| outcome.map_err(|failure| failure.error))
}

pub(super) fn interrupted(why: Interruption, request: &Request, started: Instant) -> Error {
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

fn chance() -> f64 {
    // without randomness there is no spread, and nothing worse
    getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX))
}
