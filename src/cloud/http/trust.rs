//! Whom a connection trusts and what it shows of itself: roots, client certificate, `verify`. How a server's
//! certificate is then checked is in `verify`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use zeroize::Zeroizing;

use super::signatures::{self, provider};
use super::verify::{Anybody, Checked};
use crate::cloud::files;
use crate::redaction::{ExposeSecret, SecretString};

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
            Self::File(path) => files::read(path, files::LARGEST)
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
    /// Reads the files it names. `secure` false: for connections that will not use TLS, no roots. `name`: what
    /// the server's certificate must be for, if not the host's.
    pub(in crate::cloud) fn client_config(
        &self,
        secure: bool,
        name: Option<&str>,
    ) -> Result<ClientConfig, Complaint> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| ("verify", error.to_string()))?;
        let builder = if self.verify && secure {
            let name = name.map(|name| ServerName::try_from(name.to_owned())).transpose().map_err(
                |_| ("tls_server_name", "it is no name that a certificate can have".to_owned()),
            )?;
            let (roots, own) = self.roots()?;
            let checked = Checked::new(roots, own, name).map_err(|why| ("cacert", why))?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(checked))
        } else if self.verify {
            builder.with_root_certificates(RootCertStore::empty())
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody))
        };
        let mut config = match self.identity()? {
            Some(identity) => {
                let mut config =
                    builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
                // who the client is must be shown each time: some servers forget it with the session
                config.resumption = Resumption::disabled();
                config
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// The roots, and those that were given by hand one by one.
    fn roots(&self) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), Complaint> {
        let Some(cacert) = &self.cacert else { return Ok((system_roots()?, Vec::new())) };
        let mut roots = RootCertStore::empty();
        let given = match cacert {
            Pem::File(path) if path.is_dir() => {
                rustls_native_certs::load_certs_from_paths(None, Some(path)).certs
            }
            _ => certificates("cacert", cacert)?,
        };
        let (usable, _) = roots.add_parsable_certificates(given.iter().cloned());
        if usable == 0 {
            return Err(("cacert", format!("{} holds no certificate", cacert.name())));
        }
        Ok((roots, given))
    }

    fn identity(&self) -> Result<Option<CertifiedKey>, Complaint> {
        let Some(cert) = &self.cert else {
            return match self.key {
                Some(_) => Err(("cert", "a key is given without its certificate".to_owned())),
                None => Ok(None),
            };
        };
        let chain = certificates("cert", cert)?;
        let Some(end) = chain.first() else {
            return Err(("cert", format!("{} holds no certificate", cert.name())));
        };
        let unreadable =
            |_| ("cert", format!("the first certificate of {} cannot be read", cert.name()));
        let (_, end) = X509Certificate::from_der(end).map_err(unreadable)?;
        let (setting, source) = self.key.as_ref().map_or(("cert", cert), |key| ("key", key));
        let pem = source.read().map_err(|why| (setting, why))?;
        let key = PrivateKeyDer::pem_slice_iter(&pem).find_map(Result::ok).ok_or_else(|| {
            let encrypted = pem.windows(9).any(|word| word == b"ENCRYPTED");
            let why = if encrypted {
                ": it is encrypted, and nobody can be asked for the password"
            } else {
                ""
            };
            (setting, format!("{} holds no private key that can be read{why}", source.name()))
        })?;
        let key = signatures::signing_key(&key)
            .ok_or_else(|| (setting, format!("{}: {}", source.name(), unusable_key(&end))))?;
        if key.public_key().is_some_and(|public| public.as_ref() != end.public_key().raw) {
            return Err((
                setting,
                format!("{} holds another key than the certificate's", source.name()),
            ));
        }
        drop(end);
        Ok(Some(CertifiedKey::new(chain, key)))
    }
}

/// Those of the system, or of what `SSL_CERT_FILE` and `SSL_CERT_DIR` name instead.
fn system_roots() -> Result<RootCertStore, Complaint> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let file = named("SSL_CERT_FILE").map(PathBuf::from);
    let folders = named("SSL_CERT_DIR").map(|list| std::env::split_paths(&list).collect());
    if file.is_some() || folders.is_some() {
        return roots_of(file.as_deref(), &folders.unwrap_or_else(Vec::new));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(roots)
}

/// Those that somebody named. Where they are not there nobody is trusted, rather than others.
fn roots_of(file: Option<&Path>, folders: &[PathBuf]) -> Result<RootCertStore, Complaint> {
    let mut roots = RootCertStore::empty();
    for folder in folders {
        let found = rustls_native_certs::load_certs_from_paths(None, Some(folder.as_path()));
        roots.add_parsable_certificates(found.certs);
    }
    // like any file that somebody named: a pipe or a device would be read without an end
    let found = file.map(|file| certificates("cacert", &Pem::File(file.to_owned())));
    roots.add_parsable_certificates(found.and_then(Result::ok).unwrap_or_default());
    if roots.is_empty() {
        let why = "SSL_CERT_FILE or SSL_CERT_DIR is set and leads to no certificate, so nobody is trusted";
        return Err(("cacert", why.to_owned()));
    }
    Ok(roots)
}

/// Why TLS cannot sign with the key of this certificate.
fn unusable_key(certificate: &X509Certificate<'_>) -> String {
    let of = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("an RSA key of {} bits", key.key_size()),
        _ => "a key of this kind".to_owned(),
    };
    format!(
        "{of} cannot be used here: ask for a certificate with an ECDSA key, Ed25519, or RSA of 2048 to 4096 bits"
    )
}

/// Those that can be read; what stands around and between them does not matter.
fn certificates(
    setting: &'static str,
    source: &Pem,
) -> Result<Vec<CertificateDer<'static>>, Complaint> {
    let pem = source.read().map_err(|why| (setting, why))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let is_pem = pem.windows(10).any(|begin| begin == b"-----BEGIN");
    let what = if is_pem { "holds no certificate that can be read" } else { "is not PEM" };
    Err((setting, format!("{} {what}", source.name())))
}
