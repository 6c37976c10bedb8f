//! What core proposes as the new state: the configuration, with the prior's computed values kept
//! where the configuration says nothing.

use std::collections::BTreeMap;

use super::super::schema::{Attribute, Block, Kind, NestedBlock, Nesting};
use super::super::value::Val;

type Attributes = BTreeMap<String, Attribute>;

/// Merges prior state and configuration.
pub fn proposed_new(block: &Block, prior: &Val, config: &Val) -> Val {
    match (prior, config) {
        (Val::Null, Val::Null) => Val::Null,
        (Val::Null, _) => merge_block(block, &block.empty(), config),
        _ => merge_block(block, prior, config),
    }
}

/// What stands for a data source or an ephemeral resource that cannot be read yet: computed parts
/// unknown.
pub fn unread_data(block: &Block, config: &Val) -> Val {
    merge_block(block, &Val::unknown(), config)
}

fn merge_block(block: &Block, prior: &Val, config: &Val) -> Val {
    if config.is_null() || !config.is_known() {
        return prior.clone();
    }
    let mut merged = merge_attributes(&block.attributes, prior, config);
    for (name, nested) in &block.blocks {
        let value = merge_nested_block(nested, &prior.member(name), &config.member(name));
        merged.insert(name.clone(), value);
    }
    Val::Object(merged)
}

fn merge_attributes(attributes: &Attributes, prior: &Val, config: &Val) -> BTreeMap<String, Val> {
    attributes
        .iter()
        .map(|(name, attribute)| {
            let (prior, config) = (prior.member(name), config.member(name));
            (name.clone(), merge_attribute(attribute, prior, config))
        })
        .collect()
}

fn merge_attribute(attribute: &Attribute, prior: Val, config: Val) -> Val {
    if attribute.computed && config.is_null() {
        // A prior that only a configuration can have made goes with that configuration.
        return if came_from_config(attribute, &prior) { config } else { prior };
    }
    match &attribute.kind {
        Kind::Plain(_) => config,
        Kind::Nested(nesting, inner) => {
            let one = |prior: &Val, config: &Val| match config {
                Val::Null | Val::Unknown(_) => config.clone(),
                _ => Val::Object(merge_attributes(inner, prior, config)),
            };
            let matches = |prior: &Val, config: &Val| could_have_made(inner, prior, config);
            merge_collection(*nesting, &prior, &config, &one, &matches)
        }
    }
}

fn merge_nested_block(nested: &NestedBlock, prior: &Val, config: &Val) -> Val {
    if nested.nesting == Nesting::Single && config.is_null() {
        return Val::Null;
    }
    let one = |prior: &Val, config: &Val| proposed_new(&nested.block, prior, config);
    let matches =
        |prior: &Val, config: &Val| could_have_made(&nested.block.attributes, prior, config);
    merge_collection(nested.nesting, prior, config, &one, &matches)
}

fn merge_collection(
    nesting: Nesting,
    prior: &Val,
    config: &Val,
    one: &dyn Fn(&Val, &Val) -> Val,
    matches: &dyn Fn(&Val, &Val) -> bool,
) -> Val {
    if !config.is_known() {
        return config.clone();
    }
    if nesting == Nesting::Single || nesting == Nesting::Group {
        return one(prior, config);
    }
    if config.is_null() {
        return Val::Null;
    }
    // Only data sources have an unknown prior: then everything computed inside is unknown too.
    let absent = if prior.is_known() { Val::Null } else { Val::unknown() };
    match nesting {
        Nesting::List => {
            let priors = if prior.is_known() { prior.elements() } else { &[] };
            let merged = config.elements().iter().enumerate().map(|(index, config)| {
                match priors.get(index) {
                    Some(prior) => one(prior, config),
                    None if prior.is_known() => config.clone(),
                    None => one(&absent, config),
                }
            });
            Val::List(merged.collect())
        }
        Nesting::Map => {
            let priors = if prior.is_known() { prior.entries() } else { BTreeMap::new() };
            let merged = config.entries().into_iter().map(|(key, config)| {
                let merged = one(priors.get(&key).unwrap_or(&absent), &config);
                (key, merged)
            });
            Val::Map(merged.collect())
        }
        Nesting::Set => {
            let mut priors: Vec<&Val> =
                if prior.is_known() { prior.elements().iter().collect() } else { Vec::new() };
            let merged = config.elements().iter().map(|config| {
                let found = priors.iter().position(|prior| matches(prior, config));
                match found {
                    Some(at) => one(priors.remove(at), config),
                    None => one(&Val::Null, config),
                }
            });
            Val::Set(merged.collect())
        }
        Nesting::Group | Nesting::Single => unreachable!(),
    }
}

/// Whether an optional and computed object holds something that is not computed: then it was written.
fn came_from_config(attribute: &Attribute, prior: &Val) -> bool {
    let Kind::Nested(_, inner) = &attribute.kind else { return false };
    attribute.optional && holds_configured(inner, prior)
}

fn holds_configured(attributes: &Attributes, value: &Val) -> bool {
    match value {
        Val::List(values) | Val::Set(values) => {
            values.iter().any(|value| holds_configured(attributes, value))
        }
        Val::Map(entries) => entries.values().any(|value| holds_configured(attributes, value)),
        Val::Object(members) => attributes.iter().any(|(name, attribute)| {
            let value = &members[name];
            let inside = match &attribute.kind {
                Kind::Nested(_, inner) => holds_configured(inner, value),
                Kind::Plain(_) => false,
            };
            !value.is_null() && (!attribute.computed || inside)
        }),
        _ => false,
    }
}

/// Whether a set's prior element is a configured one with only computed values added.
fn could_have_made(attributes: &Attributes, prior: &Val, config: &Val) -> bool {
    if prior == config {
        return true;
    }
    let (Val::Object(priors), Val::Object(configs)) = (prior, config) else { return false };
    attributes.iter().all(|(name, attribute)| {
        let (prior, config) = (&priors[name], &configs[name]);
        if prior == config {
            return true;
        }
        match (&attribute.kind, prior, config) {
            (Kind::Nested(Nesting::Single, inner), Val::Object(_), Val::Object(_)) => {
                could_have_made(inner, prior, config)
            }
            (Kind::Nested(Nesting::List, inner), Val::List(a), Val::List(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|(prior, config)| could_have_made(inner, prior, config))
            }
            (Kind::Nested(Nesting::Map, inner), Val::Map(a), Val::Map(b)) => {
                a.keys().eq(b.keys())
                    && a.values()
                        .zip(b.values())
                        .all(|(prior, config)| could_have_made(inner, prior, config))
            }
            _ => attribute.computed && config.is_null(),
        }
    })
}
