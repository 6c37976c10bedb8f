//! Headers that carry a secret: their values are crossed out wherever they are quoted, known or not.

use super::REDACTED;

pub(super) const NAMES: [&str; 8] = [
    "authorization",
    "cookie",
    "openstack-auth-receipt",
    "proxy-authorization",
    "set-cookie",
    "x-amz-security-token",
    "x-auth-token",
    "x-subject-token",
];

/// `text` without the values of such headers; None where it has none.
pub(super) fn without_values(text: &str) -> Option<String> {
    // Lower case keeps every byte in its place, since only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    if !NAMES.iter().any(|header| lower.contains(header)) {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    let mut position = 0;
    while let Some((start, end)) = next_header_value(&lower, position) {
        kept.push_str(&text[position..start]);
        kept.push_str(REDACTED);
        position = end;
    }
    kept.push_str(&text[position..]);
    Some(kept)
}

/// Where the value of the next secret header begins and ends.
fn next_header_value(lower: &str, from: usize) -> Option<(usize, usize)> {
    let rest = lower.get(from..)?;
    NAMES
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
