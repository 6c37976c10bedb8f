//! Makes known to [`redaction`] what the schema calls secret, as soon as it passes by: so that no log
//! line holds it, whoever writes that line.

use crate::redaction;
use crate::tfplugin::cty::Value;
use crate::tfplugin::schema::{Attribute, Block, Schema};

/// Registers all text in sensitive and write-only attributes.
pub(super) fn register(schema: &Schema, value: &Value) {
    in_object(&schema.attributes, &schema.blocks, value);
}

fn in_object(attributes: &[Attribute], blocks: &[Block], value: &Value) {
    let Value::Object(members) = value else { return };
    for attribute in attributes {
        let Some(value) = members.get(attribute.name) else { continue };
        if attribute.sensitive || attribute.write_only {
            all_text(value);
        } else {
            let nested = attribute.shape.nested();
            each_object(value, &|object| in_object(nested, &[], object));
        }
    }
    for block in blocks {
        if let Some(value) = members.get(block.name) {
            each_object(value, &|object| in_object(&block.attributes, &block.blocks, object));
        }
    }
}

/// The object itself, or each object in the list, set or map.
pub(super) fn each_object(value: &Value, act: &impl Fn(&Value)) {
    match value {
        Value::Object(_) => act(value),
        Value::List(elements) | Value::Set(elements) => elements.iter().for_each(act),
        Value::Map(elements) => elements.values().for_each(act),
        _ => {}
    }
}

fn all_text(value: &Value) {
    match value {
        Value::String(text) => redaction::register(text),
        Value::Dynamic(_, value) => all_text(value),
        Value::List(elements) | Value::Set(elements) | Value::Tuple(elements) => {
            elements.iter().for_each(all_text);
        }
        Value::Map(members) | Value::Object(members) => members.values().for_each(all_text),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::Unknown => {}
    }
}
