//! A client key and its certificate signing request. The key is made here and stays in memory.

use crate::redaction::SecretString;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SigningKey};
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, Tag};
use zeroize::{Zeroize, Zeroizing};

/// A fresh P-256 key; its encoded form is wiped when dropped.
pub struct ClientKey(KeyPair);

/// The random source failed, or a name cannot stand in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no client key and signing request could be made: {0}")]
pub struct KeyError(String);

impl ClientKey {
    pub fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256);
        pair.map(Self).map_err(|error| KeyError(error.to_string()))
    }

    /// PKCS #8, PEM.
    pub fn pem(&self) -> SecretString {
        let mut text = Zeroizing::new(self.0.serialize_pem());
        SecretString::from(std::mem::take(&mut *text))
    }

    /// Asks for a certificate that Kubernetes takes for `user` in `groups`; PKCS #10, PEM.
    ///
    /// The names are the subject's common name and organizations, in Kubernetes' reading. It asks for use by
    /// clients only, in an extension that a signer may leave out.
    pub fn signing_request(&self, user: &str, groups: &[String]) -> Result<String, KeyError> {
        for name in groups.iter().map(String::as_str).chain([user]) {
            if name.is_empty() {
                return Err(KeyError("a name is empty".to_owned()));
            }
            if name.chars().any(char::is_control) {
                return Err(KeyError(format!("the name {name:?} has a control character")));
            }
        }
        let info = yasna::construct_der(|writer| self.write_info(writer, user, groups));
        let signature = self.0.sign(&info).map_err(|error| KeyError(error.to_string()))?;
        let request = yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_der(&info);
                writer.next().write_sequence(|writer| {
                    writer.next().write_oid(&ObjectIdentifier::from_slice(ECDSA_WITH_SHA256));
                });
                writer.next().write_bitvec_bytes(&signature, signature.len() * 8);
            });
        });
        Ok(pem("CERTIFICATE REQUEST", &request))
    }

    /// `CertificationRequestInfo` of RFC 2986.
    fn write_info(&self, writer: DERWriter<'_>, user: &str, groups: &[String]) {
        writer.write_sequence(|writer| {
            writer.next().write_u8(0);
            writer.next().write_sequence(|writer| {
                for group in groups {
                    write_name(writer.next(), ORGANIZATION, group);
                }
                write_name(writer.next(), COMMON_NAME, user);
            });
            writer.next().write_der(&self.0.subject_public_key_info());
            writer.next().write_tagged_implicit(Tag::context(0), |writer| {
                writer.write_set(|writer| {
                    writer.next().write_sequence(|writer| {
                        writer.next().write_oid(&ObjectIdentifier::from_slice(EXTENSION_REQUEST));
                        writer.next().write_set(|writer| write_extensions(writer.next()));
                    });
                });
            });
        });
    }
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ClientKey([REDACTED])")
    }
}

impl Drop for ClientKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A name of its own: `rcgen` knows one value for each attribute, and a user may be in many groups.
fn write_name(writer: DERWriter<'_>, attribute: &[u64], value: &str) {
    writer.write_set(|writer| {
        writer.next().write_sequence(|writer| {
            writer.next().write_oid(&ObjectIdentifier::from_slice(attribute));
            writer.next().write_utf8_string(value);
        });
    });
}

/// Extended key usage: client authentication. Not critical.
fn write_extensions(writer: DERWriter<'_>) {
    let usage = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_oid(&ObjectIdentifier::from_slice(CLIENT_AUTH));
        });
    });
    writer.write_sequence(|writer| {
        writer.next().write_sequence(|writer| {
            writer.next().write_oid(&ObjectIdentifier::from_slice(EXTENDED_KEY_USAGE));
            writer.next().write_bytes(&usage);
        });
    });
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    // base64 is ASCII: any place is a character's boundary.
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

const CLIENT_AUTH: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 2];
const COMMON_NAME: &[u64] = &[2, 5, 4, 3];
const ECDSA_WITH_SHA256: &[u64] = &[1, 2, 840, 10045, 4, 3, 2];
const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
const EXTENSION_REQUEST: &[u64] = &[1, 2, 840, 113_549, 1, 9, 14];
const ORGANIZATION: &[u64] = &[2, 5, 4, 10];

#[cfg(test)]
mod tests;
