//! What keeps workloads from being restarted: each has its own message, and the rotation stays as it is.

use serde_json::json;

use super::rollout::{config_path, is_rolled_out, make, provider};
use super::{ADDRESS, OLD, block, is_rotated, is_untouched, says};
use crate::support::kubernetes::ControlPlane;
use crate::support::magnum::Magnum;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

#[tokio::test]
async fn each_obstacle_has_its_own_message_and_nothing_is_rotated_again() {
    let magnum = Magnum::get().await;
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let alice = magnum.user("alice");
    let address = json!({ "stub_api_address": plane.facts().url });
    let cluster = magnum.cluster(&alice, OLD, address).await;
    make(plane, &namespace, ("DaemonSet", "there"), &json!({})).await;
    is_rolled_out(plane, &namespace, ("DaemonSet", "there")).await;
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    let with_workloads = |names: &[&str]| {
        let named: Vec<_> = names
            .iter()
            .map(|name| {
                format!(
                    "{{ namespace = \"{namespace}\", kind = \"DaemonSet\", name = \"{name}\" }}"
                )
            })
            .collect();
        let magnum = format!("cluster = \"{}\"\nworkloads = [{}]", cluster.name, named.join(", "));
        block(&magnum, "timeouts = { update = \"PT45S\" }")
    };

    let held = magnum.held(&cluster);
    workspace.write("provider.tf", &provider("host = \"https://127.0.0.1:1\"\ntoken = \"no\""));
    workspace.write("main.tf", &with_workloads(&["there", "missing"]));
    let refused = workspace.apply(&[]).await.fails().says("does not lead to this cluster");
    refused.says("Nothing was sent");
    is_untouched(&magnum, &alice, &cluster, &held).await;

    let token = plane.kubectl(&["create", "token", "default", "-n", &namespace]).await.ok().stdout;
    let url = plane.facts().url;
    let ca = plane.facts().pki.join("ca.crt");
    let weak = format!(
        "host = \"{url}\"\ncluster_ca_certificate = file(\"{}\")\ntoken = \"{}\"",
        ca.display(),
        token.trim()
    );
    workspace.watch("the token", token.trim());
    workspace.write("provider.tf", &provider(&weak));
    let refused = workspace.apply(&[]).await.fails();
    refused.says("may not be restarted by this login").says("Bind a role with these");
    is_untouched(&magnum, &alice, &cluster, &held).await;

    workspace.write("provider.tf", &provider(&config_path(plane)));
    // No error: Terraform would replace what failed, and so rotate once more.
    let told = workspace.apply(&[]).await.ok().says("A workload is missing");
    told.says(&format!("there is no DaemonSet {namespace}/missing"));
    let held = is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "restarting");

    make(plane, &namespace, ("DaemonSet", "missing"), &json!({ "disk": "impossible" })).await;
    let run = workspace.apply(&[]).await.ok().says("A restarted workload has no pods");
    run.says(&format!("DaemonSet {namespace}/missing"));
    is_untouched(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "completed");
    workspace.plan(&[]).await.empty();
}
