//! What an error's body says, in one line: Keystone's, Magnum's and OCI's JSON, a proxy's HTML.

use serde_json::Value;

use super::Response;
use crate::redaction::{self, SecretString};

/// The service's own words, without the given secrets; of an HTML page only its title. Where the
/// body says nothing, the status' name.
pub(super) fn of(answer: &Response, secrets: &[SecretString]) -> String {
    let said = match answer.refusal() {
        Some(json) => from_json(&json),
        None => from_text(answer),
    };
    // A proxy's page is called "404 Not Found", and the status stands beside it anyway.
    let status = answer.status.as_str();
    let said = said
        .map(|text| {
            match text.strip_prefix(status).map(|text| text.trim_start_matches([' ', ':', '-'])) {
                Some(rest)
                    if !rest.is_empty() && text[status.len()..].starts_with([' ', ':', '-']) =>
                {
                    rest.to_owned()
                }
                _ => text,
            }
        })
        .filter(|text| !text.is_empty() && text != status)
        .unwrap_or_else(|| answer.status.canonical_reason().unwrap_or("no explanation").to_owned());
    cleaned(said, secrets)
}

/// A foreign text without the given secrets, in one line.
pub(super) fn cleaned(text: String, secrets: &[SecretString]) -> String {
    one_line(&scrubbed(text, secrets))
}

/// What a body is that should have been JSON.
pub(super) fn instead_of_json(answer: &Response) -> String {
    if answer.body.is_empty() {
        return "an empty body".to_owned();
    }
    match html_title(&answer.body) {
        Some(title) if title.is_empty() => "an HTML page".to_owned(),
        Some(title) => format!("an HTML page, \"{}\"", one_line(&title)),
        None => format!("{} bytes that are not the JSON expected", answer.body.len()),
    }
}

fn from_json(json: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    // Magnum: {"errors": [{"title": …, "detail": …}]}
    let first = json.get("errors").and_then(|errors| errors.get(0));
    let magnum = first.and_then(|error| {
        error
            .get("detail")
            .and_then(text)
            .filter(|detail| !detail.is_empty())
            .or_else(|| error.get("title").and_then(text))
    });
    // Keystone: {"error": {"message": …}}
    let keystone = || json.get("error").and_then(|error| error.get("message")).and_then(text);
    // Flask, OCI: {"message": …}; OAuth: {"error": …, "error_description": …}; wsme: {"faultstring": …}
    let plain = || {
        let keys = ["message", "error_description", "error", "faultstring"];
        keys.iter().find_map(|key| text(json.get(*key)?))
    };
    magnum.or_else(keystone).or_else(plain)
}

fn from_text(answer: &Response) -> Option<String> {
    if let Some(title) = html_title(&answer.body) {
        return Some(title);
    }
    let text = std::str::from_utf8(&answer.body).ok()?.trim();
    // half an object is a cut answer, not words
    (!text.starts_with(['{', '['])).then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// None if it is no HTML; empty if the page has no title.
fn html_title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|tag| {
        let start = tag + lower[tag..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(text[start..end].trim().to_owned())
    });
    Some(title.unwrap_or_default())
}

/// Removes the secrets, and what Keystone's schema validation quotes of the request ("Value: {…}"),
/// which may hold them escaped.
pub fn scrubbed(mut text: String, secrets: &[SecretString]) -> String {
    if secrets.is_empty() {
        return text;
    }
    drop_quoted_request(&mut text);
    redaction::without(&text, secrets).into_owned()
}

/// Keystone's validation says `Invalid input for field/attribute F. Value: V. COMPLAINT`.
fn drop_quoted_request(text: &mut String) {
    const MARK: &str = "Value: ";
    let Some(at) = text.find(MARK) else { return };
    let (field, value) = (text[..at].to_ascii_lowercase(), &text[at + MARK.len()..]);
    let secret_field =
        ["passcode", "password", "secret", "token"].iter().any(|w| field.contains(w));
    if !secret_field && !value.starts_with(['{', '[']) {
        return;
    }
    // the complaint is kept only where it surely quotes nothing itself
    let complaint = value.rfind("}. ").map(|end| &value[end + 3..]);
    let complaint = complaint.filter(|text| !secret_field && !text.contains(['{', '[']));
    let kept = complaint.unwrap_or_default().to_owned();
    text.truncate(at);
    text.push_str(&kept);
}

/// A foreign text as it may stand in one of ours: one line, of bearable length, without what a terminal obeys
/// (control characters, C1 too, and those that turn the direction of writing or cannot be seen).
pub fn one_line(text: &str) -> String {
    const LONGEST: usize = 600;
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || is_unseen(c)) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > LONGEST {
            let cut = (0..=LONGEST).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
            line.truncate(cut);
            line.push('…');
            break;
        }
    }
    line
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn words_without_measure_are_none() {
        let long = "x".repeat(1024 * 1024);
        let body = format!(r#"{{"error": {{"message": "{long}"}}}}"#);
        assert_eq!(of(&answer(403, &body), &["words-tests-secret".into()]), "Forbidden");
        let said = of(&answer(403, &long), &["words-tests-secret".into()]);
        assert!(said.len() < 1000 && said.starts_with("xxx"), "{}", said.len());
    }

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn reads_the_words_of_every_service() {
        let check = |status: u16, body: &str, expected: &str| {
            assert_eq!(of(&answer(status, body), &[]), expected, "{body}");
        };
        check(
            409,
            r#"{"error": {"code": 409, "message": "Duplicate entry", "title": "Conflict"}}"#,
            "Duplicate entry",
        );
        check(
            403,
            r#"{"errors": [{"status": 403, "title": "Forbidden", "detail": "Policy doesn't allow"}]}"#,
            "Policy doesn't allow",
        );
        check(500, r#"{"errors": [{"title": "only a title", "detail": ""}]}"#, "only a title");
        check(405, r#"{"message": "The method is not allowed"}"#, "The method is not allowed");
        check(404, r#"{"code": "NotAuthorizedOrNotFound", "message": "gone"}"#, "gone");
        check(400, r#"{"error": "invalid_grant"}"#, "invalid_grant");
        check(
            400,
            r#"{"error": "invalid_grant", "error_description": "Account disabled"}"#,
            "Account disabled",
        );
        check(
            500,
            "<html>\n <head><TITLE lang='en'>Internal\n Server Error</TITLE></head></html>",
            "Internal Server Error",
        );
        check(502, "<!DOCTYPE html><p>no title", "Bad Gateway");
        check(502, "upstream connect error\nand more", "upstream connect error");
        check(503, "", "Service Unavailable");
        check(500, r#"{"error": {"mess"#, "Internal Server Error");
        check(500, r#"{"something": "else"}"#, "Internal Server Error");
        check(499, "", "no explanation");
        check(500, "\u{1b}[31mred\u{7}", "[31mred");
        check(500, "a\u{9b}31mb\u{202e}c\u{200b}d\r\u{8}e", "a 31mb c d e");
    }

    #[test]
    fn a_status_is_not_said_twice() {
        for (status, body, expected) in [
            (404, "<html><title>404 Not Found</title>", "Not Found"),
            (502, "502: Bad Gateway", "Bad Gateway"),
            (404, "404", "Not Found"),
            (404, "4040 of them", "4040 of them"),
            (404, "There is no 404", "There is no 404"),
        ] {
            assert_eq!(of(&answer(status, body), &[]), expected);
        }
    }

    #[test]
    fn long_words_are_cut() {
        let said = of(&answer(500, &"ü ".repeat(5000)), &[]);
        assert!(said.ends_with('…') && said.len() < 700, "{} bytes", said.len());
    }

    #[test]
    fn secrets_and_quoted_requests_are_removed() {
        let secret = [SecretString::from("s3cr3t-value")];
        let check = |message: &str, expected: &str| {
            let body = serde_json::json!({ "error": { "message": message } }).to_string();
            assert_eq!(of(&answer(400, &body), &secret), expected);
        };
        check("the token s3cr3t-value is no good", "the token (redacted) is no good");
        check(
            "Invalid input for field/attribute application_credential. Value: {'name': 'a', \
             'secret': 's3cr\\'3t'}. Additional properties are not allowed ('foo' was unexpected)",
            "Invalid input for field/attribute application_credential. Additional properties are \
             not allowed ('foo' was unexpected)",
        );
        check(
            "Invalid input for field/attribute x. Value: {'a': 'b'}. {'a': 'b'} is not a string",
            "Invalid input for field/attribute x.",
        );
        check(
            "Invalid input for field/attribute secret. Value: 12345678. 12345678 is not of type 'string'",
            "Invalid input for field/attribute secret.",
        );
        check(
            "Invalid input for field/attribute name. Value: toolong. 'toolong' is too long",
            "Invalid input for field/attribute name. Value: toolong. 'toolong' is too long",
        );
    }

    #[test]
    fn what_is_not_json_is_named() {
        let check = |body: &str, expected: &str| {
            assert_eq!(instead_of_json(&answer(200, body)), expected);
        };
        check("<html><title>Sign in</title>", "an HTML page, \"Sign in\"");
        check("<html>", "an HTML page");
        check("", "an empty body");
        check("{\"a\":", "5 bytes that are not the JSON expected");
    }
}
