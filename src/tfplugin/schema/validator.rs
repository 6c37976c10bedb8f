//! The rules that an attribute can have, as data; what they say of a value is the affair of `validate`.

use crate::tfplugin::cty::{Number, Value};

/// One rule. Made by the functions of `validate::rules`.
#[derive(Clone, Debug)]
pub enum Validator {
    /// At least one of these and the attribute itself must be set.
    AtLeastOneOf(&'static [&'static str]),
    /// How long a text may be, in bytes of UTF-8.
    Bytes { min: usize, max: usize },
    /// Other attributes of the same object that may not be set beside this one.
    ConflictsWith(&'static [&'static str]),
    /// Any rule of the value alone; the message says what is wrong, what is allowed, and an example.
    Custom(fn(&Value) -> Result<(), String>),
    /// A rule for every element of a list or set, and every value of a map.
    Each(Box<Validator>),
    /// Exactly one of these and the attribute itself must be set.
    ExactlyOneOf(&'static [&'static str]),
    /// How many elements a list, set or map may have.
    Items { min: usize, max: usize },
    /// How long a text may be, in characters.
    Length { min: usize, max: usize },
    /// A text of a certain form; `what` says which, with an example.
    Matches { what: &'static str, test: fn(&str) -> bool },
    /// The only texts that are allowed.
    OneOf(&'static [&'static str]),
    /// Bounds of a number, inclusive.
    Range { min: Option<Number>, max: Option<Number> },
    /// Other attributes of the same object that must be set beside this one.
    Requires(&'static [&'static str]),
    /// A moment with its offset.
    Rfc3339,
}
