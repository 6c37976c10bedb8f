//! TLS by rustls and ring, given explicitly: whom to take for the server, and what to show of oneself.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::access::{Identity, Trust};
use crate::cloud::http::{self, Pem};

/// Complains in words that name no value.
pub(super) fn client_config(
    trust: &Trust,
    identity: Option<&Identity>,
) -> Result<ClientConfig, String> {
    let trust = http::Trust {
        cacert: match trust {
            Trust::Certificates(pem) => Some(Pem::Text(pem.as_str().into())),
            Trust::Anybody | Trust::System => None,
        },
        cert: identity.map(|identity| Pem::Text(identity.certificate.as_str().into())),
        key: identity.map(|identity| Pem::Text(identity.key.clone())),
        verify: !matches!(trust, Trust::Anybody),
    };
    let mut config = trust.client_config(true).map_err(|(part, why)| {
        let part = match part {
            "cacert" => "the cluster's CA",
            "cert" => "the client certificate",
            "key" => "the client key",
            other => other,
        };
        format!("{part} cannot be used: {why}")
    })?;
    // The client above speaks HTTP/1.1 only.
    config.alpn_protocols.clear();
    Ok(config)
}

/// What a server shows when it is asked by a client that takes anything.
pub(super) type Seen = Arc<Mutex<Vec<CertificateDer<'static>>>>;

/// For looking only: takes whatever certificates are shown, and writes them down.
pub(super) fn recording_config() -> Result<(ClientConfig, Seen), String> {
    let seen = Seen::default();
    let provider = provider();
    let recorder = Recorder { provider: Arc::clone(&provider), seen: Arc::clone(&seen) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(recorder))
        .with_no_client_auth();
    Ok((config, seen))
}

/// The certificates of a PEM text: one at least.
pub(super) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| "is not PEM".to_owned())?;
    if all.is_empty() { Err("holds no certificate".to_owned()) } else { Ok(all) }
}

/// The certificates of a PEM text, as roots.
pub(super) fn roots(pem: &str) -> Result<RootCertStore, String> {
    let all = certificates(pem).map_err(|why| format!("the CA {why}"))?;
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(all);
    if usable == 0 { Err("the CA holds no usable certificate".to_owned()) } else { Ok(roots) }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Takes any certificate. The handshake's signatures are still checked: whoever shows a certificate has its key.
#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    seen: Seen,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        let all = all.map(|certificate| certificate.clone().into_owned()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
