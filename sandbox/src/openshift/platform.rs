//! The platforms on which the operator does something, and what of it differs between them.

use serde_json::Value;

/// As in `Infrastructure`'s status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    Aws,
    Azure,
    Gcp,
    Kubevirt,
    Openstack,
    Ovirt,
    Vsphere,
}

impl Platform {
    /// Of the cluster; none for one that is not supported.
    pub(super) fn of(infrastructure: &Value) -> Option<Self> {
        let status = &infrastructure["status"];
        let name = status["platformStatus"]["type"].as_str().or(status["platform"].as_str())?;
        [
            Self::Aws,
            Self::Azure,
            Self::Gcp,
            Self::Kubevirt,
            Self::Openstack,
            Self::Ovirt,
            Self::Vsphere,
        ]
        .into_iter()
        .find(|platform| platform.name() == name)
    }

    /// The spelling of `Infrastructure`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Azure => "Azure",
            Self::Gcp => "GCP",
            Self::Kubevirt => "KubeVirt",
            Self::Openstack => "OpenStack",
            Self::Ovirt => "oVirt",
            Self::Vsphere => "VSphere",
        }
    }

    /// In `kube-system`.
    pub fn root_secret(self) -> &'static str {
        match self {
            Self::Aws => "aws-creds",
            Self::Azure => "azure-credentials",
            Self::Gcp => "gcp-credentials",
            Self::Kubevirt => "kubevirt-credentials",
            Self::Openstack => "openstack-credentials",
            Self::Ovirt => "ovirt-credentials",
            Self::Vsphere => "vsphere-creds",
        }
    }

    /// Of the `CredentialsRequest`s that are for it.
    pub fn spec_kind(self) -> &'static str {
        match self {
            Self::Aws => "AWSProviderSpec",
            Self::Azure => "AzureProviderSpec",
            Self::Gcp => "GCPProviderSpec",
            Self::Kubevirt => "KubevirtProviderSpec",
            Self::Openstack => "OpenStackProviderSpec",
            Self::Ovirt => "OvirtProviderSpec",
            Self::Vsphere => "VSphereProviderSpec",
        }
    }

    /// Whether a root secret without the annotator's verdict counts as none.
    pub(super) fn needs_verdict(self) -> bool {
        !matches!(self, Self::Kubevirt | Self::Openstack | Self::Ovirt)
    }

    pub(super) fn can_mint(self) -> bool {
        matches!(self, Self::Aws | Self::Gcp)
    }

    /// The operator's own secret, whose key it looks around with.
    pub fn read_only_secret(self) -> Option<&'static str> {
        match self {
            Self::Aws => Some("cloud-credential-operator-iam-ro-creds"),
            Self::Gcp => Some("cloud-credential-operator-gcp-ro-creds"),
            _ => None,
        }
    }
}
