//! Which events make which loop look.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use super::api::Change;
use super::names::{NAMESPACE, REQUEST, REQUESTS, ROOT_NAMESPACE};
use super::platform::Platform;
use super::queue::Key;
use super::secrets::{is_visible, reference};
use super::shared::Shared;
use crate::world::locked;

/// The namespaces that `CredentialsRequest`s wait for.
type Waiting = Mutex<BTreeMap<Key, String>>;

/// Until the API server is gone.
pub(super) async fn follow(shared: &Shared) {
    let waiting = Waiting::default();
    tokio::select! {
        () = shared.api.follow(REQUESTS, |change| request(shared, &waiting, &change)) => {}
        () = shared.api.follow("/api/v1/secrets", |change| secret(shared, &change)) => {}
        () = shared.api.follow("/apis/operator.openshift.io/v1/cloudcredentials", |_| {
            shared.queue.add_all();
            shared.look.notify_one();
            shared.sum_up.notify_one();
        }) => {}
        () = shared.api.follow("/api/v1/configmaps", |change| config(shared, &change)) => {}
        () = shared.api.follow("/api/v1/namespaces", |change| namespace(shared, &waiting, &change)) => {}
    }
}

fn request(shared: &Shared, waiting: &Waiting, change: &Change) {
    let Some(object) = change.now.as_ref().or(change.before.as_ref()) else { return };
    let key = name(object);
    if change.now.is_some() {
        shared.queue.know(&key);
        if object["status"]["provisioned"] == true {
            locked(waiting).remove(&key);
        } else {
            locked(waiting).insert(key.clone(), reference(object).0);
        }
    } else {
        shared.queue.unknow(&key);
        locked(waiting).remove(&key);
    }
    shared.queue.add(&key);
    shared.sum_up.notify_one();
}

fn secret(shared: &Shared, change: &Change) {
    let Some(object) = change.now.as_ref().or(change.before.as_ref()) else { return };
    let (namespace, name) = name(object);
    if namespace == ROOT_NAMESPACE && ROOTS.iter().any(|root| root.root_secret() == name) {
        // Both loops at once: they race.
        shared.look.notify_one();
        shared.queue.add_all();
        return;
    }
    // A change counts only where the annotation was there before it, and nothing that the operator does not see.
    let owner = |object: &Value| owner(object).filter(|_| is_visible(object));
    let of = match (&change.before, &change.now) {
        (None, Some(now)) => owner(now),
        (Some(before), Some(now)) => {
            owner(before).or_else(|| owner(now).filter(|_| had_note(before)))
        }
        (Some(before), None) => owner(before),
        (None, None) => None,
    };
    if let Some(key) = of {
        shared.queue.add(&key);
        shared.sum_up.notify_one();
    }
}

fn config(shared: &Shared, change: &Change) {
    let Some(object) = change.now.as_ref().or(change.before.as_ref()) else { return };
    if name(object) == (NAMESPACE.to_owned(), "cloud-credential-operator-config".to_owned()) {
        shared.queue.add_all();
        shared.sum_up.notify_one();
    }
}

/// One that is new: for those that wait for it.
fn namespace(shared: &Shared, waiting: &Waiting, change: &Change) {
    let (None, Some(now)) = (&change.before, &change.now) else { return };
    let (_, name) = name(now);
    for (key, _) in locked(waiting).iter().filter(|(_, target)| **target == name) {
        shared.queue.add(key);
    }
}

/// Whose secret it is said to be.
fn owner(secret: &Value) -> Option<Key> {
    let note = secret["metadata"]["annotations"][REQUEST].as_str()?;
    note.split_once('/').map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
}

fn had_note(secret: &Value) -> bool {
    owner(secret).is_some()
}

fn name(object: &Value) -> Key {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

const ROOTS: [Platform; 7] = [
    Platform::Aws,
    Platform::Azure,
    Platform::Gcp,
    Platform::Kubevirt,
    Platform::Openstack,
    Platform::Ovirt,
    Platform::Vsphere,
];
