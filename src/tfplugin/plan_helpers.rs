//! What a plan does with the schema's own flags: defaults, replacements, computed values.
//! Pure functions over whole objects. What a resource's own plan decides is the resource's affair.
//!
//! In all of them `config` is what the user wrote and `planned` starts as core's proposal. Values
//! inside sets cannot be matched between the two, so there what stands in `planned` counts as written.

use super::cty::Value;
use super::diagnostics::{AttributePath, Step};
use super::model::Shape;
use super::schema::{Attribute, Block, Schema};

/// The attributes that are marked as needing a replacement and that change.
pub fn requires_replace(
    attributes: &[Attribute],
    prior: &Value,
    planned: &Value,
) -> Vec<AttributePath> {
    let mut found = Vec::new();
    changed(attributes, Some(prior), Some(planned), &AttributePath::root(), &mut found);
    found
}

/// Puts the defaults where the configuration says nothing.
pub fn apply_defaults(attributes: &[Attribute], config: &Value, planned: &mut Value) {
    visit(attributes, config, planned, &mut |attribute, config, planned| {
        if let Some(default) = &attribute.default
            && config.is_null()
        {
            planned.clone_from(default);
        }
    });
}

/// Makes every computed attribute unknown that nobody configured and that has no default: all that
/// a create will decide.
pub fn unknown_computed(attributes: &[Attribute], config: &Value, planned: &mut Value) {
    visit(attributes, config, planned, &mut |attribute, config, planned| {
        if attribute.computed && attribute.default.is_none() && config.is_null() {
            *planned = Value::Unknown;
        }
    });
}

/// Gives computed attributes that are planned as unknown, and that nobody configured, what they were.
/// Only top-level attributes: what an object inside of a list was, cannot be told.
pub fn keep_prior(attributes: &[Attribute], prior: &Value, config: &Value, planned: &mut Value) {
    let Value::Object(planned) = planned else { return };
    for attribute in attributes.iter().filter(|attribute| attribute.computed) {
        if let Some(planned) = planned.get_mut(attribute.name)
            && planned.is_unknown()
            && config.get(attribute.name).is_none_or(Value::is_null)
            && let Some(prior) = prior.get(attribute.name)
        {
            planned.clone_from(prior);
        }
    }
}

/// Makes every write-only attribute null, as core demands of all that a provider answers.
pub fn null_write_only(schema: &Schema, value: &mut Value) {
    null_in_body(&schema.attributes, &schema.blocks, value);
}

fn null_in_body(attributes: &[Attribute], blocks: &[Block], value: &mut Value) {
    let Value::Object(values) = value else { return };
    for attribute in attributes {
        let Some(value) = values.get_mut(attribute.name) else { continue };
        if attribute.write_only {
            *value = Value::Null;
        } else {
            let nested = attribute.shape.nested();
            each_object(value, &mut |object| null_in_body(nested, &[], object));
        }
    }
    for block in blocks {
        if let Some(value) = values.get_mut(block.name) {
            each_object(value, &mut |object| {
                null_in_body(&block.attributes, &block.blocks, object);
            });
        }
    }
}

/// The object itself, or each object in the list, set or map.
fn each_object(value: &mut Value, act: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Object(_) => act(value),
        Value::List(elements) | Value::Set(elements) => elements.iter_mut().for_each(act),
        Value::Map(entries) => entries.values_mut().for_each(act),
        _ => {}
    }
}

/// Calls `act` for every attribute at every depth, from the outside in, with its two values.
fn visit(
    attributes: &[Attribute],
    config: &Value,
    planned: &mut Value,
    act: &mut impl FnMut(&Attribute, &Value, &mut Value),
) {
    let Value::Object(planned) = planned else { return };
    for attribute in attributes {
        let Some(planned) = planned.get_mut(attribute.name) else { continue };
        let config = config.get(attribute.name).unwrap_or(&Value::Null);
        act(attribute, config, planned);
        if config.is_null() {
            continue;
        }
        match (&attribute.shape, planned) {
            (Shape::NestedSingle(nested), planned) => visit(nested, config, planned, act),
            (Shape::NestedList(nested), Value::List(planned)) => {
                let config = config.as_elements().unwrap_or_default();
                for (config, planned) in config.iter().zip(planned) {
                    visit(nested, config, planned, act);
                }
            }
            (Shape::NestedMap(nested), Value::Map(planned)) => {
                for (key, planned) in planned {
                    visit(nested, config.get(key).unwrap_or(&Value::Null), planned, act);
                }
            }
            (Shape::NestedSet(nested), Value::Set(planned)) => {
                for planned in planned {
                    visit(nested, &planned.clone(), planned, act);
                }
            }
            _ => {}
        }
    }
}

/// None stands for an object that does not exist on that side.
fn changed(
    attributes: &[Attribute],
    prior: Option<&Value>,
    planned: Option<&Value>,
    path: &AttributePath,
    found: &mut Vec<AttributePath>,
) {
    for attribute in attributes {
        let side = |object: Option<&'_ Value>| {
            object.and_then(|object| object.get(attribute.name)).cloned()
        };
        let (prior, planned) =
            (side(prior).unwrap_or(Value::Null), side(planned).unwrap_or(Value::Null));
        if prior == planned {
            continue;
        }
        let path = path.then(Step::Attribute(attribute.name.to_owned()));
        if attribute.requires_replace {
            found.push(path);
            continue;
        }
        let mut inner = |prior, planned, path: &AttributePath| {
            changed(attribute.shape.nested(), prior, planned, path, found);
        };
        match &attribute.shape {
            Shape::Plain(_) => {}
            Shape::NestedSingle(_) => inner(Some(&prior), Some(&planned), &path),
            Shape::NestedList(_) => {
                let prior = prior.as_elements().unwrap_or_default();
                let planned = planned.as_elements().unwrap_or_default();
                for index in 0..prior.len().max(planned.len()) {
                    let step = Step::Index(i64::try_from(index).unwrap_or(i64::MAX));
                    inner(prior.get(index), planned.get(index), &path.then(step));
                }
            }
            Shape::NestedMap(_) => {
                let keys = |side: &Value| -> Vec<String> {
                    side.as_entries().into_iter().flatten().map(|(key, _)| key.clone()).collect()
                };
                let mut all = keys(&prior);
                all.extend(keys(&planned));
                all.sort_unstable();
                all.dedup();
                for key in all {
                    inner(prior.get(&key), planned.get(&key), &path.then(Step::Key(key.clone())));
                }
            }
            // Elements of a set have no path, and no element of one set belongs to one of the other.
            Shape::NestedSet(nested) => {
                let matters = nested.iter().any(|attribute| attribute.requires_replace);
                if matters && marked(nested, &prior) != marked(nested, &planned) {
                    found.push(path);
                }
            }
        }
    }
}

/// What matters for a replacement in the elements of a set.
fn marked(attributes: &[Attribute], set: &Value) -> Value {
    let part = |object: &Value| {
        let marked = attributes.iter().filter(|attribute| attribute.requires_replace);
        Value::object(marked.map(|attribute| {
            (attribute.name, object.get(attribute.name).cloned().unwrap_or(Value::Null))
        }))
    };
    let mut parts: Vec<Value> = set.as_elements().unwrap_or_default().iter().map(part).collect();
    parts.sort();
    parts.dedup();
    Value::Set(parts)
}

#[cfg(test)]
mod tests;
