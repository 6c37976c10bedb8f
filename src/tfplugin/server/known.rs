//! What Terraform stores must be known. Not for plans, in which anything may still be open.

use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Step};

/// The value with null wherever it was unknown, and where that was.
pub(super) fn without_unknown(value: Value) -> (Value, Vec<AttributePath>) {
    let mut unknown = Vec::new();
    let value = walk(value, &AttributePath::root(), &mut unknown);
    (value, unknown)
}

/// The bug report for what a handler left open.
pub(super) fn left_unknown(operation: &str, unknown: &[AttributePath]) -> Option<Diagnostic> {
    let first = unknown.first()?;
    let detail = format!(
        "{operation} ended, but left without a value: {}. That is not stored. This is a bug in the \
         provider; please report it",
        unknown.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    );
    Some(Diagnostic::error("Provider left a value unknown", detail).at(first.clone()))
}

fn walk(value: Value, path: &AttributePath, unknown: &mut Vec<AttributePath>) -> Value {
    match value {
        Value::Unknown => {
            unknown.push(path.clone());
            Value::Null
        }
        Value::Dynamic(ty, value) => Value::Dynamic(ty, Box::new(walk(*value, path, unknown))),
        Value::List(elements) => Value::List(walk_list(elements, path, unknown)),
        Value::Tuple(elements) => Value::Tuple(walk_list(elements, path, unknown)),
        Value::Set(elements) => {
            // Nothing inside a set has a path: the set's stands for all.
            let mut inside = Vec::new();
            let elements = elements.into_iter().map(|v| walk(v, path, &mut inside)).collect();
            if !inside.is_empty() {
                unknown.push(path.clone());
            }
            Value::Set(elements)
        }
        Value::Map(elements) => Value::Map(
            elements
                .into_iter()
                .map(|(key, value)| {
                    let value = walk(value, &path.then(Step::Key(key.clone())), unknown);
                    (key, value)
                })
                .collect(),
        ),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = walk(value, &path.then(Step::Attribute(name.clone())), unknown);
                    (name, value)
                })
                .collect(),
        ),
        known @ (Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_)) => known,
    }
}

fn walk_list(
    elements: Vec<Value>,
    path: &AttributePath,
    unknown: &mut Vec<AttributePath>,
) -> Vec<Value> {
    (0..)
        .zip(elements)
        .map(|(index, value)| walk(value, &path.then(Step::Index(index)), unknown))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_a_set_once_and_at_everything_else_where_it_is() {
        let part = |key: Value| Value::object([("key", key)]);
        let value = Value::object([
            ("list", Value::List(vec![Value::Null, part(Value::Unknown)])),
            ("set", Value::Set(vec![part(Value::Unknown), part(Value::Unknown)])),
        ]);
        let (known, unknown) = without_unknown(value);
        assert!(known.is_wholly_known());
        let shown: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["list[1].key", "set"]);
    }
}
