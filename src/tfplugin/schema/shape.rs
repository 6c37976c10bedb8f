//! What an attribute is made of: a plain type, or attributes of its own.

use super::{Attribute, object_type};
use crate::tfplugin::cty::Type;

/// What an attribute is made of.
#[derive(Clone, Debug)]
pub enum Shape {
    Plain(Type),
    NestedSingle(Vec<Attribute>),
    NestedList(Vec<Attribute>),
    NestedSet(Vec<Attribute>),
    NestedMap(Vec<Attribute>),
}

impl Shape {
    /// The cty type of a value of this shape.
    pub fn ty(&self) -> Type {
        match self {
            Self::Plain(ty) => ty.clone(),
            Self::NestedSingle(attributes) => object_type(attributes, &[]),
            Self::NestedList(attributes) => Type::list(object_type(attributes, &[])),
            Self::NestedSet(attributes) => Type::set(object_type(attributes, &[])),
            Self::NestedMap(attributes) => Type::map(object_type(attributes, &[])),
        }
    }

    /// The same as an answer: nobody configures what is in it. So one model can stand for both.
    #[must_use]
    pub fn read_only(self) -> Self {
        let inner = |attributes: Vec<Attribute>| {
            let read_only = attributes.into_iter().map(|attribute| Attribute {
                required: false,
                optional: false,
                computed: true,
                write_only: false,
                validators: Vec::new(),
                default: None,
                requires_replace: false,
                shape: attribute.shape.read_only(),
                ..attribute
            });
            read_only.collect()
        };
        match self {
            Self::Plain(ty) => Self::Plain(ty),
            Self::NestedSingle(attributes) => Self::NestedSingle(inner(attributes)),
            Self::NestedList(attributes) => Self::NestedList(inner(attributes)),
            Self::NestedSet(attributes) => Self::NestedSet(inner(attributes)),
            Self::NestedMap(attributes) => Self::NestedMap(inner(attributes)),
        }
    }

    /// The attributes of each nested object; none for a plain type.
    pub fn nested(&self) -> &[Attribute] {
        match self {
            Self::Plain(_) => &[],
            Self::NestedSingle(attributes)
            | Self::NestedList(attributes)
            | Self::NestedSet(attributes)
            | Self::NestedMap(attributes) => attributes,
        }
    }
}
