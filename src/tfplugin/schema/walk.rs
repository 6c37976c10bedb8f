//! The one walk over values by their schema: over one value, or over several of the same schema side by side. What is
//! done at each place is its visitor's affair: rules, defaults, replacements, what is secret, what is write-only.

use super::{Attribute, Block, Schema};
use crate::tfplugin::cty::Value;
use crate::tfplugin::diagnostics::{AttributePath, Step};

/// What a walk over `N` values is for. A value that one of them does not have is null.
pub(crate) trait Visitor<const N: usize> {
    /// Comes to an attribute. Whether to go on inside it.
    fn attribute(&mut self, attribute: &Attribute, values: [&Value; N], place: &Place) -> bool;

    /// Comes to all blocks of one name. Whether to go on inside them.
    fn block(&mut self, _block: &Block, _values: [&Value; N], _place: &Place) -> bool {
        true
    }

    /// Has been to all attributes of an object, but not to its blocks.
    fn object(&mut self, _attributes: &[Attribute], _values: [&Value; N], _place: &Place) {}
}

/// Walks from the outside in, in the schema's order. Elements of lists and maps are matched by index and key; those of
/// sets cannot be matched: each of the last value stands for all sides.
pub(crate) fn walk<const N: usize>(
    schema: &Schema,
    values: [&Value; N],
    visitor: &mut impl Visitor<N>,
) {
    walk_object(&schema.attributes, &schema.blocks, values, visitor);
}

/// The same for an object that has no schema of its own.
pub(crate) fn walk_object<const N: usize>(
    attributes: &[Attribute],
    blocks: &[Block],
    values: [&Value; N],
    visitor: &mut impl Visitor<N>,
) {
    object(attributes, blocks, values, &Place::default(), visitor);
}

/// Where a walk is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    path: AttributePath,
    /// How many steps lead to the outermost set around it: further ones lead nowhere.
    set: Option<usize>,
    hops: Vec<Hop>,
}

/// What leads on from a value, elements of sets included.
#[derive(Clone, Debug)]
enum Hop {
    Element(usize),
    Member(String),
}

impl Place {
    /// As an operator reads it. Elements of a set have no step.
    pub(crate) fn path(&self) -> &AttributePath {
        &self.path
    }

    /// As core can find what lies here, or further in: nothing that is in a set, but the set.
    pub(crate) fn pointed(&self, path: &AttributePath) -> AttributePath {
        self.set.map_or_else(|| path.clone(), |steps| path.up_to(steps))
    }

    /// The value that stands here in another value of the same form.
    pub(crate) fn find<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        self.hops.iter().try_fold(value, |value, hop| match (hop, value) {
            (Hop::Member(name), Value::Map(members) | Value::Object(members)) => {
                members.get_mut(name)
            }
            (Hop::Element(index), Value::List(elements) | Value::Set(elements)) => {
                elements.get_mut(*index)
            }
            _ => None,
        })
    }

    fn member(&self, name: &str) -> Self {
        self.then(Some(Step::Attribute(name.to_owned())), Hop::Member(name.to_owned()))
    }

    fn then(&self, step: Option<Step>, hop: Hop) -> Self {
        let mut there = self.clone();
        match step {
            Some(step) => there.path = there.path.then(step),
            None => there.set = there.set.or(Some(there.path.steps().len())),
        }
        there.hops.push(hop);
        there
    }
}

fn object<const N: usize>(
    attributes: &[Attribute],
    blocks: &[Block],
    values: [&Value; N],
    place: &Place,
    visitor: &mut impl Visitor<N>,
) {
    if !values.iter().any(|value| matches!(value, Value::Object(_))) {
        return;
    }
    let side = |name: &str| values.map(|value| value.get(name).unwrap_or(&Value::Null));
    for attribute in attributes {
        let (values, place) = (side(attribute.name), place.member(attribute.name));
        if visitor.attribute(attribute, values, &place) {
            inside(attribute.shape.nested(), &[], values, &place, visitor);
        }
    }
    visitor.object(attributes, values, place);
    for block in blocks {
        let (values, place) = (side(block.name), place.member(block.name));
        if visitor.block(block, values, &place) {
            inside(&block.attributes, &block.blocks, values, &place, visitor);
        }
    }
}

/// One object, or each of a collection.
fn inside<const N: usize>(
    attributes: &[Attribute],
    blocks: &[Block],
    values: [&Value; N],
    place: &Place,
    visitor: &mut impl Visitor<N>,
) {
    if attributes.is_empty() && blocks.is_empty() {
        return;
    }
    // What nests how is the same on every side that has anything.
    match values.iter().find(|value| value.as_elements().is_some() || value.as_entries().is_some())
    {
        Some(Value::List(_)) => {
            let count =
                values.iter().map(|value| value.as_elements().unwrap_or_default().len()).max();
            for index in 0..count.unwrap_or_default() {
                let step = Step::Index(i64::try_from(index).unwrap_or(i64::MAX));
                let place = place.then(Some(step), Hop::Element(index));
                let values = values.map(|value| {
                    let elements = value.as_elements().unwrap_or_default();
                    elements.get(index).unwrap_or(&Value::Null)
                });
                object(attributes, blocks, values, &place, visitor);
            }
        }
        Some(Value::Map(_)) => {
            let mut keys: Vec<_> = values
                .iter()
                .filter_map(|value| value.as_entries())
                .flat_map(|all| all.keys())
                .collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let place = place.then(Some(Step::Key(key.clone())), Hop::Member(key.clone()));
                let values = values.map(|value| value.get(key).unwrap_or(&Value::Null));
                object(attributes, blocks, values, &place, visitor);
            }
        }
        Some(Value::Set(_)) => {
            let elements = values.last().and_then(|value| value.as_elements()).unwrap_or_default();
            for (index, element) in elements.iter().enumerate() {
                let place = place.then(None, Hop::Element(index));
                object(attributes, blocks, [element; N], &place, visitor);
            }
        }
        _ => object(attributes, blocks, values, place, visitor),
    }
}
