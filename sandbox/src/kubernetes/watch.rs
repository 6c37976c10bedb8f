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

use super::cluster::Kubernetes;
use super::kinds::Sort;
use super::refuse::failure;
use super::state::Kind;
use super::views;
use super::wanted::Action;
use crate::http::{Ask, Reply};
use crate::world::World;

const PAUSE: Duration = Duration::from_millis(50);
/// Where the client asks for no other time.
const SECONDS: u64 = 300;

/// The workloads that a watch is about.
pub(super) struct Watched {
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
pub(super) fn watched(ask: &Ask, action: &Action) -> Result<Watched, Reply> {
    let Some(kind) = Kind::of_plural(&action.resource) else {
        let message = "only workloads can be watched here";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        return Err(failure(status, "MethodNotAllowed", message, &json!({})));
    };
    let fields = ask.query("fieldSelector").unwrap_or_default();
    let name = fields.split(',').find_map(|field| field.strip_prefix("metadata.name="));
    let seconds = ask.query("timeoutSeconds").and_then(|text| text.parse().ok());
    Ok(Watched {
        kind,
        namespace: action.namespace.clone(),
        name: name.map(str::to_owned),
        seconds: seconds.unwrap_or(SECONDS),
    })
}

/// Every change from now on, a line of JSON each.
pub(super) fn stream(world: Arc<World>, cluster: &Arc<Kubernetes>, watched: Watched) -> Response {
    let (changes, lines) = mpsc::channel::<io::Result<Bytes>>(16);
    let cluster = Arc::downgrade(cluster);
    tokio::spawn(async move {
        let end = tokio::time::Instant::now() + Duration::from_secs(watched.seconds);
        let mut seen: Vec<Value> = Vec::new();
        while tokio::time::Instant::now() < end {
            let Some(now) = look(&world, &cluster, &watched) else { return };
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
pub(super) struct WatchedStore {
    sort: &'static Sort,
    namespace: String,
    /// From where on; none for everything that is there first.
    after: Option<u64>,
    selectors: Ask,
    seconds: u64,
}

pub(super) fn watched_store(ask: &Ask, sort: &'static Sort, action: &Action) -> WatchedStore {
    let after = ask.query("resourceVersion").and_then(|text| text.parse().ok());
    let seconds = ask.query("timeoutSeconds").and_then(|text| text.parse().ok());
    let mut selectors = Ask::by_hand(ask.now);
    selectors.query.clone_from(&ask.query);
    WatchedStore {
        sort,
        namespace: action.namespace.clone(),
        after: after.filter(|version| *version != 0),
        selectors,
        seconds: seconds.unwrap_or(SECONDS),
    }
}

/// Every change of objects of the store, a line of JSON each.
pub(super) fn stream_store(cluster: &Arc<Kubernetes>, watched: WatchedStore) -> Response {
    let (lines, body) = mpsc::channel::<io::Result<Bytes>>(16);
    let cluster = Arc::downgrade(cluster);
    tokio::spawn(async move {
        let end = tokio::time::Instant::now() + Duration::from_secs(watched.seconds);
        let (mut after, mut wake) = {
            let Some(cluster) = cluster.upgrade() else { return };
            let state = cluster.state();
            (watched.after, state.store.changes())
        };
        loop {
            wake.borrow_and_update();
            let Some(told) = changes(&cluster, &watched, &mut after) else { return };
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
    watched: &WatchedStore,
    after: &mut Option<u64>,
) -> Option<Vec<String>> {
    let cluster = cluster.upgrade()?;
    let state = cluster.state();
    let line = |kind: &str, object: &Value| {
        let mut line = json!({ "type": kind, "object": object }).to_string();
        line.push('\n');
        line
    };
    let suits = |object: &Value| is_selected(object, &watched.selectors);
    let told = match *after {
        None => {
            let all = state.store.list(watched.sort, &watched.namespace);
            all.filter(|object| suits(object)).map(|object| line("ADDED", object)).collect()
        }
        Some(version) => state
            .store
            .since(version)
            .iter()
            .filter(|event| event.key.group == watched.sort.group)
            .filter(|event| event.key.plural == watched.sort.plural)
            .filter(|event| {
                watched.namespace.is_empty() || event.key.namespace == watched.namespace
            })
            .filter(|event| suits(&event.object))
            .map(|event| line(event.kind, &event.object))
            .collect(),
    };
    *after = Some(state.store.version());
    Some(told)
}

fn look(world: &World, cluster: &Weak<Kubernetes>, watched: &Watched) -> Option<Vec<Value>> {
    let cluster = cluster.upgrade()?;
    let mut state = cluster.state();
    state.advance(world.clock.now());
    let all = state.workloads.iter().filter(|workload| {
        workload.kind == watched.kind
            && (watched.namespace.is_empty() || workload.namespace == watched.namespace)
            && watched.name.as_ref().is_none_or(|name| workload.name == *name)
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
