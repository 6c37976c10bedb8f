//! The workloads that hold the old credential: restarted by a certificate that Magnum signs, in a real cluster.

use serde_json::{Value, json};

use super::{ADDRESS, NEW, OLD, block, is_rotated, is_untouched, rotation, says, trigger};
use crate::support::kubernetes::ControlPlane;
use crate::support::magnum::Magnum;
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::Cli;

const SYSTEM: &str = "openstack-system";
const THREE: [(&str, &str); 3] = [
    ("Deployment", "openstack-cinder-csi-controllerplugin"),
    ("DaemonSet", "openstack-cinder-csi-nodeplugin"),
    ("DaemonSet", "openstack-cloud-controller-manager"),
];

/// Makes it, or changes it to this; a Deployment that fits on no node gives up after a second.
pub(super) async fn make(
    plane: &ControlPlane,
    namespace: &str,
    (kind, name): (&str, &str),
    node_selector: &Value,
) {
    let mut spec = json!({
        "selector": { "matchLabels": { "app": name } },
        "template": {
            "metadata": { "labels": { "app": name } },
            "spec": {
                "containers": [{ "name": "main", "image": "registry.example/image:1" }],
                "nodeSelector": node_selector,
            },
        },
    });
    match kind {
        "Deployment" => {
            spec["replicas"] = json!(2);
            if *node_selector != json!({}) {
                spec["progressDeadlineSeconds"] = json!(1);
            }
        }
        "StatefulSet" => {
            spec["replicas"] = json!(2);
            spec["serviceName"] = json!("none");
        }
        _ => {}
    }
    plane
        .apply(&json!({
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": { "name": name, "namespace": namespace },
            "spec": spec,
        }))
        .await;
}

pub(super) async fn is_rolled_out(
    plane: &ControlPlane,
    namespace: &str,
    (kind, name): (&str, &str),
) {
    let object = format!("{kind}/{name}");
    let told = ["rollout", "status", "--timeout=300s", "-n", namespace, &object];
    plane.kubectl(&told).await.ok();
}

/// The uids of its pods, without those that are on their way out.
pub(super) async fn pods(plane: &ControlPlane, namespace: &str, name: &str) -> Vec<String> {
    let selector = format!("app={name}");
    let asked = ["get", "pods", "-n", namespace, "-l", &selector, "-o", "json"];
    let told: Value = serde_json::from_str(&plane.kubectl(&asked).await.ok().stdout).unwrap();
    let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    let uid = |pod: &Value| pod["metadata"]["uid"].as_str().unwrap().to_owned();
    told["items"].as_array().unwrap().iter().filter(stays).map(uid).collect()
}

#[tokio::test]
async fn an_old_cluster_restarts_its_three_workloads_and_a_new_one_none() {
    let magnum = Magnum::get().await;
    let plane = ControlPlane::own(None).await;
    let alice = magnum.user("alice");
    let address = json!({ "stub_api_address": plane.facts().url });
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (template, restarts) in [(NEW, false), (OLD, true)] {
        let cluster = magnum.cluster(&alice, template, address.clone()).await;
        let pki = folder.path().join(template);
        magnum.pki(&alice, &cluster, &pki).await;
        plane.serve_with(&pki).await;
        plane
            .apply(
                &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": SYSTEM } }),
            )
            .await;
        let mut before = Vec::new();
        for workload in THREE {
            make(&plane, SYSTEM, workload, &json!({})).await;
            is_rolled_out(&plane, SYSTEM, workload).await;
            before.push(pods(&plane, SYSTEM, workload.1).await);
        }
        let held = magnum.held(&cluster);
        let mut workspace = Workspace::with_login(Cli::any(), &alice);
        workspace.write("main.tf", &rotation(&cluster.name, ""));
        workspace.apply(&[]).await.ok();
        is_rotated(&magnum, &alice, &cluster, &held).await;
        says(&workspace.resource(ADDRESS).await, 1, "completed");
        for ((_, name), before) in THREE.into_iter().zip(before) {
            let now = pods(&plane, SYSTEM, name).await;
            assert_eq!(now.len(), 2, "{name}: {now:?}");
            if restarts {
                assert!(now.iter().all(|uid| !before.contains(uid)), "{name}: {now:?}");
            } else {
                assert_eq!(now, before, "{name}");
            }
        }
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_stuck_rollout_is_taken_up_without_another_rotation_after_a_create_and_after_an_update() {
    let magnum = Magnum::get().await;
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let alice = magnum.user("alice");
    let address = json!({ "stub_api_address": plane.facts().url });
    let cluster = magnum.cluster(&alice, OLD, address).await;
    let (first, second) = (("Deployment", "first"), ("Deployment", "second"));
    let (anywhere, nowhere) = (json!({}), json!({ "disk": "impossible" }));
    for workload in [first, second] {
        make(plane, &namespace, workload, &anywhere).await;
        is_rolled_out(plane, &namespace, workload).await;
    }
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.write("provider.tf", &provider(&config_path(plane)));
    let config = |n: u32| {
        let named = [first, second].map(|(kind, name)| {
            format!("{{ namespace = \"{namespace}\", kind = \"{kind}\", name = \"{name}\" }}")
        });
        let magnum = format!("cluster = \"{}\"\nworkloads = [{}]", cluster.name, named.join(", "));
        block(&magnum, &trigger(n))
    };
    for n in 1..=2 {
        let held = magnum.held(&cluster);
        make(plane, &namespace, second, &nowhere).await;
        workspace.write("main.tf", &config(n));
        let run = workspace.apply(&[]).await;
        // An error in a create would have Terraform replace the resource, and so rotate again.
        let run = if n == 1 { run.ok() } else { run.fails() };
        run.says("A workload does not come back")
            .says(&format!("Deployment {namespace}/second"))
            .says("Unschedulable")
            .says("FailedScheduling");
        let held = is_rotated(&magnum, &alice, &cluster, &held).await;
        says(&workspace.resource(ADDRESS).await, n, "restarting");
        let done = pods(plane, &namespace, "first").await;

        let plan = workspace.plan(&[]).await.ok().says("A rotation is not complete");
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        make(plane, &namespace, second, &anywhere).await;
        workspace.apply(&["tfplan"]).await.ok();
        is_untouched(&magnum, &alice, &cluster, &held).await;
        says(&workspace.resource(ADDRESS).await, n, "completed");
        assert_eq!(pods(plane, &namespace, "first").await, done);
        is_rolled_out(plane, &namespace, second).await;
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn what_was_killed_while_it_took_up_a_rotation_is_taken_up_again_and_not_rotated() {
    let magnum = Magnum::get().await;
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let alice = magnum.user("alice");
    let address = json!({ "stub_api_address": plane.facts().url });
    let cluster = magnum.cluster(&alice, OLD, address).await;
    // It has no deadline of its own: it is waited for until the operation's time is up.
    let workload = ("StatefulSet", "csi");
    make(plane, &namespace, workload, &json!({})).await;
    is_rolled_out(plane, &namespace, workload).await;
    make(plane, &namespace, workload, &json!({ "disk": "impossible" })).await;
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.write("provider.tf", &provider(&config_path(plane)));
    let named = format!(
        "cluster = \"{}\"\nworkloads = [{{ namespace = \"{namespace}\", kind = \"StatefulSet\", name = \"csi\" }}]",
        cluster.name
    );
    let held = magnum.held(&cluster);
    workspace.write("main.tf", &block(&named, "timeouts = { create = \"PT20S\" }"));
    workspace.apply(&[]).await.ok().says("A workload does not come back");
    let held = is_rotated(&magnum, &alice, &cluster, &held).await;

    let running = workspace.start(&["apply", "-input=false", "-auto-approve"]);
    running.is_applying().await;
    running.signal_providers("KILL");
    let run = running.end().await.fails();
    workspace.search(&run);
    says(&workspace.resource(ADDRESS).await, 1, "restarting");

    make(plane, &namespace, workload, &json!({})).await;
    // Its pods that wait for a node in vain are not replaced by the controller.
    let pending = ["delete", "pods", "--field-selector=status.phase=Pending", "-n", &namespace];
    plane.kubectl(&pending).await.ok();
    workspace.apply(&[]).await.ok();
    is_untouched(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "completed");
    workspace.plan(&[]).await.empty();
}

pub(super) fn config_path(plane: &ControlPlane) -> String {
    format!("config_path = \"{}\"", plane.facts().kubeconfig.display())
}

/// The provider's configuration with this way into the cluster.
pub(super) fn provider(kubernetes: &str) -> String {
    format!(
        "{REQUIRED}\nprovider \"rekey\" {{\n  openstack  = {{ cloud = \"test\" }}\n  kubernetes = {{\n{kubernetes}\n  }}\n}}\n"
    )
}
