//! The signatures that TLS here can check and make: what ring knows, and the curve P-521, which it does not know
//! and private CAs use.

use std::sync::{Arc, LazyLock};

use p521::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p521::ecdsa::{Signature, SigningKey, VerifyingKey};
use p521::pkcs8::DecodePrivateKey;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm,
    SubjectPublicKeyInfoDer, alg_id,
};
use rustls::sign::{self, public_key_to_spki};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use sha2::{Digest, Sha256, Sha384, Sha512};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// What is checked.
pub(in crate::cloud) static ALGORITHMS: LazyLock<WebPkiSupportedAlgorithms> = LazyLock::new(|| {
    static ALL: LazyLock<Vec<Algorithm>> = LazyLock::new(|| {
        let known = ring::default_provider().signature_verification_algorithms.all;
        known.iter().chain(P521).copied().collect()
    });
    static MAPPING: LazyLock<Vec<(SignatureScheme, &'static [Algorithm])>> = LazyLock::new(|| {
        let known = ring::default_provider().signature_verification_algorithms.mapping;
        let more = (SignatureScheme::ECDSA_NISTP521_SHA512, &P521[..1]);
        known.iter().copied().chain([more]).collect()
    });
    WebPkiSupportedAlgorithms { all: &ALL, mapping: &MAPPING }
});

/// What is checked in certificates.
pub(in crate::cloud) fn algorithms() -> &'static [Algorithm] {
    ALGORITHMS.all
}

/// ring, given explicitly: what the process has as its default does not matter.
pub(in crate::cloud) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        Arc::new(CryptoProvider {
            signature_verification_algorithms: *ALGORITHMS,
            ..ring::default_provider()
        })
    });
    Arc::clone(&PROVIDER)
}

/// None where it is of a kind that cannot sign here.
pub(super) fn signing_key(key: &PrivateKeyDer<'_>) -> Option<Arc<dyn sign::SigningKey>> {
    if let Ok(key) = ring::sign::any_supported_type(key) {
        return Some(key);
    }
    let secret = match key {
        PrivateKeyDer::Pkcs8(der) => p521::SecretKey::from_pkcs8_der(der.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Sec1(der) => p521::SecretKey::from_sec1_der(der.secret_sec1_der()).ok(),
        _ => None,
    }?;
    Some(Arc::new(P521Key(SigningKey::from(&secret))))
}

/// The hash is the issuer's choice: OpenSSL takes SHA-256 unless told otherwise.
static P521: &[Algorithm] = &[&P521Check::Sha512, &P521Check::Sha384, &P521Check::Sha256];

#[derive(Clone, Copy, Debug)]
enum P521Check {
    Sha256,
    Sha384,
    Sha512,
}

impl SignatureVerificationAlgorithm for P521Check {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        let hash = match self {
            Self::Sha256 => widened(&Sha256::digest(message)),
            Self::Sha384 => widened(&Sha384::digest(message)),
            Self::Sha512 => widened(&Sha512::digest(message)),
        };
        key.verify_prehash(&hash, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        match self {
            Self::Sha256 => alg_id::ECDSA_SHA256,
            Self::Sha384 => alg_id::ECDSA_SHA384,
            Self::Sha512 => alg_id::ECDSA_SHA512,
        }
    }
}

/// As wide as the curve's numbers, which every hash is smaller than.
fn widened(hash: &[u8]) -> [u8; 66] {
    let mut wide = [0; 66];
    wide[66 - hash.len()..].copy_from_slice(hash);
    wide
}

/// Wiped when dropped.
#[derive(Clone)]
struct P521Key(SigningKey);

impl sign::SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn sign::Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(self.clone()) as Box<dyn sign::Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        let point = self.0.verifying_key().to_sec1_point(false);
        Some(public_key_to_spki(&alg_id::ECDSA_P521, point.as_bytes()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl sign::Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: Signature = self
            .0
            .sign_prehash(&Sha512::digest(message))
            .map_err(|_| Error::General("signing failed".to_owned()))?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

impl std::fmt::Debug for P521Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("P521Key([REDACTED])")
    }
}
