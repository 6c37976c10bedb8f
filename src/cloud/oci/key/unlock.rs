//! Decrypts keys: PKCS#8 with PBES2 (what openssl writes today), and PKCS#1 in OpenSSL's old way (what
//! `oci setup keys` writes). Of the ciphers AES-CBC, which both use unless told otherwise.

use std::num::NonZeroU32;

use crate::redaction::{ExposeSecret as _, SecretString};
use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use md5::{Digest as _, Md5};
use ring::pbkdf2;
use yasna::models::ObjectIdentifier;
use yasna::{ASN1Result, BERReader};
use zeroize::Zeroizing;

use super::KeyError;

type Plain = Zeroizing<Vec<u8>>;

/// The key in an `EncryptedPrivateKeyInfo`.
pub(super) fn pkcs8(der: &[u8], passphrase: Option<&SecretString>) -> Result<Plain, KeyError> {
    let envelope = yasna::parse_der(der, envelope)
        .map_err(|_| KeyError::Unreadable("its envelope is damaged".to_owned()))?;
    let (length, cipher) = match envelope.cipher {
        Some(cipher) if envelope.scheme.is_ok() => cipher,
        _ => {
            let name = envelope.scheme.err().unwrap_or_else(|| "another cipher".to_owned());
            return Err(KeyError::Cipher(name));
        }
    };
    let passphrase = passphrase.ok_or(KeyError::NeedsPassphrase)?;
    let mut key = Zeroizing::new(vec![0; length]);
    let secret = passphrase.expose_secret().as_bytes();
    pbkdf2::derive(envelope.prf, envelope.iterations, &envelope.salt, secret, &mut key);
    cipher(&key, &envelope.iv, &envelope.data)
}

/// A key under `Proc-Type: 4,ENCRYPTED`; `info` is the value of `DEK-Info`, cipher and salt.
pub(super) fn pkcs1(
    data: &[u8],
    info: &str,
    passphrase: Option<&SecretString>,
) -> Result<Plain, KeyError> {
    let (name, iv) = info.split_once(',').unwrap_or((info, ""));
    let (length, cipher): (usize, Cipher) = match name.trim() {
        "AES-128-CBC" => (16, decrypt::<Decryptor<Aes128>>),
        "AES-192-CBC" => (24, decrypt::<Decryptor<Aes192>>),
        "AES-256-CBC" => (32, decrypt::<Decryptor<Aes256>>),
        other => return Err(KeyError::Cipher(other.to_owned())),
    };
    let iv = unhex(iv.trim())
        .filter(|iv| iv.len() == 16)
        .ok_or_else(|| KeyError::Unreadable("its line DEK-Info is damaged".to_owned()))?;
    let passphrase = passphrase.ok_or(KeyError::NeedsPassphrase)?;
    cipher(&stretched(passphrase, &iv[..8], length), &iv, data)
}

type Cipher = fn(&[u8], &[u8], &[u8]) -> Result<Plain, KeyError>;

struct Envelope {
    /// Or the name of one that is not known here.
    scheme: Result<(), String>,
    salt: Vec<u8>,
    iterations: NonZeroU32,
    prf: pbkdf2::Algorithm,
    /// Its key's length, and what decrypts.
    cipher: Option<(usize, Cipher)>,
    iv: Vec<u8>,
    data: Vec<u8>,
}

fn envelope(reader: BERReader<'_, '_>) -> ASN1Result<Envelope> {
    reader.read_sequence(|reader| {
        let mut envelope = reader.next().read_sequence(|reader| {
            let scheme = reader.next().read_oid()?;
            if scheme != oid(PBES2) {
                reader.next().read_der()?;
                return Ok(other_scheme(&scheme));
            }
            reader.next().read_sequence(pbes2)
        })?;
        envelope.data = reader.next().read_bytes()?;
        Ok(envelope)
    })
}

// The methods, named instead of called, are for one lifetime; what reads needs any.
#[expect(clippy::redundant_closure_for_method_calls)]
fn pbes2(reader: &mut yasna::BERReaderSeq<'_, '_>) -> ASN1Result<Envelope> {
    let mut envelope = reader.next().read_sequence(|reader| {
        let function = reader.next().read_oid()?;
        if function != oid(PBKDF2) {
            reader.next().read_der()?;
            return Ok(other_scheme(&function));
        }
        reader.next().read_sequence(|reader| {
            let salt = reader.next().read_bytes()?;
            let iterations = NonZeroU32::new(reader.next().read_u32()?);
            reader.read_optional(|reader| reader.read_u32())?;
            let prf = reader.read_optional(|reader| {
                reader.read_sequence(|reader| {
                    let prf = reader.next().read_oid()?;
                    reader.read_optional(|reader| reader.read_null())?;
                    Ok(prf)
                })
            })?;
            let known = match &prf {
                None => Some(pbkdf2::PBKDF2_HMAC_SHA1),
                Some(prf) if *prf == oid(HMAC_SHA1) => Some(pbkdf2::PBKDF2_HMAC_SHA1),
                Some(prf) if *prf == oid(HMAC_SHA256) => Some(pbkdf2::PBKDF2_HMAC_SHA256),
                Some(prf) if *prf == oid(HMAC_SHA384) => Some(pbkdf2::PBKDF2_HMAC_SHA384),
                Some(prf) if *prf == oid(HMAC_SHA512) => Some(pbkdf2::PBKDF2_HMAC_SHA512),
                Some(_) => None,
            };
            let mut envelope = match (known, prf) {
                (None, Some(prf)) => other_scheme(&prf),
                _ => Envelope { scheme: Ok(()), ..other_scheme(&oid(PBKDF2)) },
            };
            envelope.prf = known.unwrap_or(pbkdf2::PBKDF2_HMAC_SHA256);
            envelope.salt = salt;
            envelope.iterations = iterations.unwrap_or(NonZeroU32::MIN);
            Ok(envelope)
        })
    })?;
    reader.next().read_sequence(|reader| {
        let cipher = reader.next().read_oid()?;
        envelope.cipher = if cipher == oid(AES_128_CBC) {
            Some((16, decrypt::<Decryptor<Aes128>>))
        } else if cipher == oid(AES_192_CBC) {
            Some((24, decrypt::<Decryptor<Aes192>>))
        } else if cipher == oid(AES_256_CBC) {
            Some((32, decrypt::<Decryptor<Aes256>>))
        } else {
            reader.next().read_der()?;
            envelope.scheme = Err(named(&cipher));
            return Ok(());
        };
        envelope.iv = reader.next().read_bytes()?;
        Ok(())
    })?;
    Ok(envelope)
}

fn other_scheme(id: &ObjectIdentifier) -> Envelope {
    Envelope {
        scheme: Err(named(id)),
        salt: Vec::new(),
        iterations: NonZeroU32::MIN,
        prf: pbkdf2::PBKDF2_HMAC_SHA256,
        cipher: None,
        iv: Vec::new(),
        data: Vec::new(),
    }
}

fn named(id: &ObjectIdentifier) -> String {
    const NAMES: [(&[u64], &str); 3] = [
        (&[1, 2, 840, 113_549, 3, 7], "DES-EDE3-CBC"),
        (&[1, 3, 6, 1, 4, 1, 11591, 4, 11], "scrypt"),
        (&[1, 2, 840, 113_549, 1, 12, 1, 3], "PKCS#12's 3DES"),
    ];
    let known = NAMES.iter().find(|(known, _)| oid(known) == *id);
    known.map_or_else(|| format!("the scheme {id}"), |(_, name)| (*name).to_owned())
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn stretched(passphrase: &SecretString, salt: &[u8], length: usize) -> Plain {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut last = Zeroizing::new(Vec::new());
    while key.len() < length {
        let mut digest = Md5::new();
        digest.update(&*last);
        digest.update(passphrase.expose_secret().as_bytes());
        digest.update(salt);
        *last = digest.finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn decrypt<C>(key: &[u8], iv: &[u8], data: &[u8]) -> Result<Plain, KeyError>
where
    C: BlockModeDecrypt + KeyIvInit,
{
    let mut buffer = Zeroizing::new(data.to_vec());
    let cipher = C::new_from_slices(key, iv)
        .map_err(|_| KeyError::Unreadable("its envelope is damaged".to_owned()))?;
    let plain =
        cipher.decrypt_padded::<Pkcs7>(&mut buffer).map_err(|_| KeyError::WrongPassphrase)?;
    Ok(Zeroizing::new(plain.to_vec()))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let pairs = digits?;
    (pairs.len() % 2 == 0).then(|| {
        pairs.chunks(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
    })
}

fn oid(parts: &[u64]) -> ObjectIdentifier {
    ObjectIdentifier::from_slice(parts)
}

const AES_128_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 2];
const AES_192_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 22];
const AES_256_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 42];
const HMAC_SHA1: &[u64] = &[1, 2, 840, 113_549, 2, 7];
const HMAC_SHA256: &[u64] = &[1, 2, 840, 113_549, 2, 9];
const HMAC_SHA384: &[u64] = &[1, 2, 840, 113_549, 2, 10];
const HMAC_SHA512: &[u64] = &[1, 2, 840, 113_549, 2, 11];
const PBES2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 13];
const PBKDF2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 12];
