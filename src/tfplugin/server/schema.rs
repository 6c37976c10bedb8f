//! Schemas in the protocol's words.

use crate::tfplugin::cty::json;
use crate::tfplugin::proto::tfplugin6 as pb;
use crate::tfplugin::schema::{Attribute, Block, BlockNesting, Schema, Shape};
use crate::tfplugin::traits::Function;

use pb::schema::nested_block::NestingMode as BlockMode;
use pb::schema::object::NestingMode;

/// A whole schema.
pub(super) fn schema(schema: &Schema) -> pb::Schema {
    pb::Schema {
        version: schema.version,
        block: Some(pb::schema::Block {
            version: schema.version,
            attributes: schema.attributes.iter().map(attribute).collect(),
            block_types: schema.blocks.iter().map(nested_block).collect(),
            description: schema.description.clone(),
            description_kind: pb::StringKind::Markdown.into(),
            ..Default::default()
        }),
    }
}

/// What names an object of a resource; none where the model has no attributes.
pub(super) fn identity(version: i64, attributes: &[Attribute]) -> pb::ResourceIdentitySchema {
    let identity_attributes = attributes
        .iter()
        .map(|attribute| pb::resource_identity_schema::IdentityAttribute {
            name: attribute.name.to_owned(),
            r#type: plain_type(&attribute.shape),
            required_for_import: attribute.required,
            optional_for_import: !attribute.required,
            description: attribute.description.to_owned(),
        })
        .collect();
    pb::ResourceIdentitySchema { version, identity_attributes }
}

/// A function's signature.
pub(super) fn function<F: Function>(function: &F) -> pb::Function {
    pb::Function {
        parameters: function
            .parameters()
            .into_iter()
            .map(|parameter| pb::function::Parameter {
                name: parameter.name.to_owned(),
                r#type: json::encode_type(&parameter.ty),
                allow_null_value: parameter.allow_null,
                allow_unknown_values: parameter.allow_unknown,
                description: parameter.description.to_owned(),
                description_kind: pb::StringKind::Markdown.into(),
            })
            .collect(),
        variadic_parameter: None,
        r#return: Some(pb::function::Return { r#type: json::encode_type(&function.returns()) }),
        summary: F::SUMMARY.to_owned(),
        description: F::DESCRIPTION.to_owned(),
        description_kind: pb::StringKind::Markdown.into(),
        deprecation_message: String::new(),
    }
}

fn attribute(attribute: &Attribute) -> pb::schema::Attribute {
    let nested_type = match &attribute.shape {
        Shape::Plain(_) => None,
        Shape::NestedSingle(inner) => Some((NestingMode::Single, inner)),
        Shape::NestedList(inner) => Some((NestingMode::List, inner)),
        Shape::NestedSet(inner) => Some((NestingMode::Set, inner)),
        Shape::NestedMap(inner) => Some((NestingMode::Map, inner)),
    };
    pb::schema::Attribute {
        name: attribute.name.to_owned(),
        r#type: plain_type(&attribute.shape),
        nested_type: nested_type.map(|(nesting, inner)| pb::schema::Object {
            attributes: inner.iter().map(self::attribute).collect(),
            nesting: nesting.into(),
            ..Default::default()
        }),
        description: attribute.description.to_owned(),
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        description_kind: pb::StringKind::Markdown.into(),
        deprecated: attribute.deprecated.is_some(),
        write_only: attribute.write_only,
        deprecation_message: attribute.deprecated.unwrap_or_default().to_owned(),
    }
}

/// Empty for nested attributes: the protocol allows only one of the two.
fn plain_type(shape: &Shape) -> Vec<u8> {
    match shape {
        Shape::Plain(ty) => json::encode_type(ty),
        _ => Vec::new(),
    }
}

fn nested_block(block: &Block) -> pb::schema::NestedBlock {
    let (nesting, min_items, max_items) = match block.nesting {
        BlockNesting::List { min, max } => (BlockMode::List, min, max),
        BlockNesting::Map => (BlockMode::Map, 0, 0),
        BlockNesting::Set { min, max } => (BlockMode::Set, min, max),
        BlockNesting::Single => (BlockMode::Single, 0, 0),
    };
    pb::schema::NestedBlock {
        type_name: block.name.to_owned(),
        block: Some(pb::schema::Block {
            attributes: block.attributes.iter().map(attribute).collect(),
            block_types: block.blocks.iter().map(nested_block).collect(),
            description: block.description.to_owned(),
            description_kind: pb::StringKind::Markdown.into(),
            deprecated: block.deprecated.is_some(),
            deprecation_message: block.deprecated.unwrap_or_default().to_owned(),
            ..Default::default()
        }),
        nesting: nesting.into(),
        min_items,
        max_items,
    }
}
