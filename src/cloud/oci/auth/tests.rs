use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::cloud::oci::container_engine::CredentialRotation;
use crate::cloud::oci::fixtures::{account, pem, refusal, session_of};
use crate::cloud::stub::{Reply, Seen, Stub};

/// A token that is told apart by its subject, valid for so many seconds.
fn jwt(subject: &str, life: i64) -> String {
    let now = clock::now().as_second();
    let body = json!({ "sub": subject, "iat": now, "exp": now + life }).to_string();
    format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(body))
}

fn key_id(seen: &Seen) -> String {
    let authorization = &seen.headers["authorization"];
    authorization.split("keyId=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn status() -> Reply {
    Reply::json(200, &json!({ "status": "COMPLETED", "statusDetails": "COMPLETED" }))
}

async fn call(session: &crate::cloud::oci::Session) -> Result<CredentialRotation, Error> {
    session.container_engine().credential_rotation_status("c", &Patience::default()).await
}

/// A session of the CLI: a token and its key in files.
fn session_login(files: &TempDir, token: &str) -> Login {
    let path = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        Source::File(path)
    };
    Login::SecurityToken {
        token: path("token", token),
        key: path("key", &pem("private_key_pkcs8_pem")),
        passphrase: None,
    }
}

#[tokio::test]
async fn a_session_token_is_read_again_where_it_is_refused_and_was_renewed() {
    let files = tempfile::tempdir().unwrap();
    let (old, new) = (jwt("old", 3600), jwt("new", 3600));
    let path = files.path().join("token");
    let (wanted, file, fresh) = (format!("ST${new}"), path.clone(), new.clone());
    let stub = Stub::start(move |_, seen| {
        if key_id(seen) == wanted {
            return status();
        }
        // `oci session refresh` runs just now.
        std::fs::write(&file, &fresh).unwrap();
        refusal(401, "NotAuthenticated", "old")
    })
    .await;
    let session = session_of(account(&stub, session_login(&files, &old)));
    call(&session).await.unwrap();
    call(&session).await.unwrap();
    let ids: Vec<_> = stub.seen().iter().map(key_id).collect();
    assert_eq!(ids, [format!("ST${old}"), format!("ST${new}"), format!("ST${new}")]);
}

#[tokio::test]
async fn a_token_that_nobody_renewed_is_not_tried_twice() {
    let files = tempfile::tempdir().unwrap();
    let stub = Stub::replies(vec![refusal(401, "NotAuthenticated", "no")]).await;
    let session = session_of(account(&stub, session_login(&files, &jwt("a", 3600))));
    assert_eq!(call(&session).await.unwrap_err().status(), Some(401));
    assert_eq!(stub.lines().len(), 1);
}

#[tokio::test]
async fn a_session_that_has_ended_is_said_before_anything_is_sent() {
    let files = tempfile::tempdir().unwrap();
    let stub = Stub::replies(vec![status()]).await;
    let session = session_of(account(&stub, session_login(&files, &jwt("a", -5))));
    let said = call(&session).await.unwrap_err().to_string();
    assert!(said.contains("ended at") && said.contains("oci session refresh"), "{said}");
    assert!(stub.lines().is_empty());
}

#[tokio::test]
async fn a_resource_principal_follows_its_files() {
    let files = tempfile::tempdir().unwrap();
    let token = files.path().join("rpst");
    std::fs::write(&token, jwt("one", 3600)).unwrap();
    let login = Login::ResourcePrincipal {
        token: Source::File(token.clone()),
        key: Source::Text(pem("private_key_pkcs8_encrypted_pem").into()),
        passphrase: Some(Source::Text(pem("pass_phrase").into())),
    };
    let stub = Stub::replies(vec![refusal(401, "NotAuthenticated", "x"), status()]).await;
    let session = session_of(account(&stub, login));
    let two = jwt("two", 3600);
    // The first answer refuses; the file says something else by then.
    let first = session.signatory(&Patience::default()).await.unwrap();
    std::fs::write(&token, &two).unwrap();
    call(&session).await.unwrap();
    let ids: Vec<_> = stub.seen().iter().map(key_id).collect();
    assert_eq!(ids, [first.key_id.expose_secret().to_owned(), format!("ST${two}")]);
}

/// Metadata service, auth service and Container Engine in one; tokens of the given life.
async fn machine(life: i64) -> Stub {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    let unit = "opc-tenant:ocid1.tenancy.oc1..t";
    parameters.distinguished_name.push(rcgen::DnType::OrganizationalUnitName, unit);
    let key = pem("private_key_pkcs8_pem");
    let own = rcgen::KeyPair::from_pem_and_sign_algo(&key, &rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = parameters.self_signed(&own).unwrap().pem();
    let tokens = AtomicUsize::new(0);
    Stub::start(move |_, seen| {
        let text =
            |body: &str| Reply::Answer { status: 200, headers: Vec::new(), body: body.to_owned() };
        if let Some(path) = seen.line.strip_prefix("GET /opc/v2/") {
            assert_eq!(seen.headers["authorization"], "Bearer Oracle");
            return match path {
                "identity/cert.pem" | "identity/intermediate.pem" => text(&certificate),
                "identity/key.pem" => text(&key),
                "instance/region" => text("phx\n"),
                _ => Reply::status(404),
            };
        }
        match seen.line.as_str() {
            "POST /v1/x509" => {
                let number = tokens.fetch_add(1, Ordering::Relaxed);
                Reply::json(200, &json!({ "token": jwt(&format!("machine {number}"), life) }))
            }
            _ => status(),
        }
    })
    .await
}

fn machine_login(stub: &Stub) -> Login {
    Login::InstancePrincipal {
        metadata: Some(stub.url("/opc/v2")),
        federation: Some(stub.url("/v1/x509")),
    }
}

#[tokio::test]
async fn a_machine_exchanges_its_certificate_for_a_token_and_keeps_it() {
    let stub = machine(3600).await;
    let session = session_of(account(&stub, machine_login(&stub)));
    call(&session).await.unwrap();
    call(&session).await.unwrap();
    let seen = stub.seen();
    let exchanges: Vec<_> = seen.iter().filter(|seen| seen.line == "POST /v1/x509").collect();
    assert_eq!(exchanges.len(), 1);
    let exchange = exchanges[0];
    let id = key_id(exchange);
    assert!(id.starts_with("ocid1.tenancy.oc1..t/fed-x509/"), "{id}");
    assert_eq!(id.rsplit('/').next().unwrap().split(':').count(), 20);
    let signed = "headers=\"date (request-target) content-length content-type x-content-sha256\"";
    assert!(exchange.headers["authorization"].contains(signed));
    let body: Value = serde_json::from_str(&exchange.body).unwrap();
    assert!(BASE64_STANDARD.decode(body["certificate"].as_str().unwrap()).is_ok());
    assert!(BASE64_STANDARD.decode(body["publicKey"].as_str().unwrap()).is_ok());
    assert_eq!(body["intermediateCertificates"].as_array().unwrap().len(), 1);
    assert!(key_id(seen.last().unwrap()).starts_with("ST$e30."));
    assert_eq!(session.region(&Patience::default()).await.unwrap().name, "us-phoenix-1");
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_replaced() {
    let stub = machine(30).await;
    let session = session_of(account(&stub, machine_login(&stub)));
    call(&session).await.unwrap();
    call(&session).await.unwrap();
    let exchanges = stub.lines().iter().filter(|line| *line == "POST /v1/x509").count();
    assert_eq!(exchanges, 2);
}

#[tokio::test]
async fn a_machine_that_is_none_is_told_so() {
    let stub = Stub::replies(vec![Reply::status(404)]).await;
    let session = session_of(account(&stub, machine_login(&stub)));
    let error = call(&session).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("identity/cert.pem") && said.contains("only on an OCI compute instance"),
        "{said}"
    );
    assert_eq!(error.status(), None);
    assert!(!error.is_ambiguous());
}

async fn pod(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (Stub, TempDir, Login) {
    let files = tempfile::tempdir().unwrap();
    let token: PathBuf = files.path().join("token");
    std::fs::write(&token, "account-token-of-the-pod").unwrap();
    let stub = Stub::start(move |_, seen| match seen.line.as_str() {
        "POST /resourcePrincipalSessionTokens" => reply(seen),
        _ => status(),
    })
    .await;
    let address = stub.url("/resourcePrincipalSessionTokens");
    let ca = files.path().join("ca.crt");
    let issuer = rcgen::generate_simple_self_signed(vec!["proxymux".to_owned()]).unwrap();
    std::fs::write(&ca, issuer.cert.pem()).unwrap();
    (stub, files, Login::OkeWorkloadIdentity { address, token, ca })
}

#[tokio::test]
async fn a_pod_exchanges_its_service_account_for_a_token() {
    let token = format!("ST${}", jwt("pod", 3600));
    let sent = token.clone();
    let (stub, _files, login) = pod(move |seen| {
        assert_eq!(seen.headers["authorization"], "Bearer account-token-of-the-pod");
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        assert!(BASE64_STANDARD.decode(body["podKey"].as_str().unwrap()).is_ok());
        let body = BASE64_STANDARD.encode(json!({ "token": sent }).to_string());
        Reply::Answer { status: 200, headers: Vec::new(), body }
    })
    .await;
    let session = session_of(account(&stub, login));
    call(&session).await.unwrap();
    assert_eq!(key_id(stub.seen().last().unwrap()), token);
}

#[tokio::test]
async fn a_pod_of_a_basic_cluster_is_told_so_without_its_token() {
    let (stub, _files, login) =
        pod(|_| Reply::json(403, &json!({ "message": "not for account-token-of-the-pod" }))).await;
    let said = call(&session_of(account(&stub, login))).await.unwrap_err().to_string();
    assert!(said.contains("enhanced clusters only"), "{said}");
    assert!(!said.contains("account-token"), "{said}");
}

#[tokio::test]
async fn half_of_a_pods_token_is_its_life() {
    let life = SignedDuration::from_secs(3600);
    let claims = token::Claims::of(&jwt("x", life.as_secs()).into());
    let now = clock::now();
    let half = claims.half_life(now).unwrap().duration_since(now).as_secs();
    assert!((1795..=1800).contains(&half), "{half}");
}
