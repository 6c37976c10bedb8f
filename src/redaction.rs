//! The one list of secrets that no line of output may hold. Like the clock it lies below all layers:
//! whoever comes to know a secret registers it, and whoever prints asks here first.
//!
//! A net below the types, which do not print secrets in the first place: not a reason to print one.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// What stands in a secret's place.
pub const REDACTED: &str = "(redacted)";

/// From now on `secret` appears in no log line, in whatever way it is quoted there.
///
/// Secrets of fewer than four characters are not registered: crossing them out everywhere would
/// tell what they are.
pub fn register(secret: &SecretString) {
    register_text(secret.expose_secret());
}

/// The same, for a value that is known to be secret only by its place.
pub(crate) fn register_text(secret: &str) {
    if secret.chars().count() < SHORTEST {
        return;
    }
    let mut known = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms(secret) {
        known.insert(Secret(form));
    }
    // A key or a file may be quoted by the line; its first and last lines are no secret.
    for line in secret.lines().skip(1).map(str::trim) {
        if line.len() >= STRONG && !line.starts_with("-----") {
            known.insert(Secret(Zeroizing::new(line.to_owned())));
        }
    }
}

/// `text` without any registered secret, and without the values of headers that carry one.
pub fn clean(text: &str) -> Cow<'_, str> {
    without_headers(without_secrets(text, SHORTEST))
}

/// `text` without the registered secrets that are too long to be an ordinary word. For messages to
/// the operator, where a password such as `admin` must not cross out a role's name.
pub fn clean_message(text: &str) -> Cow<'_, str> {
    without_secrets(text, STRONG)
}

/// Whether a field, header or key of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HEADERS.contains(&name.as_str()) || FIELDS.contains(&name.as_str())
}

const SHORTEST: usize = 4;
const STRONG: usize = 16;
const FIELDS: [&str; 6] =
    ["application_credential_secret", "passcode", "password", "private_key", "secret", "token"];
const HEADERS: [&str; 7] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-amz-security-token",
    "x-auth-token",
    "x-subject-token",
];

static SECRETS: RwLock<BTreeSet<Secret>> = RwLock::new(BTreeSet::new());

/// Ordered by length, the longest first: one secret may be a part of another.
struct Secret(Zeroizing<String>);

impl Ord for Secret {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.len().cmp(&self.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Secret {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Secret {}

/// As it is, as JSON and as Rust's Debug quote it, as a URL or a form carries it, and in base64, as
/// Kubernetes keeps it.
fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let unquoted = |quoted: &str| {
        let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Zeroizing::new(inner.unwrap_or(quoted).to_owned())
    };
    let json = Zeroizing::new(serde_json::Value::from(secret).to_string());
    let debug = Zeroizing::new(format!("{secret:?}"));
    let mut url = Zeroizing::new(String::new());
    for byte in secret.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => drop(write!(url, "%{byte:02X}")),
        }
    }
    let base64 = Zeroizing::new(STANDARD.encode(secret));
    vec![Zeroizing::new(secret.to_owned()), unquoted(&json), unquoted(&debug), url, base64]
}

fn without_secrets(text: &str, shortest: usize) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for Secret(secret) in SECRETS.read().unwrap_or_else(PoisonError::into_inner).iter() {
        if secret.len() < shortest {
            break;
        }
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), REDACTED));
        }
    }
    text
}

fn without_headers(text: Cow<'_, str>) -> Cow<'_, str> {
    // Lower case keeps every byte in its place, since only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    if !HEADERS.iter().any(|header| lower.contains(header)) {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    let mut position = 0;
    while let Some((start, end)) = next_header_value(&lower, position) {
        kept.push_str(&text[position..start]);
        kept.push_str(REDACTED);
        position = end;
    }
    kept.push_str(&text[position..]);
    Cow::Owned(kept)
}

/// Where the value of the next secret header begins and ends.
fn next_header_value(lower: &str, from: usize) -> Option<(usize, usize)> {
    let rest = lower.get(from..)?;
    HEADERS
        .iter()
        .flat_map(|header| rest.match_indices(header))
        .filter_map(|(at, header)| {
            let (start, end) = value_after(rest.get(at + header.len()..)?)?;
            let begin = from + at + header.len();
            Some((begin + start, begin + end))
        })
        .min()
}

/// `: value`, `="value"`, `": "value"`: a quoted value ends with its quote, a bare one with the line.
fn value_after(rest: &str) -> Option<(usize, usize)> {
    let after_name = rest.trim_start_matches(['"', '\'', '\\']);
    let after_sign = after_name.strip_prefix([':', '='])?.trim_start_matches([' ', '\\']);
    let start = rest.len() - after_sign.len();
    let Some(quote) = after_sign.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let length = after_sign.find(['\n', '\r']).unwrap_or(after_sign.len());
        return (length > 0).then_some((start, start + length));
    };
    let mut escaped = false;
    let length = after_sign[1..]
        .find(|c| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })
        .unwrap_or(after_sign.len() - 1);
    Some((start + 1, start + 1 + length))
}

#[cfg(test)]
mod tests;
