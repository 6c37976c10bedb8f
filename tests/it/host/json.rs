//! Between the JSON that tests write and read, and values: configurations by schema (as an HCL body
//! decodes), state files by type, and views for assertions.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::schema::{Attribute, Block, Kind, NestedBlock, Nesting, number};
use super::value::{Promise, Ty, Val};

const UNKNOWN: &str = "$unknown";

/// In a configuration: a value that is known at apply only. In a view: the same.
pub fn unknown() -> Json {
    json!({ UNKNOWN: true })
}

/// An unknown string of which the beginning is known, as of `"ci-${other.thing}"`.
pub fn unknown_with_prefix(prefix: &str) -> Json {
    json!({ UNKNOWN: { "prefix": prefix } })
}

fn as_unknown(json: &Json) -> Option<Val> {
    match json.as_object()?.get(UNKNOWN)? {
        Json::Object(promise) => {
            let prefix = promise["prefix"].as_str().unwrap().to_owned();
            Some(Val::Unknown(Promise { not_null: true, prefix, ..Promise::default() }))
        }
        _ => Some(Val::unknown()),
    }
}

/// Decodes a body as core would decode HCL. What core itself refuses is a fault of the test: panic.
pub fn config(json: &Json, block: &Block) -> Val {
    config_block(json, block, "")
}

fn config_block(json: &Json, block: &Block, at: &str) -> Val {
    if let Some(unknown) = as_unknown(json) {
        return unknown;
    }
    let given = json.as_object().unwrap_or_else(|| panic!("{at}: a body is a JSON object"));
    for name in given.keys() {
        assert!(
            block.attributes.contains_key(name) || block.blocks.contains_key(name),
            "{at}.{name}: Unsupported argument"
        );
    }
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        (name.clone(), config_attribute(given.get(name), attribute, &format!("{at}.{name}")))
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        (name.clone(), config_nested(given.get(name), nested, &format!("{at}.{name}")))
    });
    Val::Object(attributes.chain(blocks).collect())
}

fn config_attribute(json: Option<&Json>, attribute: &Attribute, at: &str) -> Val {
    let Some(json) = json else {
        assert!(!attribute.required, "{at}: Missing required argument");
        return Val::Null;
    };
    assert!(attribute.required || attribute.optional, "{at}: Value for unconfigurable attribute");
    match &attribute.kind {
        Kind::Plain(ty) => plain(json, ty, at),
        Kind::Nested(nesting, attributes) => {
            let object = |json: &Json, at: &str| {
                let body = Block { attributes: attributes.clone(), ..Block::default() };
                if json.is_null() { Val::Null } else { config_block(json, &body, at) }
            };
            collect(json, *nesting, at, &object)
        }
    }
}

fn config_nested(json: Option<&Json>, nested: &NestedBlock, at: &str) -> Val {
    let empty = match nested.nesting {
        Nesting::List | Nesting::Set => json!([]),
        Nesting::Map | Nesting::Group => json!({}),
        Nesting::Single => Json::Null,
    };
    let json = json.unwrap_or(&empty);
    if let Some(list) = json.as_array() {
        let count = i64::try_from(list.len()).unwrap();
        assert!(count >= nested.min, "{at}: Insufficient blocks");
        assert!(nested.max == 0 || count <= nested.max, "{at}: Too many blocks");
    }
    collect(json, nested.nesting, at, &|json, at| config_block(json, &nested.block, at))
}

fn collect(json: &Json, nesting: Nesting, at: &str, one: &dyn Fn(&Json, &str) -> Val) -> Val {
    if let Some(unknown) = as_unknown(json) {
        return unknown;
    }
    if json.is_null() {
        return Val::Null;
    }
    let list = || {
        let list = json.as_array().unwrap_or_else(|| panic!("{at}: an array is wanted"));
        list.iter().enumerate().map(|(index, json)| one(json, &format!("{at}[{index}]"))).collect()
    };
    match nesting {
        Nesting::Group | Nesting::Single => one(json, at),
        Nesting::List => Val::List(list()),
        Nesting::Set => Val::Set(list()),
        Nesting::Map => {
            let map = json.as_object().unwrap_or_else(|| panic!("{at}: a map is wanted"));
            let entry =
                |(key, json): (&String, &Json)| (key.clone(), one(json, &format!("{at}[{key:?}]")));
            Val::Map(map.iter().map(entry).collect())
        }
    }
}

/// A value of a plain type.
pub fn plain(json: &Json, ty: &Ty, at: &str) -> Val {
    if let Some(unknown) = as_unknown(json) {
        return unknown;
    }
    match (json, ty) {
        (Json::Null, _) => Val::Null,
        (Json::Bool(value), Ty::Bool) => Val::Bool(*value),
        (Json::String(text), Ty::String) => Val::String(text.clone()),
        (Json::Number(value), Ty::Number) => Val::Number(number(value)),
        // HCL's own conversion, and the way to write numbers that JSON floats cannot hold.
        (Json::String(text), Ty::Number) => Val::Number(
            super::value::Num::parse(text).unwrap_or_else(|| panic!("{at}: a number is required")),
        ),
        (_, Ty::Dynamic) => {
            let inner = literal_type(json);
            let value = plain(json, &inner, at);
            Val::Dynamic(inner, Box::new(value))
        }
        (Json::Array(list), Ty::List(element) | Ty::Set(element)) => {
            let values = list
                .iter()
                .enumerate()
                .map(|(index, json)| plain(json, element, &format!("{at}[{index}]")))
                .collect();
            if matches!(ty, Ty::List(_)) { Val::List(values) } else { Val::Set(values) }
        }
        (Json::Array(list), Ty::Tuple(types)) if list.len() == types.len() => Val::Tuple(
            list.iter()
                .zip(types)
                .enumerate()
                .map(|(index, (json, ty))| plain(json, ty, &format!("{at}[{index}]")))
                .collect(),
        ),
        (Json::Object(map), Ty::Map(element)) => Val::Map(
            map.iter()
                .map(|(key, json)| (key.clone(), plain(json, element, &format!("{at}[{key:?}]"))))
                .collect(),
        ),
        (Json::Object(map), Ty::Object(types)) => {
            assert!(
                map.keys().eq(types.keys()),
                "{at}: attributes {:?} are required, {:?} given",
                types.keys().collect::<Vec<_>>(),
                map.keys().collect::<Vec<_>>()
            );
            Val::Object(
                types
                    .iter()
                    .map(|(name, ty)| {
                        (name.clone(), plain(&map[name], ty, &format!("{at}.{name}")))
                    })
                    .collect(),
            )
        }
        _ => panic!("{at}: {json} is not of type {}", ty.to_json()),
    }
}

/// The type that HCL gives a literal.
fn literal_type(json: &Json) -> Ty {
    match json {
        Json::Null => Ty::Dynamic,
        Json::Bool(_) => Ty::Bool,
        Json::Number(_) => Ty::Number,
        Json::String(_) => Ty::String,
        Json::Array(list) => Ty::Tuple(list.iter().map(literal_type).collect()),
        Json::Object(_) if as_unknown(json).is_some() => Ty::Dynamic,
        Json::Object(map) => {
            Ty::Object(map.iter().map(|(key, json)| (key.clone(), literal_type(json))).collect())
        }
    }
}

/// An identity as an `import` block gives it: what is left out is null.
pub fn identity(json: &Json, identity: &super::schema::Identity) -> Val {
    let given = json.as_object().expect("an identity is a JSON object");
    for name in given.keys() {
        assert!(identity.attributes.contains_key(name), "identity.{name}: Unsupported argument");
    }
    let members = identity.attributes.iter().map(|(name, attribute)| {
        assert!(
            !attribute.required || given.contains_key(name),
            "identity.{name}: Missing required argument"
        );
        let json = given.get(name).unwrap_or(&Json::Null);
        (name.clone(), plain(json, &attribute.ty, &format!("identity.{name}")))
    });
    Val::Object(members.collect())
}

/// What tests compare with: [`unknown`] where a value is not known; sets sorted.
pub fn view(value: &Val) -> Json {
    match value {
        Val::Null => Json::Null,
        Val::Unknown(_) => unknown(),
        Val::Bool(value) => json!(value),
        Val::Dynamic(_, value) => view(value),
        Val::String(text) => json!(text),
        Val::Number(number) => {
            let text = number.to_string();
            serde_json::from_str(&text)
                .ok()
                .filter(|json: &Json| serde_json::to_string(json).is_ok_and(|back| back == text))
                .unwrap_or(Json::String(text))
        }
        Val::List(values) | Val::Tuple(values) => values.iter().map(view).collect(),
        Val::Set(values) => {
            let mut values: Vec<Json> = values.iter().map(view).collect();
            values.sort_by_key(Json::to_string);
            Json::Array(values)
        }
        Val::Map(entries) | Val::Object(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), view(value))).collect()
        }
    }
}

/// The text of a state file's `attributes`: every digit kept, dynamic values with their type.
pub fn state_text(value: &Val) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    let entries = |entries: &BTreeMap<String, Val>| {
        let entries =
            entries.iter().map(|(key, value)| format!("{}:{}", json!(key), state_text(value)));
        format!("{{{}}}", joined(entries.collect()))
    };
    match value {
        Val::Null => "null".to_owned(),
        Val::Unknown(_) => panic!("an unknown value cannot be stored"),
        Val::Bool(value) => value.to_string(),
        Val::Number(number) => number.to_string(),
        Val::String(text) => json!(text).to_string(),
        Val::Dynamic(ty, value) => {
            format!("{{\"value\":{},\"type\":{}}}", state_text(value), ty.to_json())
        }
        Val::List(values) | Val::Set(values) | Val::Tuple(values) => {
            format!("[{}]", joined(values.iter().map(state_text).collect()))
        }
        Val::Map(map) | Val::Object(map) => entries(map),
    }
}
