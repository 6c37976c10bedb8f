//! Typed values: a struct that derives [`Model`] is both a schema and its decoded form, so the two
//! cannot drift apart. Not for the wire: see `cty`.
//!
//! ```text
//! /// What the resource is for, in Markdown.
//! #[derive(Clone, Debug, Default, Model)]
//! pub struct Credential {
//!     /// What this attribute means.
//!     #[attr(required, requires_replace, validate(length(1, 255)))]
//!     pub name: Attr<String>,
//!     /// A nested attribute; `AccessRule` derives `Model` too.
//!     #[attr(optional)]
//!     pub access_rules: Attr<Set<AccessRule>>,
//!     /// Sensitive by its type.
//!     #[attr(computed)]
//!     pub secret: Attr<Secret>,
//!     /// May be a block: `Vec`, `Set`, `Map` or `Option` of a model, in an `Attr` if it may be
//!     /// unknown (a `dynamic` block).
//!     #[model(block)]
//!     pub rule: Attr<Vec<AccessRule>>,
//! }
//! ```
//!
//! Keys of `#[attr(...)]`: `required`, `optional`, `computed`, `sensitive`, `write_only`,
//! `requires_replace`, `default = ...` (wants `optional, computed`), `deprecated = "what to use"`,
//! `name = "..."`, `validate(rule, ...)` with the functions of [`rules`](super::validate::rules), and
//! `conflicts_with("a")`, `exactly_one_of("a")`, `at_least_one_of("a")`, `requires("a")`.
//! Keys of `#[model(block(...))]`: `min = 1`, `max = 3`, `deprecated = "..."`.

mod attr;
mod block;
#[doc(hidden)]
pub mod fields;
mod types;

use std::collections::BTreeMap;

use super::cty::Value;
use super::diagnostics::{AttributePath, DecodeError};
use super::schema::{Attribute, Block, Schema, Shape};

pub use attr::Attr;
pub use block::BlockType;
pub use rekey_macros::Model;
pub use types::{Dynamic, Secret, Set};

/// An object with a schema: what `#[derive(Model)]` writes.
pub trait Model: Clone + std::fmt::Debug + Send + Sync + Sized + 'static {
    /// The struct's own doc comment, Markdown.
    fn description() -> &'static str;
    fn attributes() -> Vec<Attribute>;
    fn blocks() -> Vec<Block> {
        Vec::new()
    }
    /// From a known, non-null object that stands at `path`.
    fn from_object(value: Value, path: &AttributePath) -> Result<Self, DecodeError>;
    fn into_object(self) -> Value;

    /// The whole schema, at a version.
    fn schema(version: i64) -> Schema {
        Schema {
            version,
            description: Self::description().to_owned(),
            attributes: Self::attributes(),
            blocks: Self::blocks(),
        }
    }
}

/// A Rust type that one attribute can hold.
pub trait AttrType: Sized {
    /// A value of this type is a secret, whatever the attribute says.
    const SENSITIVE: bool = false;

    /// How the schema describes it: a plain cty type or nested attributes.
    fn shape() -> Shape;
    /// From a known, non-null value that stands at `path`.
    fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError>;
    fn into_value(self) -> Value;

    /// From any value: null and unknown are errors, but for [`Attr`].
    fn from_any(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        match value {
            Value::Null => Err(DecodeError::new("must not be null").under(path)),
            Value::Unknown => Err(DecodeError::new("must be known by now").under(path)),
            value => Self::from_value(value, path),
        }
    }
}

/// A map of attributes.
pub type Map<T> = BTreeMap<String, T>;

/// The identity of a resource that has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoIdentity;

impl Model for NoIdentity {
    fn description() -> &'static str {
        ""
    }

    fn attributes() -> Vec<Attribute> {
        Vec::new()
    }

    fn from_object(value: Value, path: &AttributePath) -> Result<Self, DecodeError> {
        fields::Fields::open(value, path)?.finish()?;
        Ok(Self)
    }

    fn into_object(self) -> Value {
        Value::Object(BTreeMap::new())
    }
}

#[cfg(test)]
mod tests;
