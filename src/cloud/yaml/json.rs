//! What a tree is to a reader that goes by the types of YAML 1.1, as Kubernetes' own tools do: plain `yes` is a
//! truth, and plain `0x1f` a number.

use serde_json::{Number, Value};

use super::{Node, Text};

impl Node {
    pub(in crate::cloud) fn into_json(self) -> Value {
        match self {
            Self::List(items) => Value::Array(items.into_iter().map(Self::into_json).collect()),
            Self::Map(items) => Value::Object(
                items.into_iter().map(|(key, item)| (key, item.into_json())).collect(),
            ),
            Self::Null => Value::Null,
            Self::Text(Text { text, plain: true }) => typed(&text),
            Self::Text(Text { text, plain: false }) => Value::String(text.to_string()),
        }
    }
}

fn typed(text: &str) -> Value {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    // Names begin with a letter, and so do `inf` and `nan`, which JSON does not have.
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    let digits = text.replace('_', "");
    let (negative, unsigned) = match digits.strip_prefix(['+', '-']) {
        Some(rest) => (digits.starts_with('-'), rest),
        None => (false, digits.as_str()),
    };
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let whole = match unsigned.get(..2) {
        Some("0x" | "0X") => u64::from_str_radix(&unsigned[2..], 16).ok(),
        Some("0b") => u64::from_str_radix(&unsigned[2..], 2).ok(),
        Some("0o") => u64::from_str_radix(&unsigned[2..], 8).ok(),
        _ if unsigned.len() > 1 && unsigned.starts_with('0') => {
            u64::from_str_radix(unsigned, 8).ok()
        }
        _ => unsigned.parse().ok(),
    };
    match whole {
        Some(whole) if negative => 0_i64.checked_sub_unsigned(whole).map(Number::from),
        Some(whole) => Some(whole.into()),
        None => digits.parse().ok().and_then(Number::from_f64),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse_yaml;

    #[test]
    fn only_what_has_no_quotes_has_a_type() {
        let check = |text: &str, expected: serde_json::Value| {
            assert_eq!(parse_yaml(text).map(super::super::Node::into_json), Ok(expected), "{text}");
        };
        check("[yes, 'yes', \"no\", Off, TRUE]", json!([true, "yes", "no", false, true]));
        check(
            "[1, '1', -5, +7, 1_000, 0x1f, 0b11, 0o17, 017]",
            json!([1, "1", -5, 7, 1000, 31, 3, 15, 15]),
        );
        check("[1.5, .5, 1e3, -2.5e-1, 089]", json!([1.5, 0.5, 1000.0, -0.25, 89.0]));
        check("[-9223372036854775808, 18446744073709551615]", json!([i64::MIN, u64::MAX]));
        // No numbers: an id, a date, a version, a sign, what JSON cannot hold.
        let texts =
            "[12ab, 2026-01-01, 1.2.3, '-', +, ., .inf, .nan, 0x, 1e999, infinity, --1, +-1]";
        check(
            texts,
            json!([
                "12ab",
                "2026-01-01",
                "1.2.3",
                "-",
                "+",
                ".",
                ".inf",
                ".nan",
                "0x",
                "1e999",
                "infinity",
                "--1",
                "+-1"
            ]),
        );
        check(
            "{a: ~, b: {c: [on]}, d: !!str 12, e: ! 12}",
            json!({ "a": null, "b": { "c": [true] }, "d": "12", "e": "12" }),
        );
        check("|\n  12\n", json!("12\n"));
    }
}
