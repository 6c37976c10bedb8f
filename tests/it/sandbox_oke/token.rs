//! The token of a cluster: the official CLI makes the same one, and the cluster's Kubernetes takes it from either.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use rekey::cloud::Surroundings;
use rekey::cloud::http::Patience;
use rekey::cloud::kubernetes::{Access, Client, Limits, Settings, Verdict};
use rekey::redaction::SecretString;
use rekey_sandbox::Sandbox;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::session;
use crate::support::oci::Oci;

/// Somebody who holds this token and trusts these authorities.
fn client(server: &str, authorities: &[String], token: &str) -> Client {
    let settings = Settings {
        host: Some(server.to_owned()),
        cluster_ca_certificate: Some(authorities.join("\n")),
        token: Some(SecretString::from(token)),
        ..Settings::default()
    };
    let access = Access::resolve(&settings, &Surroundings::default()).unwrap();
    Client::with_limits(access, Limits { attempts: 1, ..Limits::default() })
}

#[tokio::test]
async fn the_official_cli_makes_the_same_token_of_the_same_moment() {
    let sandbox = Sandbox::start().await;
    let prod = sandbox.create_oke_cluster("prod");
    let alice = Oci::new(&sandbox, "alice");
    let made = session(&alice).bearer_token(&prod.id, &Patience::default()).await.unwrap();
    let ours = made.token.expose_secret();
    let url = String::from_utf8(BASE64_URL_SAFE.decode(ours).unwrap()).unwrap();
    let date = url.split_once("date=").unwrap().1.split('&').next().unwrap();
    let date = date.replace('+', " ").replace("%2C", ",").replace("%3A", ":");
    let at = rfc2822::DateTimeParser::new().parse_timestamp(&date).unwrap();
    let generate = ["ce", "cluster", "generate-token", "--cluster-id", &prod.id];
    let run = alice.cli_at(at.as_second(), &generate).await.ok();
    let theirs: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(theirs["status"]["token"], *ours);
}

#[tokio::test]
async fn the_clusters_kubernetes_takes_it_from_whom_it_knows() {
    let sandbox = Sandbox::start().await;
    let prod = sandbox.create_oke_cluster("prod");
    let other = sandbox.create_oke_cluster("other");
    let patience = Patience::default();
    let token = async |user: &str, cluster: &str| {
        let made = session(&Oci::new(&sandbox, user)).bearer_token(cluster, &patience).await;
        made.unwrap().token.expose_secret().to_owned()
    };
    let mine = token("alice", &prod.id).await;
    assert!(client(&prod.api_address, &prod.authorities, &mine).version(&patience).await.is_ok());
    let of_other = token("alice", &other.id).await;
    let refused = client(&prod.api_address, &prod.authorities, &of_other).version(&patience).await;
    assert_eq!(refused.unwrap_err().status(), Some(401));
    sandbox.advance(SignedDuration::from_mins(6));
    // The machine's own clock has not moved, so it is still good here; another user's key is not.
    sandbox.happen_to_oke(&rekey_sandbox::OkeEvent::ForgetApiKeys { user: "alice".into() });
    let refused = client(&prod.api_address, &prod.authorities, &mine).version(&patience).await;
    assert_eq!(refused.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn old_and_new_kubeconfigs_work_in_the_overlap_and_the_new_one_after_it() {
    let sandbox = Sandbox::start().await;
    let before = sandbox.create_oke_cluster("prod");
    let start = rekey_sandbox::OkeEvent::StartOkeRotation { cluster: "prod".into(), delay_days: 5 };
    sandbox.happen_to_oke(&start);
    let overlap = sandbox.oke("prod");
    assert_eq!(overlap.authorities.len(), 2);
    let patience = Patience::default();
    let works = async |authorities: &[String]| {
        let made = session(&Oci::new(&sandbox, "alice")).bearer_token(&before.id, &patience).await;
        let token = made.unwrap().token;
        let client = client(&before.api_address, authorities, token.expose_secret());
        client.version(&patience).await.is_ok()
    };
    assert!(works(&before.authorities).await && works(&overlap.authorities).await);
    sandbox.advance(SignedDuration::from_hours(24 * 6));
    let after = sandbox.oke("prod");
    assert_eq!(after.authorities, overlap.authorities[1..]);
    assert!(!works(&before.authorities).await);
    assert!(works(&overlap.authorities).await && works(&after.authorities).await);

    let chain = client(&after.api_address, &after.authorities, "t").served_chain(&patience).await;
    let chain = chain.unwrap();
    assert_eq!(chain.verify(&after.authorities[0], sandbox.now()), Verdict::Trusted);
    assert_ne!(chain.verify(&before.authorities[0], sandbox.now()), Verdict::Trusted);
}
