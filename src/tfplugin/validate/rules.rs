//! The rules by the names that stand in `#[attr(validate(...))]`.

use crate::tfplugin::cty::{Number, Value};

use super::Validator;

/// A text of `min` to `max` characters.
pub fn length(min: usize, max: usize) -> Validator {
    Validator::Length { min, max }
}

/// A text of `min` to `max` bytes.
pub fn bytes(min: usize, max: usize) -> Validator {
    Validator::Bytes { min, max }
}

/// A list, set or map of `min` to `max` elements.
pub fn items(min: usize, max: usize) -> Validator {
    Validator::Items { min, max }
}

/// One of these texts.
pub fn one_of(texts: &'static [&'static str]) -> Validator {
    Validator::OneOf(texts)
}

/// A number between these two, inclusive.
pub fn range(min: i64, max: i64) -> Validator {
    Validator::Range { min: Some(min.into()), max: Some(max.into()) }
}

/// A number that is this or larger.
pub fn at_least(min: i64) -> Validator {
    Validator::Range { min: Some(Number::from(min)), max: None }
}

/// A text for which `test` holds; `what` says what that is, with an example.
pub fn matches(what: &'static str, test: fn(&str) -> bool) -> Validator {
    Validator::Matches { what, test }
}

/// A rule for every element of a list, set or map.
pub fn each(rule: Validator) -> Validator {
    Validator::Each(Box::new(rule))
}

/// A moment as RFC 3339 writes it, with its offset.
pub fn rfc3339() -> Validator {
    Validator::Rfc3339
}

/// Any other rule of the value alone. The message says what is wrong, what is allowed, and an example.
pub fn custom(rule: fn(&Value) -> Result<(), String>) -> Validator {
    Validator::Custom(rule)
}
