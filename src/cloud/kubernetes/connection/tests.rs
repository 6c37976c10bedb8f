use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::Settings;
use super::super::testing::{Ca, access, closed_port, host, serve_tls};
use super::*;
use crate::cloud::Surroundings;

const SECOND: Duration = Duration::from_secs(1);

fn connector(access: &Access) -> Connector {
    let config = tls::client_config(&access.trust, access.login.identity.as_ref()).unwrap();
    Connector::new(access, config, SECOND)
}

/// Opens a connection to the access's own server.
async fn open(settings: &Settings) -> Result<Io, Failure> {
    let access = access(settings);
    connector(&access).open(access.server.clone()).await
}

async fn cause(settings: &Settings) -> Unreachable {
    match open(settings).await {
        Ok(_) => panic!("a connection was opened"),
        Err(failure) => failure.cause,
    }
}

fn trusting(ca: &Ca, address: String) -> Settings {
    Settings { cluster_ca_certificate: Some(ca.pem()), ..host(address) }
}

/// A server that says "hello" over TLS.
async fn hello(ca: &Ca, names: &[&str]) -> u16 {
    serve_tls(ca.server(names), |mut stream| async move {
        stream.write_all(b"hello").await.unwrap();
        stream.shutdown().await.unwrap();
    })
    .await
}

async fn hears_hello(mut io: Io) {
    let mut text = String::new();
    io.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "hello");
}

#[tokio::test]
async fn a_trusted_server_is_reached() {
    let ca = Ca::new("ca");
    let port = hello(&ca, &["127.0.0.1", "localhost"]).await;
    for name in ["127.0.0.1", "localhost"] {
        hears_hello(open(&trusting(&ca, format!("https://{name}:{port}"))).await.unwrap()).await;
    }
}

#[tokio::test]
async fn another_ca_or_another_name_is_untrusted() {
    let (ca, other) = (Ca::new("ca"), Ca::new("ca"));
    let port = hello(&ca, &["127.0.0.1"]).await;
    let address = format!("https://127.0.0.1:{port}");
    assert_eq!(cause(&trusting(&other, address.clone())).await, Unreachable::Untrusted);
    assert_eq!(cause(&host(address)).await, Unreachable::Untrusted);
    let localhost = trusting(&ca, format!("https://localhost:{port}"));
    assert_eq!(cause(&localhost).await, Unreachable::Untrusted);
    let named = Settings { tls_server_name: Some("127.0.0.1".into()), ..localhost.clone() };
    hears_hello(open(&named).await.unwrap()).await;
    let insecure = Settings { insecure: Some(true), cluster_ca_certificate: None, ..localhost };
    hears_hello(open(&insecure).await.unwrap()).await;
}

#[tokio::test]
async fn the_way_to_a_server_fails_in_its_own_words() {
    let port = closed_port().await;
    let address = format!("https://127.0.0.1:{port}");
    assert_eq!(cause(&host(address.clone())).await, Unreachable::Refused);
    assert!(open(&host(address)).await.err().unwrap().reason.contains(&port.to_string()));
    // Longer than a name's part may be: no resolver is asked.
    let nameless = format!("https://{}.invalid", "x".repeat(64));
    assert_eq!(cause(&host(nameless)).await, Unreachable::Name);

    // One that accepts and is silent
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", silent.local_addr().unwrap());
    assert_eq!(cause(&host(address)).await, Unreachable::TimedOut);

    // One that speaks something else, and one that hangs up
    for (says, expected) in
        [("HTTP/1.1 400 Bad Request\r\n\r\n", Unreachable::Tls), ("", Unreachable::Broken)]
    {
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", other.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = other.accept().await.unwrap();
            let _ = stream.read(&mut [0; 16]).await;
            let _ = stream.write_all(says.as_bytes()).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        assert_eq!(cause(&host(address)).await, expected);
    }
}

/// A proxy for one connection, and what it was asked for.
async fn proxy(answer: &'static str) -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(client.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let target = request.split(' ').nth(1).unwrap().to_owned();
        *heard.lock().unwrap() = request;
        client.write_all(answer.as_bytes()).await.unwrap();
        if answer.contains("200") {
            let mut server = TcpStream::connect(target).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    });
    (port, asked)
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_server_and_given_its_login() {
    let ca = Ca::new("ca");
    let server = hello(&ca, &["127.0.0.1"]).await;
    let (port, asked) = proxy("HTTP/1.1 200 OK\r\n\r\n").await;
    let settings = Settings {
        proxy_url: Some(format!("http://u:p%40@127.0.0.1:{port}").into()),
        ..trusting(&ca, format!("https://127.0.0.1:{server}"))
    };
    hears_hello(open(&settings).await.unwrap()).await;
    let asked = asked.lock().unwrap().to_lowercase();
    assert!(asked.starts_with(&format!("connect 127.0.0.1:{server} http/1.1\r\n")), "{asked}");
    let login = BASE64_STANDARD.encode("u:p@").to_lowercase();
    assert!(asked.contains(&format!("proxy-authorization: basic {login}")), "{asked}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_the_one_to_blame() {
    let (port, _) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let settings = Settings {
        proxy_url: Some(format!("http://127.0.0.1:{port}").into()),
        ..host("https://127.0.0.1:1")
    };
    let failure = open(&settings).await.err().unwrap();
    assert_eq!(failure.cause, Unreachable::Proxy);
    assert!(failure.reason.starts_with("the proxy at 127.0.0.1: "), "{}", failure.reason);

    let port = closed_port().await;
    let settings =
        Settings { proxy_url: Some(format!("http://127.0.0.1:{port}").into()), ..settings };
    assert_eq!(cause(&settings).await, Unreachable::Proxy);
}

#[tokio::test]
async fn a_socks_proxy_serves_too() {
    let ca = Ca::new("ca");
    let server = hello(&ca, &["127.0.0.1"]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut methods = [0; 3];
        client.read_exact(&mut methods).await.unwrap();
        assert_eq!(methods, [5, 1, 0], "version 5, one method: no login");
        client.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 10];
        client.read_exact(&mut request).await.unwrap();
        assert_eq!(request[..4], [5, 1, 0, 1], "connect to an IPv4 address");
        assert_eq!(u16::from_be_bytes([request[8], request[9]]), server);
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    });
    let settings = Settings {
        proxy_url: Some(format!("socks5://127.0.0.1:{port}").into()),
        ..trusting(&ca, format!("https://127.0.0.1:{server}"))
    };
    hears_hello(open(&settings).await.unwrap()).await;
}

#[test]
fn the_environments_proxy_is_for_other_machines() {
    let from = |no: &str| Surroundings {
        environment: [("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", no)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..Surroundings::default()
    };
    let through = |address: &str, no: &str| {
        let access = Access::resolve(&host(address), &from(no)).unwrap();
        connector(&access).proxy_for(&access.server).is_some()
    };
    assert!(through("https://k.example:6443", ""));
    assert!(!through("https://k.example:6443", ".example"));
    assert!(!through("https://10.1.2.3", "10.0.0.0/8"));
    for loopback in ["https://127.0.0.1:6443", "https://localhost", "https://[::1]:6443"] {
        assert!(!through(loopback, ""), "{loopback}");
    }
    assert!(!through("http://k.example", ""), "HTTPS_PROXY is not for http");
}
