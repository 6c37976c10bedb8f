//! What the tests of this client are written with: servers on loopback that answer what they are told to.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Access, Client, Limits, Settings};
use crate::cloud::Surroundings;
use crate::cloud::http::Patience;

/// Short, so that a test that fails does so soon.
pub(super) fn limits(attempts: u32) -> Limits {
    let second = Duration::from_secs(1);
    Limits { connect: second, request: second, attempts }
}

pub(super) fn patience() -> Patience {
    Patience::default()
}

pub(super) fn access(settings: &Settings) -> Access {
    Access::resolve(settings, &Surroundings::default()).unwrap()
}

pub(super) fn host(host: impl Into<String>) -> Settings {
    Settings { host: Some(host.into()), ..Settings::default() }
}

/// A client of a server that answers so, over plain HTTP.
pub(super) async fn client(answers: Router) -> Client {
    Client::with_limits(access(&host(serve(answers).await)), limits(2))
}

/// Where these answers are given.
pub(super) async fn serve(answers: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, answers).await.unwrap() });
    format!("http://{address}")
}

/// A port on which nobody listens.
pub(super) async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// A certificate authority of the test's own.
pub(super) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's configuration with a certificate for these names, valid until the end of 2029.
    pub(super) fn server(&self, names: &[&str]) -> ServerConfig {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "the server");
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        ServerConfig::builder_with_provider(super::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone(), self.0.der().clone()], key)
            .unwrap()
    }
}

/// A TLS server that hands each connection to `then`; its port.
pub(super) async fn serve_tls<F, R>(config: ServerConfig, then: F) -> u16
where
    F: Fn(TlsStream<TcpStream>) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not like what it sees hangs up.
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(then(stream));
            }
        }
    });
    port
}
