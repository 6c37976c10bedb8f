//! The kinds of objects that can be made, changed and deleted here: a few of Kubernetes' own, and those of
//! `OpenShift` that have to do with cloud credentials. Workloads are not among them: they are [`super::state`]'s.

/// One kind, as discovery tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) group: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) short: &'static [&'static str],
    /// It has the subresource `status`, and counts the changes of its spec.
    pub(crate) custom: bool,
}

pub(crate) const CLOUD_CREDENTIAL: &str = "cloudcredential.openshift.io";
pub(crate) const CONFIG: &str = "config.openshift.io";
pub(crate) const OPERATOR: &str = "operator.openshift.io";

const OWN: [Sort; 3] = [
    own("configmaps", "configmap", "ConfigMap", true, &["cm"]),
    own("namespaces", "namespace", "Namespace", false, &["ns"]),
    own("secrets", "secret", "Secret", true, &[]),
];

const OPENSHIFT: [Sort; 8] = [
    custom(CLOUD_CREDENTIAL, "credentialsrequests", "credentialsrequest", "CredentialsRequest"),
    custom(CONFIG, "authentications", "authentication", "Authentication"),
    custom(CONFIG, "clusteroperators", "clusteroperator", "ClusterOperator"),
    custom(CONFIG, "clusterversions", "clusterversion", "ClusterVersion"),
    custom(CONFIG, "infrastructures", "infrastructure", "Infrastructure"),
    custom(OPERATOR, "cloudcredentials", "cloudcredential", "CloudCredential"),
    custom(OPERATOR, "clustercsidrivers", "clustercsidriver", "ClusterCSIDriver"),
    custom(OPERATOR, "kubecontrollermanagers", "kubecontrollermanager", "KubeControllerManager"),
];

/// All kinds of a cluster; those of `OpenShift` only where it is one.
pub(crate) fn all(openshift: bool) -> impl Iterator<Item = &'static Sort> {
    OWN.iter().chain(OPENSHIFT.iter().filter(move |_| openshift))
}

pub(crate) fn find(group: &str, plural: &str, openshift: bool) -> Option<&'static Sort> {
    all(openshift).find(|sort| sort.group == group && sort.plural == plural)
}

impl Sort {
    /// `v1`, or `group/v1`.
    pub(crate) fn version(&self) -> String {
        if self.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", self.group) }
    }

    /// `secrets`, or `credentialsrequests.cloudcredential.openshift.io`.
    pub(crate) fn full_name(&self) -> String {
        let dot = if self.group.is_empty() { "" } else { "." };
        format!("{}{dot}{}", self.plural, self.group)
    }
}

const fn own(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    namespaced: bool,
    short: &'static [&'static str],
) -> Sort {
    Sort { group: "", plural, singular, kind, namespaced, short, custom: false }
}

const fn custom(
    group: &'static str,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
) -> Sort {
    let namespaced = matches!(plural.as_bytes(), b"credentialsrequests");
    Sort { group, plural, singular, kind, namespaced, short: &[], custom: true }
}
