use super::*;

fn from(variables: &[(&str, &str)]) -> Surroundings {
    let variables = variables.iter();
    Surroundings {
        environment: variables.map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        ..Surroundings::default()
    }
}

/// The proxy's address, or why there is none that can be used.
fn proxy(proxies: &Proxies, server: &str) -> Result<Option<String>, String> {
    let found = proxies.for_url(&Url::parse(server).unwrap());
    found.map(|url| url.map(String::from)).map_err(|error| error.to_string())
}

/// Whether a server is reached through a proxy in spite of this `NO_PROXY`. The cases are those that Go's httpproxy
/// is tested with, and what it does with further ones.
#[test]
fn who_is_spared_is_as_go_has_it() {
    let check = |no: &str, server: &str, through: bool| {
        let proxies = Proxies::of(&from(&[
            ("HTTP_PROXY", "http://p:3128"),
            ("HTTPS_PROXY", "http://p:3128"),
            ("NO_PROXY", no),
        ]));
        assert_eq!(proxy(&proxies, server).unwrap().is_some(), through, "{no:?}: {server}");
    };
    // nothing on this machine goes through a proxy
    for server in
        ["http://localhost", "https://127.0.0.1:6443", "https://127.0.0.2", "https://[::1]:6443"]
    {
        check("", server, false);
    }
    check("", "https://k.example", true);
    check("*", "https://k.example", false);
    check("x.example, *", "https://k.example", false);
    check("example", "https://k.example", false);
    check(".example", "https://k.example", false);
    check(".example", "https://example", true);
    check("example", "https://example", false);
    check("*.example", "https://k.example", false);
    check("*.example", "https://example", true);
    check("ample", "https://k.example", true);
    check("K.EXAMPLE", "https://k.example", false);
    check("k.example:6443", "https://k.example:6443", false);
    check("k.example:6443", "https://k.example", true);
    check("k.example:443", "https://k.example", false);
    check("k.example:80", "http://k.example", false);
    check("bücher.example", "https://xn--bcher-kva.example", false);
    check("10.1.2.3", "https://10.1.2.3:6443", false);
    check("10.1.2.3:443", "https://10.1.2.3:6443", true);
    check("10.0.0.0/8", "https://10.1.2.3", false);
    check("10.0.0.0/8", "https://11.1.2.3", true);
    check("0.0.0.0/0", "https://11.1.2.3", false);
    check("10.0.0.0/8", "https://ten.example", true);
    check("10.0.0.0/33", "https://10.1.2.3", true);
    check("fd00::/8", "https://[fd00::1]:6443", false);
    check("[fd00::1]:6443", "https://[fd00::1]:6443", false);
    check("fd00::1", "https://[fd00::1]:6443", false);
    check("fd00::1", "https://[fd00::2]:6443", true);
    check(" , ,a.example", "https://b.example", true);
    check("[fd00::1]", "https://[fd00::1]:6443", true);
    check("2.3", "https://10.1.2.3", true);
    check(".3", "https://10.1.2.3", true);
    check("10.1.2.3:", "https://10.1.2.3:6443", false);
    check("k.example:", "https://k.example:6443", false);
    for more_than_a_name in
        ["k.example/", "https://k.example", "u@k.example", "k.example?", "k.example#"]
    {
        check(more_than_a_name, "https://k.example", true);
    }
}

#[test]
fn the_variables_are_read_as_go_reads_them() {
    let check = |variables: &[(&str, &str)], server: &str, expected: Option<&str>| {
        let found = proxy(&Proxies::of(&from(variables)), server).unwrap();
        assert_eq!(found.as_deref(), expected, "{variables:?}");
    };
    check(&[("HTTPS_PROXY", "http://p:1")], "https://k", Some("http://p:1/"));
    check(&[("https_proxy", "http://p:1")], "https://k", Some("http://p:1/"));
    check(&[("HTTPS_PROXY", ""), ("https_proxy", "http://p:1")], "https://k", Some("http://p:1/"));
    check(&[("HTTPS_PROXY", "http://p:1")], "http://k", None);
    check(&[("HTTP_PROXY", "http://p:1")], "https://k", None);
    check(&[("HTTP_PROXY", "p:1")], "http://k", Some("http://p:1/"));
    check(&[("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")], "http://k", None);
    check(&[("ALL_PROXY", "http://p:1")], "https://k", None);
    let all = Proxies::of(&from(&[("ALL_PROXY", "http://p:1"), ("HTTP_PROXY", "http://q:1")]));
    let all = all.or_all(&from(&[("ALL_PROXY", "http://p:1")]));
    assert_eq!(proxy(&all, "https://k").unwrap().as_deref(), Some("http://p:1/"));
    assert_eq!(proxy(&all, "http://k").unwrap().as_deref(), Some("http://q:1/"));
}

/// Go has both names of SOCKS mean that the proxy resolves.
#[test]
fn a_socks_proxy_resolves_itself() {
    for (text, expected) in [
        ("socks5://p", "socks5h://p:1080"),
        ("socks5h://u:w@p:99", "socks5h://u:w@p:99"),
        ("SOCKS5://p:99", "socks5h://p:99"),
    ] {
        let one = Proxies::one("proxy_url", &text.into()).unwrap();
        assert_eq!(proxy(&one, "https://127.0.0.1").unwrap().as_deref(), Some(expected));
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_and_not_quoted() {
    for text in ["sock5://u:hunter2@p:1080", "socks4://p:1080", "ftp://p", "http://", "://"] {
        let error = Proxies::one("proxy_url", &text.into()).unwrap_err().to_string();
        assert!(error.starts_with("proxy_url: ") && !error.contains("hunter2"), "{text}: {error}");
    }
    let of = Proxies::of(&from(&[("HTTPS_PROXY", "sock5://u:hunter2@p:1080")]));
    let error = proxy(&of, "https://k.example").unwrap_err();
    assert_eq!(
        error,
        "HTTPS_PROXY: the scheme sock5 is none of a proxy that can be used: http, https or socks5"
    );
    assert_eq!(proxy(&of, "https://localhost"), Ok(None), "where it is not needed it does no harm");
    assert!(!format!("{of:?}").contains("hunter2"));
}
