//! Names that more than one part of the operator, or a client of it, goes by.

/// Where the operator and its own `CredentialsRequest`s live.
pub const NAMESPACE: &str = "openshift-cloud-credential-operator";
/// Where the root secret is.
pub const ROOT_NAMESPACE: &str = "kube-system";
/// On the root secret: what its credentials are good for.
pub const MODE: &str = "cloudcredential.openshift.io/mode";
/// On a component's secret: whose it is. As a label, that the operator may see it.
pub const REQUEST: &str = "cloudcredential.openshift.io/credentials-request";
/// All `CredentialsRequest`s.
pub(super) const REQUESTS: &str = "/apis/cloudcredential.openshift.io/v1/credentialsrequests";
