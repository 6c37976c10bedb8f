//! TLS servers for tests, and the authorities that vouch for them.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::signatures::{self, ALGORITHMS};
use super::verify::holds_the_key;

/// A certificate authority of the test's own.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's configuration with a certificate for these names, valid until the end of 2029.
    pub(crate) fn server(&self, names: &[&str]) -> ServerConfig {
        let (chain, key) = self.issue(names);
        builder().with_no_client_auth().with_single_cert(chain, key).unwrap()
    }

    /// The same, of a server that asks for a client's certificate, and takes any whose key the client has.
    pub(crate) fn asking_server(&self, names: &[&str]) -> ServerConfig {
        let (chain, key) = self.issue(names);
        builder().with_client_cert_verifier(Arc::new(Asking)).with_single_cert(chain, key).unwrap()
    }

    fn issue(&self, names: &[&str]) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "the server");
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let chain = vec![certificate.der().clone(), self.0.der().clone()];
        (chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

#[derive(Debug)]
struct Asking;

impl ClientCertVerifier for Asking {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        holds_the_key(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        holds_the_key(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ALGORITHMS.supported_schemes()
    }
}

fn builder() -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}

/// A TLS server that hands each connection to `then`; its port.
pub(crate) async fn serve_tls<F, R>(config: ServerConfig, then: F) -> u16
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

/// Reads one request and answers it with 200, an empty object, and goodbye.
pub(crate) async fn answer(mut stream: TlsStream<TcpStream>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    // who has gone away does not want it
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}

/// A server's configuration with this certificate and key, both PEM.
pub(crate) fn server_of(certificate: &str, key: &str) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).map(Result::unwrap);
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let key = signatures::signing_key(&key).unwrap();
    let certified = CertifiedKey::new(chain.collect(), key);
    builder().with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
}
