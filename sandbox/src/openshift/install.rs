//! What a cluster of `OpenShift` holds that has to do with cloud credentials, put through any API server that knows the
//! kinds. What was there of an earlier one goes first: all these are the only ones of their name in a cluster.

use serde_json::{Map, Value, json};

use super::api::{Api, Refused};
use super::names::{NAMESPACE, REQUEST, REQUESTS, ROOT_NAMESPACE};
use super::platform::Platform;
use super::secrets::{self, encoded};

/// A cluster to be.
#[derive(Clone, Debug)]
pub struct Contents {
    pub platform: Platform,
    /// `CloudCredential`'s `credentialsMode`: empty, `Manual`, `Mint` or `Passthrough`.
    pub mode: String,
    /// vSphere: the CSI driver has an operator, which follows its secret by itself.
    pub has_csi_operator: bool,
    /// AWS: where the cluster's token service is, if not where AWS has it.
    pub sts: Option<String>,
    /// Of `OpenShift`.
    pub version: String,
    /// Keys and texts of the root secret; none where it has been removed.
    pub root: Option<Vec<(String, String)>>,
    /// The components: name of the request, namespace and name of the secret.
    pub components: Vec<(String, String, String)>,
}

impl Contents {
    /// With some of the components that the platform has.
    pub fn new(platform: Platform, mode: &str, root: &[(&str, &str)]) -> Self {
        let pairs = |all: &[(&str, &str)]| {
            all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let triple = |(request, namespace, secret): &(&str, &str, &str)| {
            ((*request).to_owned(), (*namespace).to_owned(), (*secret).to_owned())
        };
        Self {
            platform,
            mode: mode.to_owned(),
            has_csi_operator: false,
            sts: None,
            version: "4.22.1".to_owned(),
            root: Some(pairs(root)),
            components: components(platform).iter().map(triple).collect(),
        }
    }
}

/// The namespace and name of a component's secret, by the name of its request.
pub fn component(contents: &Contents, request: &str) -> Option<(String, String)> {
    let found = contents.components.iter().find(|(name, ..)| name == request);
    found.map(|(_, namespace, secret)| (namespace.clone(), secret.clone()))
}

/// A `CredentialsRequest` for that secret.
pub fn request(platform: Platform, name: &str, namespace: &str, secret: &str) -> Value {
    json!({
        "apiVersion": "cloudcredential.openshift.io/v1",
        "kind": "CredentialsRequest",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": {
            "providerSpec": {
                "apiVersion": "cloudcredential.openshift.io/v1",
                "kind": platform.spec_kind(),
            },
            "secretRef": { "namespace": namespace, "name": secret },
        },
    })
}

/// Makes it so. The operator is not to run meanwhile.
pub async fn install(api: &Api, contents: &Contents) -> Result<(), Refused> {
    clear(api).await?;
    let platform = contents.platform;
    let mut namespaces = vec![ROOT_NAMESPACE, NAMESPACE, "openshift-config"];
    namespaces.extend(contents.components.iter().map(|(_, namespace, _)| namespace.as_str()));
    for name in namespaces {
        let object =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        match api.create("/api/v1/namespaces", &object).await {
            Err(refused) if !refused.is_conflict() => return Err(refused),
            _ => {}
        }
    }
    put_singletons(api, contents).await?;
    put_deployment(api).await?;
    if let Some(root) = &contents.root {
        let data: Map<String, Value> =
            root.iter().map(|(key, text)| (key.clone(), encoded(text))).collect();
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": platform.root_secret(), "namespace": ROOT_NAMESPACE },
            "data": data,
        });
        api.create(&format!("/api/v1/namespaces/{ROOT_NAMESPACE}/secrets"), &secret).await?;
    }
    let config = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "cloud-provider-config", "namespace": "openshift-config" },
        "data": { "config": "" },
    });
    let config_maps = "/api/v1/namespaces/openshift-config/configmaps";
    put(api, config_maps, "cloud-provider-config", config).await?;
    let requests =
        format!("/apis/cloudcredential.openshift.io/v1/namespaces/{NAMESPACE}/credentialsrequests");
    for (name, namespace, secret) in &contents.components {
        api.create(&requests, &request(platform, name, namespace, secret)).await?;
    }
    Ok(())
}

/// The operator's own, for those who ask whether it runs. Not where workloads cannot be made.
async fn put_deployment(api: &Api) -> Result<(), Refused> {
    let labels = json!({ "app": OWN_DEPLOYMENT });
    let object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": OWN_DEPLOYMENT, "namespace": NAMESPACE },
        "spec": {
            "replicas": 1,
            "strategy": { "type": "Recreate" },
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "main", "image": "registry.example/cco" }] },
            },
        },
    });
    let collection = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments");
    match api.create(&collection, &object).await {
        Err(refused) if ![405, 409].contains(&refused.status) => Err(refused),
        _ => Ok(()),
    }
}

async fn put_singletons(api: &Api, contents: &Contents) -> Result<(), Refused> {
    let config = |kind: &str, name: &str, spec: Value, status: Value| {
        json!({
            "apiVersion": "config.openshift.io/v1",
            "kind": kind,
            "metadata": { "name": name },
            "spec": spec,
            "status": status,
        })
    };
    let operator = |kind: &str, spec: Value, status: Value| {
        json!({
            "apiVersion": "operator.openshift.io/v1",
            "kind": kind,
            "metadata": { "name": "cluster" },
            "spec": spec,
            "status": status,
        })
    };
    let platform = contents.platform.name();
    let mut infrastructure = json!({
        "infrastructureName": "prod-7xk2m",
        "platform": platform,
        "platformStatus": { "type": platform },
        "controlPlaneTopology": "HighlyAvailable",
        "infrastructureTopology": "HighlyAvailable",
        "apiServerURL": "https://api.prod.example:6443",
        "apiServerInternalURI": "https://api-int.prod.example:6443",
    });
    if let Some(url) = &contents.sts {
        let endpoints = json!([{ "name": "sts", "url": url }]);
        infrastructure["platformStatus"]["aws"] =
            json!({ "region": "us-east-1", "serviceEndpoints": endpoints });
    }
    let version = json!({
        "desired": { "version": contents.version },
        "history": [{
            "state": "Completed",
            "version": contents.version,
            "startedTime": "2026-01-01T00:00:00Z",
            "completionTime": "2026-01-01T01:00:00Z",
            "image": "registry.example/release",
            "verified": true,
        }],
        "conditions": [condition("Available", "True"), condition("Progressing", "False")],
    });
    let well = |version: &str| {
        json!({
            "conditions": [
                condition("Available", "True"),
                condition("Degraded", "False"),
                condition("Progressing", "False"),
                condition("Upgradeable", "True"),
            ],
            "versions": [{ "name": "operator", "version": version }],
        })
    };
    let nodes = ["master-0", "master-1", "master-2"];
    let nodes = nodes.map(|name| json!({ "nodeName": name, "currentRevision": 5 }));
    let managers = json!({
        "observedGeneration": 1,
        "latestAvailableRevision": 5,
        "readyReplicas": 3,
        "nodeStatuses": nodes,
    });
    let base = "/apis/config.openshift.io/v1";
    let operators = "/apis/operator.openshift.io/v1";
    let group = format!("{base}/infrastructures");
    let cluster = config("Infrastructure", "cluster", json!({}), infrastructure);
    put(api, &group, "cluster", cluster).await?;
    let cluster = config("Authentication", "cluster", json!({ "type": "" }), json!({}));
    put(api, &format!("{base}/authentications"), "cluster", cluster).await?;
    let id = json!({ "clusterID": "7d3e8b6c-5f0a-4c1b-9f57-3a0c4f9b2d11" });
    let object = config("ClusterVersion", "version", id, version);
    put(api, &format!("{base}/clusterversions"), "version", object).await?;
    for name in
        ["cloud-credential", "image-registry", "kube-controller-manager", "machine-api", "storage"]
    {
        let object = config("ClusterOperator", name, json!({}), well(&contents.version));
        put(api, &format!("{base}/clusteroperators"), name, object).await?;
    }
    let spec = json!({ "managementState": "Managed", "forceRedeploymentReason": "" });
    let object = operator("KubeControllerManager", spec, managers);
    put(api, &format!("{operators}/kubecontrollermanagers"), "cluster", object).await?;
    if contents.has_csi_operator {
        let mut object =
            operator("ClusterCSIDriver", json!({ "managementState": "Managed" }), json!({}));
        object["metadata"]["name"] = json!(CSI_DRIVER);
        put(api, &format!("{operators}/clustercsidrivers"), CSI_DRIVER, object).await?;
    }
    let spec = json!({ "credentialsMode": contents.mode });
    let object = operator("CloudCredential", spec, json!({}));
    put(api, &format!("{operators}/cloudcredentials"), "cluster", object).await
}

/// Takes away what an earlier cluster has left: requests, their secrets, all roots, the legacy configuration.
async fn clear(api: &Api) -> Result<(), Refused> {
    for request in api.list(REQUESTS).await? {
        let text = |key: &str| request["metadata"][key].as_str().unwrap_or_default();
        let path = format!(
            "/apis/cloudcredential.openshift.io/v1/namespaces/{}/credentialsrequests/{}",
            text("namespace"),
            text("name")
        );
        let free = json!({ "metadata": { "finalizers": null } });
        match api.patch(&path, &free).await {
            Err(refused) if refused.status != 404 => return Err(refused),
            _ => api.delete(&path).await?,
        }
    }
    for secret in api.list("/api/v1/secrets").await? {
        let metadata = &secret["metadata"];
        let text = |key: &str| metadata[key].as_str().unwrap_or_default();
        let root = text("namespace") == ROOT_NAMESPACE && ROOTS.contains(&text("name"));
        let namespace = text("namespace").starts_with("openshift-");
        if root || namespace || metadata["annotations"][REQUEST].is_string() {
            api.delete(&secrets::path(text("namespace"), text("name"))).await?;
        }
    }
    let legacy =
        format!("/api/v1/namespaces/{NAMESPACE}/configmaps/cloud-credential-operator-config");
    api.delete(&legacy).await?;
    let driver = format!("/apis/operator.openshift.io/v1/clustercsidrivers/{CSI_DRIVER}");
    api.delete(&driver).await?;
    api.delete("/apis/operator.openshift.io/v1/cloudcredentials/cluster").await
}

/// Makes it, or has it be so; with its status, where it has one.
async fn put(api: &Api, collection: &str, name: &str, object: Value) -> Result<(), Refused> {
    let path = format!("{collection}/{name}");
    let mut made = match api.get(&path).await? {
        None => api.create(collection, &object).await?,
        Some(known) => {
            let mut wanted = object.clone();
            wanted["metadata"]["resourceVersion"] = known["metadata"]["resourceVersion"].clone();
            wanted["status"] = known["status"].clone();
            api.replace(&path, &wanted).await?
        }
    };
    let status = &object["status"];
    if status.as_object().is_some_and(|status| !status.is_empty()) {
        made["status"] = status.clone();
        api.replace(&format!("{path}/status"), &made).await?;
    }
    Ok(())
}

fn condition(kind: &str, status: &str) -> Value {
    json!({
        "type": kind,
        "status": status,
        "reason": "AsExpected",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

fn components(platform: Platform) -> &'static [(&'static str, &'static str, &'static str)] {
    match platform {
        Platform::Aws => &[
            (
                "cloud-credential-operator-iam-ro",
                "openshift-cloud-credential-operator",
                "cloud-credential-operator-iam-ro-creds",
            ),
            ("openshift-image-registry", "openshift-image-registry", "installer-cloud-credentials"),
            ("openshift-ingress", "openshift-ingress-operator", "cloud-credentials"),
            ("openshift-machine-api-aws", "openshift-machine-api", "aws-cloud-credentials"),
        ],
        Platform::Gcp => &[
            (
                "cloud-credential-operator-gcp-ro-creds",
                "openshift-cloud-credential-operator",
                "cloud-credential-operator-gcp-ro-creds",
            ),
            (
                "openshift-image-registry-gcs",
                "openshift-image-registry",
                "installer-cloud-credentials",
            ),
            ("openshift-machine-api-gcp", "openshift-machine-api", "gcp-cloud-credentials"),
        ],
        Platform::Azure => &[
            (
                "openshift-image-registry-azure",
                "openshift-image-registry",
                "installer-cloud-credentials",
            ),
            ("openshift-ingress-azure", "openshift-ingress-operator", "cloud-credentials"),
            ("openshift-machine-api-azure", "openshift-machine-api", "azure-cloud-credentials"),
        ],
        Platform::Openstack => &[
            (
                "openshift-image-registry-openstack",
                "openshift-image-registry",
                "installer-cloud-credentials",
            ),
            (
                "openshift-machine-api-openstack",
                "openshift-machine-api",
                "openstack-cloud-credentials",
            ),
            (
                "openstack-cloud-controller-manager",
                "openshift-cloud-controller-manager",
                "openstack-cloud-credentials",
            ),
        ],
        Platform::Vsphere => &[
            ("openshift-machine-api-vsphere", "openshift-machine-api", "vsphere-cloud-credentials"),
            (
                "openshift-vsphere-problem-detector",
                "openshift-cluster-storage-operator",
                "vsphere-problem-detector-credentials",
            ),
        ],
        Platform::Kubevirt => {
            &[("openshift-machine-api-kubevirt", "openshift-machine-api", "kubevirt-credentials")]
        }
        Platform::Ovirt => {
            &[("openshift-machine-api-ovirt", "openshift-machine-api", "ovirt-credentials")]
        }
    }
}

const CSI_DRIVER: &str = "csi.vsphere.vmware.com";
pub(super) const OWN_DEPLOYMENT: &str = "cloud-credential-operator";
const ROOTS: [&str; 7] = [
    "aws-creds",
    "azure-credentials",
    "gcp-credentials",
    "kubevirt-credentials",
    "openstack-credentials",
    "ovirt-credentials",
    "vsphere-creds",
];
