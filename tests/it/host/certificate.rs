//! The one-time certificate of a go-plugin host: self-signed, ECDSA P-521, and marked as a CA, which is
//! what makes it hard for servers. No library here makes such a one, so it is written out.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{Signature, SigningKey};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer};
use rustls::{SignatureAlgorithm, SignatureScheme};

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    der: Vec<u8>,
    key: Arc<Key>,
}

struct Key(SigningKey);

impl ClientCertificate {
    /// A fresh one.
    pub fn new() -> Self {
        let key = random_key();
        Self { der: self_signed(&key), key: Arc::new(Key(key)) }
    }

    /// This very certificate, in the hands of somebody who does not have its key.
    #[must_use]
    pub fn with_another_key(&self) -> Self {
        Self { der: self.der.clone(), key: Arc::new(Key(random_key())) }
    }

    /// For `PLUGIN_CLIENT_CERT`.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let lines: Vec<_> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }
}

fn random_key() -> SigningKey {
    loop {
        let mut scalar = [0; 66];
        getrandom::fill(&mut scalar).expect("the system gives random bytes");
        // P-521 has 521 bits; the rest of the first byte is nothing.
        scalar[0] &= 1;
        if let Ok(key) = SigningKey::from_bytes(&scalar.into()) {
            break key;
        }
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // As Go: no certificate at all for a server that cannot check this kind of signature.
        schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512).then(|| {
            let chain = vec![CertificateDer::from(self.der.clone())];
            Arc::new(CertifiedKey::new(chain, Arc::<Key>::clone(&self.key)))
        })
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl rustls::sign::SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(Key(self.0.clone())) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(signature(&self.0, message))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

fn signature(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign(message);
    signature.to_der().as_bytes().to_vec()
}

// DER, as much of it as a certificate needs.

fn tag(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=127) => out.push(short),
        Ok(byte) => out.extend([0x81, byte]),
        Err(_) => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tag(0x30, &parts.concat())
}

fn oid(bytes: &[u8]) -> Vec<u8> {
    tag(0x06, bytes)
}

fn bits(content: &[u8]) -> Vec<u8> {
    tag(0x03, &[&[0], content].concat())
}

const ECDSA_WITH_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

fn extension(id: u8, critical: bool, content: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(&[0x55, 0x1d, id])];
    if critical {
        parts.push(tag(0x01, &[0xff]));
    }
    parts.push(tag(0x04, content));
    sequence(&parts)
}

fn self_signed(key: &SigningKey) -> Vec<u8> {
    let algorithm = sequence(&[oid(ECDSA_WITH_SHA512)]);
    let attribute = |id: u8, text: &str| {
        tag(0x31, &sequence(&[oid(&[0x55, 0x04, id]), tag(0x0c, text.as_bytes())]))
    };
    let name = sequence(&[attribute(10, "HashiCorp"), attribute(3, "localhost")]);
    let validity = sequence(&[tag(0x17, b"250101000000Z"), tag(0x18, b"20540101000000Z")]);
    let point = key.verifying_key().to_sec1_point(false);
    let public_key =
        sequence(&[sequence(&[oid(EC_PUBLIC_KEY), oid(SECP521R1)]), bits(point.as_bytes())]);
    let extensions = sequence(&[
        // digitalSignature, keyEncipherment, keyAgreement, keyCertSign
        extension(15, true, &tag(0x03, &[2, 0xac])),
        extension(37, false, &sequence(&[oid(CLIENT_AUTH), oid(SERVER_AUTH)])),
        extension(19, true, &sequence(&[tag(0x01, &[0xff])])),
        extension(17, false, &sequence(&[tag(0x82, b"localhost")])),
    ]);
    let body = sequence(&[
        tag(0xa0, &tag(0x02, &[2])),
        tag(0x02, &[0x2a, 0x17, 0x01]),
        algorithm.clone(),
        name.clone(),
        validity,
        name,
        public_key,
        tag(0xa3, &extensions),
    ]);
    let signed = signature(key, &body);
    sequence(&[body, algorithm, bits(&signed)])
}
