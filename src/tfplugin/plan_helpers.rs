//! What a plan does with the schema's own flags: defaults, replacements, computed values, write-only ones, at every
//! depth, in attributes and in blocks. Pure functions over whole objects. What a resource's own plan decides is the
//! resource's affair.
//!
//! In all of them `config` is what the user wrote and `planned` starts as core's proposal. Values
//! inside sets cannot be matched between the two, so there what stands in `planned` counts as written.

use super::cty::Value;
use super::diagnostics::AttributePath;
use super::schema::walk::{Place, Visitor, walk, walk_object};
use super::schema::{Attribute, Block, Schema};

/// The attributes that are marked as needing a replacement and that change.
pub fn requires_replace(schema: &Schema, prior: &Value, planned: &Value) -> Vec<AttributePath> {
    let mut changed = Changed(Vec::new());
    walk(schema, [prior, planned], &mut changed);
    changed.0
}

/// Puts the defaults where the configuration says nothing.
pub fn apply_defaults(schema: &Schema, config: &Value, planned: &mut Value) {
    replace(schema, config, planned, |attribute| attribute.default.clone());
}

/// Makes every computed attribute unknown that nobody configured and that has no default: all that
/// a create will decide.
pub fn unknown_computed(schema: &Schema, config: &Value, planned: &mut Value) {
    replace(schema, config, planned, |attribute| {
        (attribute.computed && attribute.default.is_none()).then_some(Value::Unknown)
    });
}

/// Makes every write-only attribute null, as core demands of all that a provider answers.
pub fn null_write_only(schema: &Schema, value: &mut Value) {
    let mut written = Written(Vec::new());
    walk(schema, [value], &mut written);
    for place in written.0 {
        put(value, &place, Value::Null);
    }
}

/// Puts what `instead` gives for an attribute where the configuration says nothing of it.
fn replace(
    schema: &Schema,
    config: &Value,
    planned: &mut Value,
    instead: impl Fn(&Attribute) -> Option<Value>,
) {
    let mut unsaid = Unsaid { instead, found: Vec::new() };
    walk(schema, [config, planned], &mut unsaid);
    for (place, value) in unsaid.found {
        put(planned, &place, value);
    }
}

fn put(value: &mut Value, place: &Place, new: Value) {
    if let Some(there) = place.find(value) {
        *there = new;
    }
}

struct Unsaid<F> {
    instead: F,
    found: Vec<(Place, Value)>,
}

impl<F: Fn(&Attribute) -> Option<Value>> Visitor<2> for Unsaid<F> {
    fn attribute(
        &mut self,
        attribute: &Attribute,
        [config, _]: [&Value; 2],
        place: &Place,
    ) -> bool {
        if config.is_null()
            && let Some(value) = (self.instead)(attribute)
        {
            self.found.push((place.clone(), value));
        }
        !config.is_null()
    }
}

struct Written(Vec<Place>);

impl Visitor<1> for Written {
    fn attribute(&mut self, attribute: &Attribute, [value]: [&Value; 1], place: &Place) -> bool {
        if attribute.write_only && !value.is_null() {
            self.0.push(place.clone());
        }
        !attribute.write_only
    }
}

struct Changed(Vec<AttributePath>);

impl Visitor<2> for Changed {
    fn attribute(&mut self, attribute: &Attribute, values: [&Value; 2], place: &Place) -> bool {
        if values[0] != values[1] && attribute.requires_replace {
            self.0.push(place.path().clone());
            return false;
        }
        self.goes_on(attribute.shape.nested(), &[], values, place)
    }

    fn block(&mut self, block: &Block, values: [&Value; 2], place: &Place) -> bool {
        self.goes_on(&block.attributes, &block.blocks, values, place)
    }
}

impl Changed {
    /// Elements of a set have no path, and no element of one set belongs to one of the other: the set counts as one.
    fn goes_on(
        &mut self,
        attributes: &[Attribute],
        blocks: &[Block],
        values: [&Value; 2],
        place: &Place,
    ) -> bool {
        if values[0] == values[1] {
            return false;
        }
        if !values.iter().any(|value| matches!(value, Value::Set(_))) {
            return true;
        }
        let [prior, planned] = values.map(|set| marked(attributes, blocks, set));
        if prior != planned {
            self.0.push(place.pointed(place.path()));
        }
        false
    }
}

/// For each element of a set that has any: its attributes that are marked as needing a replacement.
fn marked(attributes: &[Attribute], blocks: &[Block], set: &Value) -> Vec<Vec<(String, Value)>> {
    let of = |element: &Value| {
        let mut marks = Marks(Vec::new());
        walk_object(attributes, blocks, [element], &mut marks);
        marks.0
    };
    let mut all: Vec<_> = set.as_elements().unwrap_or_default().iter().map(of).collect();
    all.retain(|marks| !marks.is_empty());
    all.sort();
    all.dedup();
    all
}

struct Marks(Vec<(String, Value)>);

impl Visitor<1> for Marks {
    fn attribute(&mut self, attribute: &Attribute, [value]: [&Value; 1], place: &Place) -> bool {
        if attribute.requires_replace {
            self.0.push((place.path().to_string(), value.clone()));
        }
        !attribute.requires_replace
    }
}

#[cfg(test)]
mod tests;
