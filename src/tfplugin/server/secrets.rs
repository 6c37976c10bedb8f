//! Makes known to [`redaction`] what the schema calls secret, as soon as it passes by: so that no log
//! line holds it, whoever writes that line.

use crate::redaction;
use crate::tfplugin::cty::Value;
use crate::tfplugin::schema::walk::{Place, Visitor, walk};
use crate::tfplugin::schema::{Attribute, Schema};

/// Registers all text in sensitive and write-only attributes.
pub(super) fn register(schema: &Schema, value: &Value) {
    walk(schema, [value], &mut Register);
}

struct Register;

impl Visitor<1> for Register {
    fn attribute(&mut self, attribute: &Attribute, [value]: [&Value; 1], _: &Place) -> bool {
        let is_secret = attribute.sensitive || attribute.write_only;
        if is_secret {
            all_text(value);
        }
        !is_secret
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
