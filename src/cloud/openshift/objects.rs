//! The parts of the objects that are read here, as the API server has them.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::name::{Name, NameError};
use super::value::Value;

/// On component secrets: whose they are, as `NAMESPACE/NAME`. As a label of the same name: that it is one at all.
pub const OWNER: &str = "cloudcredential.openshift.io/credentials-request";
/// On root secrets: what the operator makes of them.
pub const MODE: &str = "cloudcredential.openshift.io/mode";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub resource_version: String,
    pub generation: i64,
    #[serde(deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    pub creation_timestamp: Option<Timestamp>,
    pub deletion_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "or_default")]
    pub managed_fields: Vec<Manager>,
}

/// Who wrote what, and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manager {
    pub manager: String,
    pub time: Option<Timestamp>,
    fields_v1: Fields,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "f:data", deserialize_with = "is_there")]
    data: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Secret {
    pub metadata: Metadata,
    #[serde(deserialize_with = "or_default")]
    pub data: Data,
}

/// A secret's keys and values.
pub type Data = BTreeMap<String, Value>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub reason: String,
    pub message: String,
    pub last_transition_time: Option<Timestamp>,
}

/// What a component asks the operator for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CredentialsRequest {
    pub metadata: Metadata,
    pub spec: RequestSpec,
    pub status: RequestStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestSpec {
    pub secret_ref: Reference,
    pub provider_spec: ProviderSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reference {
    pub namespace: String,
    pub name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProviderSpec {
    pub kind: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestStatus {
    pub provisioned: bool,
    pub last_sync_timestamp: Option<Timestamp>,
    /// The root secret that was considered last. Says neither that it was copied nor that it works.
    #[serde(rename = "lastSyncCloudCredsSecretResourceVersion")]
    pub root_version: String,
    #[serde(deserialize_with = "or_default")]
    pub provider_status: ProviderStatus,
    #[serde(deserialize_with = "or_default")]
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProviderStatus {
    /// AWS: the user that was minted.
    user: String,
    /// GCP: the service account that was minted.
    #[serde(rename = "serviceAccountID")]
    service_account: String,
}

/// `CloudCredential/cluster`: how the operator is to work.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CloudCredential {
    pub metadata: Metadata,
    pub spec: CloudCredentialSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CloudCredentialSpec {
    pub credentials_mode: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConfigMap {
    #[serde(deserialize_with = "or_default")]
    pub data: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Authentication {
    pub spec: AuthenticationSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthenticationSpec {
    pub service_account_issuer: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Infrastructure {
    pub metadata: Metadata,
    pub status: InfrastructureStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InfrastructureStatus {
    pub infrastructure_name: String,
    /// Deprecated, and all there is in old clusters.
    platform: String,
    #[serde(deserialize_with = "or_default")]
    platform_status: PlatformStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PlatformStatus {
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "or_default")]
    aws: AwsStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AwsStatus {
    region: String,
    #[serde(deserialize_with = "or_default")]
    service_endpoints: Vec<ServiceEndpoint>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ServiceEndpoint {
    name: String,
    url: String,
}

/// `ClusterOperator`, and whatever else is told by conditions alone: `ClusterVersion`, `Deployment`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Conditioned {
    pub metadata: Metadata,
    pub status: ConditionedStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConditionedStatus {
    #[serde(deserialize_with = "or_default")]
    pub conditions: Vec<Condition>,
    /// Of the cluster's version: the newest first.
    #[serde(deserialize_with = "or_default")]
    pub history: Vec<Update>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Update {
    pub state: String,
    pub version: String,
}

/// `KubeControllerManager/cluster`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct KubeControllerManager {
    pub metadata: Metadata,
    pub spec: RedeploymentSpec,
    pub status: RedeploymentStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RedeploymentSpec {
    pub force_redeployment_reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RedeploymentStatus {
    pub latest_available_revision: i64,
    #[serde(deserialize_with = "or_default")]
    pub node_statuses: Vec<NodeStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    pub node_name: String,
    pub current_revision: i64,
    pub target_revision: i64,
    pub last_failed_revision: i64,
    #[serde(deserialize_with = "or_default")]
    pub last_failed_revision_errors: Vec<String>,
}

/// `ClusterCSIDriver`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CsiDriver {
    pub spec: CsiDriverSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CsiDriverSpec {
    pub management_state: String,
}

impl Metadata {
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl Secret {
    /// Who last wrote one of its values, and when.
    pub fn last_written(&self) -> Option<(&str, Timestamp)> {
        let managers = self.metadata.managed_fields.iter().filter(|manager| manager.fields_v1.data);
        managers
            .filter_map(|manager| Some((manager.manager.as_str(), manager.time?)))
            .max_by_key(|(_, time)| *time)
    }
}

impl Condition {
    pub fn is_true(&self) -> bool {
        self.status.eq_ignore_ascii_case("true")
    }
}

impl fmt::Display for Condition {
    /// `CredentialsProvisionFailure (CredentialsProvisionFailure): failed to grant creds: … since 2026-…`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={} ({})", self.kind, self.status, self.reason)?;
        if !self.message.is_empty() {
            write!(formatter, ": {}", self.message)?;
        }
        match self.last_transition_time {
            Some(since) => write!(formatter, ", since {since}"),
            None => Ok(()),
        }
    }
}

impl CredentialsRequest {
    /// Its own name.
    pub fn name(&self) -> Result<Name, NameError> {
        Name::new(&self.metadata.namespace, &self.metadata.name)
    }

    /// Its own name, for people.
    pub fn called(&self) -> String {
        format!("{}/{}", self.metadata.namespace, self.metadata.name)
    }

    /// The component's secret.
    pub fn secret(&self) -> Result<Name, NameError> {
        let Reference { namespace, name } = &self.spec.secret_ref;
        Name::new(namespace, name)
    }

    /// Why the operator cannot serve it; the worst first.
    pub fn failure(&self) -> Option<&Condition> {
        FAILURES.iter().find_map(|kind| self.condition(kind))
    }

    /// That condition, where it is true.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status
            .conditions
            .iter()
            .find(|condition| condition.kind == kind && condition.is_true())
    }

    /// What was minted for it in the cloud, now or once.
    pub fn minted(&self) -> Option<&str> {
        let ProviderStatus { user, service_account } = &self.status.provider_status;
        [user, service_account].into_iter().map(String::as_str).find(|name| !name.is_empty())
    }
}

impl Infrastructure {
    pub fn platform(&self) -> &str {
        let InfrastructureStatus { platform, platform_status, .. } = &self.status;
        if platform_status.kind.is_empty() { platform } else { &platform_status.kind }
    }

    /// AWS: the region.
    pub fn region(&self) -> &str {
        &self.status.platform_status.aws.region
    }

    /// AWS: where a service is, where that was configured.
    pub fn service_endpoint(&self, service: &str) -> Option<&str> {
        let endpoints = &self.status.platform_status.aws.service_endpoints;
        let found = endpoints.iter().find(|endpoint| endpoint.name.eq_ignore_ascii_case(service));
        found.map(|endpoint| endpoint.url.as_str()).filter(|url| !url.is_empty())
    }
}

impl Conditioned {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.conditions.iter().find(|condition| condition.kind == kind)
    }

    pub fn is(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(Condition::is_true)
    }

    /// Of the cluster's version: `(4, 19)`, of the newest update that came to its end.
    pub fn release(&self) -> Option<(u32, u32)> {
        let done = self.status.history.iter().find(|update| update.state == "Completed")?;
        let mut parts = done.version.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// By the operator's own count.
const FAILURES: [&str; 4] = [
    "InsufficientCloudCreds",
    "CredentialsProvisionFailure",
    "MissingTargetNamespace",
    "CredentialsDeprovisionFailure",
];

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_as_the_operator_leaves_it() {
        let request: CredentialsRequest = serde_json::from_value(json!({
            "metadata": { "name": "machine-api", "namespace": "openshift-cloud-credential-operator" },
            "spec": {
                "secretRef": { "namespace": "openshift-machine-api", "name": "aws-cloud-credentials" },
                "providerSpec": { "kind": "AWSProviderSpec", "statementEntries": [] },
            },
            "status": {
                "provisioned": false, "lastSyncGeneration": 1, "lastSyncTimestamp": "2026-11-22T08:03:38Z",
                "lastSyncCloudCredsSecretResourceVersion": "369",
                "providerStatus": { "user": "infra-machine-api-x", "policy": "p" },
                "conditions": [
                    { "type": "MissingTargetNamespace", "status": "False", "reason": "NamespaceExists" },
                    { "type": "CredentialsProvisionFailure", "status": "True", "reason": "CredentialsProvisionFailure",
                      "message": "failed to grant creds: no", "lastTransitionTime": "2026-11-22T08:00:00Z" },
                ],
            },
        }))
        .unwrap();
        assert_eq!(
            request.secret().unwrap().to_string(),
            "openshift-machine-api/aws-cloud-credentials"
        );
        assert_eq!(request.status.root_version, "369");
        assert_eq!(request.minted(), Some("infra-machine-api-x"));
        assert_eq!(
            request.failure().unwrap().to_string(),
            "CredentialsProvisionFailure=True (CredentialsProvisionFailure): failed to grant creds: no, \
             since 2026-11-22T08:00:00Z"
        );
        let bare: CredentialsRequest = serde_json::from_value(json!({
            "metadata": { "name": "a", "annotations": null },
            "status": { "conditions": null, "providerStatus": null }
        }))
        .unwrap();
        assert!(bare.failure().is_none() && bare.minted().is_none() && bare.secret().is_err());
    }

    #[test]
    fn the_platform_is_also_where_old_clusters_have_it() {
        let of = |status: serde_json::Value| -> Infrastructure {
            serde_json::from_value(json!({ "status": status })).unwrap()
        };
        assert_eq!(of(json!({ "platform": "OpenStack" })).platform(), "OpenStack");
        let aws = of(json!({ "platform": "", "platformStatus": { "type": "AWS", "aws": {
            "region": "eu-west-1", "serviceEndpoints": [{ "name": "sts", "url": "https://sts.example.com" }]
        } } }));
        assert_eq!((aws.platform(), aws.region()), ("AWS", "eu-west-1"));
        assert_eq!(aws.service_endpoint("STS"), Some("https://sts.example.com"));
    }

    #[test]
    fn who_wrote_the_values_is_told_by_the_managers_of_data() {
        let secret: Secret = serde_json::from_value(json!({
            "metadata": { "managedFields": [
                { "manager": "kubectl-edit", "time": "2026-11-01T00:00:00Z", "fieldsV1": { "f:data": { "f:a": {} } } },
                { "manager": "rekey", "time": "2026-11-03T00:00:00Z", "fieldsV1": { "f:data": {}, "f:type": {} } },
                { "manager": "operator", "time": "2026-11-04T00:00:00Z", "fieldsV1": { "f:metadata": {} } },
            ] },
            "data": { "a": "YQ==" },
        }))
        .unwrap();
        assert_eq!(secret.last_written().map(|(who, _)| who), Some("rekey"));
        assert!(!format!("{secret:?}").contains("YQ"));
    }

    #[test]
    fn the_release_is_the_newest_complete_one() {
        let version: Conditioned = serde_json::from_value(json!({ "status": { "history": [
            { "state": "Partial", "version": "4.20.1" }, { "state": "Completed", "version": "4.19.7" }
        ] } }))
        .unwrap();
        assert_eq!(version.release(), Some((4, 19)));
        assert_eq!(Conditioned::default().release(), None);
    }
}
