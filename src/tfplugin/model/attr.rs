//! The three states of an attribute's value.

use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, DecodeError};

use super::AttrType;
use crate::tfplugin::schema::Shape;

/// An attribute's value: null, not known before apply, or known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attr<T> {
    #[default]
    Null,
    Unknown,
    Known(T),
}

impl<T> Attr<T> {
    pub fn as_ref(&self) -> Attr<&T> {
        match self {
            Self::Null => Attr::Null,
            Self::Unknown => Attr::Unknown,
            Self::Known(value) => Attr::Known(value),
        }
    }

    pub fn as_mut(&mut self) -> Attr<&mut T> {
        match self {
            Self::Null => Attr::Null,
            Self::Unknown => Attr::Unknown,
            Self::Known(value) => Attr::Known(value),
        }
    }

    /// What it refers to: an `Attr<&str>` of an `Attr<String>`.
    pub fn as_deref(&self) -> Attr<&T::Target>
    where
        T: std::ops::Deref,
    {
        self.as_ref().map(|value| &**value)
    }

    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        self.as_ref().into_option()
    }

    /// The value, or `other` where it is null or unknown.
    pub fn known_or(self, other: T) -> T {
        self.into_option().unwrap_or(other)
    }

    /// The value, or the type's own default where it is null or unknown.
    pub fn known_or_default(self) -> T
    where
        T: Default,
    {
        self.into_option().unwrap_or_default()
    }

    /// The value, if it is known.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Attr<U> {
        match self {
            Self::Null => Attr::Null,
            Self::Unknown => Attr::Unknown,
            Self::Known(value) => Attr::Known(change(value)),
        }
    }

    pub fn and_then<U>(self, change: impl FnOnce(T) -> Attr<U>) -> Attr<U> {
        match self {
            Self::Null => Attr::Null,
            Self::Unknown => Attr::Unknown,
            Self::Known(value) => change(value),
        }
    }

    /// This, or `other` where this is null. Unknown stays unknown.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_null() { other } else { self }
    }

    /// This, or `other` where this is unknown: how a plan keeps what was.
    #[must_use]
    pub fn or_if_unknown(self, other: Self) -> Self {
        if self.is_unknown() { other } else { self }
    }
}

impl<T: Clone> Attr<&T> {
    pub fn cloned(self) -> Attr<T> {
        self.map(Clone::clone)
    }
}

impl<T> From<T> for Attr<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl From<&str> for Attr<String> {
    fn from(value: &str) -> Self {
        Self::Known(value.to_owned())
    }
}

impl<T> From<Option<T>> for Attr<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

impl<T: AttrType> AttrType for Attr<T> {
    const SENSITIVE: bool = T::SENSITIVE;

    fn shape() -> Shape {
        T::shape()
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        T::from_value(value, path).map(Self::Known)
    }

    fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Known(value) => value.into_value(),
        }
    }

    fn from_any(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Null => Ok(Self::Null),
            Value::Unknown => Ok(Self::Unknown),
            value => Self::from_value(value, path),
        }
    }
}
