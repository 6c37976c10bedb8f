use proptest::prelude::*;

use super::*;

fn deployment() -> Workload {
    Workload::new("openstack-system", Kind::Deployment, "csi").unwrap()
}

#[test]
fn restarting_takes_these_permissions() {
    let names: Vec<_> = deployment().permissions().iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "get deployments.apps csi in openstack-system",
            "patch deployments.apps csi in openstack-system",
            "list pods in openstack-system"
        ]
    );
}

#[test]
fn kinds_are_read_as_people_write_them() {
    for (text, kind) in [
        ("DaemonSet", Kind::DaemonSet),
        ("ds", Kind::DaemonSet),
        ("deployments", Kind::Deployment),
        ("StatefulSet", Kind::StatefulSet),
    ] {
        assert_eq!(text.parse(), Ok(kind));
    }
    assert!("ReplicaSet".parse::<Kind>().is_err());
}

proptest! {
    /// Whatever is taken for a name stands in a path unchanged.
    #[test]
    fn a_name_is_a_path_segment(text in ".{0,12}|[a-z0-9./-]{1,12}") {
        if Workload::new(&text, Kind::Deployment, &text).is_ok() {
            let path = format!("/apis/{text}");
            let uri: http::Uri = path.parse().unwrap();
            prop_assert_eq!(uri.path(), path);
            prop_assert!(!text.contains('/'));
        }
    }
}
