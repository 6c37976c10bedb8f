//! What a login needs for a rotation, thing by thing: each is asked of the API server before anything is touched.

use super::name::Name;
use super::platform::{OPERATOR_NAMESPACE, Platform, ROOT_NAMESPACE};
use super::situation::Situation;
use super::targets::targets;
use crate::cloud::kubernetes::Permission;

/// For looking only: data sources, plans, refreshes.
pub fn to_look(platform: Platform, situation: &Situation) -> Vec<Permission> {
    let config = "config.openshift.io";
    let operator = "operator.openshift.io";
    let mut all = vec![
        whole("get", config, "infrastructures", "cluster"),
        whole("get", config, "authentications", "cluster"),
        whole("get", config, "clusterversions", "version"),
        whole("list", config, "clusteroperators", ""),
        whole("get", operator, "cloudcredentials", "cluster"),
        whole("list", "cloudcredential.openshift.io", "credentialsrequests", ""),
        inside("get", "", "configmaps", OPERATOR_NAMESPACE, "cloud-credential-operator-config"),
        inside("get", "apps", "deployments", OPERATOR_NAMESPACE, "cloud-credential-operator"),
        inside("get", "", "secrets", ROOT_NAMESPACE, platform.root_name()),
    ];
    match platform {
        Platform::Openstack => {
            all.push(inside("get", "", "configmaps", "openshift-config", "cloud-provider-config"));
        }
        Platform::Vsphere => {
            all.push(whole("get", operator, "clustercsidrivers", "csi.vsphere.vmware.com"));
            all.push(whole("get", operator, "kubecontrollermanagers", "cluster"));
        }
        _ => {}
    }
    all.extend(secrets(situation).iter().map(|secret| of_secret("get", secret)));
    all
}

/// For a rotation, beside looking.
pub fn to_rotate(
    platform: Platform,
    situation: &Situation,
    mints: bool,
    removes_root: bool,
) -> Vec<Permission> {
    let root = |verb: &str| inside(verb, "", "secrets", ROOT_NAMESPACE, platform.root_name());
    let mut all = vec![root("patch")];
    if situation.root.is_none() {
        // Nobody may be allowed to create by name.
        all.push(inside("create", "", "secrets", ROOT_NAMESPACE, ""));
    }
    if removes_root {
        all.push(root("delete"));
    }
    if mints {
        all.extend(secrets(situation).iter().map(|secret| of_secret("delete", secret)));
    }
    let mut namespaces: Vec<_> =
        targets(situation).iter().map(|target| target.request.metadata.namespace.clone()).collect();
    namespaces.sort();
    namespaces.dedup();
    let requests = "cloudcredential.openshift.io";
    all.extend(
        namespaces
            .iter()
            .map(|namespace| inside("patch", requests, "credentialsrequests", namespace, "")),
    );
    if platform == Platform::Vsphere && !situation.has_csi_operator {
        all.push(whole("patch", "operator.openshift.io", "kubecontrollermanagers", "cluster"));
    }
    all
}

fn secrets(situation: &Situation) -> Vec<Name> {
    let mut names: Vec<_> =
        targets(situation).iter().filter_map(super::targets::Target::secret).collect();
    names.dedup();
    names
}

fn of_secret(verb: &str, secret: &Name) -> Permission {
    inside(verb, "", "secrets", secret.namespace(), secret.name())
}

fn whole(verb: &str, group: &str, resource: &str, name: &str) -> Permission {
    inside(verb, group, resource, "", name)
}

fn inside(verb: &str, group: &str, resource: &str, namespace: &str, name: &str) -> Permission {
    Permission {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::cluster;
    use super::*;

    fn said(all: &[Permission]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_the_way_needs_is_asked_for() {
        let openstack = cluster(Platform::Openstack).component("a/b").situation();
        let rotate = said(&to_rotate(Platform::Openstack, &openstack, false, false));
        assert_eq!(
            rotate,
            [
                "patch secrets openstack-credentials in kube-system",
                "patch credentialsrequests.cloudcredential.openshift.io in openshift-cloud-credential-operator",
            ]
        );
        let look = said(&to_look(Platform::Openstack, &openstack));
        assert!(look.contains(&"get secrets b in a".to_owned()), "{look:?}");
        assert!(look.contains(&"list clusteroperators.config.openshift.io".to_owned()), "{look:?}");
        let aws = cluster(Platform::Aws).component("a/b").minted().without_root().situation();
        let rotate = said(&to_rotate(Platform::Aws, &aws, true, true));
        for wanted in [
            "create secrets in kube-system",
            "delete secrets aws-creds in kube-system",
            "delete secrets b in a",
        ] {
            assert!(rotate.contains(&wanted.to_owned()), "{rotate:?}");
        }
        let vsphere = cluster(Platform::Vsphere).situation();
        assert!(
            said(&to_rotate(Platform::Vsphere, &vsphere, false, false))
                .contains(&"patch kubecontrollermanagers.operator.openshift.io cluster".to_owned())
        );
    }
}
