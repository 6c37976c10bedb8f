use super::super::testing::Ca;
use super::*;

#[test]
fn a_certificate_is_read() {
    let pem = Ca::new("k1").pem();
    let [certificate] = <[Certificate; 1]>::try_from(Certificate::parse(&pem).unwrap()).unwrap();
    assert_eq!(certificate.subject, "CN=k1");
    assert_eq!(certificate.issuer, "CN=k1");
    assert!(certificate.is_ca);
    assert!(certificate.not_before < certificate.not_after);
    assert_eq!(certificate.sha256.len(), 64);
    assert!(certificate.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
}

/// The same as `openssl x509 -fingerprint -sha256` says of this certificate.
#[test]
fn the_fingerprint_is_the_usual_one() {
    let pem = "-----BEGIN CERTIFICATE-----
MIIB0TCCAXigAwIBAgIUdpWjVRnvLDfwMdZClTjuvQUI+t0wCgYIKoZIzj0EAwIw
KjEXMBUGA1UECgwOc3lzdGVtOm1hc3RlcnMxDzANBgNVBAMMBnNlcnZlcjAeFw0y
NjExMjIxMDQ3MTdaFw00NjExMTcxMDQ3MTdaMCoxFzAVBgNVBAoMDnN5c3RlbTpt
YXN0ZXJzMQ8wDQYDVQQDDAZzZXJ2ZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARNCgsXv+V7H02upGDAcwkcmyqXnOTmjVPhvNmCRwH3iDJfaBWlj1WGD+v0Wq3V
PRahz1s2X9+qW6Sjk98WWh/So3wwejAdBgNVHQ4EFgQUYOg9SHGE3EP1B8LATP0V
PoG/+0YwHwYDVR0jBBgwFoAUYOg9SHGE3EP1B8LATP0VPoG/+0YwLQYDVR0RBCYw
JIIKa3ViZXJuZXRlc4cECgAABYcQ/QAAAAAAAAAAAAAAAAAAATAJBgNVHRMEAjAA
MAoGCCqGSM49BAMCA0cAMEQCIG2dRhwB/rPEyM9jOjrcLEQdayCE1lETIxg91w+L
nafrAiB7pcKGb3wknA9/uwCKtEgicV3u+T7g5fwfzRliHdokjA==
-----END CERTIFICATE-----
";
    let certificate = &Certificate::parse(pem).unwrap()[0];
    assert_eq!(
        certificate.sha256,
        "1e12b01576700239271cf0cf7bbb644f3e0271e8077741a6a209c7bf30eea02c"
    );
    assert_eq!(certificate.not_after.to_string(), "2046-11-17T10:47:17Z");
    assert_eq!(certificate.names, ["kubernetes", "10.0.0.5", "fd00::1"]);
    assert!(!certificate.is_ca);
}

#[test]
fn all_certificates_of_a_bundle_are_read() {
    let bundle = Ca::new("old").pem() + &Ca::new("new").pem();
    let subjects: Vec<_> =
        Certificate::parse(&bundle).unwrap().into_iter().map(|one| one.subject).collect();
    assert_eq!(subjects, ["CN=old", "CN=new"]);
}

#[test]
fn what_is_no_certificate_is_refused() {
    for text in ["", "ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Certificate::parse(text).is_err(), "{text}");
    }
}
