//! Handshakes with a real TLS server: whom a client believes, and what it shows.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::{Backoff, Client, Error, Method, Options, Patience, Request, Url};
use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key, both PEM.
fn leaf(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

struct Server {
    url: Url,
    connections: Arc<AtomicUsize>,
}

/// Answers 204 to everything; asks for a certificate of `clients` if given.
async fn serve(authority: &Authority, name: &str, clients: Option<&Authority>) -> Server {
    let (certificate, key) = leaf(authority, name);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            // a client that does not trust us goes away in the handshake
            let Ok(mut tls) = acceptor.accept(socket).await else { continue };
            let mut bytes = [0; 4096];
            let _ = tls.read(&mut bytes).await;
            let _ = tls.write_all(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n").await;
            let _ = tls.shutdown().await;
        }
    });
    Server { url: Url::parse(&format!("https://127.0.0.1:{port}/v3")).unwrap(), connections }
}

async fn ask(server: &Server, trust: Trust) -> Result<u16, Error> {
    let moment = Duration::from_millis(1);
    let backoff = Backoff { attempts: 3, first: moment, longest: moment, ..Backoff::default() };
    let client = Client::new(Options { trust, backoff, ..Options::default() });
    let request = Request::new(Method::GET, server.url.clone());
    client.send(&request, &Patience::default()).await.map(|answer| answer.status.as_u16())
}

#[expect(clippy::unnecessary_wraps, reason = "trust's parts are optional")]
fn pem(text: &str) -> Option<Pem> {
    Some(Pem::parse(text, None))
}

fn trusting(authority: &Authority) -> Trust {
    Trust { cacert: pem(&authority.pem()), ..Trust::default() }
}

#[tokio::test]
async fn a_strangers_certificate_is_refused_at_once() {
    let server = serve(&authority(), "127.0.0.1", None).await;
    for trust in [Trust::default(), trusting(&authority())] {
        let before = server.connections.load(Ordering::Relaxed);
        let error = ask(&server, trust).await.unwrap_err();
        let Error::NoAnswer { reason, may_have_acted: false, .. } = error else {
            panic!("{error}")
        };
        let place = server.url.authority();
        assert!(
            reason.starts_with(&format!("{place} shows a certificate that is not trusted: ")),
            "{reason}"
        );
        assert_eq!(server.connections.load(Ordering::Relaxed), before + 1, "tried again");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = authority();
    let server = serve(&authority, "other.example.com", None).await;
    let error = ask(&server, trusting(&authority)).await.unwrap_err();
    assert!(error.to_string().contains("is not trusted: "), "{error}");
}

#[tokio::test]
async fn cacert_is_pem_a_file_or_a_directory() {
    let (ours, other) = (authority(), authority());
    let server = serve(&ours, "127.0.0.1", None).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    // a bundle: what else is in it does no harm
    std::fs::write(&file, format!("# a bundle\n{}{}", other.pem(), ours.pem())).unwrap();
    for cacert in [ours.pem(), file.to_str().unwrap().to_owned()] {
        let trust = Trust { cacert: pem(&cacert), ..Trust::default() };
        assert_eq!(ask(&server, trust).await, Ok(204), "{cacert}");
    }
    // OpenSSL's c_rehash names
    std::fs::copy(&file, folder.path().join("0123abcd.0")).unwrap();
    let trust = Trust { cacert: pem(folder.path().to_str().unwrap()), ..Trust::default() };
    assert_eq!(ask(&server, trust).await, Ok(204));
}

#[tokio::test]
async fn without_verification_anybody_is_believed() {
    let server = serve(&authority(), "other.example.com", None).await;
    assert_eq!(ask(&server, Trust { verify: false, ..Trust::default() }).await, Ok(204));
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let (servers, clients) = (authority(), authority());
    let server = serve(&servers, "127.0.0.1", Some(&clients)).await;
    let (certificate, key) = leaf(&clients, "client");
    let apart = Trust { cert: pem(&certificate), key: pem(&key), ..trusting(&servers) };
    assert_eq!(ask(&server, apart).await, Ok(204));
    let together = Trust { cert: pem(&format!("{certificate}{key}")), ..trusting(&servers) };
    assert_eq!(ask(&server, together).await, Ok(204));
    let error = ask(&server, trusting(&servers)).await.unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }), "{error}");
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let (certificate, key) = leaf(&authority(), "client");
    let (_, other_key) = leaf(&authority(), "client");
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem").to_str().unwrap().to_owned();
    let url = Url::parse("https://127.0.0.1:1/v3").unwrap();
    let check = async |trust: Trust, setting: &str, what: &str| {
        let request = Request::new(Method::GET, url.clone());
        let client = Client::new(Options { trust, ..Options::default() });
        let error = client.send(&request, &Patience::default()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("{setting}: ")) && text.contains(what), "{text}");
        assert!(!text.contains("BEGIN"), "{text}");
    };
    let with = |cacert: Option<&str>, cert: Option<&str>, key: Option<&str>| Trust {
        cacert: cacert.and_then(pem),
        cert: cert.and_then(pem),
        key: key.and_then(pem),
        verify: true,
    };
    check(with(Some(&missing), None, None), "cacert", "cannot read").await;
    check(with(Some(&key), None, None), "cacert", "the PEM given holds no certificate").await;
    check(with(None, Some(&missing), None), "cert", "cannot read").await;
    check(with(None, Some(&certificate), None), "cert", "holds no private key").await;
    check(with(None, Some(&key), None), "cert", "holds no certificate").await;
    check(with(None, Some(&certificate), Some(&missing)), "key", "cannot read").await;
    check(with(None, Some(&certificate), Some(&certificate)), "key", "no private key").await;
    check(with(None, Some(&certificate), Some(&other_key)), "key", "another key").await;
    check(with(None, None, Some(&key)), "cert", "without its certificate").await;
}

#[test]
fn tilde_is_home() {
    let home = Path::new("/home/u");
    let file = |text: &str, home| match Pem::parse(text, home) {
        Pem::File(path) => path.to_str().unwrap().to_owned(),
        Pem::Text(_) => panic!(),
    };
    assert_eq!(file("~/ca.pem", Some(home)), "/home/u/ca.pem");
    assert_eq!(file("~/ca.pem", None), "~/ca.pem");
    assert_eq!(file("/ca.pem", Some(home)), "/ca.pem");
}

/// A name that leads nowhere does not widen trust to roots that nobody named.
#[test]
fn what_is_named_instead_of_the_systems_roots_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority().pem()).unwrap();
    let none = folder.path().join("none");
    let empty = tempfile::tempdir().unwrap();
    let count = |file: Option<&Path>, folders: &[&Path]| {
        let folders: Vec<_> = folders.iter().map(|folder| (*folder).to_owned()).collect();
        roots_of(file, &folders).map(|roots| roots.len())
    };
    assert_eq!(count(Some(&file), &[]), Ok(1));
    assert_eq!(count(None, &[folder.path()]), Ok(1));
    assert_eq!(count(Some(&none), &[folder.path()]), Ok(1));
    let pipe = empty.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (file, folders) in [
        (Some(none.as_path()), &[][..]),
        (None, &[none.as_path()]),
        (None, &[empty.path()]),
        // neither may hang or fill this process
        (Some(pipe.as_path()), &[][..]),
        (Some(Path::new("/dev/zero")), &[][..]),
    ] {
        let (setting, why) = count(file, folders).unwrap_err();
        assert_eq!(setting, "cacert");
        assert!(why.contains("SSL_CERT_FILE") && why.contains("no certificate"), "{why}");
    }
}
