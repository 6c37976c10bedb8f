use super::super::super::handshake;
use super::*;

fn host(min: &str, max: &str, certificate: &str) -> Host {
    handshake::tests::host(&[
        ("PLUGIN_CLIENT_CERT", certificate),
        ("PLUGIN_MIN_PORT", min),
        ("PLUGIN_MAX_PORT", max),
    ])
    .unwrap()
}

fn refused(min: &str, max: &str, certificate: &str) -> String {
    listen(&host(min, max, certificate)).unwrap_err().to_string()
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let (_listener, address) = listen(&host("", "", "pem")).unwrap();
    assert!(address.ip().is_loopback() && address.port() > 0, "{address}");
}

#[tokio::test]
async fn the_first_free_port_of_the_range_is_taken() {
    // Two neighbours of which the first is taken, and the second was free a moment ago.
    let (first, second, _taken) = loop {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let first = taken.local_addr().unwrap().port();
        if first < u16::MAX && std::net::TcpListener::bind(("127.0.0.1", first + 1)).is_ok() {
            break (first, first + 1, taken);
        }
    };
    let range = host(&first.to_string(), &second.to_string(), "pem");
    let (_listener, address) = listen(&range).unwrap();
    assert_eq!(address.port(), second);
    let error = listen(&range).unwrap_err().to_string();
    assert!(error.starts_with(&format!("No port from {first} to {second}")), "{error}");
}

#[test]
fn a_range_that_is_none_is_refused_by_its_variable() {
    assert!(refused("many", "25000", "pem").contains(r#"PLUGIN_MIN_PORT is "many""#));
    assert!(refused("1", "70000", "pem").contains(r#"PLUGIN_MAX_PORT is "70000""#));
    assert!(refused("25000", "10000", "pem").contains("no port lies between"));
}

#[test]
fn without_a_certificate_there_is_no_port() {
    assert!(refused("", "", "").contains("unset TF_DISABLE_PLUGIN_TLS"));
}
