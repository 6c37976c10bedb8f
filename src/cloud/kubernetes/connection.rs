//! The way to an API server: name, TCP, proxy, TLS, and the login on each request. Every step fails in its own
//! words. TLS is rustls with ring, given explicitly: what the process has as its default does not matter.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, Uri};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::client::Body;
use kube::client::middleware::BaseUriLayer;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower::{Service, ServiceBuilder, ServiceExt};
use zeroize::Zeroizing;

use super::access::{Access, Authorization, Proxy, Trust};
use super::{Unreachable, tls};

/// A step on the way that failed.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Failure {
    pub(super) cause: Unreachable,
    pub(super) reason: String,
}

/// Opens connections; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    proxy: Arc<Matcher>,
    /// As Go does it: nothing on this machine is reached through the environment's proxy.
    spares_loopback: bool,
    server_name: Option<String>,
    tls: Arc<ClientConfig>,
    time: Duration,
}

/// An open connection.
pub(super) struct Io(Box<dyn Bytes>);

/// Both directions of a stream of bytes.
trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A client over connections of our own: with the address, the login and the impersonation of this access.
pub(super) fn client(
    access: &Access,
    connector: Connector,
    authorization: &Authorization,
) -> kube::Client {
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .build::<_, Body>(connector);
    let authorization = authorization.clone();
    let impersonation = access.impersonation.0.clone();
    let service = ServiceBuilder::new()
        .layer(BaseUriLayer::new(access.server.clone()))
        .map_request(move |mut request: Request<Body>| {
            let headers = request.headers_mut();
            headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
            if let Some(value) = authorization_header(&authorization) {
                headers.insert(AUTHORIZATION, value);
            }
            for (name, value) in &impersonation {
                if let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(name), HeaderValue::from_str(value))
                {
                    headers.append(name, value);
                }
            }
            request
        })
        .service(http);
    kube::Client::new(service, "default")
}

impl Connector {
    /// Shows and trusts what `tls` says. `time` bounds the opening of one connection.
    pub(super) fn new(access: &Access, tls: ClientConfig, time: Duration) -> Self {
        let (proxy, spares_loopback) = match &access.proxy {
            Proxy::Environment { http, https, no } => {
                let matcher = Matcher::builder().http(&**http).https(&**https).no(&**no).build();
                (matcher, true)
            }
            Proxy::Url(url) => (Matcher::builder().all(url.expose_secret()).build(), false),
        };
        let server_name = access.server_name.clone();
        Self { proxy: Arc::new(proxy), spares_loopback, server_name, tls: Arc::new(tls), time }
    }

    /// Through the proxy if there is one, and with TLS if the address says so.
    pub(super) async fn open(&self, to: Uri) -> Result<Io, Failure> {
        let opening = async {
            let stream = match self.proxy_for(&to) {
                Some(proxy) => tunnel(&proxy, &to).await?,
                None => dial(&to).await?,
            };
            if to.scheme_str() == Some("http") {
                return Ok(stream);
            }
            handshake(Arc::clone(&self.tls), self.server_name(&to), stream).await
        };
        tokio::time::timeout(self.time, opening).await.unwrap_or_else(|_| {
            let reason = format!("no connection within {:?}", self.time);
            Err(Failure { cause: Unreachable::TimedOut, reason })
        })
    }

    /// The name that the certificate of this server must be for.
    pub(super) fn server_name<'n>(&'n self, to: &'n Uri) -> &'n str {
        self.server_name.as_deref().unwrap_or_else(|| host(to))
    }

    fn proxy_for(&self, to: &Uri) -> Option<Intercept> {
        let host = host(to);
        let loopback = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if loopback && self.spares_loopback { None } else { self.proxy.intercept(to) }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Io>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.open(to).await.map(TokioIo::new) })
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl Connection for Io {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

async fn dial(to: &Uri) -> Result<Io, Failure> {
    let host = host(to);
    let port = to.port_u16().unwrap_or(match to.scheme_str() {
        Some("https") => 443,
        Some("http") => 80,
        _ => 1080,
    });
    let failure = |cause, reason| Failure { cause, reason };
    let addresses = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| failure(Unreachable::Name, format!("{host} has no address: {error}")))?;
    let mut last = failure(Unreachable::Name, format!("{host} has no address"));
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A request is one small write: waiting to fill a packet only delays it.
                let _ = stream.set_nodelay(true);
                return Ok(Io(Box::new(stream)));
            }
            Err(error) => {
                let cause = match error.kind() {
                    io::ErrorKind::TimedOut => Unreachable::TimedOut,
                    _ => Unreachable::Refused,
                };
                last = failure(cause, format!("{address}: {error}"));
            }
        }
    }
    Err(last)
}

async fn handshake(tls: Arc<ClientConfig>, host: &str, stream: Io) -> Result<Io, Failure> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure {
        cause: Unreachable::Tls,
        reason: format!("{host:?} is no name that a certificate can have"),
    })?;
    match TlsConnector::from(tls).connect(name, stream).await {
        Ok(stream) => Ok(Io(Box::new(stream))),
        Err(error) => {
            let cause = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(
                    rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented,
                ) => Unreachable::Untrusted,
                Some(_) => Unreachable::Tls,
                None => Unreachable::Broken,
            };
            Err(Failure { cause, reason: error.to_string() })
        }
    }
}

/// Opens a way through the proxy; every failure up to there is the proxy's.
async fn tunnel(proxy: &Intercept, to: &Uri) -> Result<Io, Failure> {
    let at = proxy.uri();
    let failure = |error: &dyn StdError| Failure {
        cause: Unreachable::Proxy,
        reason: format!("the proxy at {}: {}", host(at), chain(error)),
    };
    let step = tower::service_fn(|at: Uri| async move {
        let stream = dial(&at).await?;
        if at.scheme_str() != Some("https") {
            return Ok(TokioIo::new(stream));
        }
        let failure = |reason| Failure { cause: Unreachable::Proxy, reason };
        let config = tls::client_config(&Trust::System, None).map_err(failure)?;
        handshake(Arc::new(config), host(&at), stream).await.map(TokioIo::new)
    });
    let scheme = at.scheme_str().unwrap_or_default();
    let stream = if scheme.starts_with("socks5") {
        let mut tunnel = SocksV5::new(at.clone(), step).local_dns(scheme == "socks5");
        if let Some((user, password)) = proxy.raw_auth() {
            tunnel = tunnel.with_auth(user.to_owned(), password.to_owned());
        }
        tunnel.oneshot(to.clone()).await.map_err(|error| failure(&error))?
    } else {
        let mut tunnel = Tunnel::new(at.clone(), step);
        if let Some(value) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(value.clone());
        }
        tunnel.oneshot(to.clone()).await.map_err(|error| failure(&error))?
    };
    Ok(stream.into_inner())
}

/// The host of an address; an IPv6 address without its brackets.
fn host(of: &Uri) -> &str {
    let host = of.host().unwrap_or_default();
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// None where there is none, or none that can be read: the server will then say 401.
fn authorization_header(authorization: &Authorization) -> Option<HeaderValue> {
    let text = match authorization {
        Authorization::Basic { username, password } => {
            let both = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
            format!("Basic {}", BASE64_STANDARD.encode(&*both))
        }
        Authorization::Token(token) => format!("Bearer {}", token.expose_secret()),
        Authorization::TokenFile(path) => {
            format!("Bearer {}", Zeroizing::new(std::fs::read_to_string(path).ok()?).trim())
        }
        // A plugin's token has become a Token by the time that requests are sent.
        Authorization::Exec(_) | Authorization::None => return None,
    };
    let mut value = HeaderValue::from_str(&Zeroizing::new(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An error with its causes; those that only repeat are left out.
pub(super) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

const AGENT: &str = concat!("terraform-provider-rekey/", env!("CARGO_PKG_VERSION"));
const IDLE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
