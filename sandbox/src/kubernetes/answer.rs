//! One request to an API server: who sends it, what it wants, whether it may, the answer.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::access::{anonymous, authorize};
use super::cluster::Kubernetes;
use super::refuse::{failure, no_json, no_such_path};
use super::site::Site;
use super::state::{Kind, State};
use super::wanted::{Action, Wanted};
use super::{body, discovery, kinds, objects, views, watch};
use crate::authority::Subject;
use crate::http::{Ask, Foreign, Reply};
use crate::line::Line;
use crate::neighbours::Neighbours;

/// Every route's work.
pub(super) async fn answer(
    Shared(site): Shared<Site>,
    ConnectInfo(line): ConnectInfo<Line>,
    ask: Ask,
) -> Response {
    // The cluster's CA may have been replaced by now.
    site.neighbours.catch_up(ask.now);
    let Some(cluster) = site.cluster.upgrade() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let served = identify(&*site.neighbours, &cluster, &line, &ask)
        .and_then(|who| serve(&cluster, &who, &ask));
    let mut response = match served {
        Ok(Served::Reply(reply)) | Err(reply) => reply.into_response(),
        Ok(Served::Watch(watched)) => watch::stream(site.world, &cluster, watched),
        Ok(Served::WatchStore(watched)) => watch::stream_store(&cluster, *watched),
    };
    // Pods are young or old by the cluster's clock, which is the cloud's.
    let date = ask.now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = date.parse() {
        response.headers_mut().insert(header::DATE, date);
    }
    response.extensions_mut().insert(Foreign);
    response
}

/// What a request comes to.
pub(super) enum Served {
    Reply(Reply),
    Watch(watch::Watched),
    WatchStore(Box<watch::WatchedStore>),
}

pub(super) fn serve(cluster: &Arc<Kubernetes>, who: &Subject, ask: &Ask) -> Result<Served, Reply> {
    let wanted = Wanted::of(ask);
    let mut state = cluster.state();
    authorize(who, &wanted, &state.grants)?;
    state.advance(ask.now);
    let action = match wanted {
        Wanted::Open | Wanted::Discovery => {
            let base = cluster.address();
            let found = discovery::show(&ask.path, cluster.version(), &base, state.openshift);
            let found = found.ok_or_else(no_such_path)?;
            return Ok(Served::Reply(found));
        }
        Wanted::AccessReview => return review(ask, who, &state).map(Served::Reply),
        Wanted::Review => {
            let mut groups = who.groups.clone();
            groups.push("system:authenticated".to_owned());
            let reply = Reply::json(
                StatusCode::CREATED,
                &json!({
                    "kind": "SelfSubjectReview",
                    "apiVersion": "authentication.k8s.io/v1",
                    "metadata": { "creationTimestamp": null },
                    "status": { "userInfo": { "username": who.user, "groups": groups } },
                }),
            );
            return Ok(Served::Reply(reply));
        }
        Wanted::Unknown => return Err(no_such_path()),
        Wanted::Resource(action) => action,
    };
    let sort = kinds::find(&action.group, &action.resource, state.openshift);
    if action.verb == "watch" {
        watch::refuse_initial_events(ask)?;
        return match sort {
            Some(sort) => {
                Ok(Served::WatchStore(Box::new(watch::watched_store(ask, sort, &action))))
            }
            None => watch::watched(ask, &action).map(Served::Watch),
        };
    }
    match sort {
        Some(sort) => objects::answer(&mut state, sort, ask, &action).map(Served::Reply),
        None => resource(&mut state, ask, &action).map(Served::Reply),
    }
}

/// 401 for a certificate that the present CA did not sign, and for a token that is not good.
fn identify(
    neighbours: &dyn Neighbours,
    cluster: &Kubernetes,
    line: &Line,
    ask: &Ask,
) -> Result<Subject, Reply> {
    let unauthorized =
        || failure(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized", &json!({}));
    if !line.chain().is_empty() {
        return cluster.authority().recognizes(line.chain(), ask.now).ok_or_else(unauthorized);
    }
    let Some(header) = ask.header("authorization") else { return Ok(anonymous()) };
    let token = header.strip_prefix("Bearer ").unwrap_or_default();
    // A cluster's own first; others are its cloud's, which says for how long each is good.
    if let Some(subject) = cluster.state().tokens.get(token) {
        return Ok(subject.clone());
    }
    neighbours.bearer(token, &cluster.address(), ask.now).ok_or_else(unauthorized)
}

fn review(ask: &Ask, who: &Subject, state: &State) -> Result<Reply, Reply> {
    // Also said to clients that speak in protobuf: it is not spoken here.
    let mut review: Value = serde_json::from_slice(&ask.body).map_err(|_| no_json())?;
    let allowed = Action::of_review(&review).is_allowed(who, &state.grants);
    review["kind"] = json!("SelfSubjectAccessReview");
    review["apiVersion"] = json!("authorization.k8s.io/v1");
    review["metadata"] = json!({ "creationTimestamp": null });
    review["status"] = json!({ "allowed": allowed });
    Ok(Reply::json(StatusCode::CREATED, &review))
}

fn resource(state: &mut State, ask: &Ask, action: &Action) -> Result<Reply, Reply> {
    let missing = || {
        let dot = if action.group.is_empty() { "" } else { "." };
        let message =
            format!("{}{dot}{} \"{}\" not found", action.resource, action.group, action.name);
        let details =
            json!({ "name": action.name, "group": action.group, "kind": action.resource });
        failure(StatusCode::NOT_FOUND, "NotFound", &message, &details)
    };
    let kind = Kind::of_plural(&action.resource).filter(|_| action.group == "apps");
    if action.verb == "patch"
        && let Some(kind) = kind
    {
        let found = state.find(&action.namespace, &action.name).filter(|w| w.kind == kind);
        let found = found.ok_or_else(missing)?;
        let patch = body::patch(ask)?;
        found.patch(&patch, ask.now);
        return Ok(Reply::ok(&views::workload(found)));
    }
    if !["get", "list"].contains(&action.verb.as_str()) {
        let message = "the server does not allow this method on the requested resource";
        return Err(failure(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            message,
            &json!({}),
        ));
    }
    let objects = views::objects(state, &action.group, &action.resource, ask.now);
    let (list_kind, objects) = objects.ok_or_else(no_such_path)?;
    let inside = |object: &Value| {
        action.namespace.is_empty() || object["metadata"]["namespace"] == action.namespace.as_str()
    };
    if action.verb == "get" {
        let suits = |object: &&Value| inside(object) && object["metadata"]["name"] == *action.name;
        return objects.iter().find(suits).map(Reply::ok).ok_or_else(missing);
    }
    let suits = |object: &Value| inside(object) && watch::is_selected(object, ask);
    let mut items: Vec<Value> = objects.into_iter().filter(suits).collect();
    for item in &mut items {
        // In a list the list says it.
        if let Some(members) = item.as_object_mut() {
            members.retain(|key, _| key != "kind" && key != "apiVersion");
        }
    }
    Ok(Reply::ok(&json!({
        "kind": list_kind,
        "apiVersion": if action.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", action.group) },
        "metadata": { "resourceVersion": views::version(state).to_string() },
        "items": items,
    })))
}
