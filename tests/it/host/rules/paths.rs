//! Attribute paths of answers: what they point at, in values and in schemas.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rekey::tfplugin::proto::tfplugin6::{AttributePath, attribute_path::step::Selector};

use super::super::schema::{Attribute, Block, Kind, Nesting};
use super::super::value::{Ty, Val};

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Attribute(String),
    Index(i64),
    Key(String),
}

/// The steps of a path on the wire.
pub fn steps(path: &AttributePath) -> Result<Vec<Step>, String> {
    path.steps
        .iter()
        .map(|step| match &step.selector {
            Some(Selector::AttributeName(name)) => Ok(Step::Attribute(name.clone())),
            Some(Selector::ElementKeyString(key)) => Ok(Step::Key(key.clone())),
            Some(Selector::ElementKeyInt(index)) => Ok(Step::Index(*index)),
            None => Err("a path with an empty step".to_owned()),
        })
        .collect()
}

/// As HCL writes it: `previous["3"].id`.
pub fn show_path(path: &[Step]) -> String {
    let mut shown = String::new();
    for step in path {
        match step {
            Step::Attribute(name) if shown.is_empty() => shown.push_str(name),
            Step::Attribute(name) => write!(shown, ".{name}").unwrap(),
            Step::Index(index) => write!(shown, "[{index}]").unwrap(),
            Step::Key(key) => write!(shown, "[{key:?}]").unwrap(),
        }
    }
    shown
}

/// The value at a path; none where the path leads nowhere.
pub fn apply_path(value: &Val, path: &[Step]) -> Option<Val> {
    let Some((step, rest)) = path.split_first() else { return Some(value.clone()) };
    let next = match (value, step) {
        (Val::Unknown(_), _) => return Some(Val::unknown()),
        (Val::Dynamic(_, inner), _) => return apply_path(inner, path),
        (Val::Object(members), Step::Attribute(name)) => members.get(name)?,
        (Val::Map(entries) | Val::Object(entries), Step::Key(key)) => entries.get(key)?,
        (Val::List(values) | Val::Tuple(values), Step::Index(index)) => {
            values.get(usize::try_from(*index).ok()?)?
        }
        _ => return None,
    };
    apply_path(next, rest)
}

/// Whether a diagnostic's path can point at something written by this schema.
pub fn path_exists(block: &Block, path: &[Step]) -> bool {
    let Some((Step::Attribute(name), rest)) = path.split_first() else { return path.is_empty() };
    if let Some(attribute) = block.attributes.get(name) {
        return exists_in_attribute(attribute, rest);
    }
    let Some(nested) = block.blocks.get(name) else { return false };
    match enter(nested.nesting, rest) {
        Entered::At(rest) => path_exists(&nested.block, rest),
        Entered::Collection => true,
        Entered::Nowhere => false,
    }
}

fn exists_in_attribute(attribute: &Attribute, path: &[Step]) -> bool {
    match &attribute.kind {
        Kind::Plain(ty) => exists_in_type(ty, path),
        Kind::Nested(nesting, inner) => match enter(*nesting, path) {
            Entered::At(rest) => exists_in_object(inner, rest),
            Entered::Collection => true,
            Entered::Nowhere => false,
        },
    }
}

fn exists_in_object(attributes: &BTreeMap<String, Attribute>, path: &[Step]) -> bool {
    match path.split_first() {
        None => true,
        Some((Step::Attribute(name), rest)) => {
            attributes.get(name).is_some_and(|attribute| exists_in_attribute(attribute, rest))
        }
        Some(_) => false,
    }
}

fn exists_in_type(ty: &Ty, path: &[Step]) -> bool {
    match (ty, path.split_first()) {
        (_, None) | (Ty::Dynamic, _) => true,
        (Ty::List(element), Some((Step::Index(_), rest)))
        | (Ty::Map(element), Some((Step::Key(_), rest))) => exists_in_type(element, rest),
        (Ty::Object(members), Some((Step::Attribute(name), rest))) => {
            members.get(name).is_some_and(|ty| exists_in_type(ty, rest))
        }
        (Ty::Tuple(members), Some((Step::Index(index), rest))) => usize::try_from(*index)
            .ok()
            .and_then(|index| members.get(index))
            .is_some_and(|ty| exists_in_type(ty, rest)),
        _ => false,
    }
}

enum Entered<'a> {
    At(&'a [Step]),
    Collection,
    Nowhere,
}

/// Steps from a nested attribute or block into one of its objects.
fn enter(nesting: Nesting, path: &[Step]) -> Entered<'_> {
    match (nesting, path.split_first()) {
        (Nesting::Group | Nesting::Single, _) => Entered::At(path),
        (_, None) => Entered::Collection,
        (Nesting::List, Some((Step::Index(_), rest)))
        | (Nesting::Map, Some((Step::Key(_), rest))) => Entered::At(rest),
        _ => Entered::Nowhere,
    }
}
