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
    assert_eq!(of("GET /version"), None);
    assert_eq!(of("GET /api/v1/namespaces/ns"), None);
    assert_eq!(of("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), None);
    let role = Permission::of_request(patch).unwrap().role();
    assert_eq!(
        role,
        "kubectl create role NAME --namespace=openstack-system --verb=patch --resource=deployments.apps"
    );
}
