//! Rules about one known value.

use jiff::Timestamp;

use super::Validator;
use crate::tfplugin::cty::Value;

/// What `rule` has against `value`: what is wrong, what is allowed. Tells nothing of a sensitive value.
pub(super) fn check(rule: &Validator, value: &Value, sensitive: bool) -> Option<String> {
    match (rule, value) {
        (Validator::Length { min, max }, Value::String(text)) => {
            size(text.chars().count(), *min, *max, "character", sensitive)
        }
        (Validator::Bytes { min, max }, Value::String(text)) => {
            size(text.len(), *min, *max, "byte", sensitive)
        }
        (
            Validator::Items { min, max },
            Value::List(items) | Value::Set(items) | Value::Tuple(items),
        ) => size(items.len(), *min, *max, "element", sensitive),
        (Validator::Items { min, max }, Value::Map(items)) => {
            size(items.len(), *min, *max, "element", sensitive)
        }
        (Validator::OneOf(allowed), Value::String(text)) => (!allowed.contains(&text.as_str()))
            .then(|| {
                let allowed: Vec<String> = allowed.iter().map(|text| format!("{text:?}")).collect();
                format!("must be one of {}{}", allowed.join(", "), given(text, sensitive))
            }),
        (Validator::Matches { what, test }, Value::String(text)) => {
            (!test(text)).then(|| format!("must be {what}{}", given(text, sensitive)))
        }
        (Validator::Rfc3339, Value::String(text)) => (!is_rfc3339(text)).then(|| {
            let given = given(text, sensitive);
            format!(
                "must be a date and time with its offset, such as \"2026-12-31T23:59:59Z\"{given}"
            )
        }),
        (Validator::Range { min, max }, Value::Number(number)) => {
            let low = min.as_ref().is_some_and(|min| number < min);
            let high = max.as_ref().is_some_and(|max| number > max);
            (low || high).then(|| {
                let given = given_plain(&number.to_string(), sensitive);
                match (min, max) {
                    (Some(min), Some(max)) => format!("must be {min} to {max}{given}"),
                    (Some(min), None) => format!("must be {min} or more{given}"),
                    (_, Some(max)) => format!("must be {max} or less{given}"),
                    (None, None) => String::new(),
                }
            })
        }
        (Validator::Custom(rule), value) => rule(value).err().map(|message| {
            let message = message.trim_end_matches('.').to_owned();
            match value {
                // A rule is written once and may come to stand at a sensitive attribute.
                Value::String(text) if sensitive && !text.is_empty() && message.contains(text) => {
                    "is not valid; why is not shown, because the value is sensitive".to_owned()
                }
                _ => message,
            }
        }),
        _ => None,
    }
}

/// RFC 3339 only: of ISO 8601's other forms, some mean different moments to different readers.
fn is_rfc3339(text: &str) -> bool {
    let shape = |pattern: &str, text: &[u8]| {
        pattern.len() == text.len()
            && pattern.bytes().zip(text).all(|(wanted, byte)| match wanted {
                b'0' => byte.is_ascii_digit(),
                wanted => wanted == byte.to_ascii_uppercase(),
            })
    };
    let Some((moment, rest)) = text.as_bytes().split_at_checked(19) else { return false };
    let fraction = match rest {
        [b'.', digits @ ..] => 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let offset = &rest[fraction..];
    fraction != 1
        && shape("0000-00-00T00:00:00", moment)
        && (shape("Z", offset) || shape("+00:00", offset) || shape("-00:00", offset))
        && text.parse::<Timestamp>().is_ok()
}

fn size(size: usize, min: usize, max: usize, unit: &str, sensitive: bool) -> Option<String> {
    if (min..=max).contains(&size) {
        return None;
    }
    let s = |count: usize| if count == 1 { "" } else { "s" };
    let allowed = match (min, max) {
        (min, usize::MAX) => format!("at least {min} {unit}{}", s(min)),
        (0, max) => format!("at most {max} {unit}{}", s(max)),
        (min, max) if min == max => format!("exactly {min} {unit}{}", s(min)),
        (min, max) => format!("{min} to {max} {unit}s"),
    };
    Some(format!("must have {allowed}{}", given_plain(&size.to_string(), sensitive)))
}

fn given(text: &str, sensitive: bool) -> String {
    // Whole files end up in such arguments by mistake.
    let text: String = text.chars().take(100).collect();
    given_plain(&format!("{text:?}"), sensitive)
}

fn given_plain(text: &str, sensitive: bool) -> String {
    if sensitive { String::new() } else { format!(", not {text}") }
}
