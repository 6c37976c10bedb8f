//! A certificate authority that really signs, as Magnum's are: five years, the request's own subject. Knows no
//! cluster and no HTTP. Its keys are of elliptic curves; Magnum's are RSA, which takes longer to make.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SigningKey,
};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::X509Extension;
use x509_parser::oid_registry::{
    OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_SUBJECT_ALT_NAME,
};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};
use yasna::Tag;
use yasna::models::ObjectIdentifier;
use yasna::tags::TAG_UTCTIME;

const DAY: i64 = 86_400;
/// Of Magnum's configuration, `[x509] term_of_validity`.
const VALID_DAYS: i64 = 365 * 5;
const ECDSA_WITH_SHA256: &[u64] = &[1, 2, 840, 10045, 4, 3, 2];

/// A CA with its key.
pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// Random numbers or names that no certificate can hold.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// Whom a client certificate is for, in Kubernetes' reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) user: String,
    pub(crate) groups: Vec<String>,
}

impl Authority {
    /// A new one of that name, valid from a day ago.
    pub(crate) fn new(name: &str, now: Timestamp) -> Result<Self, Broken> {
        Self::self_signed(params(name, now)?)
    }

    /// A new one that is valid from then for five years, to the second.
    pub(crate) fn exactly(name: &str, from: Timestamp) -> Result<Self, Broken> {
        let mut params = params(name, from)?;
        set_validity(&mut params, from, validity(from).1);
        Self::self_signed(params)
    }

    fn self_signed(mut params: CertificateParams) -> Result<Self, Broken> {
        let key = KeyPair::generate()?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem().trim_end().replace("\r\n", "\n"),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    /// PEM, without a line's end at the end.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server on loopback, and its key.
    pub(crate) fn server(
        &self,
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), Broken> {
        let key = KeyPair::generate()?;
        let mut params = params("kube-apiserver", now)?;
        params.subject_alt_names = ["127.0.0.1", "localhost", "kubernetes.default.svc"]
            .into_iter()
            .map(san)
            .collect::<Result<_, _>>()?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into())))
    }

    /// The certificate for a request, PEM: with the request's subject and what it asks for of uses and names.
    /// None where the request is none, or not signed by its own key.
    pub(crate) fn sign(&self, request: &str, serial: &[u8], now: Timestamp) -> Option<String> {
        let der = CertificateSigningRequestDer::from_pem_slice(request.as_bytes()).ok()?;
        let (_, request) = X509CertificationRequest::from_der(&der).ok()?;
        request.verify_signature().ok()?;
        let body = self.body(&request, serial, now);
        let signature = self.issuer.key().sign(&body).ok()?;
        let der = yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_der(&body);
                writer.next().write_sequence(|w| w.next().write_oid(&oid(ECDSA_WITH_SHA256)));
                writer.next().write_bitvec_bytes(&signature, signature.len() * 8);
            });
        });
        Some(pem("CERTIFICATE", &der))
    }

    /// `TBSCertificate` of RFC 5280. By hand: `rcgen` keeps one name of each kind, and a user is in many groups.
    fn body(
        &self,
        request: &X509CertificationRequest<'_>,
        serial: &[u8],
        now: Timestamp,
    ) -> Vec<u8> {
        let info = &request.certification_request_info;
        let asked: Vec<&X509Extension<'_>> = info
            .iter_attributes()
            .filter_map(|attribute| match attribute.parsed_attribute() {
                x509_parser::cri_attributes::ParsedCriAttribute::ExtensionRequest(asked) => {
                    Some(&asked.extensions)
                }
                _ => None,
            })
            .flatten()
            .filter(|extension| is_granted(extension))
            .collect();
        let issuer = X509Certificate::from_der(&self.certificate);
        let issuer = issuer.map(|(_, own)| own.subject().as_raw().to_vec()).unwrap_or_default();
        let (from, to) = validity(now);
        yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_tagged(Tag::context(0), |writer| writer.write_u8(2));
                writer.next().write_bigint_bytes(serial, true);
                writer.next().write_sequence(|w| w.next().write_oid(&oid(ECDSA_WITH_SHA256)));
                writer.next().write_der(&issuer);
                writer.next().write_sequence(|writer| {
                    for time in [from, to] {
                        // `YYMMDDhhmmssZ`, good until 2049.
                        let text = time.strftime("%y%m%d%H%M%SZ").to_string();
                        writer.next().write_tagged_implicit(TAG_UTCTIME, |writer| {
                            writer.write_bytes(text.as_bytes());
                        });
                    }
                });
                writer.next().write_der(info.subject.as_raw());
                writer.next().write_der(info.subject_pki.raw);
                if !asked.is_empty() {
                    writer.next().write_tagged(Tag::context(3), |writer| {
                        writer.write_sequence(|writer| {
                            for extension in &asked {
                                write_extension(writer.next(), extension);
                            }
                        });
                    });
                }
            });
        })
    }

    /// Whom a chain that a client showed is for; none where this authority did not sign it, or it is not valid now.
    pub(crate) fn recognizes(
        &self,
        chain: &[CertificateDer<'static>],
        now: Timestamp,
    ) -> Option<Subject> {
        let (first, others) = chain.split_first()?;
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).ok()?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider());
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        verifier.build().ok()?.verify_client_cert(first, others, now).ok()?;
        let (_, certificate) = X509Certificate::from_der(first).ok()?;
        let subject = certificate.subject();
        let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let user = texts(subject.iter_common_name().filter_map(|n| n.as_str().ok()).collect());
        let groups = texts(subject.iter_organization().filter_map(|n| n.as_str().ok()).collect());
        Some(Subject { user: user.first().cloned().unwrap_or_default(), groups })
    }
}

/// The one implementation of cryptography that is linked.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn params(name: &str, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let (from, to) = validity(now);
    set_validity(&mut params, from, to);
    Ok(params)
}

fn set_validity(params: &mut CertificateParams, from: Timestamp, to: Timestamp) {
    let date = |at: Timestamp| {
        let seconds = u64::try_from(at.as_second()).unwrap_or_default();
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    (params.not_before, params.not_after) = (date(from), date(to));
}

/// From a day ago for five years. From the machine's own time where the sandbox's clock runs ahead: clients whose
/// clock was not moved must be able to connect.
fn validity(now: Timestamp) -> (Timestamp, Timestamp) {
    let days = |days: i64| jiff::SignedDuration::from_secs(days * DAY);
    let from = now.min(Timestamp::now());
    let at = |time: Timestamp, by| time.saturating_add(by).unwrap_or(time);
    (at(from, days(-1)), at(now, days(VALID_DAYS)))
}

fn san(name: &str) -> Result<rcgen::SanType, rcgen::Error> {
    match name.parse() {
        Ok(address) => Ok(rcgen::SanType::IpAddress(address)),
        Err(_) => Ok(rcgen::SanType::DnsName(name.try_into()?)),
    }
}

/// Magnum's `[x509] allowed_extensions`, and no authority's certificate.
fn is_granted(extension: &X509Extension<'_>) -> bool {
    let allowed = [
        OID_X509_EXT_BASIC_CONSTRAINTS,
        OID_X509_EXT_EXTENDED_KEY_USAGE,
        OID_X509_EXT_KEY_USAGE,
        OID_X509_EXT_SUBJECT_ALT_NAME,
    ];
    let authority = match extension.parsed_extension() {
        ParsedExtension::BasicConstraints(constraints) => constraints.ca,
        ParsedExtension::KeyUsage(usage) => usage.key_cert_sign() || usage.crl_sign(),
        _ => false,
    };
    allowed.contains(&extension.oid) && !authority
}

fn write_extension(writer: yasna::DERWriter<'_>, extension: &X509Extension<'_>) {
    writer.write_sequence(|writer| {
        let parts: Vec<u64> = extension.oid.iter().map(Iterator::collect).unwrap_or_default();
        writer.next().write_oid(&oid(&parts));
        if extension.critical {
            writer.next().write_bool(true);
        }
        writer.next().write_bytes(extension.value);
    });
}

fn oid(parts: &[u64]) -> ObjectIdentifier {
    ObjectIdentifier::from_slice(parts)
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"))
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}
