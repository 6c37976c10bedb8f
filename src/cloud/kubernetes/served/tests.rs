use super::super::error::Unreachable;
use super::super::testing::{Ca, access, closed_port, host, limits, patience, serve_tls};
use super::*;

async fn served(by: &Ca, names: &[&str]) -> ServedChain {
    let port = serve_tls(by.server(names), |_| async {}).await;
    let access = access(&host(format!("https://127.0.0.1:{port}")));
    Client::with_limits(access, limits(1)).served_chain(&patience()).await.unwrap()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[tokio::test]
async fn the_chain_tells_which_ca_signed_it() {
    // A CA is renewed under its old name.
    let (old, new) = (Ca::new("k1"), Ca::new("k1"));
    let chain = served(&new, &["127.0.0.1"]).await;
    let now = at("2026-11-22T00:00:00Z");
    assert_eq!(chain.verify(&new.pem(), now), Verdict::Trusted);
    assert_eq!(chain.verify(&old.pem(), now), Verdict::UnknownIssuer);
    assert_eq!(chain.verify(&(old.pem() + &new.pem()), now), Verdict::Trusted);
    let subjects: Vec<_> =
        chain.certificates().unwrap().into_iter().map(|one| one.subject).collect();
    assert_eq!(subjects, ["CN=the server", "CN=k1"]);
}

#[tokio::test]
async fn time_and_name_are_looked_at_too() {
    let ca = Ca::new("k1");
    let chain = served(&ca, &["127.0.0.1"]).await;
    assert_eq!(chain.verify(&ca.pem(), at("2029-12-31T23:59:59Z")), Verdict::Trusted);
    assert_eq!(chain.verify(&ca.pem(), at("2030-01-01T00:00:01Z")), Verdict::Expired);
    let elsewhere = served(&ca, &["elsewhere.example"]).await;
    assert_eq!(elsewhere.verify(&ca.pem(), at("2026-11-22T00:00:00Z")), Verdict::WrongName);
    assert!(matches!(chain.verify("no PEM", at("2026-11-22T00:00:00Z")), Verdict::Refused(_)));
}

#[tokio::test]
async fn where_nobody_shows_certificates_it_says_why() {
    let look = async |address: String| {
        let client = Client::with_limits(access(&host(address)), limits(1));
        match client.served_chain(&patience()).await {
            Err(Error::Unreachable { cause, .. }) => cause,
            other => panic!("{other:?}"),
        }
    };
    let port = closed_port().await;
    assert_eq!(look(format!("https://127.0.0.1:{port}")).await, Unreachable::Refused);
    assert_eq!(look(format!("http://127.0.0.1:{port}")).await, Unreachable::Tls);
}
