//! The block `openshift`, and the root credential that it gives.

use std::collections::BTreeMap;

use crate::cloud::openshift::root::{Azure, Vcenter as Login};
use crate::cloud::openshift::{NewRoot, Platform};
use crate::provider::arguments::check_period;
use crate::provider::cluster_credential_rotation::workloads::Named;
use crate::tfplugin::diagnostics::Diagnostic;
use crate::tfplugin::model::{Attr, Model, Secret};

/// The cloud credentials of an OpenShift cluster, which its Cloud Credential Operator keeps.
/// The cluster is the one that the provider's `kubernetes` block leads to.
///
/// A new root credential is given by write-only arguments of one platform, and rotated in when their version changes.
/// Without one, the root credential that is there is used: in mint mode every component gets a new key by it.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Openshift {
    /// AWS: the access key's id.
    #[attr(optional, sensitive, write_only)]
    pub access_key_id_wo: Attr<Secret>,
    /// Azure: the client's id.
    #[attr(optional, sensitive, write_only)]
    pub client_id_wo: Attr<Secret>,
    /// Azure: the client's secret.
    #[attr(optional, sensitive, write_only)]
    pub client_secret_wo: Attr<Secret>,
    /// Change it with `client_secret_wo` or `client_id_wo`: the new credential is then rotated in.
    #[attr(optional)]
    pub client_secret_wo_version: Attr<i64>,
    /// OpenStack: a clouds.yaml with the cloud `openstack`, such as the function `clouds_yaml` writes.
    #[attr(optional, sensitive, write_only)]
    pub clouds_yaml_wo: Attr<Secret>,
    /// Change it with `clouds_yaml_wo`: the new credential is then rotated in.
    #[attr(optional)]
    pub clouds_yaml_wo_version: Attr<i64>,
    /// How long the operator may take for one step, such as one component's secret; default `10m`, which is longer
    /// than it takes for another operator to come up after one has died.
    /// What it reports as failing may do so for a fifth of that.
    #[attr(optional, validate(custom(check_period)))]
    pub component_timeout: Attr<String>,
    /// `auto` (the default), or the mode that is expected, `mint` or `passthrough`: another one is an error at plan.
    #[attr(optional, validate(one_of(&["auto", "mint", "passthrough"])))]
    pub mode: Attr<String>,
    /// The platform that is expected: `aws`, `azure`, `gcp`, `openstack` or `vsphere`; default what the cluster says.
    #[attr(optional, validate(one_of(&["aws", "azure", "gcp", "openstack", "vsphere"])))]
    pub platform: Attr<String>,
    /// Azure: the region; default what is in the cluster, as for everything else of Azure's.
    #[attr(optional)]
    pub region: Attr<String>,
    /// In mint mode: whether the root secret is removed once every component has its new credential.
    /// Where it has been removed before, it must be said: the given root credential is then put back for the rotation.
    #[attr(optional)]
    pub remove_root_after: Attr<bool>,
    /// Azure: the resource group.
    #[attr(optional)]
    pub resource_group: Attr<String>,
    /// Azure: the prefix of the cluster's resources.
    #[attr(optional)]
    pub resource_prefix: Attr<String>,
    /// AWS: the access key's secret.
    #[attr(optional, sensitive, write_only)]
    pub secret_access_key_wo: Attr<Secret>,
    /// Change it with `secret_access_key_wo`: the new credential is then rotated in.
    #[attr(optional)]
    pub secret_access_key_wo_version: Attr<i64>,
    /// GCP: the key of a service account, JSON.
    #[attr(optional, sensitive, write_only)]
    pub service_account_json_wo: Attr<Secret>,
    /// Change it with `service_account_json_wo`: the new credential is then rotated in.
    #[attr(optional)]
    pub service_account_json_wo_version: Attr<i64>,
    /// How long all cluster operators must stay well before the rotation is complete; default `5s`.
    #[attr(optional, validate(custom(check_period)))]
    pub settle_time: Attr<String>,
    /// Azure: the subscription's id.
    #[attr(optional, sensitive, write_only)]
    pub subscription_id_wo: Attr<Secret>,
    /// Azure: the tenant's id.
    #[attr(optional, sensitive, write_only)]
    pub tenant_id_wo: Attr<Secret>,
    /// vSphere: a login for each vCenter whose credential changes, by the vCenter's full name as it stands in the secret
    /// `kube-system/vsphere-creds`.
    #[attr(optional, sensitive, write_only)]
    pub vcenters_wo: Attr<BTreeMap<String, Vcenter>>,
    /// Change it with `vcenters_wo`: the new credential is then rotated in.
    #[attr(optional)]
    pub vcenters_wo_version: Attr<i64>,
    /// Workloads of your own that read these secrets and are to be restarted afterwards.
    /// Those of OpenShift itself are restarted by their operators; restarted from here they would come back twice.
    #[attr(optional)]
    pub workloads: Attr<Vec<Named>>,
}

/// A login to one vCenter.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Vcenter {
    /// The user's password.
    #[attr(required, sensitive, write_only)]
    pub password: Attr<Secret>,
    /// The user.
    #[attr(required, sensitive, write_only)]
    pub username: Attr<Secret>,
}

/// The root credential that a block gives.
#[derive(Clone, Debug)]
pub enum Given {
    /// None: the one that is there is used.
    Nothing,
    Root(Box<NewRoot>),
    /// There is one, and it is not known before apply.
    Unknown,
}

impl Openshift {
    /// Each version argument with its value.
    pub fn versions(&self) -> [(&'static str, &Attr<i64>); 5] {
        [
            ("client_secret_wo_version", &self.client_secret_wo_version),
            ("clouds_yaml_wo_version", &self.clouds_yaml_wo_version),
            ("secret_access_key_wo_version", &self.secret_access_key_wo_version),
            ("service_account_json_wo_version", &self.service_account_json_wo_version),
            ("vcenters_wo_version", &self.vcenters_wo_version),
        ]
    }

    /// The parts of a root credential that a state shows.
    pub fn shown(&self) -> [(&'static str, &Attr<String>); 3] {
        [
            ("region", &self.region),
            ("resource_group", &self.resource_group),
            ("resource_prefix", &self.resource_prefix),
        ]
    }

    /// The root credential. Only a configuration has it: a state keeps nothing that is write-only.
    pub fn root(&self) -> Given {
        let given = |platform: Platform| self.names(platform).iter().any(|(_, given)| *given);
        if given(Platform::Openstack) {
            let (unknown, yaml) = one(&self.clouds_yaml_wo);
            return Given::of(unknown, || NewRoot::openstack(yaml));
        }
        if given(Platform::Gcp) {
            let (unknown, json) = one(&self.service_account_json_wo);
            return Given::of(unknown, || NewRoot::gcp(json));
        }
        if given(Platform::Aws) {
            let (unknown_id, id) = one(&self.access_key_id_wo);
            let (unknown, key) = one(&self.secret_access_key_wo);
            return Given::of(unknown || unknown_id, || NewRoot::aws(id, key));
        }
        if given(Platform::Azure) {
            return self.azure();
        }
        if given(Platform::Vsphere) { self.vsphere() } else { Given::Nothing }
    }

    fn azure(&self) -> Given {
        let texts = [&self.region, &self.resource_group, &self.resource_prefix];
        let secrets = [
            &self.client_id_wo,
            &self.client_secret_wo,
            &self.subscription_id_wo,
            &self.tenant_id_wo,
        ];
        let unknown = texts.iter().any(|attr| attr.is_unknown())
            || secrets.iter().any(|attr| attr.is_unknown());
        let [region, resource_group, resource_prefix] =
            texts.map(|attr| attr.known().map(String::as_str));
        let [client_id, client_secret, subscription_id, tenant_id] =
            secrets.map(|attr| attr.known().map(Secret::expose));
        Given::of(unknown, || {
            NewRoot::azure(&Azure {
                client_id,
                client_secret,
                region,
                resource_group,
                resource_prefix,
                subscription_id,
                tenant_id,
            })
        })
    }

    fn vsphere(&self) -> Given {
        let Some(vcenters) = self.vcenters_wo.known() else { return Given::Unknown };
        let open =
            |vcenter: &Vcenter| vcenter.username.is_unknown() || vcenter.password.is_unknown();
        let logins: Vec<Login<'_>> = vcenters
            .iter()
            .map(|(name, vcenter)| Login {
                name,
                username: vcenter.username.known().map(Secret::expose).unwrap_or_default(),
                password: vcenter.password.known().map(Secret::expose).unwrap_or_default(),
            })
            .collect();
        Given::of(vcenters.values().any(open), || NewRoot::vsphere(&logins))
    }

    /// The arguments of a platform's root credential, and whether each is given.
    pub fn names(&self, platform: Platform) -> Vec<(&'static str, bool)> {
        let secret = |name, attr: &Attr<Secret>| (name, !attr.is_null());
        let text = |name, attr: &Attr<String>| (name, !attr.is_null());
        match platform {
            Platform::Aws => vec![
                secret("access_key_id_wo", &self.access_key_id_wo),
                secret("secret_access_key_wo", &self.secret_access_key_wo),
            ],
            Platform::Azure => vec![
                secret("client_id_wo", &self.client_id_wo),
                secret("client_secret_wo", &self.client_secret_wo),
                text("region", &self.region),
                text("resource_group", &self.resource_group),
                text("resource_prefix", &self.resource_prefix),
                secret("subscription_id_wo", &self.subscription_id_wo),
                secret("tenant_id_wo", &self.tenant_id_wo),
            ],
            Platform::Gcp => vec![secret("service_account_json_wo", &self.service_account_json_wo)],
            Platform::Openstack => vec![secret("clouds_yaml_wo", &self.clouds_yaml_wo)],
            Platform::Vsphere => vec![("vcenters_wo", !self.vcenters_wo.is_null())],
        }
    }

    /// What is wrong with it, as far as it can be known offline.
    pub fn complaints(&self) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        let given: Vec<_> = Platform::ALL
            .into_iter()
            .filter_map(|platform| {
                let names = self.names(platform);
                names.iter().find(|(_, given)| *given).map(|(name, _)| (platform, *name))
            })
            .collect();
        if let [(first, one), (second, other), ..] = given[..] {
            all.push(Diagnostic::error(
                "Root credentials of two platforms are given",
                format!("{one} is for {first}, and {other} is for {second}: a cluster has one root credential."),
            ));
        }
        let expected = self.platform.known().and_then(|name| name.parse::<Platform>().ok());
        let removes = self.remove_root_after.known() == Some(&true);
        for platform in expected.into_iter().chain(given.iter().map(|(platform, _)| *platform)) {
            if removes && !platform.can_mint() {
                all.push(Diagnostic::error(
                    "The root credential cannot be removed",
                    format!("On {platform} every component has a copy of the root credential, so remove_root_after is for aws and gcp."),
                ));
                break;
            }
        }
        if let (Some(expected), Some((platform, name))) = (expected, given.first())
            && expected != *platform
        {
            all.push(Diagnostic::error(
                "Another platform's credential is given",
                format!("platform = \"{expected}\" is expected, and {name} is for {platform}."),
            ));
        }
        all
    }
}

impl Given {
    fn of(unknown: bool, root: impl FnOnce() -> NewRoot) -> Self {
        if unknown { Self::Unknown } else { Self::Root(Box::new(root())) }
    }

    pub fn root(&self) -> Option<&NewRoot> {
        match self {
            Self::Root(root) => Some(root),
            Self::Nothing | Self::Unknown => None,
        }
    }
}

/// Whether it is unknown, and else its text.
fn one(attr: &Attr<Secret>) -> (bool, &str) {
    (attr.is_unknown(), attr.known().map(Secret::expose).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Attr<Secret> {
        Attr::Known(text.to_owned().into())
    }

    fn said(block: &Openshift) -> String {
        let all = block.complaints();
        all.iter().map(|one| one.detail.clone()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_platforms_arguments_make_its_root() {
        let of = |block: &Openshift| match block.root() {
            Given::Root(root) => {
                let keys: Vec<_> = root.data().keys().cloned().collect();
                format!("{} {}", root.platform(), keys.join(","))
            }
            other => format!("{other:?}"),
        };
        assert_eq!(of(&Openshift::default()), "Nothing");
        let aws = Openshift {
            access_key_id_wo: secret("AKIA1"),
            secret_access_key_wo: secret("s"),
            ..Openshift::default()
        };
        assert_eq!(of(&aws), "aws aws_access_key_id,aws_secret_access_key");
        let half = Openshift { secret_access_key_wo: Attr::Unknown, ..aws };
        assert_eq!(of(&half), "Unknown");
        let openstack = Openshift { clouds_yaml_wo: secret("clouds: {}"), ..Openshift::default() };
        assert_eq!(of(&openstack), "openstack clouds.yaml");
        let azure = Openshift {
            client_secret_wo: secret("s"),
            region: Attr::Known("west".into()),
            ..Openshift::default()
        };
        assert_eq!(of(&azure), "azure azure_client_secret,azure_region");
        let vcenter = Vcenter { password: secret("p"), username: secret("u") };
        let vcenters = BTreeMap::from([("vc".to_owned(), vcenter)]);
        let vsphere = Openshift { vcenters_wo: Attr::Known(vcenters), ..Openshift::default() };
        assert_eq!(of(&vsphere), "vsphere vc.password,vc.username");
    }

    #[test]
    fn one_platform_at_a_time() {
        let both = Openshift {
            access_key_id_wo: secret("AKIA1"),
            clouds_yaml_wo: secret("clouds: {}"),
            ..Openshift::default()
        };
        assert!(
            said(&both)
                .contains("access_key_id_wo is for aws, and clouds_yaml_wo is for openstack")
        );
        let other = Openshift {
            clouds_yaml_wo: secret("clouds: {}"),
            platform: Attr::Known("gcp".into()),
            ..Openshift::default()
        };
        assert!(said(&other).contains("clouds_yaml_wo is for openstack"));
        let removes = Openshift {
            clouds_yaml_wo: secret("clouds: {}"),
            remove_root_after: Attr::Known(true),
            ..Openshift::default()
        };
        assert!(said(&removes).contains("remove_root_after is for aws and gcp"));
        assert_eq!(said(&Openshift::default()), "");
    }
}
