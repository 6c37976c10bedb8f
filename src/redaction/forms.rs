//! In which clothes a secret comes back: what JSON, addresses, forms, pages, programs and base64 make
//! of a text.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// A shorter piece of base64 may be anything.
const SHORTEST_PIECE: usize = 8;

/// Every form, the plain one included.
pub(super) fn of(secret: &str) -> Vec<Zeroizing<String>> {
    let json = json_forms(secret);
    let twice = json.iter().flat_map(|once| json_forms(once)).collect::<Vec<_>>();
    let mut all = vec![
        Zeroizing::new(secret.to_owned()),
        inner(&format!("{secret:?}")),
        url(secret, "%20", true),
        url(secret, "%20", false),
        url(secret, "+", true),
        python(secret, '\''),
        python(secret, '"'),
        python_bytes(secret),
        escaped(secret, &[('"', "&quot;"), ('\'', "&#x27;")]),
        escaped(secret, &[('"', "&#34;"), ('\'', "&#39;")]),
        escaped(secret, &[('"', "&quot;"), ('\'', "&apos;")]),
        escaped(secret, &[]),
    ];
    all.extend(json);
    all.extend(twice);
    all.extend(base64(secret));
    all
}

/// As serde and JavaScript write it, as Python does (ASCII only), as Go does (`<` and `&` escaped), and
/// with `\/`.
fn json_forms(text: &str) -> Vec<Zeroizing<String>> {
    let plain = inner(&serde_json::Value::from(text).to_string());
    let slashes = Zeroizing::new(plain.replace('/', "\\/"));
    let ascii = re_escaped(&plain, |c| !c.is_ascii());
    let go = re_escaped(&plain, |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'));
    vec![plain, slashes, ascii, go]
}

/// Without the quotes around it.
fn inner(quoted: &str) -> Zeroizing<String> {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Zeroizing::new(inner.unwrap_or(quoted).to_owned())
}

fn re_escaped(json: &str, which: impl Fn(char) -> bool) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::new());
    for c in json.chars() {
        if which(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail, here and below.
                let _ = write!(all, "\\u{unit:04x}");
            }
        } else {
            all.push(c);
        }
    }
    all
}

fn url(text: &str, space: &str, upper: bool) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::new());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                all.push(char::from(byte));
            }
            b' ' => all.push_str(space),
            _ if upper => drop(write!(all, "%{byte:02X}")),
            _ => drop(write!(all, "%{byte:02x}")),
        }
    }
    all
}

/// `repr` of a text, in either of its quotes.
fn python(text: &str, quote: char) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::new());
    for c in text.chars() {
        match c {
            '\\' => all.push_str("\\\\"),
            '\n' => all.push_str("\\n"),
            '\r' => all.push_str("\\r"),
            '\t' => all.push_str("\\t"),
            c if c == quote => drop(write!(all, "\\{c}")),
            c if c.is_control() => drop(write!(all, "\\x{:02x}", u32::from(c))),
            c => all.push(c),
        }
    }
    all
}

/// `repr` of the bytes of a text.
fn python_bytes(text: &str) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::new());
    for byte in text.bytes() {
        match byte {
            b'\\' => all.push_str("\\\\"),
            b'\n' => all.push_str("\\n"),
            b'\r' => all.push_str("\\r"),
            b'\t' => all.push_str("\\t"),
            b' '..=b'~' => all.push(char::from(byte)),
            _ => drop(write!(all, "\\x{byte:02x}")),
        }
    }
    all
}

/// Escaped for a page.
fn escaped(text: &str, quotes: &[(char, &str)]) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::new());
    for c in text.chars() {
        match (c, quotes.iter().find(|(quote, _)| *quote == c)) {
            ('&', _) => all.push_str("&amp;"),
            ('<', _) => all.push_str("&lt;"),
            ('>', _) => all.push_str("&gt;"),
            (_, Some((_, escape))) => all.push_str(escape),
            _ => all.push(c),
        }
    }
    all
}

/// In base64 by itself and amid other bytes, as in `Basic`: where it begins within three bytes decides
/// how it looks, and its ends may be mixed with its neighbours.
fn base64(text: &str) -> Vec<Zeroizing<String>> {
    let mut all = Vec::new();
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        all.push(Zeroizing::new(engine.encode(text)));
        for (before, mixed) in [(0, 0), (1, 2), (2, 3)] {
            let mut bytes = Zeroizing::new(vec![0; before]);
            bytes.extend_from_slice(text.as_bytes());
            let whole = Zeroizing::new(engine.encode(&*bytes));
            let own = whole.get(mixed..bytes.len() * 8 / 6).unwrap_or_default();
            if own.len() >= SHORTEST_PIECE {
                all.push(Zeroizing::new(own.to_owned()));
            }
        }
    }
    all
}
