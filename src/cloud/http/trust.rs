//! Whom a connection trusts and what it shows of itself: roots, client certificate, `verify`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Somewhere that PEM comes from.
#[derive(Clone, Debug)]
pub enum Pem {
    /// Of roots also a directory.
    File(PathBuf),
    Text(SecretString),
}

impl Pem {
    /// PEM where it looks like PEM, else a path; `~` is the given home directory.
    pub fn parse(text: &str, home: Option<&Path>) -> Self {
        if text.contains("-----BEGIN") {
            return Self::Text(text.into());
        }
        let path = match (text.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        };
        Self::File(path)
    }

    fn read(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        match self {
            Self::File(path) => std::fs::read(path)
                .map(Zeroizing::new)
                .map_err(|error| format!("cannot read {}: {error}", path.display())),
            Self::Text(text) => Ok(Zeroizing::new(text.expose_secret().as_bytes().to_vec())),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Text(_) => "the PEM given".to_owned(),
        }
    }
}

/// Whom to trust. By default the system's roots, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name
/// instead; where there are none, the roots compiled in.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Trusted instead of all other roots.
    pub cacert: Option<Pem>,
    /// The client certificate, with its chain; with its key too, if `key` is not given.
    pub cert: Option<Pem>,
    pub key: Option<Pem>,
    /// False: any certificate will do.
    pub verify: bool,
}

impl Default for Trust {
    fn default() -> Self {
        Self { cacert: None, cert: None, key: None, verify: true }
    }
}

/// A setting that cannot be used, and why.
pub(in crate::cloud) type Complaint = (&'static str, String);

impl Trust {
    /// Reads the files it names. `secure` false: for connections that will not use TLS, no roots.
    pub(in crate::cloud) fn client_config(&self, secure: bool) -> Result<ClientConfig, Complaint> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| ("verify", error.to_string()))?;
        let builder = if self.verify {
            let roots = if secure { self.roots()? } else { RootCertStore::empty() };
            builder.with_root_certificates(roots)
        } else {
            let anything = Arc::new(AnyCertificate(provider));
            builder.dangerous().with_custom_certificate_verifier(anything)
        };
        let mut config = match self.identity()? {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| ("cert", format!("certificate and key do not serve: {error}")))?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, Complaint> {
        let mut roots = RootCertStore::empty();
        if let Some(cacert) = &self.cacert {
            let given = match cacert {
                Pem::File(path) if path.is_dir() => {
                    rustls_native_certs::load_certs_from_paths(None, Some(path)).certs
                }
                _ => certificates("cacert", cacert)?,
            };
            let (usable, _) = roots.add_parsable_certificates(given);
            if usable == 0 {
                return Err(("cacert", format!("{} holds no certificate", cacert.name())));
            }
            return Ok(roots);
        }
        let (usable, _) =
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if usable == 0 {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Ok(roots)
    }

    fn identity(
        &self,
    ) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Complaint> {
        let Some(cert) = &self.cert else {
            return match self.key {
                Some(_) => Err(("cert", "a key is given without its certificate".to_owned())),
                None => Ok(None),
            };
        };
        let chain = certificates("cert", cert)?;
        if chain.is_empty() {
            return Err(("cert", format!("{} holds no certificate", cert.name())));
        }
        let (setting, source) = self.key.as_ref().map_or(("cert", cert), |key| ("key", key));
        let pem = source.read().map_err(|why| (setting, why))?;
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| (setting, format!("{} holds no private key", source.name())))?;
        Ok(Some((chain, key)))
    }
}

fn certificates(
    setting: &'static str,
    source: &Pem,
) -> Result<Vec<CertificateDer<'static>>, Complaint> {
    let pem = source.read().map_err(|why| (setting, why))?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| (setting, format!("{} is not PEM", source.name())))
}

/// `verify = false`. The handshake's signatures are still checked; whose they are is not.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
