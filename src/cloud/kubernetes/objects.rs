//! The parts of Kubernetes' objects that are read here, and nothing of the rest: the typed bindings would weigh
//! more in the binary than all of this client.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) generation: i64,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) creation_timestamp: Option<Timestamp>,
    pub(super) deletion_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) owner_references: Vec<Owner>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Owner {
    pub(super) controller: bool,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) uid: String,
}

/// Of any object: who owns it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Owned {
    pub(super) metadata: Metadata,
}

/// A `Deployment`, a `DaemonSet` or a `StatefulSet`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item {
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
    pub(super) status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) paused: bool,
    /// The server always says it; 1 by default.
    pub(super) replicas: Option<i64>,
    pub(super) selector: Selector,
    pub(super) template: Template,
    /// Of daemon sets and stateful sets; a Deployment's `strategy` never keeps old pods.
    pub(super) update_strategy: Strategy,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Template {
    pub(super) metadata: Metadata,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Strategy {
    #[serde(rename = "type")]
    kind: String,
    rolling_update: Option<RollingUpdate>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RollingUpdate {
    partition: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub(super) observed_generation: i64,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) conditions: Vec<Condition>,
    // Of deployments and stateful sets
    pub(super) available_replicas: i64,
    pub(super) ready_replicas: i64,
    pub(super) replicas: i64,
    pub(super) updated_replicas: i64,
    // Of stateful sets
    pub(super) current_revision: String,
    pub(super) update_revision: String,
    // Of daemon sets
    pub(super) desired_number_scheduled: i64,
    pub(super) number_available: i64,
    pub(super) updated_number_scheduled: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Selector {
    #[serde(deserialize_with = "null_is_default")]
    match_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_is_default")]
    match_expressions: Vec<Expression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Expression {
    key: String,
    operator: String,
    #[serde(deserialize_with = "null_is_default")]
    values: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PodItem {
    pub(super) metadata: Metadata,
    pub(super) spec: PodSpec,
    pub(super) status: PodStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodSpec {
    pub(super) node_name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodStatus {
    pub(super) phase: String,
    pub(super) reason: String,
    pub(super) message: String,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) conditions: Vec<Condition>,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "null_is_default")]
    pub(super) init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerStatus {
    pub(super) name: String,
    pub(super) last_state: ContainerState,
    pub(super) restart_count: i64,
    pub(super) state: ContainerState,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerState {
    pub(super) terminated: Option<Terminated>,
    pub(super) waiting: Option<Waiting>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Terminated {
    pub(super) exit_code: i64,
    pub(super) message: String,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiting {
    pub(super) message: String,
    pub(super) reason: String,
}

/// `v1` events, also those that were written as `events.k8s.io`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct EventItem {
    pub(super) count: Option<i64>,
    pub(super) event_time: Option<Timestamp>,
    pub(super) last_timestamp: Option<Timestamp>,
    pub(super) message: String,
    pub(super) metadata: Metadata,
    pub(super) reason: String,
    pub(super) series: Option<Series>,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Series {
    pub(super) count: i64,
    pub(super) last_observed_time: Option<Timestamp>,
}

impl Strategy {
    pub(super) fn is_on_delete(&self) -> bool {
        self.kind == "OnDelete"
    }

    pub(super) fn partition(&self) -> i64 {
        self.rolling_update.as_ref().and_then(|update| update.partition).unwrap_or(0)
    }
}

impl Selector {
    /// As `labelSelector` has it.
    pub(super) fn query(&self) -> String {
        let equal = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let further = self.match_expressions.iter().map(|Expression { key, operator, values }| {
            let values = values.join(",");
            match operator.as_str() {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "DoesNotExist" => format!("!{key}"),
                _ => key.clone(),
            }
        });
        equal.chain(further).collect::<Vec<_>>().join(",")
    }
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
