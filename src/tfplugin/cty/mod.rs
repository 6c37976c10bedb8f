//! The cty type system: types, values, exact numbers, and their two wire forms.
//! Knows neither schemas nor messages; conversions between types are Terraform's affair.

pub mod json;
mod misfit;
pub mod msgpack;
mod number;
mod value;

use std::collections::BTreeMap;
use std::fmt;

pub use number::{NotANumber, Number};
pub use value::Value;

/// A cty type, as in `"string"` or `["list", "string"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    Bool,
    /// Decided by the value: `DynamicPseudoType`.
    Dynamic,
    List(Box<Type>),
    Map(Box<Type>),
    Number,
    Object(BTreeMap<String, Type>),
    Set(Box<Type>),
    String,
    Tuple(Vec<Type>),
}

/// How deep types and values may nest. Bounds the stack against foreign bytes.
pub(crate) const MAX_DEPTH: usize = 100;

impl Type {
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    pub fn map(element: Type) -> Self {
        Self::Map(Box::new(element))
    }

    pub fn set(element: Type) -> Self {
        Self::Set(Box::new(element))
    }

    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self::Object(attributes.into_iter().map(|(name, ty)| (name.into(), ty)).collect())
    }

    /// The most precise type that holds `value`: an expression's type as Terraform would infer it.
    /// Where nothing tells (null, unknown, an empty list) it is dynamic.
    pub fn of(value: &Value) -> Self {
        let element = |elements: &[Value]| {
            let mut types = elements.iter().map(Self::of);
            let first = types.next().unwrap_or(Self::Dynamic);
            Box::new(if types.all(|ty| ty == first) { first } else { Self::Dynamic })
        };
        match value {
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Null | Value::Unknown | Value::Dynamic(..) => Self::Dynamic,
            Value::List(elements) => Self::List(element(elements)),
            Value::Set(elements) => Self::Set(element(elements)),
            Value::Tuple(elements) => Self::Tuple(elements.iter().map(Self::of).collect()),
            Value::Map(elements) => {
                let mut types = elements.values().map(Self::of);
                let first = types.next().unwrap_or(Self::Dynamic);
                Self::map(if types.all(|ty| ty == first) { first } else { Self::Dynamic })
            }
            Value::Object(attributes) => {
                Self::object(attributes.iter().map(|(name, value)| (name, Self::of(value))))
            }
        }
    }
}

impl fmt::Display for Type {
    /// As Terraform's documentation names it: `list of string`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Dynamic => f.write_str("any type"),
            Self::List(element) => write!(f, "list of {element}"),
            Self::Map(element) => write!(f, "map of {element}"),
            Self::Number => f.write_str("number"),
            Self::Object(_) => f.write_str("object"),
            Self::Set(element) => write!(f, "set of {element}"),
            Self::String => f.write_str("string"),
            Self::Tuple(_) => f.write_str("tuple"),
        }
    }
}

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;
