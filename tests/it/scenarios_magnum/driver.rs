//! Drivers that cannot, that fail, and that are slow.

use reqwest::Method;
use serde_json::json;

use super::{
    ADDRESS, NEW, block, is_rotated, is_untouched, rotation, says, through_proxy, trigger,
};
use crate::support::magnum::Magnum;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

#[tokio::test]
async fn a_driver_that_cannot_rotate_is_told_and_the_cluster_stays_as_it_was() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, "tpl-norotate", json!({})).await;
    let held = magnum.held(&cluster);
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    // Nothing tells the version of this template.
    workspace.write("main.tf", &rotation(&cluster.name, ""));
    let refused = workspace.plan(&[]).await.fails();
    refused
        .says("It is not known whether the workloads must restart")
        .says("\"always\" or \"never\"");

    let never = format!("cluster = \"{}\"\nrestart_workloads = \"never\"", cluster.name);
    workspace.write("main.tf", &block(&never, ""));
    let refused = workspace.apply(&[]).await.fails();
    refused
        .says("Credential rotation is not supported by driver")
        .says("The cluster has its old credential");
    is_untouched(&magnum, &alice, &cluster, &held).await;
    assert!(workspace.resource(ADDRESS).await.is_null());
}

#[tokio::test]
async fn a_driver_that_fails_is_told_with_its_reason_and_the_next_apply_tries_again() {
    const REASON: &str = "stub: rotation failed as the labels ask";
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({})).await;
    let held = magnum.held(&cluster);
    let (fails, works) = (json!({ "stub_rotate_credential": "fail" }), json!({}));
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.write("main.tf", &rotation(&cluster.name, &trigger(1)));
    magnum.steer(&cluster, &fails);
    // The second failure changes nothing that Magnum shows.
    for _ in 0..2 {
        workspace.apply(&[]).await.fails().says(REASON).says("UPDATE_FAILED");
        is_untouched(&magnum, &alice, &cluster, &held).await;
    }
    magnum.steer(&cluster, &works);
    workspace.apply(&[]).await.ok();
    let held = is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "completed");

    magnum.steer(&cluster, &fails);
    workspace.write("main.tf", &rotation(&cluster.name, &trigger(2)));
    workspace.apply(&[]).await.fails().says(REASON).says("sends a new rotation");
    is_untouched(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "completed");
    magnum.steer(&cluster, &works);
    workspace.plan(&[]).await.ok().says("generation 2: triggers");
    workspace.apply(&["tfplan"]).await.ok();
    is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 2, "completed");
}

#[tokio::test]
async fn a_driver_that_is_slower_than_magnum_waits_is_waited_for_and_asked_once() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    // Magnum here waits for 15 seconds.
    let cluster = magnum.cluster(&alice, NEW, json!({ "stub_rotate_delay": "18" })).await;
    let held = magnum.held(&cluster);
    let (proxy, clouds) = through_proxy(&magnum, &alice).await;
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.clouds_yaml(&clouds);
    workspace.write("main.tf", &rotation(&cluster.name, ""));
    workspace.apply(&[]).await.ok();
    let sent: Vec<_> =
        proxy.calls().into_iter().filter(|call| call.method == Method::PATCH).collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].status, Some(500));
    is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "completed");
    workspace.plan(&[]).await.empty();
}

#[tokio::test]
async fn a_cluster_that_is_being_changed_is_left_alone() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({})).await;
    let held = magnum.held(&cluster);
    magnum.steer(&cluster, &json!({ "stub_delay": "3600" }));
    let path = format!("/certificates/{}", cluster.uuid);
    magnum.send(&alice, Method::PATCH, &path, None).await;
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.write("main.tf", &rotation(&cluster.name, ""));
    workspace
        .plan(&[])
        .await
        .fails()
        .says("UPDATE_IN_PROGRESS")
        .says("Wait until what is going on has ended");
    is_untouched(&magnum, &alice, &cluster, &held).await;
}
