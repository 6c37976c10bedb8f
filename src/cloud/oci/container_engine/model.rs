//! The shapes on the wire. Everything may be missing, an enumeration may have a value that nobody knew
//! when this was written, and a moment may be none: such a value is shown, and never a failure.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// An enumeration of the service: the values that are known, and any other as it is.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($variant,)*
            /// One that is not known here; empty where the service gave none.
            Other(String),
        }

        impl $name {
            /// As the service writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.as_str() {
                    "" => f.write_str("unknown"),
                    text => f.write_str(text),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                Ok(value.as_str().unwrap_or_default().into())
            }
        }
    };
}

words! {
    /// How far a rotation is, roughly: the issue and the retirement are both "in progress".
    RotationStatus {
        Completed = "COMPLETED",
        InProgress = "IN_PROGRESS",
        Waiting = "WAITING",
    }
}

words! {
    /// How far a rotation is.
    RotationDetails {
        Completed = "COMPLETED",
        IssuingNewCredentials = "ISSUING_NEW_CREDENTIALS",
        NewCredentialsIssued = "NEW_CREDENTIALS_ISSUED",
        RetiringOldCredentials = "RETIRING_OLD_CREDENTIALS",
    }
}

words! {
    /// Of a cluster.
    ClusterLifecycle {
        Active = "ACTIVE",
        Creating = "CREATING",
        Deleted = "DELETED",
        Deleting = "DELETING",
        Failed = "FAILED",
        Updating = "UPDATING",
    }
}

words! {
    /// Workload identity and virtual nodes are for enhanced clusters.
    ClusterType {
        Basic = "BASIC_CLUSTER",
        Enhanced = "ENHANCED_CLUSTER",
    }
}

words! {
    /// Of a pool.
    NodePoolLifecycle {
        Active = "ACTIVE",
        Creating = "CREATING",
        Deleted = "DELETED",
        Deleting = "DELETING",
        Failed = "FAILED",
        Inactive = "INACTIVE",
        NeedsAttention = "NEEDS_ATTENTION",
        Updating = "UPDATING",
    }
}

words! {
    /// Of a node. The service knows no READY: that is Kubernetes' own word.
    NodeLifecycle {
        Active = "ACTIVE",
        Creating = "CREATING",
        Deleted = "DELETED",
        Deleting = "DELETING",
        Failing = "FAILING",
        Inactive = "INACTIVE",
        Updating = "UPDATING",
    }
}

words! {
    /// Of a work request.
    WorkStatus {
        Accepted = "ACCEPTED",
        Canceled = "CANCELED",
        Canceling = "CANCELING",
        Failed = "FAILED",
        InProgress = "IN_PROGRESS",
        Succeeded = "SUCCEEDED",
    }
}

/// Of a cluster's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CredentialRotation {
    pub status: RotationStatus,
    pub status_details: RotationDetails,
    /// When the retirement of the old credentials begins by itself.
    #[serde(deserialize_with = "moment")]
    pub time_auto_completion_scheduled: Option<Timestamp>,
}

/// A cluster; in a list too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Cluster {
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub compartment_id: String,
    /// `v1.33.1`.
    #[serde(deserialize_with = "text")]
    pub kubernetes_version: String,
    pub lifecycle_state: ClusterLifecycle,
    pub lifecycle_details: Option<String>,
    pub r#type: ClusterType,
    pub endpoints: Option<Endpoints>,
    pub metadata: Option<ClusterMetadata>,
}

impl Cluster {
    /// Until when the cluster's credentials are valid.
    pub fn credentials_expire_at(&self) -> Option<Timestamp> {
        self.metadata.as_ref()?.time_credential_expiration
    }
}

/// Where the cluster's API server is; `host:port` each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Endpoints {
    pub kubernetes: Option<String>,
    pub private_endpoint: Option<String>,
    pub public_endpoint: Option<String>,
    pub vcn_hostname_endpoint: Option<String>,
}

/// Of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterMetadata {
    #[serde(deserialize_with = "moment")]
    pub time_created: Option<Timestamp>,
    #[serde(deserialize_with = "moment")]
    pub time_credential_expiration: Option<Timestamp>,
    #[serde(deserialize_with = "moment")]
    pub time_updated: Option<Timestamp>,
    pub updated_by_work_request_id: Option<String>,
}

/// A pool of nodes; `nodes` only where one pool was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodePool {
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(alias = "displayName", deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub cluster_id: String,
    pub lifecycle_state: NodePoolLifecycle,
    pub lifecycle_details: Option<String>,
    pub nodes: Option<Vec<Node>>,
}

/// A managed node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Node {
    /// The OCID of its instance.
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(deserialize_with = "text")]
    pub name: String,
    pub kubernetes_version: Option<String>,
    pub private_ip: Option<String>,
    pub node_error: Option<NodeError>,
    pub lifecycle_state: NodeLifecycle,
    pub lifecycle_details: Option<String>,
}

/// What is wrong with a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeError {
    pub code: Option<String>,
    pub message: Option<String>,
    #[serde(rename = "opc-request-id")]
    pub request_id: Option<String>,
}

/// What carries out a start or a completion; in a list too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkRequest {
    #[serde(deserialize_with = "text")]
    pub id: String,
    /// No value is known for rotations: to be shown, not to be relied on.
    #[serde(deserialize_with = "text")]
    pub operation_type: String,
    pub status: WorkStatus,
    #[serde(deserialize_with = "text")]
    pub compartment_id: String,
    pub resources: Option<Vec<WorkResource>>,
    #[serde(deserialize_with = "moment")]
    pub time_accepted: Option<Timestamp>,
    #[serde(deserialize_with = "moment")]
    pub time_started: Option<Timestamp>,
    #[serde(deserialize_with = "moment")]
    pub time_finished: Option<Timestamp>,
}

/// What a work request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkResource {
    #[serde(deserialize_with = "text")]
    pub action_type: String,
    #[serde(deserialize_with = "text")]
    pub entity_type: String,
    #[serde(deserialize_with = "text")]
    pub identifier: String,
}

/// Why a work request failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkRequestError {
    #[serde(deserialize_with = "text")]
    pub code: String,
    #[serde(deserialize_with = "text")]
    pub message: String,
    #[serde(deserialize_with = "text")]
    pub timestamp: String,
}

/// What a work request tells on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LogEntry {
    #[serde(deserialize_with = "text")]
    pub message: String,
    /// A text, not always a moment.
    #[serde(deserialize_with = "text")]
    pub timestamp: String,
}

/// RFC 3339 with any offset; None for anything else.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(|text| text.parse().ok()))
}

/// A text; empty where there is null or something else.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}
