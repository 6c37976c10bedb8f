//! What an API server says of itself: its version, its health, the kinds of things there are. In the older form,
//! a document for each group, which every client understands.

use serde_json::{Value, json};

use crate::http::Reply;

const REVIEWS: [(&str, &str, &str); 2] = [
    ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
];

pub(super) fn show(path: &str, version: &str, address: &str) -> Option<Reply> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let body = match parts[..] {
        ["version"] => of_version(version),
        ["healthz" | "livez" | "readyz"] => json!("ok"),
        ["api"] => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{
                "clientCIDR": "0.0.0.0/0", "serverAddress": address.trim_start_matches("https://"),
            }],
        }),
        ["apis"] => json!({
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [group("apps"), group(REVIEWS[0].0), group(REVIEWS[1].0)],
        }),
        ["apis", name] => group(name),
        ["api", "v1"] => resources(
            "v1",
            &[
                resource("namespaces", "namespace", "Namespace", false, &["ns"], &["get", "list"]),
                resource("nodes", "node", "Node", false, &["no"], &["get", "list"]),
                resource("pods", "pod", "Pod", true, &["po"], &["get", "list"]),
                resource("events", "event", "Event", true, &["ev"], &["get", "list"]),
            ],
        ),
        ["apis", "apps", "v1"] => {
            let verbs = ["get", "list", "patch", "watch"];
            resources(
                "apps/v1",
                &[
                    resource("daemonsets", "daemonset", "DaemonSet", true, &["ds"], &verbs),
                    resource("deployments", "deployment", "Deployment", true, &["deploy"], &verbs),
                    resource("statefulsets", "statefulset", "StatefulSet", true, &["sts"], &verbs),
                ],
            )
        }
        ["apis", name, "v1"] => {
            let (group, plural, kind) = REVIEWS.into_iter().find(|(group, ..)| *group == name)?;
            let review = resource(plural, "", kind, false, &[], &["create"]);
            resources(&format!("{group}/v1"), &[review])
        }
        _ => return None,
    };
    Some(Reply::ok(&body))
}

/// `v1.34.2` and what follows from it.
fn of_version(version: &str) -> Value {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next(), numbers.next());
    json!({
        "major": major,
        "minor": minor,
        "gitVersion": version,
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "go1.24",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

fn group(name: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
    json!({
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": [version],
        "preferredVersion": version,
    })
}

fn resources(version: &str, all: &[Value]) -> Value {
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": version,
        "resources": all,
    })
}

fn resource(
    plural: &str,
    singular: &str,
    kind: &str,
    namespaced: bool,
    short: &[&str],
    verbs: &[&str],
) -> Value {
    json!({
        "name": plural,
        "singularName": singular,
        "namespaced": namespaced,
        "kind": kind,
        "shortNames": short,
        "verbs": verbs,
    })
}
