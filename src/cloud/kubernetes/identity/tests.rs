use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::{FromDer, ParsedExtension};

use super::*;
use crate::redaction::ExposeSecret;

/// Organizations and common names of a request's subject, and whether it asks for client use.
fn read(request: &str) -> (Vec<String>, Vec<String>, bool) {
    let (_, pem) = parse_x509_pem(request.as_bytes()).unwrap();
    assert_eq!(pem.label, "CERTIFICATE REQUEST");
    let (rest, request) = X509CertificationRequest::from_der(&pem.contents).unwrap();
    assert!(rest.is_empty());
    let info = &request.certification_request_info;
    let text =
        |name: &x509_parser::x509::AttributeTypeAndValue<'_>| name.as_str().unwrap().to_owned();
    let client = request.requested_extensions().unwrap().any(
        |extension| matches!(extension, ParsedExtension::ExtendedKeyUsage(usage) if usage.client_auth),
    );
    (
        info.subject.iter_organization().map(text).collect(),
        info.subject.iter_common_name().map(text).collect(),
        client,
    )
}

#[test]
fn a_request_carries_the_user_and_all_groups() {
    let key = ClientKey::generate().unwrap();
    let groups = ["system:masters".to_owned(), "gruppe:äöü".to_owned(), "c".to_owned()];
    let request = key.signing_request("alice@example.com", &groups).unwrap();
    let (organizations, names, client) = read(&request);
    assert_eq!(organizations, groups);
    assert_eq!(names, ["alice@example.com"]);
    assert!(client);
}

#[test]
fn a_user_may_be_in_no_group() {
    let request = ClientKey::generate().unwrap().signing_request("u", &[]).unwrap();
    assert_eq!(read(&request), (vec![], vec!["u".to_owned()], true));
}

#[test]
fn names_that_no_certificate_can_have_are_refused() {
    let key = ClientKey::generate().unwrap();
    assert!(key.signing_request("", &[]).is_err());
    assert!(key.signing_request("u", &[String::new()]).is_err());
    assert!(key.signing_request("u\0", &[]).is_err());
}

#[test]
fn each_key_is_another_and_none_is_shown() {
    let (one, other) = (ClientKey::generate().unwrap(), ClientKey::generate().unwrap());
    assert_ne!(one.pem().expose_secret(), other.pem().expose_secret());
    assert!(one.pem().expose_secret().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(format!("{one:?}"), "ClientKey([REDACTED])");
}

#[test]
fn the_key_serves_with_a_certificate_for_it() {
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;
    let key = ClientKey::generate().unwrap();
    let pem = key.pem();
    let der = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes()).unwrap();
    let signing = rustls::crypto::ring::sign::any_ecdsa_type(&der).unwrap();
    let own = signing.public_key().unwrap();
    assert_eq!(own.as_ref(), key.0.subject_public_key_info());
}
