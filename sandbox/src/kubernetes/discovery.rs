//! What an API server says of itself: its version, its health, the kinds of things there are. In the older form,
//! a document for each group, which every client understands.

use serde_json::{Value, json};

use super::kinds;
use crate::http::Reply;

const REVIEWS: [(&str, &str, &str); 2] = [
    ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
];

pub(super) fn show(path: &str, version: &str, address: &str, openshift: bool) -> Option<Reply> {
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
        ["apis"] => {
            let mut names = vec!["apps", REVIEWS[0].0, REVIEWS[1].0];
            for sort in kinds::all(openshift).filter(|sort| !sort.group.is_empty()) {
                if !names.contains(&sort.group) {
                    names.push(sort.group);
                }
            }
            let groups: Vec<Value> = names.into_iter().map(group).collect();
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
        }
        ["apis", name] => group(name),
        ["api", "v1"] => {
            let mut all = vec![
                resource("nodes", "node", "Node", false, &["no"], &["get", "list"]),
                resource("pods", "pod", "Pod", true, &["po"], &["get", "list"]),
                resource("events", "event", "Event", true, &["ev"], &["get", "list"]),
            ];
            all.extend(stored("", openshift));
            resources("v1", &all)
        }
        ["apis", "apps", "v1"] => {
            let verbs = ["get", "list", "patch", "watch"];
            resources(
                "apps/v1",
                &[
                    resource("daemonsets", "daemonset", "DaemonSet", true, &["ds"], &verbs),
                    resource("deployments", "deployment", "Deployment", true, &["deploy"], &verbs),
                    resource(
                        "replicasets",
                        "replicaset",
                        "ReplicaSet",
                        true,
                        &["rs"],
                        &["get", "list"],
                    ),
                    resource("statefulsets", "statefulset", "StatefulSet", true, &["sts"], &verbs),
                ],
            )
        }
        ["apis", name, "v1"] if kinds::all(openshift).any(|sort| sort.group == name) => {
            resources(&format!("{name}/v1"), &stored(name, openshift))
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

/// The kinds of a group whose objects are in the store.
fn stored(group: &str, openshift: bool) -> Vec<Value> {
    let verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
    let mut all = Vec::new();
    for sort in kinds::all(openshift).filter(|sort| sort.group == group) {
        let of = |plural, verbs: &[&str]| {
            resource(plural, sort.singular, sort.kind, sort.namespaced, sort.short, verbs)
        };
        all.push(of(sort.plural, &verbs));
        if sort.custom {
            all.push(of(&format!("{}/status", sort.plural), &["get", "patch", "update"]));
        }
    }
    all
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
