//! What a login needs for a rotation, thing by thing: each is asked of the API server before anything is touched.

use super::name::Name;
use super::platform::{Platform, ROOT_NAMESPACE};
use super::situation::Situation;
use super::targets::targets;
use crate::cloud::kubernetes::Permission;

/// For a rotation, beside looking: where that is refused, the refusal itself is told.
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
