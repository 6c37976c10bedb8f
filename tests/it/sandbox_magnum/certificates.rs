//! Certificates: who sees a CA, who gets something signed, and that what is signed is what was asked for.

use rekey::cloud::kubernetes::{Certificate, ClientKey};
use serde_json::json;

use super::{ask, cluster, settle};
use crate::sandbox::differ::{Probe, compare_with_magnum};

#[tokio::test]
async fn certificates_are_shown_and_signed_as_by_magnum() {
    let groups = ["one".to_owned(), "zwei:drei".to_owned()];
    let request = ClientKey::generate().unwrap().signing_request("dora", &groups).unwrap();
    compare_with_magnum(async |p: &mut Probe<'_>| {
        settle(p).await;
        cluster(p, "c", "full", json!({ "stub_api_address": "https://k8s.example" })).await;
        for who in ["alice", "bob", "carol", "rita", "admin"] {
            ask(p, who, "GET /v1/certificates/{c}", who, None).await;
        }
        ask(p, "by name", "GET /v1/certificates/c-{u}", "alice", None).await;
        ask(p, "of nothing", "GET /v1/certificates/nope", "alice", None).await;
        let mut seen = Vec::new();
        for place in [
            "",
            "?ca_cert_type=etcd",
            "?ca_cert_type=front-proxy",
            "?ca_cert_type=kubernetes",
            "?ca_cert_type=odd",
        ] {
            let request = format!("GET /v1/certificates/{{c}}{place}");
            seen.push(ask(p, place, &request, "alice", None).await["pem"].clone());
        }
        let same: Vec<bool> = seen.iter().map(|pem| *pem == seen[0]).collect();
        p.note("which are the same", json!(same));

        let body = |csr: &str| json!({ "cluster_uuid": "{c}", "csr": csr });
        for who in ["bob", "carol", "rita"] {
            ask(p, who, "POST /v1/certificates", who, Some(body(&request))).await;
        }
        ask(p, "no request", "POST /v1/certificates", "alice", Some(body("bogus"))).await;
        let elsewhere = json!({ "cluster_uuid": "nope", "csr": request });
        ask(p, "of nothing", "POST /v1/certificates", "alice", Some(elsewhere)).await;
        let strange = json!({ "cluster_uuid": "{c}", "csr": request, "x": 1 });
        ask(p, "unknown key", "POST /v1/certificates", "alice", Some(strange)).await;
        let signed = ask(p, "sign", "POST /v1/certificates", "alice", Some(body(&request))).await;
        let certificate = &Certificate::parse(signed["pem"].as_str().unwrap()).unwrap()[0];
        let ca = &Certificate::parse(seen[0].as_str().unwrap()).unwrap()[0];
        let days = |c: &Certificate| c.not_after.duration_since(c.not_before).as_secs() / 86_400;
        p.note(
            "the certificate",
            json!({
                "subject": certificate.subject,
                "by the CA": certificate.issuer == ca.subject,
                "days": days(certificate),
                "names": certificate.names,
                "is a CA": certificate.is_ca,
            }),
        );
        p.note(
            "the CA",
            json!({ "days": days(ca), "is a CA": ca.is_ca, "its own": ca.issuer == ca.subject }),
        );
    })
    .await;
}
