//! Typed values: a struct that derives [`Model`] is both a schema and its decoded form.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::cty::{Type, Value};
use super::diagnostics::{AttributePath, DecodeError};
use super::schema::Attribute;

pub use rekey_macros::Model;

/// An attribute's value: null, not known before apply, or known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attr<T> {
    #[default]
    Null,
    Unknown,
    Known(T),
}

/// A set. Order is Terraform's, equality is by content.
#[derive(Clone, Debug, Default)]
pub struct Set<T>(pub Vec<T>);

/// A string that never prints itself and is wiped on drop.
#[derive(Clone, Debug)]
pub struct Secret(pub SecretString);

/// A Rust type that one attribute can hold.
pub trait AttrType: Sized {
    /// How the schema describes it: a plain cty type or nested attributes.
    fn shape() -> Shape;
    /// From a known, non-null value.
    fn from_value(value: Value, path: &AttributePath) -> Result<Self, DecodeError>;
    fn into_value(self) -> Value;
}

/// What an attribute is made of.
#[derive(Clone, Debug)]
pub enum Shape {
    Plain(Type),
    NestedSingle(Vec<Attribute>),
    NestedList(Vec<Attribute>),
    NestedSet(Vec<Attribute>),
    NestedMap(Vec<Attribute>),
}

/// An object with a schema: what `#[derive(Model)]` writes.
pub trait Model: Clone + std::fmt::Debug + Send + Sync + Sized + 'static {
    /// The struct's own doc comment, Markdown.
    fn description() -> &'static str;
    fn attributes() -> Vec<Attribute>;
    /// From a known, non-null object.
    fn from_object(value: Value, path: &AttributePath) -> Result<Self, DecodeError>;
    fn into_object(self) -> Value;
}

/// A whole value of any type, for arguments of type `dynamic`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamic(pub Type, pub Value);

/// A map of attributes.
pub type Map<T> = BTreeMap<String, T>;

/// The identity of a resource that has none.
#[derive(Clone, Debug, Default)]
pub struct NoIdentity;
