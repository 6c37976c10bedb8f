//! The rules of write-only attributes: they live in configurations and nowhere else.

use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Step};
use crate::tfplugin::model::Shape;
use crate::tfplugin::schema::Attribute;

/// The value with every write-only attribute null, as plans and states must have it.
pub(super) fn strip(value: Value, attributes: &[Attribute]) -> Value {
    if !any(attributes) {
        return value;
    }
    let Value::Object(mut object) = value else { return value };
    for attribute in attributes {
        let Some(slot) = object.get_mut(attribute.name) else { continue };
        if attribute.write_only {
            *slot = Value::Null;
        } else if let Some(inner) = nested(&attribute.shape) {
            let value = std::mem::replace(slot, Value::Null);
            *slot = strip_elements(value, inner);
        }
    }
    Value::Object(object)
}

/// One error for each write-only attribute that is set.
pub(super) fn refuse(config: &Value, attributes: &[Attribute]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if any(attributes) {
        collect(config, attributes, &AttributePath::root(), &mut found);
    }
    found
}

fn any(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|a| a.write_only || nested(&a.shape).is_some_and(any))
}

fn nested(shape: &Shape) -> Option<&[Attribute]> {
    match shape {
        Shape::Plain(_) => None,
        Shape::NestedSingle(inner)
        | Shape::NestedList(inner)
        | Shape::NestedSet(inner)
        | Shape::NestedMap(inner) => Some(inner),
    }
}

fn strip_elements(value: Value, inner: &[Attribute]) -> Value {
    let strip = |value| strip(value, inner);
    match value {
        Value::List(elements) => Value::List(elements.into_iter().map(strip).collect()),
        Value::Set(elements) => Value::Set(elements.into_iter().map(strip).collect()),
        Value::Map(elements) => {
            Value::Map(elements.into_iter().map(|(key, value)| (key, strip(value))).collect())
        }
        single => strip(single),
    }
}

fn collect(
    value: &Value,
    attributes: &[Attribute],
    path: &AttributePath,
    found: &mut Vec<Diagnostic>,
) {
    let Value::Object(object) = value else { return };
    for attribute in attributes {
        let Some(value) = object.get(attribute.name) else { continue };
        let path = path.then(Step::Attribute(attribute.name.to_owned()));
        if attribute.write_only {
            if *value != Value::Null {
                found.push(not_understood(&path));
            }
        } else if let Some(inner) = nested(&attribute.shape) {
            collect_elements(value, inner, &path, found);
        }
    }
}

fn collect_elements(
    value: &Value,
    inner: &[Attribute],
    path: &AttributePath,
    found: &mut Vec<Diagnostic>,
) {
    match value {
        Value::List(elements) => {
            for (index, element) in (0..).zip(elements) {
                collect(element, inner, &path.then(Step::Index(index)), found);
            }
        }
        Value::Map(elements) => {
            for (key, element) in elements {
                collect(element, inner, &path.then(Step::Key(key.clone())), found);
            }
        }
        // Elements of sets have no path, and core allows nothing write-only in them.
        Value::Set(elements) => {
            for element in elements {
                collect(element, inner, path, found);
            }
        }
        single => collect(single, inner, path, found),
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
