use rcgen::{PKCS_ECDSA_P384_SHA384, SignatureAlgorithm};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

/// A host's certificate on a curve that ring can sign with. That of Go, P-521, is tested with the
/// whole process.
struct Client {
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

impl Client {
    fn new(curve: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(curve).unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { key, certificate }
    }

    fn pem(&self) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }
}

/// What reaches the server of a connection by `client`, with these versions.
async fn connect(
    identity: &Identity,
    client: Option<(&CertificateDer<'static>, &KeyPair)>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    roots.add(identity.certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match client {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => config
            .with_client_auth_cert(
                vec![certificate.clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let acceptor = TlsAcceptor::from(Arc::clone(&identity.config));
    let connector = TlsConnector::from(Arc::new(config));
    let server = async {
        let mut stream = acceptor.accept(theirs).await?;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut heard = [0; 2];
        stream.read_exact(&mut heard).await?;
        Ok(heard.to_vec())
    };
    let client = async {
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, ours).await?;
        stream.write_all(b"hi").await?;
        stream.flush().await?;
        let _ = stream.read(&mut [0]).await;
        std::io::Result::Ok(())
    };
    let (heard, _) = tokio::join!(server, client);
    heard
}

const TLS13: &[&rustls::SupportedProtocolVersion] = &[&version::TLS13];

#[tokio::test]
async fn the_pinned_certificate_gets_in() {
    for curve in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384] {
        let client = Client::new(curve);
        let identity = identity(&client.pem()).unwrap();
        let holder = Some((&client.certificate, &client.key));
        assert_eq!(connect(&identity, holder, TLS13).await.unwrap(), b"hi");
    }
}

#[tokio::test]
async fn nobody_else_gets_in() {
    let client = Client::new(&PKCS_ECDSA_P256_SHA256);
    let other = Client::new(&PKCS_ECDSA_P256_SHA256);
    let identity = identity(&client.pem()).unwrap();
    // Another certificate with the same names.
    let stranger = Some((&other.certificate, &other.key));
    let refused = connect(&identity, stranger, TLS13).await.unwrap_err().to_string();
    assert!(refused.contains("ApplicationVerificationFailure"), "{refused}");
    // None at all.
    let refused = connect(&identity, None, TLS13).await.unwrap_err().to_string();
    assert!(refused.contains("no certificates"), "{refused}");
    // An older protocol.
    let holder = Some((&client.certificate, &client.key));
    connect(&identity, holder, &[&version::TLS12]).await.unwrap_err();
}

/// Of a host, on the curve P-521; its key was thrown away.
const HOSTS: &str = "\
-----BEGIN CERTIFICATE-----
MIICZDCCAcegAwIBAgIUOkWNXwRxpdMn2gtiZ4VacBno8hcwCgYIKoZIzj0EAwIw
KDESMBAGA1UECgwJYmVuY2htYXJrMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjYx
MTIyMTAzOTU5WhgPMjEyNjEwMjkxMDM5NTlaMCgxEjAQBgNVBAoMCWJlbmNobWFy
azESMBAGA1UEAwwJbG9jYWxob3N0MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQA
zZ3H8iyn/UjDrf05awKyiCJIQG4mp9ON+LXWEZzrufx27ivU5LkV6drf/baLTOwd
A6CsjqH6QgwhW+DMVWHKSHcBr5hh5wypG5JO6rrtGe6WwhXDbxA/cV1j4yihHuid
u7JMUTlJ4DxbrkaK4x9MHvQlGbuPKqcVwfu4S7vq1Q6K31yjgYkwgYYwHQYDVR0O
BBYEFCekJoi3YjdAB+7EMDy+jzBIePjCMB8GA1UdIwQYMBaAFCekJoi3YjdAB+7E
MDy+jzBIePjCMA8GA1UdEwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0
MB0GA1UdJQQWMBQGCCsGAQUFBwMCBggrBgEFBQcDATAKBggqhkjOPQQDAgOBigAw
gYYCQUAQ9PnJAKfeFJq28vySXCq+jMeYWHjZLjTTm5iBED5e5Yn9nVH/w6gikYfw
eLnZl45Z8Ai2B3ZmZFXpaqxmF65zAkFPEJINQSMm9CYj5QiF1eQeXjEcn6SvtZuE
Y8/lVmYi5AlBaTZxHNpKf2KhiDefR0A1nhBE5MjhQzxQhWb2ki9idQ==
-----END CERTIFICATE-----";

#[test]
fn the_pinned_certificate_without_its_key_is_nothing() {
    use p521::ecdsa::signature::Signer as _;
    let refused = Error::from(CertificateError::BadSignature);
    let certificate = CertificateDer::from_pem_slice(HOSTS.as_bytes()).unwrap();
    let mut scalar = [0; 66];
    scalar[65] = 7;
    let another = p521::ecdsa::SigningKey::from_bytes(&scalar.into()).unwrap();
    let signature: p521::ecdsa::Signature = another.sign(b"message");
    // As it must be in every respect, but made by another key.
    let made = signature.to_der();
    assert_eq!(verify_p521(b"message", &certificate, made.as_bytes()).unwrap_err(), refused);
    assert_eq!(verify_p521(b"message", &certificate, b"").unwrap_err(), refused);
    // A P-256 key under the scheme of P-521.
    let certificate = Client::new(&PKCS_ECDSA_P256_SHA256).certificate;
    assert_eq!(verify_p521(b"message", &certificate, made.as_bytes()).unwrap_err(), refused);
}

#[test]
fn a_fresh_certificate_each_time() {
    let pem = Client::new(&PKCS_ECDSA_P256_SHA256).pem();
    let (one, two) = (identity(&pem).unwrap(), identity(&pem).unwrap());
    assert_ne!(one.certificate, two.certificate);
    // Hosts take what is longer than 50 characters for a certificate.
    assert!(one.certificate.len() > 100);
}

#[test]
fn what_is_no_certificate_is_refused_before_anything_listens() {
    let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "nonsense", empty, nonsense] {
        assert!(matches!(identity(pem), Err(TlsError::Client)), "{pem:?}");
    }
}
