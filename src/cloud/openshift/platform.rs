//! The clouds whose credentials the operator can hand on, and what each calls its things.

use std::fmt;
use std::str::FromStr;

use super::name::Name;

/// A cloud that the operator works with. oVirt and kubevirt left OpenShift and are not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    Aws,
    Azure,
    Gcp,
    Openstack,
    Vsphere,
}

/// Not a platform whose credentials can be rotated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of aws, azure, gcp, openstack and vsphere")]
pub struct PlatformError(String);

/// Where the operator and its configuration are.
pub const OPERATOR_NAMESPACE: &str = "openshift-cloud-credential-operator";
/// Where the root secrets are.
pub const ROOT_NAMESPACE: &str = "kube-system";

impl Platform {
    pub const ALL: [Self; 5] = [Self::Aws, Self::Azure, Self::Gcp, Self::Openstack, Self::Vsphere];

    /// As in configurations here.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Openstack => "openstack",
            Self::Vsphere => "vsphere",
        }
    }

    /// `providerSpec.kind` of the `CredentialsRequest`s that are for it.
    pub fn provider_spec(self) -> &'static str {
        match self {
            Self::Aws => "AWSProviderSpec",
            Self::Azure => "AzureProviderSpec",
            Self::Gcp => "GCPProviderSpec",
            Self::Openstack => "OpenStackProviderSpec",
            Self::Vsphere => "VSphereProviderSpec",
        }
    }

    /// The name of the secret with the root credential.
    pub fn root_name(self) -> &'static str {
        match self {
            Self::Aws => "aws-creds",
            Self::Azure => "azure-credentials",
            Self::Gcp => "gcp-credentials",
            Self::Openstack => "openstack-credentials",
            Self::Vsphere => "vsphere-creds",
        }
    }

    /// `kube-system/aws-creds`, for people.
    pub fn root(self) -> String {
        format!("{ROOT_NAMESPACE}/{}", self.root_name())
    }

    /// The keys that a root secret must have. vSphere's depend on the names of its vCenters.
    pub fn root_keys(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &["aws_access_key_id", "aws_secret_access_key"],
            Self::Azure => &[
                "azure_client_id",
                "azure_client_secret",
                "azure_region",
                "azure_resource_prefix",
                "azure_resourcegroup",
                "azure_subscription_id",
                "azure_tenant_id",
            ],
            Self::Gcp => &["service_account.json"],
            Self::Openstack => &["clouds.yaml"],
            Self::Vsphere => &[],
        }
    }

    /// Whether the operator can make credentials of their own for the components.
    pub fn can_mint(self) -> bool {
        matches!(self, Self::Aws | Self::Gcp)
    }

    /// Whether the operator says in the root secret's annotation what it makes of it, before any component gets
    /// anything. On OpenStack it copies without, and where the CA bundle is amiss never writes it.
    pub fn is_judged(self) -> bool {
        self != Self::Openstack
    }

    /// The operator's own read-only secret: the first that is made again, because nothing runs on it.
    pub fn canary(self) -> Option<Name> {
        let name = match self {
            Self::Aws => "cloud-credential-operator-iam-ro-creds",
            Self::Gcp => "cloud-credential-operator-gcp-ro-creds",
            Self::Azure | Self::Openstack | Self::Vsphere => return None,
        };
        Name::new(OPERATOR_NAMESPACE, name).ok()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Here as in `status.platformStatus.type`, whatever the case.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let same = |platform: &Self| platform.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(same).ok_or_else(|| PlatformError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_infrastructures_spellings_are_known() {
        for (text, platform) in [
            ("AWS", Platform::Aws),
            ("Azure", Platform::Azure),
            ("GCP", Platform::Gcp),
            ("OpenStack", Platform::Openstack),
            ("VSphere", Platform::Vsphere),
        ] {
            assert_eq!(text.parse(), Ok(platform));
        }
        for text in ["oVirt", "KubeVirt", "BareMetal", "None", "External", "Nutanix", ""] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_mints_has_a_canary() {
        for platform in Platform::ALL {
            assert_eq!(platform.canary().is_some(), platform.can_mint(), "{platform}");
        }
    }
}
