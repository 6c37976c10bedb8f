//! What a certificate says of itself, and whether a CA signed a chain. Decides nothing about trust between
//! machines: the transport does.

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::cloud::http::signature_algorithms;

/// What can be read in a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Of the whole certificate, in lower-case hexadecimal without separators.
    pub sha256: String,
    pub subject: String,
    pub issuer: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// Names and addresses that it is for.
    pub names: Vec<String>,
    pub is_ca: bool,
}

/// Not PEM, or not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CertificateError(String);

/// How a chain looks to somebody who trusts one CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Signed by it, for this name, at this time.
    Trusted,
    /// Signed by it, but the present time is outside of a certificate's validity.
    Expired,
    /// Signed by it, but for other names.
    WrongName,
    /// Signed by another.
    UnknownIssuer,
    /// Refused for another reason.
    Refused(String),
}

impl Certificate {
    /// All certificates of a PEM text, in its order; one at least.
    pub fn parse(pem: &str) -> Result<Vec<Self>, CertificateError> {
        let all = certificates(pem);
        let all = all.map_err(|why| CertificateError(format!("the certificate {why}")))?;
        all.iter().map(|der| Self::from_der(der)).collect()
    }

    pub(super) fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let unreadable = || CertificateError("a certificate cannot be read".to_owned());
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| unreadable())?;
        let time = |time: i64| Timestamp::from_second(time).map_err(|_| unreadable());
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|extension| &extension.value.general_names);
        Ok(Self {
            sha256: hex(&Sha256::digest(der)),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            not_before: time(certificate.validity().not_before.timestamp())?,
            not_after: time(certificate.validity().not_after.timestamp())?,
            names: names.filter_map(name).collect(),
            is_ca: certificate.is_ca(),
        })
    }
}

/// Looks at a chain (the server's own certificate first) as a client that trusts `ca` and asked for `name` does.
pub(super) fn judge(
    chain: &[CertificateDer<'static>],
    name: &ServerName<'_>,
    ca: &RootCertStore,
    now: Timestamp,
) -> Verdict {
    let Some((end, intermediates)) = chain.split_first() else {
        return Verdict::Refused("the server shows no certificate".to_owned());
    };
    let parsed = match ParsedCertificate::try_from(end) {
        Ok(parsed) => parsed,
        Err(error) => return verdict(&error),
    };
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let algorithms = signature_algorithms();
    let signed =
        verify_server_cert_signed_by_trust_anchor(&parsed, ca, intermediates, now, algorithms);
    match signed.and_then(|()| verify_server_name(&parsed, name)) {
        Ok(()) => Verdict::Trusted,
        Err(error) => verdict(&error),
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Trusted => "trusted",
            Self::Expired => "signed by it, but not valid at this time",
            Self::WrongName => "signed by it, but for other names",
            Self::UnknownIssuer => "signed by another CA",
            Self::Refused(why) => why,
        })
    }
}

/// The certificates of a PEM text: one at least. What stands around and between them does not matter.
pub(super) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Vec<_> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok).collect();
    if all.is_empty() { Err("is not PEM".to_owned()) } else { Ok(all) }
}

/// The certificates of a PEM text, as roots.
pub(super) fn roots(pem: &str) -> Result<RootCertStore, String> {
    let all = certificates(pem).map_err(|why| format!("the CA {why}"))?;
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(all);
    if usable == 0 { Err("the CA holds no usable certificate".to_owned()) } else { Ok(roots) }
}

fn verdict(error: &rustls::Error) -> Verdict {
    use rustls::CertificateError as Reason;
    let rustls::Error::InvalidCertificate(reason) = error else {
        return Verdict::Refused(error.to_string());
    };
    match reason {
        Reason::Expired
        | Reason::ExpiredContext { .. }
        | Reason::NotValidYet
        | Reason::NotValidYetContext { .. } => Verdict::Expired,
        Reason::NotValidForName | Reason::NotValidForNameContext { .. } => Verdict::WrongName,
        // The same subject and another key: a CA that was renewed under its old name.
        Reason::BadSignature | Reason::UnknownIssuer => Verdict::UnknownIssuer,
        other => Verdict::Refused(other.to_string()),
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => {
                <[u8; 4]>::try_from(*bytes).ok().map(|ip| std::net::Ipv4Addr::from(ip).to_string())
            }
            16 => {
                <[u8; 16]>::try_from(*bytes).ok().map(|ip| std::net::Ipv6Addr::from(ip).to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
