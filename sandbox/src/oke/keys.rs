//! Keys of RSA, as Oracle's cloud knows them, and what is signed with them. Whose they are is `people`'s business.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;
use yasna::models::ObjectIdentifier;

const RSA_ENCRYPTION: &[u64] = &[1, 2, 840, 113_549, 1, 1, 1];

/// A public key of RSA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// As in PKCS#1.
    der: Vec<u8>,
    pub(crate) fingerprint: String,
}

impl Key {
    /// Of a private key (PKCS#8, PEM).
    pub(crate) fn of_private(pem: &str) -> Option<Self> {
        Some(Self::new(pair(pem)?.public_key().as_ref()))
    }

    /// Of a public key (PEM).
    pub(crate) fn of_public(pem: &str) -> Option<Self> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, info) = SubjectPublicKeyInfo::from_der(&der).ok()?;
        Some(Self::new(&info.subject_public_key.data))
    }

    fn new(der: &[u8]) -> Self {
        let info = yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    writer.next().write_oid(&ObjectIdentifier::from_slice(RSA_ENCRYPTION));
                    writer.next().write_null();
                });
                writer.next().write_bitvec_bytes(der, der.len() * 8);
            });
        });
        let bytes: Vec<_> = Md5::digest(info).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { der: der.to_owned(), fingerprint: bytes.join(":") }
    }

    /// As in PKCS#1.
    pub(crate) fn public(&self) -> &[u8] {
        &self.der
    }
}

/// A signature of that text by that private key, base64.
pub(crate) fn sign(private_key: &str, text: &str) -> Option<String> {
    let pair = pair(private_key)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    Some(BASE64_STANDARD.encode(signature))
}

/// Base64, as in `x-content-sha256`.
pub(crate) fn sha256(text: &str) -> String {
    BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()))
}

fn pair(pem: &str) -> Option<RsaKeyPair> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok()
}
