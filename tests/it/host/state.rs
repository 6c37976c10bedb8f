//! What a state file holds between runs. Kept as text and bytes, as Terraform keeps it, so that every
//! run takes it apart anew.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::json::{state_text, view};
use super::schema::Resource;
use super::value::{Ty, Val};

/// A state file. Clone it to keep an old one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Grows with each write: a saved plan of an older one is stale.
    pub serial: u64,
    pub instances: BTreeMap<String, Instance>,
}

/// Everything stored under one address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instance {
    pub current: Option<Object>,
    /// Left over from replacements that were not finished.
    pub deposed: BTreeMap<String, Object>,
}

/// One stored object.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    pub schema_version: i64,
    /// JSON text: digits are kept.
    pub attributes: String,
    pub private: Vec<u8>,
    /// With the version of its schema.
    pub identity: Option<(i64, String)>,
    pub tainted: bool,
}

/// A stored object that the provider has taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub(super) value: Val,
    pub(super) private: Vec<u8>,
    pub(super) identity: Option<Val>,
    pub(super) tainted: bool,
}

impl State {
    /// The attributes under an address; null where nothing is stored.
    pub fn attributes(&self, address: &str) -> Json {
        self.object(address).map_or(Json::Null, Object::attributes)
    }

    pub fn object(&self, address: &str) -> Option<&Object> {
        self.instances.get(address)?.current.as_ref()
    }

    /// How many objects wait for their destruction.
    pub fn deposed(&self, address: &str) -> usize {
        self.instances.get(address).map_or(0, |instance| instance.deposed.len())
    }

    /// Everything that would be on disk, for a search.
    pub fn text(&self) -> String {
        let object = |object: &Object| {
            let identity = object.identity.as_ref().map_or("", |(_, text)| text);
            format!(
                "{}\n{}\n{identity}",
                object.attributes,
                String::from_utf8_lossy(&object.private)
            )
        };
        self.instances
            .values()
            .flat_map(|instance| instance.current.iter().chain(instance.deposed.values()))
            .map(object)
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(super) fn put(&mut self, address: &str, object: Option<Object>) {
        let instance = self.instances.entry(address.to_owned()).or_default();
        instance.current = object;
        self.prune(address);
    }

    pub(super) fn put_deposed(&mut self, address: &str, key: &str, object: Option<Object>) {
        let instance = self.instances.entry(address.to_owned()).or_default();
        match object {
            Some(object) => drop(instance.deposed.insert(key.to_owned(), object)),
            None => drop(instance.deposed.remove(key)),
        }
        self.prune(address);
    }

    /// Makes the current object a deposed one.
    pub(super) fn depose(&mut self, address: &str) -> String {
        let instance = self.instances.entry(address.to_owned()).or_default();
        let keys = (0..u32::MAX).map(|n| format!("{n:08x}"));
        let key = keys.into_iter().find(|key| !instance.deposed.contains_key(key));
        let key = key.unwrap();
        if let Some(object) = instance.current.take() {
            instance.deposed.insert(key.clone(), object);
        }
        key
    }

    /// Takes a deposed object back, if nothing has come in its place.
    pub(super) fn restore(&mut self, address: &str, key: &str) {
        let instance = self.instances.entry(address.to_owned()).or_default();
        if instance.current.is_none() {
            instance.current = instance.deposed.remove(key);
        }
    }

    fn prune(&mut self, address: &str) {
        if let Some(instance) = self.instances.get(address)
            && instance.current.is_none()
            && instance.deposed.is_empty()
        {
            self.instances.remove(address);
        }
    }
}

impl Object {
    pub fn attributes(&self) -> Json {
        serde_json::from_str(&self.attributes).expect("a stored object is JSON")
    }

    /// The identity, null where there is none.
    pub fn identity(&self) -> Json {
        self.identity.as_ref().map_or(Json::Null, |(_, text)| serde_json::from_str(text).unwrap())
    }

    /// The private data, where it is JSON.
    pub fn private(&self) -> Json {
        serde_json::from_slice(&self.private).unwrap_or(json!(null))
    }

    /// What is sent to be upgraded: at an equal version, without attributes that are no more.
    pub(super) fn text_for(&self, ty: &Ty, version: i64) -> String {
        let Ty::Object(members) = ty else { return self.attributes.clone() };
        let stored: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&self.attributes).expect("a stored object is JSON");
        if version != self.schema_version || stored.keys().all(|name| members.contains_key(name)) {
            return self.attributes.clone();
        }
        let kept: BTreeMap<_, _> =
            stored.into_iter().filter(|(name, _)| members.contains_key(name)).collect();
        serde_json::to_string(&kept).unwrap()
    }
}

impl Held {
    /// How it is stored; none where nothing exists.
    pub(super) fn store(&self, resource: &Resource) -> Option<Object> {
        if self.value.is_null() {
            return None;
        }
        let version = resource.identity.as_ref().map_or(0, |schema| schema.version);
        Some(Object {
            schema_version: resource.version,
            attributes: state_text(&self.value),
            private: self.private.clone(),
            identity: self.identity.as_ref().map(|identity| (version, state_text(identity))),
            tainted: self.tainted,
        })
    }

    pub(super) fn view(&self) -> Json {
        view(&self.value)
    }
}
