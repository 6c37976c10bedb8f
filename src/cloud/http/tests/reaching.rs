//! The way to a server, and what is said where it does not lead there: names, proxies, TLS, certificates of every kind.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::cloud::http::attempt::{self, Engine};
use crate::cloud::http::names::Names;
use crate::cloud::http::options::Way;
use crate::cloud::http::tls_stub::{Ca, answer, serve_tls, server_of};
use crate::cloud::http::*;
use crate::cloud::stub::{Reply, Stub, closed_port};
use crate::redaction::SecretString;

fn options() -> Options {
    let second = Duration::from_secs(1);
    Options {
        connect: second,
        timeout: 5 * second,
        backoff: Backoff { attempts: 1, ..Backoff::default() },
        proxies: Proxies::default(),
        ..Options::default()
    }
}

fn trusting(pem: &str) -> Options {
    let trust = Trust { cacert: Some(Pem::Text(pem.into())), ..Trust::default() };
    Options { trust, ..options() }
}

fn anybody() -> Options {
    Options { trust: Trust { verify: false, ..Trust::default() }, ..options() }
}

async fn get(url: &str, options: Options) -> Result<StatusCode, Error> {
    let request = Request::new(Method::GET, Url::parse(url).unwrap());
    Client::new(options).send(&request, &Patience::default()).await.map(|answer| answer.status)
}

/// How far it came, and what is said of it.
async fn failure(url: &str, options: Options) -> (Unreachable, String) {
    match get(url, options).await {
        Err(Error::NoAnswer { cause, reason, .. }) => (cause, reason),
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn a_server_is_trusted_by_its_ca_and_its_name() {
    let (ca, other) = (Ca::new("ca"), Ca::new("ca"));
    let port = serve_tls(ca.server(&["127.0.0.1", "inside.example"]), answer).await;
    let by_address = format!("https://127.0.0.1:{port}/x");
    let by_name = format!("https://localhost:{port}/x");
    assert_eq!(get(&by_address, trusting(&ca.pem())).await, Ok(StatusCode::OK));
    let (cause, reason) = failure(&by_address, trusting(&other.pem())).await;
    assert_eq!(cause, Unreachable::Untrusted, "{reason}");
    assert_eq!(failure(&by_address, options()).await.0, Unreachable::Untrusted);
    let (cause, reason) = failure(&by_name, trusting(&ca.pem())).await;
    assert_eq!(cause, Unreachable::WrongName);
    assert!(reason.contains("it is for 127.0.0.1, inside.example, not for localhost"), "{reason}");
    assert_eq!(get(&by_name, anybody()).await, Ok(StatusCode::OK));
}

/// As Go has it, the name is also the one that is said in TLS, by which some servers choose who answers.
#[tokio::test]
async fn another_name_is_said_and_checked() {
    let ca = Ca::new("ca");
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let port = serve_tls(ca.server(&["127.0.0.1", "inside.example"]), move |stream| {
        let name = stream.get_ref().1.server_name().map(str::to_owned);
        heard.lock().unwrap().push(name);
        answer(stream)
    })
    .await;
    let named = |name: &str| Options { server_name: Some(name.to_owned()), ..trusting(&ca.pem()) };
    for name in ["inside.example", "127.0.0.1"] {
        let outcome = get(&format!("https://localhost:{port}/x"), named(name)).await;
        assert_eq!(outcome, Ok(StatusCode::OK), "{name}");
    }
    let wrong = failure(&format!("https://127.0.0.1:{port}/x"), named("outside.example")).await;
    assert_eq!(wrong.0, Unreachable::WrongName, "{}", wrong.1);
    let said = said.lock().unwrap().clone();
    assert_eq!(said[..2], [Some("inside.example".to_owned()), Some("localhost".to_owned())]);
}

#[tokio::test]
async fn where_the_way_ends_is_said() {
    let port = closed_port().await;
    let (cause, reason) = failure(&format!("https://127.0.0.1:{port}"), anybody()).await;
    assert_eq!(cause, Unreachable::Refused);
    assert!(reason.contains(&format!("no connection to 127.0.0.1:{port}")), "{reason}");
    // Longer than a name's part may be: no resolver is asked.
    let nameless = format!("https://{}.invalid", "x".repeat(64));
    let (cause, reason) = failure(&nameless, anybody()).await;
    assert_eq!(cause, Unreachable::Name, "{reason}");
    assert!(reason.contains("has no address"), "{reason}");
    // One that accepts and is silent
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = failure(&format!("https://{}", silent.local_addr().unwrap()), anybody()).await;
    assert_eq!(silent.0, Unreachable::TimedOut, "{}", silent.1);
    // https to a port for plain http
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        let _ = stream.read(&mut [0; 16]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let (cause, reason) = failure(&url, anybody()).await;
    assert_eq!(cause, Unreachable::Tls, "{reason}");
    assert!(reason.contains("does not speak TLS"), "{reason}");
}

/// An address that swallows everything does not keep the other from being tried.
#[tokio::test]
async fn several_addresses_are_tried_side_by_side() {
    let works = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = works.local_addr().unwrap().port();
    // one whose queue is full, so that nobody answers who knocks
    let full = TcpSocket::new_v6().unwrap();
    let bound = full.bind((Ipv6Addr::LOCALHOST, port).into());
    // a machine without IPv6 has a second address all the same
    let full = if bound.is_ok() { full } else { second(port) };
    let full = full.listen(1).unwrap();
    let mut waiting = Vec::new();
    while let Ok(queued) = tokio::time::timeout(
        Duration::from_millis(200),
        TcpStream::connect(full.local_addr().unwrap()),
    )
    .await
    {
        waiting.push(queued.unwrap());
    }
    tokio::spawn(async move {
        let (mut stream, _) = works.accept().await.unwrap();
        // an answer before the question would be a fault of its own
        let _ = stream.read(&mut [0; 512]).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    });
    let addresses = [full.local_addr().unwrap(), (Ipv4Addr::LOCALHOST, port).into()];
    let names = Names::leading_to("both.example", addresses.to_vec());
    let seconds = Duration::from_secs(10);
    let patient = Options { connect: seconds, timeout: seconds, ..options() };
    let engine = Engine::new(&patient, Way::Plain, names).unwrap();
    let url = Url::parse(&format!("http://both.example:{port}/")).unwrap();
    let answer = attempt::send(&engine, &Request::new(Method::GET, url), &patient, 1).await;
    assert_eq!(answer.map_err(|failure| failure.error).unwrap().status, StatusCode::NO_CONTENT);
}

fn second(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, 2), port).into()).unwrap();
    socket
}

// Proxies

/// A proxy that answers CONNECT so, for any number of connections, and what it was asked.
async fn proxy(answer: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(client.read_u8().await.unwrap());
                }
                let request = String::from_utf8(request).unwrap();
                let target = request.split(' ').nth(1).unwrap().to_owned();
                heard.lock().unwrap().push(request);
                client.write_all(answer.as_bytes()).await.unwrap();
                if answer.contains(" 200 ") {
                    let mut server = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    (port, asked)
}

fn by_proxy(url: &str, options: Options) -> Options {
    let url = SecretString::from(url);
    Options { proxies: Proxies::one("proxy_url", &url).unwrap(), ..options }
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_server_and_given_its_login() {
    let ca = Ca::new("ca");
    let server = serve_tls(ca.server(&["127.0.0.1"]), answer).await;
    let (port, asked) = proxy("HTTP/1.1 200 OK\r\n\r\n").await;
    let options = by_proxy(&format!("http://u:p%40@127.0.0.1:{port}"), trusting(&ca.pem()));
    assert_eq!(get(&format!("https://127.0.0.1:{server}/x"), options).await, Ok(StatusCode::OK));
    let asked = asked.lock().unwrap()[0].to_lowercase();
    assert!(asked.starts_with(&format!("connect 127.0.0.1:{server} http/1.1\r\n")), "{asked}");
    let login = BASE64_STANDARD.encode("u:p@").to_lowercase();
    assert!(asked.contains(&format!("proxy-authorization: basic {login}")), "{asked}");
}

/// A proxy's refusal is hopeless, and told in its words; the setting to look at is named.
#[tokio::test]
async fn a_proxy_that_refuses_is_the_one_to_blame() {
    let answers = [
        ("HTTP/1.1 403 Blocked by policy\r\n\r\n", "answered 403 Blocked by policy"),
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication Required"),
        (
            "HTTP/1.1 503 Unavailable\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n",
            "503 Unavailable (ERR_DNS_FAIL 0)",
        ),
    ];
    for (answer, words) in answers {
        let (port, asked) = proxy(answer).await;
        let patient = Options { backoff: Backoff::default(), ..anybody() };
        let options = by_proxy(&format!("http://127.0.0.1:{port}"), patient);
        let (cause, reason) = failure("https://127.0.0.1:1/x", options).await;
        assert_eq!(cause, Unreachable::Proxy, "{reason}");
        assert!(reason.contains(words) && reason.contains("proxy_url"), "{reason}");
        assert_eq!(asked.lock().unwrap().len(), 2, "once, and once more to hear why");
    }
    let port = closed_port().await;
    let (cause, reason) =
        failure("https://k.example/x", by_proxy(&format!("http://127.0.0.1:{port}"), anybody()))
            .await;
    assert_eq!(cause, Unreachable::Proxy, "{reason}");
    assert!(reason.contains(&format!("the proxy at 127.0.0.1:{port}")), "{reason}");
}

/// It is given the name, since it resolves; and says so where it cannot.
#[tokio::test]
async fn a_socks_proxy_gets_the_name() {
    let ca = Ca::new("ca");
    let server = serve_tls(ca.server(&["inside.example"]), answer).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for known in [true, false] {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut methods = [0; 3];
            client.read_exact(&mut methods).await.unwrap();
            assert_eq!(methods, [5, 1, 0], "version 5, one method: no login");
            client.write_all(&[5, 0]).await.unwrap();
            let mut head = [0; 5];
            client.read_exact(&mut head).await.unwrap();
            assert_eq!(head[..4], [5, 1, 0, 3], "connect to a name");
            let mut name = vec![0; usize::from(head[4]) + 2];
            client.read_exact(&mut name).await.unwrap();
            assert!(name.starts_with(b"inside.example"));
            let status = if known { 0 } else { 4 };
            client.write_all(&[5, status, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            if known {
                let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        }
    });
    let options = || by_proxy(&format!("socks5://127.0.0.1:{port}"), trusting(&ca.pem()));
    assert_eq!(get("https://inside.example/x", options()).await, Ok(StatusCode::OK));
    let (cause, reason) = failure("https://inside.example/x", options()).await;
    assert_eq!(cause, Unreachable::Proxy);
    assert!(reason.to_lowercase().contains("host unreachable"), "{reason}");
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_not_gone_around() {
    let stub = Stub::replies(vec![Reply::status(200)]).await;
    let from = crate::cloud::Surroundings {
        environment: [("HTTP_PROXY".to_owned(), "sock5://p:1080".to_owned())].into(),
        ..crate::cloud::Surroundings::default()
    };
    let options = Options { proxies: Proxies::of(&from), ..options() };
    let error = get(&format!("http://k.example:{}/x", stub.port), options).await.unwrap_err();
    let Error::Setup { setting, reason } = error else { panic!("{error}") };
    assert_eq!(setting, "HTTP_PROXY");
    assert!(reason.contains("sock5"), "{reason}");
}

/// A limit of the engine, told before anything is sent, and not as the proxy's fault.
#[tokio::test]
async fn an_address_of_ipv6_behind_a_proxy_is_refused_in_words() {
    let (port, asked) = proxy("HTTP/1.1 200 OK").await;
    for kind in ["http", "socks5"] {
        let options = by_proxy(&format!("{kind}://127.0.0.1:{port}"), options());
        let error = get("https://[fd00::1]:6443/", options).await.unwrap_err();
        let Error::Setup { setting, reason } = error else { panic!("{error}") };
        assert_eq!(setting, "proxy_url");
        assert!(reason.contains("spare the address by NO_PROXY"), "{reason}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

// Certificates of every kind, as OpenSSL makes them

/// Certificate and key, both PEM, by these arguments of `openssl req -x509`.
fn self_signed(arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    // no extension but those that are asked for
    std::fs::write(path("config"), "[req]\ndistinguished_name = dn\n[dn]\n").unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=the server"])
        .args(["-config", &path("config")])
        .args(["-keyout", &path("key"), "-out", &path("cert")])
        .args(arguments)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    (read("cert"), read("key"))
}

/// A certificate of X.509 version 1: `openssl x509 -req` without extensions.
fn version_one(curve: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = |arguments: &[&str]| {
        let made = Command::new("openssl").args(arguments).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let (key, request, certificate) = (path("key"), path("csr"), path("cert"));
    let group = format!("ec_paramgen_curve:{curve}");
    run(&["genpkey", "-algorithm", "EC", "-pkeyopt", &group, "-out", &key]);
    run(&["req", "-new", "-key", &key, "-subj", "/CN=old", "-out", &request]);
    run(&["x509", "-req", "-in", &request, "-signkey", &key, "-days", "30", "-out", &certificate]);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    (read("cert"), read("key"))
}

const P256: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P521: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"];
const NAMED: [&str; 2] = ["-addext", "subjectAltName=IP:127.0.0.1"];
const IS_CA: [&str; 2] = ["-addext", "basicConstraints=critical,CA:TRUE"];
const NO_CA: [&str; 2] = ["-addext", "basicConstraints=critical,CA:FALSE"];

async fn serving(certificate: &str, key: &str) -> String {
    let port = serve_tls(server_of(certificate, key), answer).await;
    format!("https://127.0.0.1:{port}/x")
}

#[tokio::test]
async fn a_certificate_that_is_trusted_itself_is_enough() {
    for kind in [P256, P521] {
        for more in [&NAMED[..], &[NAMED, IS_CA].concat(), &[NAMED, NO_CA].concat()] {
            let (certificate, key) = self_signed(&[&kind[..], more].concat());
            let url = serving(&certificate, &key).await;
            let outcome = get(&url, trusting(&certificate)).await;
            assert_eq!(outcome, Ok(StatusCode::OK), "{kind:?} {more:?}");
            // the name and the use still count
            let port = url.rsplit_once(':').unwrap().1;
            let elsewhere = format!("https://localhost:{port}");
            assert_eq!(failure(&elsewhere, trusting(&certificate)).await.0, Unreachable::WrongName);
            // and nobody else's certificate is trusted for it
            let (other, _) = self_signed(&[&kind[..], more].concat());
            assert_eq!(failure(&url, trusting(&other)).await.0, Unreachable::Untrusted);
        }
    }
    let for_clients = ["-addext", "extendedKeyUsage=clientAuth"];
    let (certificate, key) = self_signed(&[&P256[..], &NAMED, &for_clients].concat());
    let (cause, reason) = failure(&serving(&certificate, &key).await, trusting(&certificate)).await;
    assert_eq!(cause, Unreachable::WrongUse, "{reason}");
}

#[tokio::test]
async fn without_checks_every_certificate_will_do() {
    for (certificate, key) in [version_one("P-256"), version_one("P-521"), self_signed(&P521)] {
        let url = serving(&certificate, &key).await;
        assert_eq!(get(&url, anybody()).await, Ok(StatusCode::OK));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said() {
    let as_text = ["-addext", "subjectAltName=DNS:127.0.0.1"];
    let (certificate, key) = self_signed(&[&P256[..], &as_text].concat());
    let (cause, reason) = failure(&serving(&certificate, &key).await, trusting(&certificate)).await;
    assert_eq!(cause, Unreachable::WrongName);
    assert!(
        reason.ends_with("not for 127.0.0.1 (an address must stand in it as IP, not as DNS)"),
        "{reason}"
    );
    // an extension that nobody knows, in a certificate that another one is to vouch for
    let unknown = ["-addext", "1.2.3.4=critical,DER:0500"];
    let (certificate, key) = self_signed(&[&P256[..], &NAMED, &unknown].concat());
    let (trusted, _) = self_signed(&P256);
    let (_, reason) = failure(&serving(&certificate, &key).await, trusting(&trusted)).await;
    assert!(reason.ends_with("a critical extension that is not known here"), "{reason}");
}

/// No name can be in it, so that nobody can tell whether it is the right one.
#[tokio::test]
async fn a_server_of_version_one_is_refused_in_words() {
    let (certificate, key) = version_one("P-256");
    let (_, reason) = failure(&serving(&certificate, &key).await, trusting(&certificate)).await;
    assert!(reason.contains("X.509 version 1") && reason.contains("subjectAltName"), "{reason}");
}

#[tokio::test]
async fn what_is_shown_is_seen_of_whomever() {
    for (certificate, key) in [version_one("P-256"), self_signed(&[&P521[..], &NAMED].concat())] {
        let url = Url::parse(&serving(&certificate, &key).await).unwrap();
        let shown = Client::new(options()).shown_certificates(&url, &Patience::default()).await;
        assert_eq!(shown.unwrap().len(), 1);
    }
    let plain = Stub::replies(vec![Reply::status(200)]).await;
    let url = Url::parse(&format!("https://127.0.0.1:{}", plain.port)).unwrap();
    let shown = Client::new(options()).shown_certificates(&url, &Patience::default()).await;
    assert!(matches!(shown, Err(Error::NoAnswer { .. })), "{shown:?}");
}

/// What a client shows of itself, as a server that asks for it sees it; and each time, never by a session.
#[tokio::test]
async fn client_certificates_of_every_kind_are_shown() {
    let ca = Ca::new("ca");
    for (certificate, key) in [version_one("P-256"), version_one("P-521"), self_signed(&P521)] {
        let port = serve_tls(ca.asking_server(&["127.0.0.1"]), |stream| async move {
            assert!(stream.get_ref().1.peer_certificates().is_some_and(|shown| shown.len() == 1));
            answer(stream).await;
        })
        .await;
        let mut options = trusting(&ca.pem());
        options.trust.cert = Some(Pem::Text(certificate.into()));
        options.trust.key = Some(Pem::Text(key.into()));
        let client = Client::new(options);
        for _ in 0..2 {
            let url = Url::parse(&format!("https://127.0.0.1:{port}/x")).unwrap();
            let sent = client.send(&Request::new(Method::GET, url), &Patience::default()).await;
            assert_eq!(sent.unwrap().status, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_with_what_to_do() {
    let of = async |certificate: &str, key: &str| {
        let mut options = options();
        options.trust.cert = Some(Pem::Text(certificate.into()));
        options.trust.key = Some(Pem::Text(key.into()));
        get("https://127.0.0.1:1/", options).await.unwrap_err().to_string()
    };
    // made once: it takes a minute
    let large = include_str!("rsa_8192.pem");
    let error = of(large, large).await;
    assert!(error.contains("an RSA key of 8192 bits cannot be used here: ask for"), "{error}");
    let (_, other_key) = self_signed(&P521);
    let (certificate, _) = self_signed(&P521);
    let error = of(&certificate, &other_key).await;
    assert!(error.contains("another key than the certificate's"), "{error}");
}
