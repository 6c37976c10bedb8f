//! Why a proxy does not let through. The engine only says that it did not, so the proxy is asked once more, by
//! hand, and its answer read: that has no effect, since nothing is sent through a way that does not open.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::one_line;

/// What it says to who asks for this server; None where that cannot be found out (TLS, SOCKS, silence).
pub(super) async fn ask(proxy: &Url, server: &Url) -> Option<String> {
    if proxy.scheme() != "http" || server.scheme() != "https" {
        return None;
    }
    let head = tokio::time::timeout(LIMIT, exchange(proxy, server)).await.ok()??;
    words(&head)
}

async fn exchange(proxy: &Url, server: &Url) -> Option<Vec<u8>> {
    let host = proxy.host_str()?.trim_matches(['[', ']']).to_owned();
    let mut stream = TcpStream::connect((host, proxy.port_or_known_default()?)).await.ok()?;
    let target = format!("{}:{}", server.host_str()?, server.port_or_known_default()?);
    let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
    if let Some(login) = login(proxy) {
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&login);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = Vec::new();
    while head.len() < LARGEST && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut some = [0; 1024];
        match stream.read(&mut some).await.ok()? {
            0 => break,
            read => head.extend_from_slice(&some[..read]),
        }
    }
    Some(head)
}

fn login(proxy: &Url) -> Option<Zeroizing<String>> {
    let decoded = |text: &str| {
        let bytes = Zeroizing::new(percent_decoded(text));
        String::from_utf8(bytes.to_vec()).ok().map(Zeroizing::new)
    };
    let password = proxy.password().unwrap_or_default();
    if proxy.username().is_empty() && password.is_empty() {
        return None;
    }
    let both = Zeroizing::new(format!("{}:{}", *decoded(proxy.username())?, *decoded(password)?));
    Some(Zeroizing::new(BASE64_STANDARD.encode(both.as_bytes())))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, digit(at + 1), digit(at + 2)) {
            // two hexadecimal digits are a byte
            decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    decoded
}

/// `answered 403 Forbidden`, and what Squid notes beside it.
fn words(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split_once(' ')?.1.to_owned();
    if status.starts_with('2') {
        return None;
    }
    let squid = lines.take_while(|line| !line.is_empty()).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("x-squid-error").then(|| format!(" ({})", value.trim()))
    });
    Some(one_line(&format!("answered {status}{}", squid.unwrap_or_default())))
}

const LARGEST: usize = 16 * 1024;
const LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_proxys_words() {
        let check = |head: &str, expected: Option<&str>| {
            assert_eq!(words(head.as_bytes()).as_deref(), expected, "{head}");
        };
        check("HTTP/1.1 403 Forbidden\r\n\r\n", Some("answered 403 Forbidden"));
        check("HTTP/1.0 407 Proxy \u{1b}[1mLogin\r\n\r\n", Some("answered 407 Proxy [1mLogin"));
        check(
            "HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n",
            Some("answered 503 Service Unavailable (ERR_DNS_FAIL 0)"),
        );
        check("HTTP/1.1 200 OK\r\n\r\n", None);
        check("SSH-2.0-OpenSSH\r\n", None);
        check("", None);
    }

    #[test]
    fn a_login_is_decoded_from_its_url() {
        let of = |url: &str| login(&Url::parse(url).unwrap()).map(|login| login.to_string());
        assert_eq!(of("http://u:p%40%C3%BC@proxy"), Some(BASE64_STANDARD.encode("u:p@ü")));
        assert_eq!(of("http://u@proxy"), Some(BASE64_STANDARD.encode("u:")));
        assert_eq!(of("http://proxy"), None);
    }
}
