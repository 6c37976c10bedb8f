use super::*;

#[test]
fn a_refused_request_tells_the_permission_it_needed() {
    let of = |label: &str| Permission::of_request(label).map(|permission| permission.to_string());
    let patch = "PATCH /apis/apps/v1/namespaces/openstack-system/deployments/csi";
    assert_eq!(of(patch).unwrap(), "patch deployments.apps csi in openstack-system");
    assert_eq!(of("GET /api/v1/namespaces/ns/pods").unwrap(), "list pods in ns");
    assert_eq!(
        of("GET /apis/apps/v1/namespaces/ns/daemonsets/d").unwrap(),
        "get daemonsets.apps d in ns"
    );
    assert_eq!(of("POST /api/v1/namespaces/ns/secrets").unwrap(), "create secrets in ns");
    assert_eq!(of("DELETE /api/v1/namespaces/ns/secrets/s").unwrap(), "delete secrets s in ns");
    let cluster = "GET /apis/operator.openshift.io/v1/cloudcredentials/cluster";
    assert_eq!(of(cluster).unwrap(), "get cloudcredentials.operator.openshift.io cluster");
    assert_eq!(
        Permission::of_request(cluster).unwrap().role(),
        "kubectl create clusterrole NAME --verb=get --resource=cloudcredentials.operator.openshift.io"
    );
    assert_eq!(of("GET /version"), None);
    assert_eq!(of("GET /api/v1/namespaces/ns"), None);
    assert_eq!(of("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), None);
    let role = Permission::of_request(patch).unwrap().role();
    assert_eq!(
        role,
        "kubectl create role NAME --namespace=openstack-system --verb=patch --resource=deployments.apps"
    );
}
