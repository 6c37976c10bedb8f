use serde_json::Value;

use super::*;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors.json")).unwrap()
}

fn pem(name: &str) -> String {
    vectors()["key"][name].as_str().unwrap().to_owned()
}

fn passphrase() -> SecretString {
    pem("pass_phrase").into()
}

fn refusal(text: &str, passphrase: Option<&str>) -> KeyError {
    let passphrase = passphrase.map(SecretString::from);
    Key::from_pem(text, passphrase.as_ref()).unwrap_err()
}

#[test]
fn one_key_is_the_same_in_all_its_forms() {
    let fingerprint = pem("fingerprint");
    let check = |text: &str, passphrase: Option<&SecretString>| {
        assert_eq!(Key::from_pem(text, passphrase).unwrap().fingerprint(), fingerprint, "{text}");
    };
    for name in
        ["private_key_pkcs1_pem", "private_key_pkcs8_pem", "private_key_pkcs8_with_oci_label"]
    {
        let text = pem(name);
        check(&text, None);
        check(&text, Some(&passphrase()));
        check(&text.replace('\n', "\\n"), None);
        check(&text.replace('\n', "\r\n"), None);
        check(&format!("\n\n  {text}\nOCI_API_KEY"), None);
    }
    for name in ["private_key_pkcs8_encrypted_pem", "private_key_pkcs1_encrypted_pem"] {
        check(&pem(name), Some(&passphrase()));
        check(&pem(name).replace('\n', "\\n"), Some(&passphrase()));
        check(&format!("{}OCI_API_KEY\n", pem(name)), Some(&passphrase()));
    }
}

#[test]
fn keys_of_openssl_with_every_cipher_that_is_read() {
    let check = |text: &str| {
        let key = Key::from_pem(text, Some(&"correct horse".into())).unwrap();
        assert_eq!(key.fingerprint(), pem("fingerprint"));
        assert_eq!(refusal(text, None), KeyError::NeedsPassphrase);
    };
    for text in include_str!("openssl.pem").split("\n\n#") {
        check(text);
    }
}

#[test]
fn the_public_key_is_the_one_that_openssl_shows() {
    let key = Key::from_pem(&pem("private_key_pkcs1_pem"), None).unwrap();
    let shown = pem("public_key_spki_pem").replace("-----BEGIN PUBLIC KEY-----", "");
    assert_eq!(
        key.public_base64(),
        shown.replace("-----END PUBLIC KEY-----", "").replace('\n', "")
    );
}

#[test]
fn what_is_wrong_with_a_key_is_said_in_words() {
    let check = |text: &str, passphrase: Option<&str>, expected: &str| {
        let said = refusal(text, passphrase).to_string();
        assert!(said.contains(expected), "{said:?} should say {expected:?}");
        assert!(!said.contains("horse"), "{said}");
    };
    for name in ["private_key_pkcs8_encrypted_pem", "private_key_pkcs1_encrypted_pem"] {
        check(&pem(name), None, "no passphrase for it");
        check(&pem(name), Some("wrong horse"), "its passphrase is another one");
    }
    let plain = pem("private_key_pkcs1_pem");
    let block =
        |tag: &str, body: &str| format!("-----BEGIN {tag}-----\n{body}\n-----END {tag}-----\n");
    check("", None, "no private key in PEM");
    check("~/.oci/key.pem", None, "no private key in PEM");
    check(&plain[..plain.len() / 2], None, "cut off or damaged");
    check(&block("RSA PRIVATE KEY", "AAAA"), None, "not those of an RSA key");
    check(&block("CERTIFICATE", "AAAA"), None, "a certificate");
    check(&pem("public_key_spki_pem"), None, "a public key");
    check(&block("OPENSSH PRIVATE KEY", "AAAA"), None, "OpenSSH's format");
    check(&block("EC PRIVATE KEY", "AAAA"), None, "an EC key");
    // openssl genpkey -algorithm ed25519; openssl genrsa 1024
    let ed25519 = "MC4CAQAwBQYDK2VwBCIEIEcvJc3vzmKVLXcOPZ2WzqSE5JEUKRpXZ5MbUmbmLyxL";
    check(&block("PRIVATE KEY", ed25519), None, "another kind than RSA");
    check(include_str!("short.pem"), None, "shorter than 2048 bits");
    let des = "Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0102030405060708\n\nAAAA";
    check(&block("RSA PRIVATE KEY", des), Some("x"), "encrypted with DES-EDE3-CBC");
    let salt = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,01\n\nAAAA";
    check(&block("RSA PRIVATE KEY", salt), Some("x"), "DEK-Info is damaged");
    check(include_str!("scrypt.pem"), Some("x"), "encrypted with scrypt");
}

#[test]
fn a_key_that_was_made_signs_and_is_no_other() {
    let (one, other) = (Key::generate().unwrap(), Key::generate().unwrap());
    assert_ne!(one.fingerprint(), other.fingerprint());
    let signature = BASE64_STANDARD.decode(one.sign("text").unwrap()).unwrap();
    let public = one.pair.public().as_ref();
    let judge = ring::signature::UnparsedPublicKey::new(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        public,
    );
    assert!(judge.verify(b"text", &signature).is_ok());
    assert!(judge.verify(b"tex", &signature).is_err());
}

#[test]
fn debug_shows_no_more_than_the_fingerprint() {
    let key = Key::from_pem(&pem("private_key_pkcs8_pem"), None).unwrap();
    assert_eq!(format!("{key:?}"), format!("Key {{ fingerprint: {:?}, .. }}", pem("fingerprint")));
}
