//! Values and how to look into them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Number, Type};

/// A value of some [`Type`]; which one is told by the schema, or by [`Value::Dynamic`].
///
/// Equality is by content: the order of a set's elements does not count. `Debug` shows everything,
/// secrets too: for tests, never for a log.
#[derive(Clone, Debug)]
pub enum Value {
    Bool(bool),
    /// A value in a place of type [`Type::Dynamic`], with its own type. Null and unknown stand
    /// inside of it where their type is told, else in its place.
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

impl Value {
    /// An object from its attributes.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::Object(attributes.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// This value for a place of type [`Type::Dynamic`], with the type that it shows.
    #[must_use]
    pub fn into_dynamic(self) -> Self {
        match self {
            Self::Null | Self::Unknown | Self::Dynamic(..) => self,
            value => Self::Dynamic(Box::new(Type::of(&value)), Box::new(value)),
        }
    }

    /// Null, also with a type of its own.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Dynamic(_, value) => value.is_null(),
            value => matches!(value, Self::Null),
        }
    }

    /// Unknown as a whole, also with a type of its own.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Dynamic(_, value) => value.is_unknown(),
            value => matches!(value, Self::Unknown),
        }
    }

    /// Nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Bool(_) | Self::Null | Self::Number(_) | Self::String(_) => true,
            Self::Dynamic(_, value) => value.is_wholly_known(),
            Self::List(elements) | Self::Set(elements) | Self::Tuple(elements) => {
                elements.iter().all(Self::is_wholly_known)
            }
            Self::Map(entries) | Self::Object(entries) => {
                entries.values().all(Self::is_wholly_known)
            }
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(value) => Some(value),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// The elements of a list, set or tuple.
    pub fn as_elements(&self) -> Option<&[Value]> {
        match self {
            Self::List(elements) | Self::Set(elements) | Self::Tuple(elements) => Some(elements),
            _ => None,
        }
    }

    /// The attributes of an object, or the entries of a map.
    pub fn as_entries(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::Map(entries) | Self::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// An attribute of an object, or an entry of a map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_entries()?.get(name)
    }

    /// What kind of value it is, for messages; never the value.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a bool",
            Self::Dynamic(..) => "a value of dynamic type",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Null => "null",
            Self::Number(_) => "a number",
            Self::Object(_) => "an object",
            Self::Set(_) => "a set",
            Self::String(_) => "a string",
            Self::Tuple(_) => "a tuple",
            Self::Unknown => "a value that is not known yet",
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Unknown => 1,
            Self::Bool(_) => 2,
            Self::Number(_) => 3,
            Self::String(_) => 4,
            Self::List(_) => 5,
            Self::Set(_) => 6,
            Self::Tuple(_) => 7,
            Self::Map(_) => 8,
            Self::Object(_) => 9,
            Self::Dynamic(..) => 10,
        }
    }
}

impl Ord for Value {
    /// Some total order, the same for equal values; it means nothing to an operator.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => a.cmp(b),
            (Self::Map(a), Self::Map(b)) | (Self::Object(a), Self::Object(b)) => a.cmp(b),
            (Self::Dynamic(ty_a, a), Self::Dynamic(ty_b, b)) => (ty_a, a).cmp(&(ty_b, b)),
            (Self::Set(a), Self::Set(b)) => {
                let sorted = |elements: &'_ Vec<Value>| {
                    let mut elements = elements.clone();
                    elements.sort();
                    elements
                };
                if a == b { Ordering::Equal } else { sorted(a).cmp(&sorted(b)) }
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}
