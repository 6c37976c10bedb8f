//! Schemas as Rust values; how they look on the wire is the server's affair.

mod check;
mod shape;
mod validator;
pub(crate) mod walk;

use super::cty::{Type, Value};

pub use shape::Shape;
pub use validator::Validator;

/// The schema of a provider, resource, data source or ephemeral resource.
#[derive(Clone, Debug)]
pub struct Schema {
    pub version: i64,
    pub description: String,
    pub attributes: Vec<Attribute>,
    pub blocks: Vec<Block>,
}

/// One attribute.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol's own flags")]
pub struct Attribute {
    pub name: &'static str,
    pub shape: Shape,
    /// Markdown.
    pub description: &'static str,
    pub required: bool,
    pub optional: bool,
    pub computed: bool,
    pub sensitive: bool,
    pub write_only: bool,
    /// The message for whoever still uses it.
    pub deprecated: Option<&'static str>,
    pub validators: Vec<Validator>,
    pub default: Option<Value>,
    /// A change of it asks for a replacement (`plan_helpers::requires_replace`).
    pub requires_replace: bool,
}

impl Attribute {
    /// Nobody configures it.
    pub fn is_read_only(&self) -> bool {
        self.computed && !self.optional && !self.required
    }
}

/// A nested block, where Terraform wants one rather than a nested attribute.
#[derive(Clone, Debug)]
pub struct Block {
    pub name: &'static str,
    pub description: &'static str,
    pub nesting: BlockNesting,
    pub attributes: Vec<Attribute>,
    pub blocks: Vec<Block>,
    pub deprecated: Option<&'static str>,
}

/// How often a block may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockNesting {
    List { min: i64, max: i64 },
    Map,
    Set { min: i64, max: i64 },
    Single,
}

impl Schema {
    /// The cty object type of a whole value of this schema.
    pub fn ty(&self) -> Type {
        object_type(&self.attributes, &self.blocks)
    }
}

impl Block {
    /// The cty type of all blocks of this name together.
    pub fn ty(&self) -> Type {
        let object = object_type(&self.attributes, &self.blocks);
        match self.nesting {
            BlockNesting::List { .. } => Type::list(object),
            BlockNesting::Map => Type::map(object),
            BlockNesting::Set { .. } => Type::set(object),
            BlockNesting::Single => object,
        }
    }
}

/// The cty type of an object of these attributes and blocks.
pub(crate) fn object_type(attributes: &[Attribute], blocks: &[Block]) -> Type {
    let attributes = attributes.iter().map(|attribute| (attribute.name, attribute.shape.ty()));
    Type::object(attributes.chain(blocks.iter().map(|block| (block.name, block.ty()))))
}
