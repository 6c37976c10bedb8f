//! Refuses write-only attributes where the caller would store them.

use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Step};
use crate::tfplugin::schema::{Attribute, Block, Schema};

/// One error for each write-only attribute that is set.
pub(super) fn refuse(config: &Value, schema: &Schema) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    object(config, &schema.attributes, &schema.blocks, &AttributePath::root(), &mut found);
    found
}

fn object(
    value: &Value,
    attributes: &[Attribute],
    blocks: &[Block],
    path: &AttributePath,
    found: &mut Vec<Diagnostic>,
) {
    let Value::Object(members) = value else { return };
    let at = |name: &str| path.then(Step::Attribute(name.to_owned()));
    for attribute in attributes {
        let Some(value) = members.get(attribute.name) else { continue };
        if !attribute.write_only {
            elements(value, attribute.shape.nested(), &[], &at(attribute.name), found);
        } else if !value.is_null() {
            found.push(not_understood(&at(attribute.name)));
        }
    }
    for block in blocks {
        if let Some(value) = members.get(block.name) {
            elements(value, &block.attributes, &block.blocks, &at(block.name), found);
        }
    }
}

/// Sets are left out: core allows nothing write-only in them.
fn elements(
    value: &Value,
    attributes: &[Attribute],
    blocks: &[Block],
    path: &AttributePath,
    found: &mut Vec<Diagnostic>,
) {
    match value {
        Value::List(list) => {
            for (index, element) in (0..).zip(list) {
                object(element, attributes, blocks, &path.then(Step::Index(index)), found);
            }
        }
        Value::Map(map) => {
            for (key, element) in map {
                object(element, attributes, blocks, &path.then(Step::Key(key.clone())), found);
            }
        }
        single => object(single, attributes, blocks, path, found),
    }
}

fn not_understood(path: &AttributePath) -> Diagnostic {
    Diagnostic::error(
        "Write-only attributes need a newer Terraform",
        format!(
            "{path} is write-only, which Terraform before 1.11 and OpenTofu before 1.11 do not \
             know: they would store its value in the state. Nothing was done. Use a newer version, \
             or leave {path} out"
        ),
    )
    .at(path.clone())
}
