//! Paths and queries of requests to an API server, and what may stand in them.

use std::fmt::Write;

use crate::cloud::http::Url;

/// All but letters, digits and what is in `kept` as percent signs.
pub(super) fn percent_encoded(text: &str, kept: &[u8]) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// What is at `path` of this server. None where a path is not made of names: empty parts, dots that lead upwards,
/// characters that end it.
pub(super) fn under(server: &Url, path: &str, query: &[(&str, &str)]) -> Option<Url> {
    let parts = path.strip_prefix('/')?.split('/');
    let is_name = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@!$'()*+,=".contains(&byte);
        !matches!(part, "" | "." | "..") && part.bytes().all(plain)
    };
    if !parts.clone().all(is_name) {
        return None;
    }
    let mut url = server.clone();
    url.set_path(&format!("{}{path}", server.path().trim_end_matches('/')));
    if !query.is_empty() {
        let pairs = query.iter().map(|(name, value)| {
            format!("{}={}", percent_encoded(name, b"-._~"), percent_encoded(value, b"-._~"))
        });
        url.set_query(Some(&pairs.collect::<Vec<_>>().join("&")));
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_lead_anywhere() {
        let check = |path: &str, expected: Option<&str>| {
            let server = Url::parse("https://k/prefix/").unwrap();
            let url = under(&server, path, &[("a b", "c,d in (e)")]);
            let expected =
                expected.map(|path| format!("https://k{path}?a%20b=c%2Cd%20in%20%28e%29"));
            assert_eq!(url.map(String::from), expected, "{path}");
        };
        check("/api/v1/namespaces/x", Some("/prefix/api/v1/namespaces/x"));
        check("/apis/g/v1/roles/system:admin", Some("/prefix/apis/g/v1/roles/system:admin"));
        for path in
            ["", "api", "/", "//", "/a/../b", "/a/./b", "/a?x", "/a#x", "/a b", "/a%2f", "/ä"]
        {
            check(path, None);
        }
    }
}
