#![allow(clippy::unwrap_used)]

use super::*;
use crate::kubernetes::kinds;

fn by() -> By<'static> {
    By { manager: "test", now: Timestamp::UNIX_EPOCH }
}

fn store() -> (Store, Ids) {
    let (mut store, mut ids) = (Store::default(), Ids::seeded(1));
    let namespaces = kinds::find("", "namespaces", true).unwrap();
    let object = json!({ "metadata": { "name": "n" } });
    store.create(namespaces, "", object, &mut ids, by()).unwrap();
    (store, ids)
}

fn status(reply: Reply) -> (u16, Value) {
    let crate::http::Content::Json(text) = reply.body else { panic!("no JSON") };
    (reply.status.as_u16(), serde_json::from_slice(&text).unwrap())
}

#[test]
fn a_change_that_changes_nothing_has_no_version_of_its_own() {
    let (mut store, mut ids) = store();
    let secrets = kinds::find("", "secrets", true).unwrap();
    let body = json!({ "metadata": { "name": "s" }, "stringData": { "a": "1" } });
    let made = store.create(secrets, "n", body, &mut ids, by()).unwrap();
    assert_eq!(made["data"], json!({ "a": "MQ==" }));
    let key = Key::new(secrets, "n", "s");
    let same = json!({ "data": { "a": "MQ==", "b": null } });
    let after = store.patch(secrets, &key, &same, Part::Main, by()).unwrap();
    assert_eq!(after, made);
    let other = json!({ "data": { "a": "Mg==" } });
    let after = store.patch(secrets, &key, &other, Part::Main, by()).unwrap();
    assert_ne!(after["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
    assert_eq!(after["metadata"]["uid"], made["metadata"]["uid"]);
}

#[test]
fn preconditions_are_kept_and_an_object_made_anew_has_another_uid() {
    let (mut store, mut ids) = store();
    let secrets = kinds::find("", "secrets", true).unwrap();
    let key = Key::new(secrets, "n", "s");
    let body = json!({ "metadata": { "name": "s" } });
    let first = store.create(secrets, "n", body.clone(), &mut ids, by()).unwrap();
    let stale = json!({ "metadata": { "resourceVersion": "1" }, "data": { "a": "MQ==" } });
    let refused = store.patch(secrets, &key, &stale, Part::Main, by()).unwrap_err();
    let (code, told) = status(refused);
    assert_eq!((code, &told["reason"]), (409, &json!("Conflict")));
    let uid = text(&first["metadata"]["uid"]);
    let only_if = Preconditions { uid: Some(uid), version: None };
    store.delete(secrets, &key, &only_if, Timestamp::UNIX_EPOCH).unwrap();
    let second = store.create(secrets, "n", body, &mut ids, by()).unwrap();
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    let Err(refused) = store.delete(secrets, &key, &only_if, Timestamp::UNIX_EPOCH) else {
        panic!("the second one was deleted by the first one's uid");
    };
    assert!(text(&status(refused).1["message"]).contains("Precondition failed: UID"));
}

#[test]
fn a_status_is_a_part_of_its_own_and_only_a_spec_has_generations() {
    let (mut store, mut ids) = store();
    let requests = kinds::find(kinds::CLOUD_CREDENTIAL, "credentialsrequests", true).unwrap();
    let body = json!({
        "metadata": { "name": "c", "finalizers": ["f"] }, "spec": { "a": 1 }, "status": { "b": 1 },
    });
    let made = store.create(requests, "n", body, &mut ids, by()).unwrap();
    assert_eq!((&made["status"], &made["metadata"]["generation"]), (&Value::Null, &json!(1)));
    let key = Key::new(requests, "n", "c");
    let both = json!({ "spec": { "a": 2 }, "status": { "b": 2 } });
    let after = store.patch(requests, &key, &both, Part::Status, by()).unwrap();
    assert_eq!((&after["spec"]["a"], &after["status"]["b"]), (&json!(1), &json!(2)));
    let after = store.patch(requests, &key, &both, Part::Main, by()).unwrap();
    assert_eq!((&after["spec"]["a"], &after["metadata"]["generation"]), (&json!(2), &json!(2)));

    let none = Preconditions::default();
    let pending = store.delete(requests, &key, &none, Timestamp::UNIX_EPOCH).unwrap();
    assert!(matches!(pending, Deleted::Pending(_)));
    let free = json!({ "metadata": { "finalizers": null } });
    store.patch(requests, &key, &free, Part::Main, by()).unwrap();
    assert!(store.get(&key).is_none());
    let kinds: Vec<_> = store.since(2).iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["ADDED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]);
}
