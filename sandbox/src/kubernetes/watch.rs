//! Watches of workloads, as `kubectl rollout status` opens them, and of objects in the store; the selectors of lists.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::access::Action;
use super::answer::failure;
use super::kinds::Sort;
use super::state::Kind;
use super::{Kubernetes, views};
use crate::http::{Ask, Reply};
use crate::world::World;

const PAUSE: Duration = Duration::from_millis(50);
/// Where the client asks for no other time.
const SECONDS: u64 = 300;

/// The workloads that a watch is about.
pub(super) struct Wanted {
    kind: Kind,
    namespace: String,
    name: Option<String>,
    seconds: u64,
}

/// Clients list instead when they are told.
pub(super) fn refuse_initial_events(ask: &Ask) -> Result<(), Reply> {
    if ask.query("sendInitialEvents").is_none() {
        return Ok(());
    }
    let message =
        "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
    Err(failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message, &json!({})))
}

/// The workloads that a request asks to watch.
pub(super) fn wanted(ask: &Ask, action: &Action) -> Result<Wanted, Reply> {
    let Some(kind) = Kind::of_plural(&action.resource) else {
        let message = "only workloads can be watched here";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        return Err(failure(status, "MethodNotAllowed", message, &json!({})));
    };
    let fields = ask.query("fieldSelector").unwrap_or_default();
    let name = fields.split(',').find_map(|field| field.strip_prefix("metadata.name="));
    let seconds = ask.query("timeoutSeconds").and_then(|text| text.parse().ok());
    Ok(Wanted {
        kind,
        namespace: action.namespace.clone(),
        name: name.map(str::to_owned),
        seconds: seconds.unwrap_or(SECONDS),
    })
}

/// Every change from now on, a line of JSON each.
pub(super) fn stream(world: Arc<World>, cluster: &Arc<Kubernetes>, wanted: Wanted) -> Response {
    let (changes, lines) = mpsc::channel::<io::Result<Bytes>>(16);
    let cluster = Arc::downgrade(cluster);
    tokio::spawn(async move {
        let end = tokio::time::Instant::now() + Duration::from_secs(wanted.seconds);
        let mut seen: Vec<Value> = Vec::new();
        while tokio::time::Instant::now() < end {
            let Some(now) = look(&world, &cluster, &wanted) else { return };
            for object in now.iter().filter(|object| !seen.contains(object)) {
                let mut line = json!({ "type": "MODIFIED", "object": object }).to_string();
                line.push('\n');
                if changes.send(Ok(line.into())).await.is_err() {
                    return;
                }
            }
            seen = now;
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = changes.closed() => return,
            }
        }
    });
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(lines)));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The objects of the store that a watch is about.
pub(super) struct WantedOfStore {
    sort: &'static Sort,
    namespace: String,
    /// From where on; none for everything that is there first.
    after: Option<u64>,
    selectors: Ask,
    seconds: u64,
}

pub(super) fn wanted_of_store(ask: &Ask, sort: &'static Sort, action: &Action) -> WantedOfStore {
    let after = ask.query("resourceVersion").and_then(|text| text.parse().ok());
    let seconds = ask.query("timeoutSeconds").and_then(|text| text.parse().ok());
    let mut selectors = Ask::by_hand(ask.now);
    selectors.query.clone_from(&ask.query);
    WantedOfStore {
        sort,
        namespace: action.namespace.clone(),
        after: after.filter(|version| *version != 0),
        selectors,
        seconds: seconds.unwrap_or(SECONDS),
    }
}

/// Every change of objects of the store, a line of JSON each.
pub(super) fn stream_store(cluster: &Arc<Kubernetes>, wanted: WantedOfStore) -> Response {
    let (lines, body) = mpsc::channel::<io::Result<Bytes>>(16);
    let cluster = Arc::downgrade(cluster);
    tokio::spawn(async move {
        let end = tokio::time::Instant::now() + Duration::from_secs(wanted.seconds);
        let (mut after, mut wake) = {
            let Some(cluster) = cluster.upgrade() else { return };
            let state = cluster.state();
            (wanted.after, state.store.changes())
        };
        loop {
            wake.borrow_and_update();
            let Some(told) = changes(&cluster, &wanted, &mut after) else { return };
            for line in told {
                if lines.send(Ok(line.into())).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                changed = wake.changed() => if changed.is_err() { return },
                () = tokio::time::sleep_until(end) => return,
                () = lines.closed() => return,
            }
        }
    });
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(body)));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The lines that are due, and up to which version they go.
fn changes(
    cluster: &Weak<Kubernetes>,
    wanted: &WantedOfStore,
    after: &mut Option<u64>,
) -> Option<Vec<String>> {
    let cluster = cluster.upgrade()?;
    let state = cluster.state();
    let line = |kind: &str, object: &Value| {
        let mut line = json!({ "type": kind, "object": object }).to_string();
        line.push('\n');
        line
    };
    let suits = |object: &Value| is_selected(object, &wanted.selectors);
    let told = match *after {
        None => {
            let all = state.store.list(wanted.sort, &wanted.namespace);
            all.filter(|object| suits(object)).map(|object| line("ADDED", object)).collect()
        }
        Some(version) => state
            .store
            .since(version)
            .iter()
            .filter(|event| event.key.group == wanted.sort.group)
            .filter(|event| event.key.plural == wanted.sort.plural)
            .filter(|event| wanted.namespace.is_empty() || event.key.namespace == wanted.namespace)
            .filter(|event| suits(&event.object))
            .map(|event| line(event.kind, &event.object))
            .collect(),
    };
    *after = Some(state.store.version());
    Some(told)
}

fn look(world: &World, cluster: &Weak<Kubernetes>, wanted: &Wanted) -> Option<Vec<Value>> {
    let cluster = cluster.upgrade()?;
    let mut state = cluster.state();
    state.advance(world.clock.now());
    let all = state.workloads.iter().filter(|workload| {
        workload.kind == wanted.kind
            && (wanted.namespace.is_empty() || workload.namespace == wanted.namespace)
            && wanted.name.as_ref().is_none_or(|name| workload.name == *name)
    });
    Some(all.map(views::workload).collect())
}

/// Whether an object passes the request's selectors.
pub(super) fn is_selected(object: &Value, ask: &Ask) -> bool {
    let each =
        |name: &str| ask.query(name).unwrap_or_default().split(',').filter(|s| !s.is_empty());
    let equal = |requirement: &str, at: &dyn Fn(&str) -> Value| {
        let Some((key, value)) = requirement.split_once('=') else { return true };
        at(key) == value.trim_start_matches('=')
    };
    let label = |key: &str| object["metadata"]["labels"][key].clone();
    let field = |path: &str| path.split('.').fold(object, |found, key| &found[key]).clone();
    each("labelSelector").all(|requirement| equal(requirement, &label))
        && each("fieldSelector").all(|requirement| equal(requirement, &field))
}
