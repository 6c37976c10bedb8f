//! Where a value does not fit its type, whatever it is written in.

use std::collections::BTreeMap;

use super::{Type, Value};
use crate::tfplugin::diagnostics::{DecodeError, Step};

type Result<T> = std::result::Result<T, DecodeError>;

/// After it, both have the same names in the same order.
pub(super) fn check_names(
    attributes: &BTreeMap<String, Value>,
    types: &BTreeMap<String, Type>,
) -> Result<()> {
    if let Some(name) = attributes.keys().find(|name| !types.contains_key(*name)) {
        return Err(unsupported(name));
    }
    match types.keys().find(|name| !attributes.contains_key(*name)) {
        Some(name) => Err(missing(name)),
        None => Ok(()),
    }
}

pub(super) fn index_step(index: usize) -> Step {
    Step::Index(i64::try_from(index).unwrap_or(i64::MAX))
}

pub(super) fn missing(name: &str) -> DecodeError {
    DecodeError::new("the attribute is missing").within(Step::Attribute(name.to_owned()))
}

pub(super) fn unsupported(name: &str) -> DecodeError {
    DecodeError::new("the schema has no such attribute").within(Step::Attribute(name.to_owned()))
}

pub(super) fn mismatch(value: &Value, ty: &Type) -> DecodeError {
    DecodeError::new(format!("{ty} required, but this is {}", value.kind()))
}

pub(super) fn wrong_length(wanted: usize, given: usize) -> DecodeError {
    DecodeError::new(format!("a tuple of {wanted} elements required, but this has {given}"))
}
