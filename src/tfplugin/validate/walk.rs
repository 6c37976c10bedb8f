//! Applies the rules to a whole configuration.

use super::{Validator, relation, single};
use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Step};
use crate::tfplugin::model::Shape;
use crate::tfplugin::schema::{Attribute, Block, BlockNesting, Schema};

/// Everything that the rules of `schema` have against `config`.
pub fn check(schema: &Schema, config: &Value) -> Vec<Diagnostic> {
    let mut walk = Walk::default();
    walk.object(&schema.attributes, &schema.blocks, config, &AttributePath::root());
    walk.found
}

/// The same for an object of these attributes that stands at `path`.
pub fn check_attributes(
    attributes: &[Attribute],
    object: &Value,
    path: &AttributePath,
) -> Vec<Diagnostic> {
    let mut walk = Walk::default();
    walk.object(attributes, &[], object, path);
    walk.found
}

#[derive(Default)]
struct Walk {
    found: Vec<Diagnostic>,
    /// How many steps lead to the set that the walk is in, if it is in one: further ones lead nowhere.
    set: Option<usize>,
}

impl Walk {
    fn object(
        &mut self,
        attributes: &[Attribute],
        blocks: &[Block],
        object: &Value,
        path: &AttributePath,
    ) {
        let Value::Object(values) = object else { return };
        for attribute in attributes {
            let Some(value) = values.get(attribute.name) else { continue };
            let path = path.then(Step::Attribute(attribute.name.to_owned()));
            // Core minds that an argument is written, not what it turns out to be.
            if attribute.required && value.is_null() {
                self.tell(
                    "Missing required argument",
                    &path,
                    "a value is needed, but this is null",
                );
            }
            for rule in &attribute.validators {
                self.value(rule, attribute.sensitive, value, &path);
            }
            match &attribute.shape {
                Shape::Plain(_) => {}
                Shape::NestedSingle(nested) => self.object(nested, &[], value, &path),
                Shape::NestedList(nested) | Shape::NestedSet(nested) | Shape::NestedMap(nested) => {
                    self.in_collection(value, &path, |walk, value, path| {
                        walk.object(nested, &[], value, path);
                    });
                }
            }
        }
        for broken in relation::check(attributes, values) {
            // Where nothing is set, there is nothing to point at but the object around.
            let place = match broken.attribute {
                Some(name) => path.then(Step::Attribute(name.to_owned())),
                None => path.clone(),
            };
            self.tell("Invalid combination of arguments", &place, &broken.message);
        }
        for block in blocks {
            let Some(value) = values.get(block.name) else { continue };
            let path = path.then(Step::Attribute(block.name.to_owned()));
            let each = |walk: &mut Self, value: &Value, path: &AttributePath| {
                walk.object(&block.attributes, &block.blocks, value, path);
            };
            match block.nesting {
                BlockNesting::Single => each(self, value, &path),
                _ => self.in_collection(value, &path, each),
            }
        }
    }

    fn in_collection(
        &mut self,
        value: &Value,
        path: &AttributePath,
        each: impl Fn(&mut Self, &Value, &AttributePath),
    ) {
        let around = self.set;
        if matches!(value, Value::Set(_)) {
            self.set = around.or(Some(path.steps().len()));
        }
        elements(value, path, |value, path| each(self, value, path));
        self.set = around;
    }

    fn value(&mut self, rule: &Validator, sensitive: bool, value: &Value, path: &AttributePath) {
        if let Validator::Each(rule) = rule {
            elements(value, path, |value, path| self.value(rule, sensitive, value, path));
        } else if !value.is_null()
            && !value.is_unknown()
            && let Some(complaint) = single::check(rule, value, sensitive)
        {
            self.tell("Invalid argument", path, &complaint);
        }
    }

    fn tell(&mut self, summary: &str, path: &AttributePath, complaint: &str) {
        self.found.push(if path.steps().is_empty() {
            Diagnostic::error(summary, format!("{complaint}."))
        } else {
            let place = self.set.map_or_else(|| path.clone(), |steps| path.up_to(steps));
            Diagnostic::error(summary, format!("{path}: {complaint}.")).at(place)
        });
    }
}

/// Each element with its path. Elements of a set have none: theirs is the set's.
fn elements(value: &Value, path: &AttributePath, mut each: impl FnMut(&Value, &AttributePath)) {
    match value {
        Value::List(elements) | Value::Tuple(elements) => {
            for (index, value) in (0..).zip(elements) {
                each(value, &path.then(Step::Index(index)));
            }
        }
        Value::Set(elements) => elements.iter().for_each(|value| each(value, path)),
        Value::Map(entries) => {
            for (key, value) in entries {
                each(value, &path.then(Step::Key(key.clone())));
            }
        }
        _ => {}
    }
}
