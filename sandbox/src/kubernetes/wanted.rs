//! What a request to an API server is about, as its method and path say. Whether the sender may is `access`' business.

use axum::http::Method;
use serde_json::Value;

use crate::http::Ask;

/// What a request is about.
pub(super) enum Wanted {
    /// What the login may do.
    AccessReview,
    Discovery,
    /// What everybody may see.
    Open,
    Resource(Action),
    /// Who the login is.
    Review,
    Unknown,
}

/// One verb on one kind of thing.
#[derive(Clone, Debug, Default)]
pub(super) struct Action {
    pub(super) verb: String,
    pub(super) group: String,
    pub(super) resource: String,
    pub(super) namespace: String,
    pub(super) name: String,
    /// `status`, or nothing.
    pub(super) subresource: String,
}

impl Wanted {
    pub(super) fn of(ask: &Ask) -> Self {
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
            _ => return Self::Unknown,
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
            _ => return Self::Unknown,
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

impl Action {
    /// Of a `SelfSubjectAccessReview`.
    pub(super) fn of_review(review: &Value) -> Self {
        let attributes = &review["spec"]["resourceAttributes"];
        let text = |key: &str| attributes[key].as_str().unwrap_or_default().to_owned();
        Self {
            verb: text("verb"),
            group: text("group"),
            resource: text("resource"),
            namespace: text("namespace"),
            name: text("name"),
            subresource: text("subresource"),
        }
    }
}
