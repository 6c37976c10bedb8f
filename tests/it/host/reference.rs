//! References between blocks: `rekey_thing.a.id` as a value in another block.

use serde_json::{Value as Json, json};

use super::json::unknown;

const REFERENCE: &str = "$ref";

/// In a configuration: an attribute of an earlier block, as in
/// `reference("rekey_thing.a", "previous.id")`.
pub fn reference(address: &str, attribute: &str) -> Json {
    json!({ REFERENCE: { "address": address, "attribute": attribute } })
}

/// The addresses that a configuration refers to.
pub(super) fn sources(config: &Json) -> Vec<String> {
    match config {
        Json::Object(map) => match map.get(REFERENCE) {
            Some(it) => vec![it["address"].as_str().unwrap().to_owned()],
            None => map.values().flat_map(sources).collect(),
        },
        Json::Array(list) => list.iter().flat_map(sources).collect(),
        _ => Vec::new(),
    }
}

/// The configuration with each reference replaced by what `attributes` knows of its source.
pub(super) fn resolve(config: &Json, attributes: &dyn Fn(&str) -> Json) -> Json {
    match config {
        Json::Object(map) => match map.get(REFERENCE) {
            Some(it) => {
                let source = attributes(it["address"].as_str().unwrap());
                it["attribute"].as_str().unwrap().split('.').fold(source, step)
            }
            None => {
                map.iter().map(|(key, value)| (key.clone(), resolve(value, attributes))).collect()
            }
        },
        Json::Array(list) => list.iter().map(|value| resolve(value, attributes)).collect(),
        other => other.clone(),
    }
}

fn step(value: Json, name: &str) -> Json {
    if value == unknown() {
        return value;
    }
    value.get(name).unwrap_or_else(|| panic!("no attribute {name} in {value}")).clone()
}
