//! RSA keys that requests are signed with: read from the PEM that Oracle's tools write, or made for a
//! session.
//!
//! Not for files and passphrases: where a key comes from is the configuration's business.

mod generate;
mod unlock;

#[cfg(test)]
mod tests;

use crate::redaction::SecretString;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use pem::Pem;
use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

/// A private key of 2048 to 4096 bits.
pub struct Key {
    pair: RsaKeyPair,
    fingerprint: String,
    /// DER, `SubjectPublicKeyInfo`.
    public: Vec<u8>,
}

/// Why there is no key; completes "the key …". Says nothing of what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "is encrypted with {0}, which cannot be read here; write it anew with `openssl rsa -aes256 -in OLD -out NEW`"
    )]
    Cipher(String),
    #[error("cannot be made: {0}")]
    NotMade(&'static str),
    #[error("is encrypted, and there is no passphrase for it; give private_key_password")]
    NeedsPassphrase,
    #[error("is no private key in PEM: there is no line -----BEGIN … PRIVATE KEY-----")]
    NotPem,
    #[error("is {0}; OCI takes RSA keys only, as `oci setup keys` makes them")]
    OtherKind(String),
    #[error("is longer than 4096 bits, which cannot be used here")]
    TooLong,
    #[error("is shorter than 2048 bits, which OCI refuses; make another with `oci setup keys`")]
    TooShort,
    #[error("cannot be read: {0}")]
    Unreadable(String),
    #[error("cannot be decrypted: its passphrase is another one")]
    WrongPassphrase,
}

impl Key {
    /// PKCS#1 or PKCS#8, plain or encrypted. What stands around it is passed over, such as the line
    /// `OCI_API_KEY` that Oracle's console adds; a `\n` written out is taken for the end of a line,
    /// as in a variable. A passphrase for a key that has none is passed over too.
    pub fn from_pem(text: &str, passphrase: Option<&SecretString>) -> Result<Self, KeyError> {
        let lines = Zeroizing::new(text.replace("\\r", "").replace("\\n", "\n"));
        let blocks = pem::parse_many(lines.as_bytes()).map_err(|_| damaged(&lines))?;
        let is_private = |block: &&Pem| block.tag().ends_with("PRIVATE KEY");
        let Some(block) = blocks.iter().find(is_private) else {
            return Err(match blocks.first() {
                Some(other) => KeyError::OtherKind(kind(other.tag())),
                None => damaged(&lines),
            });
        };
        let locked =
            block.headers().get("Proc-Type").is_some_and(|kind| kind.contains("ENCRYPTED"));
        let pair = match block.tag() {
            "ENCRYPTED PRIVATE KEY" => {
                let der = unlock::pkcs8(block.contents(), passphrase)?;
                // A wrong passphrase gives rubbish that looks padded once in 256 times.
                RsaKeyPair::from_pkcs8(&der).map_err(|why| unlocked(why, &der))
            }
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(block.contents()).map_err(rejected),
            "RSA PRIVATE KEY" if locked => {
                let info = block.headers().get("DEK-Info").unwrap_or_default();
                let der = unlock::pkcs1(block.contents(), info, passphrase)?;
                RsaKeyPair::from_der(&der).map_err(|why| unlocked(why, &der))
            }
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(block.contents()).map_err(rejected),
            other => Err(KeyError::OtherKind(kind(other))),
        };
        Ok(Self::of(pair?))
    }

    /// A new one of 2048 bits, for a session. Takes a good part of a second.
    pub fn generate() -> Result<Self, KeyError> {
        generate::pair().map(Self::of)
    }

    fn of(pair: RsaKeyPair) -> Self {
        let public = public_key_info(pair.public_key().as_ref());
        let digest = Md5::digest(&public);
        let pairs: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { pair, fingerprint: pairs.join(":"), public }
    }

    /// As the console shows it: the MD5 of the public key, in pairs.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The public key as PEM without its first and last line, on one line.
    pub fn public_base64(&self) -> String {
        BASE64_STANDARD.encode(&self.public)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, in base64.
    pub fn sign(&self, text: &str) -> Result<String, KeyError> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| KeyError::Unreadable("it does not sign".to_owned()))?;
        Ok(BASE64_STANDARD.encode(signature))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// A text without any whole block of PEM.
fn damaged(text: &str) -> KeyError {
    if text.contains("-----BEGIN") {
        KeyError::Unreadable("its PEM is cut off or damaged".to_owned())
    } else {
        KeyError::NotPem
    }
}

fn kind(tag: &str) -> String {
    match tag {
        "CERTIFICATE" => "a certificate".to_owned(),
        "EC PRIVATE KEY" => "an EC key".to_owned(),
        "OPENSSH PRIVATE KEY" => "a key in OpenSSH's format".to_owned(),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "a public key, not the private one".to_owned(),
        other => format!("PEM of another kind, {other:?}"),
    }
}

fn rejected(why: KeyRejected) -> KeyError {
    match why.to_string().as_str() {
        "TooSmall" => KeyError::TooShort,
        "TooLarge" => KeyError::TooLong,
        "WrongAlgorithm" => KeyError::OtherKind("a key of another kind than RSA".to_owned()),
        other => {
            KeyError::Unreadable(format!("its contents are not those of an RSA key ({other})"))
        }
    }
}

/// What is wrong with a key that a passphrase opened: that it is no key at all means another passphrase.
fn unlocked(why: KeyRejected, der: &[u8]) -> KeyError {
    // The first byte of a key is that of a SEQUENCE; the second its length, in one way of two.
    let looks_like_a_key = der.starts_with(&[0x30, 0x82]) || der.starts_with(&[0x30, 0x81]);
    match rejected(why) {
        KeyError::Unreadable(_) if !looks_like_a_key => KeyError::WrongPassphrase,
        other => other,
    }
}

fn public_key_info(pkcs1: &[u8]) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_sequence(|writer| {
                writer.next().write_oid(&yasna::models::ObjectIdentifier::from_slice(&[
                    1, 2, 840, 113_549, 1, 1, 1,
                ]));
                writer.next().write_null();
            });
            writer.next().write_bitvec_bytes(pkcs1, pkcs1.len() * 8);
        });
    })
}
