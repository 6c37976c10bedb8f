//! The cty type system: types, values, exact numbers, and their two wire forms.

pub mod json;
pub mod msgpack;
mod number;

use std::collections::BTreeMap;

pub use number::Number;

/// A cty type, as in `"string"` or `["list", "string"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// A value of some [`Type`]; which one is told by the schema, or by [`Value::Dynamic`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    /// A known value in a place of type [`Type::Dynamic`], with its own type.
    Dynamic(Box<Type>, Box<Value>),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    Null,
    Number(Number),
    Object(BTreeMap<String, Value>),
    Set(Vec<Value>),
    String(String),
    Tuple(Vec<Value>),
    /// Not known before apply. Refinements are dropped, which the protocol allows.
    Unknown,
}
