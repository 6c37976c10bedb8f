//! Rules about which attributes of one object may stand together.

use std::collections::BTreeMap;

use super::Validator;
use crate::tfplugin::cty::Value;
use crate::tfplugin::schema::Attribute;

/// A rule that does not hold.
pub(super) struct Broken {
    /// The attribute to point at, if there is one that is set.
    pub(super) attribute: Option<&'static str>,
    pub(super) message: String,
}

/// Every broken rule. A group is mostly declared at each of its members, and told about once.
pub(super) fn check(attributes: &[Attribute], values: &BTreeMap<String, Value>) -> Vec<Broken> {
    let object = Object(values);
    let mut messages = Vec::new();
    let mut found = Vec::new();
    for attribute in attributes {
        for rule in &attribute.validators {
            let Some(message) = object.complaint(rule, attribute.name) else { continue };
            if !messages.contains(&message) {
                messages.push(message.clone());
                let place = object.is_set(attribute.name).then_some(attribute.name);
                found.push(Broken { attribute: place, message });
            }
        }
    }
    found
}

struct Object<'v>(&'v BTreeMap<String, Value>);

impl Object<'_> {
    fn complaint(&self, rule: &Validator, own: &'static str) -> Option<String> {
        match rule {
            Validator::ConflictsWith(names) => {
                let set = group(own, names.iter().copied().filter(|name| self.is_set(name)));
                (self.is_set(own) && set.len() > 1)
                    .then(|| format!("{} cannot be set together, keep one", and(&set)))
            }
            Validator::ExactlyOneOf(names) => {
                let group = group(own, names.iter().copied());
                let set = group.iter().filter(|name| self.is_set(name)).count();
                if set > 1 {
                    Some(format!("of {} only one can be set, and {set} are", and(&group)))
                } else {
                    self.all_null(&group)
                        .then(|| format!("exactly one of {} must be set", and(&group)))
                }
            }
            Validator::AtLeastOneOf(names) => {
                let group = group(own, names.iter().copied());
                self.all_null(&group)
                    .then(|| format!("at least one of {} must be set", and(&group)))
            }
            Validator::Requires(names) => {
                let missing: Vec<&str> =
                    names.iter().copied().filter(|name| self.is_null(name)).collect();
                (self.is_set(own) && !missing.is_empty())
                    .then(|| format!("`{own}` works only together with {}", and(&missing)))
            }
            _ => None,
        }
    }

    /// Known and not null.
    fn is_set(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null() && !value.is_unknown())
    }

    fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_none_or(Value::is_null)
    }

    fn all_null(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.is_null(name))
    }
}

/// Sorted, so that the same group reads the same from each of its members.
fn group(own: &'static str, others: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut names: Vec<&str> = others.chain([own]).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn and(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        quoted => quoted.concat(),
    }
}
