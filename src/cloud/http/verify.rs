//! Whether the certificate that a server shows is to be believed: by roots as usual, by being itself one that was
//! given by hand, or whatever it is. The handshake's signatures are checked in each case: whoever shows a
//! certificate has its key.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, PeerMisbehaved, RootCertStore,
    SignatureScheme,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Version;

use super::signatures::{ALGORITHMS, provider};

/// Something about a certificate that the checker has no name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error(
        "it is of X.509 version 1, which cannot say what host it is for; have one issued with a subjectAltName"
    )]
    VersionOne,
}

/// Trusts what roots signed.
#[derive(Debug)]
pub(super) struct Checked {
    usual: Arc<WebPkiServerVerifier>,
    own: Vec<CertificateDer<'static>>,
    name: Option<ServerName<'static>>,
}

impl Checked {
    /// Trusts `own` certificates also where they are the server's. `name` instead of the host's.
    pub(super) fn new(
        roots: RootCertStore,
        own: Vec<CertificateDer<'static>>,
        name: Option<ServerName<'static>>,
    ) -> Result<Self, String> {
        let usual =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let usual = usual.map_err(|_| "it holds no certificate that can be used".to_owned())?;
        Ok(Self { usual, own, name })
    }
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = self.name.as_ref().unwrap_or(host);
        let usual =
            self.usual.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        let Err(error) = usual else { return usual };
        let certificate = parsed(end_entity)?;
        if certificate.version() == X509Version::V1 {
            return Err(flaw(Flaw::VersionOne));
        }
        if !self.own.iter().any(|own| own == end_entity) {
            return Err(error);
        }
        // nobody else vouches for it, and nobody else needs to
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let validity = certificate.validity();
        if seconds < validity.not_before.timestamp() {
            return Err(CertificateError::NotValidYet.into());
        }
        if seconds > validity.not_after.timestamp() {
            return Err(CertificateError::Expired.into());
        }
        let usage = certificate.extended_key_usage().ok().flatten();
        if usage.is_some_and(|usage| !usage.value.server_auth && !usage.value.any) {
            return Err(CertificateError::InvalidPurpose.into());
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
        Ok(ServerCertVerified::assertion())
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

/// Trusts whoever answers.
#[derive(Debug)]
pub(super) struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _host: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
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

/// Writes down what is shown, sees that it is the server's own, and ends the handshake before anything is sent.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    shown: Mutex<Vec<CertificateDer<'static>>>,
    proven: Mutex<bool>,
}

impl Recorder {
    /// The chain, if whoever showed it has its key.
    pub(super) fn seen(&self) -> Option<Vec<CertificateDer<'static>>> {
        let proven = *self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (proven && !shown.is_empty()).then_some(shown)
    }

    fn end(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        holds_the_key(message, certificate, signed)?;
        *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = true;
        Err(CertificateError::ApplicationVerificationFailure.into())
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _host: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        let all = all.map(|certificate| certificate.clone().into_owned()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.end(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.end(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ALGORITHMS.supported_schemes()
    }
}

/// By the certificate's key alone: the usual check reads the whole certificate, and stumbles over old ones.
pub(super) fn holds_the_key(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let certificate = parsed(certificate)?;
    let key = certificate.public_key();
    let algorithms = ALGORITHMS.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
    let algorithm = algorithms
        .flat_map(|(_, algorithms)| algorithms.iter())
        .find(|algorithm| is_of(key.raw, algorithm.public_key_alg_id().as_ref()))
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    algorithm
        .verify_signature(&key.subject_public_key.data, message, signed.signature())
        .map_err(|_| CertificateError::BadSignature)?;
    Ok(HandshakeSignatureValid::assertion())
}

/// Whether a `SubjectPublicKeyInfo` begins with this algorithm: a sequence in a sequence.
fn is_of(info: &[u8], algorithm: &[u8]) -> bool {
    let ([0x30, 0x82, _, _, content @ ..]
    | [0x30, 0x81, _, content @ ..]
    | [0x30, 0..=0x7f, content @ ..]) = info
    else {
        return false;
    };
    match content {
        [0x30, length, content @ ..] => {
            usize::from(*length) == algorithm.len() && content.starts_with(algorithm)
        }
        _ => false,
    }
}

fn parsed<'c>(certificate: &'c CertificateDer<'_>) -> Result<X509Certificate<'c>, Error> {
    let parsed = X509Certificate::from_der(certificate);
    Ok(parsed.map_err(|_| CertificateError::BadEncoding)?.1)
}

fn flaw(flaw: Flaw) -> Error {
    CertificateError::Other(OtherError(Arc::new(flaw))).into()
}
