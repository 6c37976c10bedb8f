//! One request to an API server: who sends it, what it wants, whether it may, the answer.

use std::sync::{Arc, Weak};

use axum::Extension;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::access::{Action, anonymous, authorize};
use super::state::{Kind, State};
use super::{Kubernetes, discovery, kinds, objects, views, watch};
use crate::authority::Subject;
use crate::http::{Ask, Foreign, Reply};
use crate::line::Line;
use crate::world::World;

/// What a request is about.
pub(super) enum Wanted<'a> {
    /// What the login may do.
    AccessReview,
    Discovery,
    /// What everybody may see.
    Open,
    Resource(Action),
    /// Who the login is.
    Review,
    Unknown(&'a str),
}

/// Every route's work.
pub(super) async fn answer(
    Shared(world): Shared<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Extension(cluster): Extension<Weak<Kubernetes>>,
    ask: Ask,
) -> Response {
    // The cluster's CA may have been replaced by now.
    world.catch_up(ask.now);
    let Some(cluster) = cluster.upgrade() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let served =
        identify(&world, &cluster, &line, &ask).and_then(|who| serve(&cluster, &who, &ask));
    let mut response = match served {
        Ok(Served::Reply(reply)) | Err(reply) => reply.into_response(),
        Ok(Served::Watch(wanted)) => watch::stream(world, &cluster, wanted),
        Ok(Served::WatchStore(wanted)) => watch::stream_store(&cluster, *wanted),
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
    Watch(watch::Wanted),
    WatchStore(Box<watch::WantedOfStore>),
}

pub(super) fn serve(cluster: &Arc<Kubernetes>, who: &Subject, ask: &Ask) -> Result<Served, Reply> {
    let wanted = Wanted::of(ask);
    let mut state = cluster.state();
    authorize(who, &wanted, &state.grants)?;
    state.advance(ask.now);
    let action = match wanted {
        Wanted::Open | Wanted::Discovery => {
            let base = cluster.address();
            let found = discovery::show(&ask.path, &cluster.version, &base, state.openshift);
            let found = found.ok_or_else(|| no_such_path(&ask.path))?;
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
        Wanted::Unknown(path) => return Err(no_such_path(path)),
        Wanted::Resource(action) => action,
    };
    let sort = kinds::find(&action.group, &action.resource, state.openshift);
    if action.verb == "watch" {
        watch::refuse_initial_events(ask)?;
        return match sort {
            Some(sort) => {
                Ok(Served::WatchStore(Box::new(watch::wanted_of_store(ask, sort, &action))))
            }
            None => watch::wanted(ask, &action).map(Served::Watch),
        };
    }
    match sort {
        Some(sort) => objects::answer(&mut state, sort, ask, &action).map(Served::Reply),
        None => resource(&mut state, ask, &action).map(Served::Reply),
    }
}

/// 401 for a certificate that the present CA did not sign, and for a token that is not good.
fn identify(world: &World, cluster: &Kubernetes, line: &Line, ask: &Ask) -> Result<Subject, Reply> {
    let unauthorized =
        || failure(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized", &json!({}));
    if !line.chain().is_empty() {
        return cluster.authority().recognizes(line.chain(), ask.now).ok_or_else(unauthorized);
    }
    let Some(header) = ask.header("authorization") else { return Ok(anonymous()) };
    let token = header.strip_prefix("Bearer ").unwrap_or_default();
    // A cluster's own first; others are OKE's, which says for how long each is good.
    if let Some(subject) = cluster.state().tokens.get(token) {
        return Ok(subject.clone());
    }
    world.oke().bearer(token, &cluster.address(), ask.now).ok_or_else(unauthorized)
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
        let patch = patch(ask)?;
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
    let (list_kind, objects) = objects.ok_or_else(|| no_such_path(&ask.path))?;
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

pub(super) fn patch(ask: &Ask) -> Result<Value, Reply> {
    let kind = ask.header("content-type").unwrap_or_default();
    let merges = ["application/strategic-merge-patch+json", "application/merge-patch+json"];
    if !merges.contains(&kind) {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            merges.join(", ")
        );
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(failure(status, "UnsupportedMediaType", &message, &json!({})));
    }
    serde_json::from_slice(&ask.body).map_err(|_| no_json())
}

impl<'a> Wanted<'a> {
    fn of(ask: &'a Ask) -> Self {
        let parts: Vec<&str> = ask.path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, rest) = match parts[..] {
            ["version" | "healthz" | "livez" | "readyz"] => return Self::Open,
            ["api" | "apis"] | ["api", "v1"] | ["apis", _] | ["apis", _, _] => {
                return Self::Discovery;
            }
            ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => {
                return Self::AccessReview;
            }
            ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => return Self::Review,
            ["api", "v1", ref rest @ ..] => ("", rest),
            ["apis", group, "v1", ref rest @ ..] => (group, rest),
            _ => return Self::Unknown(&ask.path),
        };
        let (namespace, resource, name, subresource) = match *rest {
            ["namespaces"] => ("", "namespaces", "", ""),
            ["namespaces", name] => ("", "namespaces", name, ""),
            ["namespaces", namespace, resource] => (namespace, resource, "", ""),
            ["namespaces", namespace, resource, name] => (namespace, resource, name, ""),
            ["namespaces", namespace, resource, name, "status"] => {
                (namespace, resource, name, "status")
            }
            [resource] => ("", resource, "", ""),
            [resource, name] => ("", resource, name, ""),
            [resource, name, "status"] => ("", resource, name, "status"),
            _ => return Self::Unknown(&ask.path),
        };
        let watches = matches!(ask.query("watch"), Some("true" | "1"));
        let verb = match (&ask.method, name) {
            (&Method::GET, "") if watches => "watch",
            (&Method::GET, "") => "list",
            (&Method::GET, _) => "get",
            (&Method::PATCH, _) => "patch",
            (&Method::DELETE, _) => "delete",
            (&Method::PUT, _) => "update",
            _ => "create",
        };
        Self::Resource(Action {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
        })
    }
}

/// A `Status`.
pub(super) fn failure(status: StatusCode, reason: &str, message: &str, details: &Value) -> Reply {
    let body = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": status.as_u16(),
    });
    Reply::json(status, &body).with_header(AUDIT_ID, "00000000-0000-4000-8000-000000000000")
}

fn no_such_path(_: &str) -> Reply {
    let message = "the server could not find the requested resource";
    failure(StatusCode::NOT_FOUND, "NotFound", message, &json!({}))
}

pub(super) fn no_json() -> Reply {
    failure(StatusCode::BAD_REQUEST, "BadRequest", "the body is no JSON", &json!({}))
}

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");
