//! Objects that clients make, change and delete, with the rules of a real API server: a uid for each making, one
//! growing resourceVersion for all, none for a change that changes nothing, preconditions, finalizers, the
//! generation of a spec, and the log that watches read. Not the validation of any schema.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::fields::{self, By};
use super::kinds::Sort;
use super::refuse::failure;
use crate::http::Reply;
use crate::ids::Ids;

/// Everything of the kinds of [`super::kinds`].
#[derive(Debug)]
pub(crate) struct Store {
    version: watch::Sender<u64>,
    objects: BTreeMap<Key, Value>,
    log: Vec<Event>,
}

/// Names an object of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) group: String,
    pub(crate) plural: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What a watch tells.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) version: u64,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(crate) kind: &'static str,
    pub(crate) key: Key,
    pub(crate) object: Value,
}

/// What of an object is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All but the status, where that is a part of its own.
    Main,
    Status,
}

/// What must hold for a deletion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preconditions {
    pub(crate) uid: Option<String>,
    pub(crate) version: Option<String>,
}

impl Default for Store {
    fn default() -> Self {
        Self { version: watch::Sender::new(1), objects: BTreeMap::new(), log: Vec::new() }
    }
}

impl Store {
    /// Of everything; grows with each change.
    pub(crate) fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// Tells of each change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// What happened after that version.
    pub(crate) fn since(&self, version: u64) -> &[Event] {
        let first = self.log.partition_point(|event| event.version <= version);
        &self.log[first..]
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// All of a kind, in the order of their names; of one namespace, or of all.
    pub(crate) fn list<'a>(
        &'a self,
        sort: &'a Sort,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Value> {
        self.objects
            .iter()
            .filter(move |(key, _)| {
                key.group == sort.group
                    && key.plural == sort.plural
                    && (namespace.is_empty() || key.namespace == namespace)
            })
            .map(|(_, object)| object)
    }

    pub(crate) fn create(
        &mut self,
        sort: &Sort,
        namespace: &str,
        body: Value,
        ids: &mut Ids,
        by: By<'_>,
    ) -> Result<Value, Reply> {
        let mut object = body;
        let name = text(&object["metadata"]["name"]);
        if name.is_empty() {
            let why = format!("{} \"\" is invalid: metadata.name: Required value", sort.kind);
            return Err(failure(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Invalid",
                &why,
                &details(sort, ""),
            ));
        }
        if sort.namespaced && !self.has_namespace(namespace) {
            let message = format!("namespaces \"{namespace}\" not found");
            let details = json!({ "name": namespace, "kind": "namespaces" });
            return Err(failure(StatusCode::NOT_FOUND, "NotFound", &message, &details));
        }
        let key = Key::new(sort, namespace, &name);
        if self.objects.contains_key(&key) {
            let message = format!("{} \"{name}\" already exists", sort.full_name());
            let details = details(sort, &name);
            return Err(failure(StatusCode::CONFLICT, "AlreadyExists", &message, &details));
        }
        if let Some(members) = object.as_object_mut()
            && sort.custom
        {
            members.remove("status");
        }
        let metadata = &mut object["metadata"];
        metadata["uid"] = json!(ids.uuid());
        metadata["creationTimestamp"] = json!(seconds(by.now));
        if sort.namespaced {
            metadata["namespace"] = json!(namespace);
        }
        if sort.custom {
            metadata["generation"] = json!(1);
        }
        object["kind"] = json!(sort.kind);
        object["apiVersion"] = json!(sort.version());
        complete(sort, &mut object)?;
        fields::note(&mut object, &Value::Null, by);
        Ok(self.put("ADDED", key, object))
    }

    /// Takes a JSON merge patch.
    pub(crate) fn patch(
        &mut self,
        sort: &Sort,
        key: &Key,
        patch: &Value,
        part: Part,
        by: By<'_>,
    ) -> Result<Value, Reply> {
        let before = self.objects.get(key).cloned().ok_or_else(|| missing(sort, &key.name))?;
        let mut after = before.clone();
        merge(&mut after, patch);
        self.change(sort, key, &before, after, part, by)
    }

    /// Takes a whole object.
    pub(crate) fn replace(
        &mut self,
        sort: &Sort,
        key: &Key,
        body: Value,
        part: Part,
        by: By<'_>,
    ) -> Result<Value, Reply> {
        let before = self.objects.get(key).cloned().ok_or_else(|| missing(sort, &key.name))?;
        let version = &body["metadata"]["resourceVersion"];
        if sort.custom && version.as_str().unwrap_or_default().is_empty() {
            let message = format!(
                "{} \"{}\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update",
                sort.full_name(),
                key.name
            );
            let details = details(sort, &key.name);
            return Err(failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", &message, &details));
        }
        self.change(sort, key, &before, body, part, by)
    }

    /// Deletes it, or notes that it is to be, where somebody has a finalizer on it. The object as it was, in the
    /// latter case as it is.
    pub(crate) fn delete(
        &mut self,
        sort: &Sort,
        key: &Key,
        only_if: &Preconditions,
        now: Timestamp,
    ) -> Result<Deleted, Reply> {
        let object = self.objects.get(key).ok_or_else(|| missing(sort, &key.name))?;
        let metadata = &object["metadata"];
        for (what, wanted, there) in [
            ("UID", &only_if.uid, text(&metadata["uid"])),
            ("ResourceVersion", &only_if.version, text(&metadata["resourceVersion"])),
        ] {
            if let Some(wanted) = wanted
                && *wanted != there
            {
                let why = format!(
                    "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {there}"
                );
                return Err(conflict(sort, &key.name, &why));
            }
        }
        if !is_empty(&metadata["finalizers"]) {
            let mut object = object.clone();
            if object["metadata"]["deletionTimestamp"].is_null() {
                object["metadata"]["deletionTimestamp"] = json!(seconds(now));
                object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
                count_generation(&mut object["metadata"]);
                object = self.put("MODIFIED", key.clone(), object);
            }
            return Ok(Deleted::Pending(object));
        }
        let uid = text(&metadata["uid"]);
        self.remove(key);
        Ok(Deleted::Gone { uid })
    }

    fn change(
        &mut self,
        sort: &Sort,
        key: &Key,
        before: &Value,
        after: Value,
        part: Part,
        by: By<'_>,
    ) -> Result<Value, Reply> {
        let (known, mut after) = (&before["metadata"], after);
        let asked = |field: &str| after["metadata"][field].as_str().filter(|text| !text.is_empty());
        if asked("resourceVersion").is_some_and(|version| known["resourceVersion"] != version) {
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            return Err(conflict(sort, &key.name, why));
        }
        if let Some(uid) = asked("uid")
            && known["uid"] != uid
        {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                text(&known["uid"])
            );
            return Err(conflict(sort, &key.name, &why));
        }
        // What only the server sets, and the part that is not meant
        for field in
            ["uid", "creationTimestamp", "generation", "deletionTimestamp", "managedFields"]
        {
            keep(&mut after["metadata"], known, field);
        }
        for field in ["resourceVersion", "name", "namespace", "deletionGracePeriodSeconds"] {
            keep(&mut after["metadata"], known, field);
        }
        for field in ["kind", "apiVersion"] {
            keep(&mut after, before, field);
        }
        match part {
            Part::Main if sort.custom => keep(&mut after, before, "status"),
            Part::Main => {}
            Part::Status => {
                let mut object = before.clone();
                keep(&mut object, &after, "status");
                after = object;
            }
        }
        complete(sort, &mut after)?;
        if after == *before {
            return Ok(after);
        }
        if sort.custom && after["spec"] != before["spec"] {
            count_generation(&mut after["metadata"]);
        }
        fields::note(&mut after, before, by);
        let goes = !after["metadata"]["deletionTimestamp"].is_null();
        if goes && is_empty(&after["metadata"]["finalizers"]) {
            self.remove(key);
            return Ok(after);
        }
        Ok(self.put("MODIFIED", key.clone(), after))
    }

    fn put(&mut self, kind: &'static str, key: Key, mut object: Value) -> Value {
        let version = self.version() + 1;
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        self.objects.insert(key.clone(), object.clone());
        self.log.push(Event { version, kind, key, object: object.clone() });
        self.version.send_replace(version);
        object
    }

    fn remove(&mut self, key: &Key) {
        let Some(mut object) = self.objects.remove(key) else { return };
        let version = self.version() + 1;
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        self.log.push(Event { version, kind: "DELETED", key: key.clone(), object });
        self.version.send_replace(version);
    }

    fn has_namespace(&self, name: &str) -> bool {
        let key = Key {
            group: String::new(),
            plural: "namespaces".to_owned(),
            namespace: String::new(),
            name: name.to_owned(),
        };
        self.objects.contains_key(&key)
    }
}

/// What became of an object that was to be deleted.
pub(crate) enum Deleted {
    Gone { uid: String },
    Pending(Value),
}

impl Key {
    pub(crate) fn new(sort: &Sort, namespace: &str, name: &str) -> Self {
        Self {
            group: sort.group.to_owned(),
            plural: sort.plural.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// RFC 7386.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in members {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

pub(super) fn missing(sort: &Sort, name: &str) -> Reply {
    let message = format!("{} \"{name}\" not found", sort.full_name());
    failure(StatusCode::NOT_FOUND, "NotFound", &message, &details(sort, name))
}

fn conflict(sort: &Sort, name: &str, why: &str) -> Reply {
    let message =
        format!("Operation cannot be fulfilled on {} \"{name}\": {why}", sort.full_name());
    failure(StatusCode::CONFLICT, "Conflict", &message, &details(sort, name))
}

fn details(sort: &Sort, name: &str) -> Value {
    let mut details = json!({ "kind": sort.plural });
    for (key, value) in [("name", name), ("group", sort.group)] {
        if !value.is_empty() {
            details[key] = json!(value);
        }
    }
    details
}

/// What the server adds to, and asks of, an object of its own.
fn complete(sort: &Sort, object: &mut Value) -> Result<(), Reply> {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    if sort.kind != "Secret" {
        return Ok(());
    }
    let plain = object.as_object_mut().and_then(|members| members.remove("stringData"));
    for (key, value) in plain.as_ref().and_then(Value::as_object).into_iter().flatten() {
        object["data"][key] = json!(BASE64_STANDARD.encode(text(value)));
    }
    if text(&object["type"]).is_empty() {
        object["type"] = json!("Opaque");
    }
    let data = object["data"].as_object().cloned().unwrap_or_default();
    let refused = data.iter().find(|(_, value)| BASE64_STANDARD.decode(text(value)).is_err());
    if refused.is_some() {
        let message = "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data";
        return Err(failure(StatusCode::BAD_REQUEST, "BadRequest", message, &json!({})));
    }
    if data.is_empty()
        && let Some(members) = object.as_object_mut()
    {
        members.remove("data");
    }
    // As Go leaves out what is empty
    for field in ["annotations", "labels", "finalizers"] {
        if is_empty(&object["metadata"][field])
            && let Some(members) = object["metadata"].as_object_mut()
        {
            members.remove(field);
        }
    }
    Ok(())
}

fn count_generation(metadata: &mut Value) {
    metadata["generation"] = json!(metadata["generation"].as_i64().unwrap_or_default() + 1);
}

/// Sets a field to what it is elsewhere; takes it away where it is nowhere.
fn keep(target: &mut Value, from: &Value, field: &str) {
    match from.get(field) {
        Some(value) => target[field] = value.clone(),
        None => {
            if let Some(members) = target.as_object_mut() {
                members.remove(field);
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
