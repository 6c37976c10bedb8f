//! `managedFields`: who set which key of an object's data last, and when. The data only: nothing here asks for more.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Who changes an object, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'a> {
    pub(crate) manager: &'a str,
    pub(crate) now: Timestamp,
}

/// Notes the change from `before`, which is null for an object that is made.
pub(super) fn note(object: &mut Value, before: &Value, by: By<'_>) {
    let none = Map::new();
    let (now, then) = (object["data"].as_object(), before["data"].as_object());
    let (now, then) = (now.unwrap_or(&none), then.unwrap_or(&none));
    let set: Vec<String> = now
        .iter()
        .filter(|(key, value)| then.get(*key) != Some(value))
        .map(|(k, _)| k.clone())
        .collect();
    let gone: Vec<String> = then.keys().filter(|key| !now.contains_key(*key)).cloned().collect();
    if set.is_empty() && gone.is_empty() {
        return;
    }
    let mut entries: Vec<Value> =
        before["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    for entry in &mut entries {
        if let Some(data) = entry["fieldsV1"]["f:data"].as_object_mut() {
            data.retain(|key, _| {
                let key = key.trim_start_matches("f:");
                key == "." || !set.iter().chain(&gone).any(|other| other == key)
            });
        }
    }
    entries.retain(|entry| {
        let data = entry["fieldsV1"]["f:data"].as_object();
        data.is_some_and(|data| data.keys().any(|key| key != "."))
    });
    let own = entries.iter().position(|entry| entry["manager"] == by.manager);
    let mut entry = own.map_or_else(
        || {
            json!({
                "manager": by.manager,
                "operation": "Update",
                "apiVersion": "v1",
                "fieldsType": "FieldsV1",
                "fieldsV1": { "f:data": { ".": {} } },
            })
        },
        |place| entries.remove(place),
    );
    entry["time"] = json!(by.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    for key in set {
        entry["fieldsV1"]["f:data"][format!("f:{key}")] = json!({});
    }
    entries.push(entry);
    object["metadata"]["managedFields"] = json!(entries);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_whom_set_it_last() {
        let by = |manager| By { manager, now: Timestamp::UNIX_EPOCH };
        let mut first = json!({ "metadata": {}, "data": { "a": "1", "b": "1" } });
        note(&mut first, &Value::Null, by("kubectl"));
        let mut second = first.clone();
        second["data"] = json!({ "a": "2", "b": "1" });
        note(&mut second, &first, by("rekey"));
        let entries = second["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let told: Vec<_> = entries
            .iter()
            .map(|e| (e["manager"].clone(), e["fieldsV1"]["f:data"].clone()))
            .collect();
        assert_eq!(
            told,
            [
                (json!("kubectl"), json!({ ".": {}, "f:b": {} })),
                (json!("rekey"), json!({ ".": {}, "f:a": {} })),
            ]
        );
    }
}
