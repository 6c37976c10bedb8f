//! The Rust types that an attribute can hold.

use std::collections::BTreeMap;
use std::fmt;

use crate::redaction::{ExposeSecret, SecretString};
use crate::tfplugin::cty::{Number, Type, Value};
use crate::tfplugin::diagnostics::{AttributePath, DecodeError, Step};

use super::AttrType;
use crate::tfplugin::schema::Shape;

/// A set. Order is Terraform's, equality is by content.
#[derive(Clone, Debug)]
pub struct Set<T>(pub Vec<T>);

/// A string that never prints itself and is wiped on drop.
#[derive(Clone)]
pub struct Secret(pub SecretString);

/// A whole value of any type, for arguments of type `dynamic`. The value may be null or unknown where
/// only its type is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamic(pub Type, pub Value);

impl<T> Set<T> {
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, element: &T) -> bool
    where
        T: PartialEq,
    {
        self.0.contains(element)
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        // Terraform sorts sets, so equal ones mostly are in the same order.
        self.0 == other.0
            || self.len() == other.len()
                && self.iter().all(|element| other.contains(element))
                && other.iter().all(|element| self.contains(element))
    }
}

impl<T: Eq> Eq for Set<T> {}

impl<T> From<Vec<T>> for Set<T> {
    fn from(elements: Vec<T>) -> Self {
        Self(elements)
    }
}

impl<T> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self(elements.into_iter().collect())
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Set<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Secret {
    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    /// In a time that depends on the lengths only.
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.expose().as_bytes(), other.expose().as_bytes());
        let differing = a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b));
        a.len() == b.len() && std::hint::black_box(differing) == 0
    }
}

impl Eq for Secret {}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

macro_rules! plain {
    ($rust:ty, $ty:expr, $pattern:pat => $from:expr, $self:ident => $into:expr) => {
        impl AttrType for $rust {
            fn shape() -> Shape {
                Shape::Plain($ty)
            }

            fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
                match value {
                    $pattern => $from.map_err(|error: DecodeError| error.under(path)),
                    value => Err(misfit(&$ty, &value, path)),
                }
            }

            fn into_value($self) -> Value {
                $into
            }
        }
    };
}

plain!(bool, Type::Bool, Value::Bool(value) => Ok(value), self => Value::Bool(self));
plain!(String, Type::String, Value::String(text) => Ok(text), self => Value::String(self));
plain!(Number, Type::Number, Value::Number(number) => Ok(number), self => Value::Number(self));
plain!(i64, Type::Number, Value::Number(number) => {
    number.as_i64().ok_or_else(|| DecodeError::new("must be a whole number of at most 64 bits"))
}, self => Value::Number(self.into()));
plain!(u64, Type::Number, Value::Number(number) => {
    number.as_u64().ok_or_else(|| DecodeError::new("must be a whole number from 0 to 2^64 - 1"))
}, self => Value::Number(self.into()));
// Digits that an `f64` cannot hold are lost: an attribute that must echo them is a `Number`.
plain!(f64, Type::Number, Value::Number(number) => Ok(number.as_f64()), self => {
    Number::from_f64(self).map_or(Value::Null, Value::Number)
});

impl AttrType for Secret {
    const SENSITIVE: bool = true;

    fn shape() -> Shape {
        Shape::Plain(Type::String)
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        String::from_value(value, path).map(Self::from)
    }

    fn into_value(self) -> Value {
        Value::String(self.expose().to_owned())
    }
}

impl AttrType for Dynamic {
    fn shape() -> Shape {
        Shape::Plain(Type::Dynamic)
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Dynamic(ty, value) => Ok(Self(*ty, *value)),
            value => Err(misfit(&Type::Dynamic, &value, path)),
        }
    }

    fn into_value(self) -> Value {
        Value::Dynamic(Box::new(self.0), Box::new(self.1))
    }
}

impl<T: AttrType> AttrType for Vec<T> {
    const SENSITIVE: bool = T::SENSITIVE;

    fn shape() -> Shape {
        match T::shape() {
            Shape::NestedSingle(attributes) => Shape::NestedList(attributes),
            // Terraform has no list of lists of nested attributes: a plain type says the same.
            shape => Shape::Plain(Type::list(shape.ty())),
        }
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::List(elements) => (0..)
                .zip(elements)
                .map(|(index, value)| element(value, Some(Step::Index(index)), path))
                .collect(),
            value => Err(misfit(&Self::shape().ty(), &value, path)),
        }
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: AttrType> AttrType for Set<T> {
    const SENSITIVE: bool = T::SENSITIVE;

    fn shape() -> Shape {
        match T::shape() {
            Shape::NestedSingle(attributes) => Shape::NestedSet(attributes),
            shape => Shape::Plain(Type::set(shape.ty())),
        }
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Set(elements) => {
                elements.into_iter().map(|value| element(value, None, path)).collect()
            }
            value => Err(misfit(&Self::shape().ty(), &value, path)),
        }
    }

    fn into_value(self) -> Value {
        Value::Set(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: AttrType> AttrType for BTreeMap<String, T> {
    const SENSITIVE: bool = T::SENSITIVE;

    fn shape() -> Shape {
        match T::shape() {
            Shape::NestedSingle(attributes) => Shape::NestedMap(attributes),
            shape => Shape::Plain(Type::map(shape.ty())),
        }
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Map(entries) => entries
                .into_iter()
                .map(|(key, value)| Ok((key.clone(), element(value, Some(Step::Key(key)), path)?)))
                .collect(),
            value => Err(misfit(&Self::shape().ty(), &value, path)),
        }
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, value)| (key, value.into_value())).collect())
    }
}

/// The path is put together only where there is an error to tell.
fn element<T: AttrType>(
    value: Value,
    step: Option<Step>,
    path: &AttributePath,
) -> Result<T, DecodeError> {
    T::from_any(value, &AttributePath::root()).map_err(|error| {
        let error = match step {
            Some(step) => error.within(step),
            None => error,
        };
        error.under(path)
    })
}

fn misfit(ty: &Type, value: &Value, path: &AttributePath) -> DecodeError {
    DecodeError::new(format!("{ty} required, but this is {}", value.kind())).under(path)
}
