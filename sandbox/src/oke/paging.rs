//! Lists: what is asked for, in which order, a page at a time.

use axum::http::HeaderName;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::refuse;
use crate::http::{Ask, Reply};

const NEXT_PAGE: HeaderName = HeaderName::from_static("opc-next-page");
const LARGEST: usize = 1000;

/// The compartment, which every list wants to be told.
pub(crate) fn compartment(ask: &Ask) -> Result<&str, Reply> {
    ask.query("compartmentId").ok_or_else(|| refuse::missing("compartmentId"))
}

/// Whether a value is among those that a repeatable parameter names; all are where it names none.
pub(crate) fn is_among(ask: &Ask, parameter: &str, value: &str) -> bool {
    let mut named = ask.query.iter().filter(|(key, _)| key == parameter).peekable();
    named.peek().is_none() || named.any(|(_, wanted)| wanted.eq_ignore_ascii_case(value))
}

/// Whether a value is the one that a parameter names, if it does.
pub(crate) fn is_the(ask: &Ask, parameter: &str, value: &str) -> bool {
    ask.query(parameter).is_none_or(|wanted| wanted == value)
}

/// One page of what was found, sorted as asked for; `keys` are what `sortBy` may name, the first one is the usual.
pub(crate) fn page(
    ask: &Ask,
    mut found: Vec<Value>,
    keys: &[(&str, &str)],
    size: usize,
) -> Result<Reply, Reply> {
    let sort_by = ask.query("sortBy");
    let key = match sort_by {
        None => keys.first(),
        Some(name) => keys.iter().find(|(known, _)| *known == name),
    };
    let Some((_, pointer)) = key else {
        return Err(refuse::parameter(&format!("Invalid sortBy: {}", sort_by.unwrap_or_default())));
    };
    let text = |value: &Value| {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    found.sort_by_key(text);
    match ask.query("sortOrder") {
        None | Some("ASC") => {}
        Some("DESC") => found.reverse(),
        Some(other) => return Err(refuse::parameter(&format!("Invalid sortOrder: {other}"))),
    }
    let size = match ask.query("limit").map(str::parse::<usize>) {
        None => size,
        Some(Ok(limit)) if (1..=LARGEST).contains(&limit) => limit,
        Some(_) => return Err(refuse::parameter("limit must be between 1 and 1000")),
    };
    let from = match ask.query("page") {
        None => 0,
        Some(page) => place(page).ok_or_else(|| refuse::parameter("Invalid page token"))?,
    };
    let rest = found.len().saturating_sub(from);
    let shown: Vec<Value> = found.into_iter().skip(from).take(size).collect();
    let reply = Reply::ok(&Value::from(shown));
    if rest > size {
        let next = BASE64_URL_SAFE_NO_PAD.encode(format!("from:{}", from + size));
        return Ok(reply.with_header(NEXT_PAGE, next));
    }
    Ok(reply)
}

fn place(page: &str) -> Option<usize> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(page).ok()?).ok()?;
    text.strip_prefix("from:")?.parse().ok()
}
