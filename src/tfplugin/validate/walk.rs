//! Applies the rules to a whole configuration.

use super::{Validator, relation, single};
use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Step};
use crate::tfplugin::schema::walk::{Place, Visitor, walk};
use crate::tfplugin::schema::{Attribute, Schema};

/// Everything that the rules of `schema` have against `config`.
pub fn check(schema: &Schema, config: &Value) -> Vec<Diagnostic> {
    let mut check = Check(Vec::new());
    walk(schema, [config], &mut check);
    check.0
}

struct Check(Vec<Diagnostic>);

impl Visitor<1> for Check {
    fn attribute(&mut self, attribute: &Attribute, [value]: [&Value; 1], place: &Place) -> bool {
        // Core lets it be written, and would put it into the state over what the provider has found.
        if attribute.is_read_only() {
            if !value.is_null() {
                let complaint = "its value is found out by the provider; remove it here";
                self.tell("Read-only attribute", place, place.path(), complaint);
            }
            return false;
        }
        // Core minds that an argument is written, not what it turns out to be.
        if attribute.required && value.is_null() {
            let complaint = "a value is needed, but this is null";
            self.tell("Missing required argument", place, place.path(), complaint);
        }
        // What is wanted is said by each element; a map's may say that nothing is.
        if !matches!(value, Value::Map(_)) {
            elements(value, place.path(), |element, path| {
                if element.is_null() {
                    let complaint = "an element is null, often a variable without a value";
                    self.tell("Invalid argument", place, path, complaint);
                }
            });
        }
        for rule in &attribute.validators {
            self.value(rule, attribute.sensitive, value, place, place.path());
        }
        true
    }

    fn object(&mut self, attributes: &[Attribute], [value]: [&Value; 1], place: &Place) {
        let Value::Object(members) = value else { return };
        for broken in relation::check(attributes, members) {
            // Where nothing is set, there is nothing to point at but the object around.
            let path = match broken.attribute {
                Some(name) => place.path().then(Step::Attribute(name.to_owned())),
                None => place.path().clone(),
            };
            self.tell("Invalid combination of arguments", place, &path, &broken.message);
        }
    }
}

impl Check {
    fn value(
        &mut self,
        rule: &Validator,
        sensitive: bool,
        value: &Value,
        place: &Place,
        path: &AttributePath,
    ) {
        if let Validator::Each(rule) = rule {
            elements(value, path, |value, path| self.value(rule, sensitive, value, place, path));
        } else if !value.is_null()
            && !value.is_unknown()
            && let Some(complaint) = single::check(rule, value, sensitive)
        {
            self.tell("Invalid argument", place, path, &complaint);
        }
    }

    fn tell(&mut self, summary: &str, place: &Place, path: &AttributePath, complaint: &str) {
        self.0.push(if path.steps().is_empty() {
            Diagnostic::error(summary, format!("{complaint}."))
        } else {
            Diagnostic::error(summary, format!("{path}: {complaint}.")).at(place.pointed(path))
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
