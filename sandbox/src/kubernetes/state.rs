//! What is in a cluster: workloads and their pods, and the store of everything else. How rollouts go on is `progress`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::access::Grant;
use super::fields::By;
use super::kinds;
use super::store::Store;
use crate::authority::Subject;
use crate::ids::Ids;

/// Of each cluster.
const NODES: [&str; 2] = ["node-0", "node-1"];
/// How long it takes until the next pod of a rollout is replaced.
const PACE: SignedDuration = SignedDuration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    DaemonSet,
    Deployment,
    StatefulSet,
}

/// Everything in one cluster.
pub(crate) struct State {
    pub(crate) ids: Ids,
    pub(crate) created_at: Timestamp,
    pub(crate) grants: Vec<Grant>,
    pub(crate) nodes: Vec<String>,
    /// It is a cluster of `OpenShift`, and has its kinds of objects.
    pub(crate) openshift: bool,
    pub(crate) pace: SignedDuration,
    pub(crate) store: Store,
    /// Who logs in with which bearer token.
    pub(crate) tokens: BTreeMap<String, Subject>,
    pub(crate) workloads: Vec<Workload>,
}

pub(crate) struct Workload {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) created_at: Timestamp,
    /// Of its object; the template's own is `revision`.
    pub(crate) annotations: Map<String, Value>,
    pub(crate) spec: Value,
    /// Grows with each change of the spec.
    pub(crate) generation: i64,
    /// Grows with each change of the pod template.
    pub(crate) revision: i64,
    pub(crate) pods: Vec<Pod>,
    /// How many there are to be.
    pub(crate) wanted: usize,
    /// A rollout is under way since.
    pub(crate) since: Option<Timestamp>,
    pub(crate) trouble: Option<Trouble>,
    /// Grows with whatever changes.
    pub(crate) version: u64,
}

#[derive(Clone)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) node: Option<String>,
    pub(crate) created_at: Timestamp,
    /// Of the template that it was made from.
    pub(crate) revision: i64,
    pub(crate) annotations: Map<String, Value>,
    pub(crate) ready: bool,
}

/// What keeps new pods from becoming ready.
#[derive(Clone)]
pub(crate) struct Trouble {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) given_up: bool,
}

impl State {
    /// With the workloads that use the cloud, as Catalyst Cloud's templates bring them.
    pub(crate) fn new(ids: Ids, now: Timestamp) -> Self {
        let mut state = Self {
            ids,
            created_at: now,
            grants: Vec::new(),
            nodes: NODES.map(str::to_owned).into(),
            openshift: false,
            pace: PACE,
            store: Store::default(),
            tokens: BTreeMap::new(),
            workloads: Vec::new(),
        };
        for name in ["default", "kube-system", "openstack-system"] {
            state.add_namespace(name, now);
        }
        for (kind, name) in [
            (Kind::Deployment, "openstack-cinder-csi-controllerplugin"),
            (Kind::DaemonSet, "openstack-cinder-csi-nodeplugin"),
            (Kind::DaemonSet, "openstack-cloud-controller-manager"),
        ] {
            state.add(kind, "openstack-system", name, now);
        }
        state
    }

    /// Where it is not there yet.
    pub(crate) fn add_namespace(&mut self, name: &str, now: Timestamp) {
        let Some(sort) = kinds::find("", "namespaces", false) else { return };
        let object =
            json!({ "metadata": { "name": name }, "spec": {}, "status": { "phase": "Active" } });
        let by = By { manager: "kube-apiserver", now };
        // Refused only where there is one of that name.
        let _ = self.store.create(sort, "", object, &mut self.ids, by);
    }

    /// A workload whose pods are ready.
    pub(crate) fn add(&mut self, kind: Kind, namespace: &str, name: &str, now: Timestamp) {
        let wanted = self.nodes.len();
        let labels = json!({ "app": name });
        let mut spec = json!({
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "main", "image": format!("registry.example/{name}") }] },
            },
        });
        match kind {
            Kind::DaemonSet => spec["updateStrategy"] = json!({ "type": "RollingUpdate" }),
            Kind::Deployment => {
                spec["replicas"] = json!(wanted);
                spec["strategy"] = json!({ "type": "RollingUpdate" });
            }
            Kind::StatefulSet => {
                spec["replicas"] = json!(wanted);
                spec["serviceName"] = json!(name);
                spec["updateStrategy"] = json!({ "type": "RollingUpdate" });
            }
        }
        let mut workload = Workload {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: self.ids.uuid(),
            created_at: now,
            annotations: Map::new(),
            spec,
            generation: 1,
            revision: 1,
            pods: Vec::new(),
            wanted,
            since: None,
            trouble: None,
            version: 1,
        };
        for place in 0..wanted {
            let pod = workload.new_pod(place, now, &self.nodes, &mut self.ids);
            workload.pods.push(pod);
        }
        self.workloads.push(workload);
    }

    /// Of any kind.
    pub(crate) fn find(&mut self, namespace: &str, name: &str) -> Option<&mut Workload> {
        self.workloads.iter_mut().find(|w| w.namespace == namespace && w.name == name)
    }
}

impl Workload {
    /// One of the present template, ready.
    pub(super) fn new_pod(
        &self,
        place: usize,
        created_at: Timestamp,
        nodes: &[String],
        ids: &mut Ids,
    ) -> Pod {
        let annotations = &self.spec["template"]["metadata"]["annotations"];
        let name = match self.kind {
            Kind::StatefulSet => format!("{}-{place}", self.name),
            _ => format!("{}-{}", self.name, &ids.hex()[..5]),
        };
        Pod {
            name,
            uid: ids.uuid(),
            node: nodes.get(place % nodes.len().max(1)).cloned(),
            created_at,
            revision: self.revision,
            annotations: annotations.as_object().cloned().unwrap_or_default(),
            ready: true,
        }
    }

    /// Takes a patch of the object: what is null goes, what is an object is merged.
    pub(super) fn patch(&mut self, patch: &Value, now: Timestamp) {
        let mut annotations = Value::Object(std::mem::take(&mut self.annotations));
        merge(&mut annotations, &patch["metadata"]["annotations"]);
        self.annotations = annotations.as_object().cloned().unwrap_or_default();
        let before = self.spec.clone();
        merge(&mut self.spec, &patch["spec"]);
        self.version += 1;
        if self.spec == before {
            return;
        }
        self.generation += 1;
        if self.spec["template"] != before["template"] {
            self.revision += 1;
            self.since = Some(now);
        }
    }
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::DaemonSet, Self::Deployment, Self::StatefulSet];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DaemonSet => "DaemonSet",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }

    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::DaemonSet => "daemonsets",
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
        }
    }

    pub(super) fn of_plural(plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.plural() == plural)
    }
}

fn merge(target: &mut Value, patch: &Value) {
    match patch {
        Value::Null => {}
        Value::Object(members) => {
            if !target.is_object() {
                *target = json!({});
            }
            let Some(target) = target.as_object_mut() else { return };
            for (key, value) in members {
                if value.is_null() {
                    target.remove(key);
                } else {
                    merge(target.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        other => target.clone_from(other),
    }
}
