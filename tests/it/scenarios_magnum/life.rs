//! What calls for a rotation, and what does not.

use serde_json::json;

use super::{ADDRESS, NEW, is_rotated, is_untouched, rotated, rotation, says, trigger};
use crate::support::magnum::Magnum;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

const DAY: i64 = 86_400;

#[tokio::test]
async fn a_rotation_is_made_on_create_by_triggers_by_replacing_and_by_taint() {
    let magnum = Magnum::get().await;
    for cli in Cli::all() {
        let alice = magnum.user("alice");
        let cluster = magnum.cluster(&alice, NEW, json!({})).await;
        let held = magnum.held(&cluster);
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.write("main.tf", &rotation(&cluster.name, &trigger(1)));
        let plan = workspace.plan(&[]).await.ok().says_not("changes its owner");
        assert_eq!(plan.change(ADDRESS)["after"]["generation"], 1);
        workspace.apply(&["tfplan"]).await.ok();
        let held = is_rotated(&magnum, &alice, &cluster, &held).await;
        let state = workspace.resource(ADDRESS).await;
        says(&state, 1, "completed");
        assert_eq!(state["id"], format!("{}/application_credential", cluster.uuid));
        assert_eq!(state["owner_user_id"], alice.id.as_str());
        assert_eq!(state["application_credential_ids"], json!([held.id]));
        assert_eq!(magnum.settled(&alice, &cluster).await["status"], "UPDATE_COMPLETE");
        workspace.plan(&[]).await.empty();

        workspace.write("main.tf", &rotation(&cluster.name, &trigger(2)));
        let plan = workspace.plan(&[]).await.ok().says("generation 2: triggers");
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        workspace.apply(&["tfplan"]).await.ok();
        let held = is_rotated(&magnum, &alice, &cluster, &held).await;
        says(&workspace.resource(ADDRESS).await, 2, "completed");

        // The uuid is the same cluster as its name.
        workspace.write("main.tf", &rotation(&cluster.uuid, &trigger(2)));
        let plan = workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        workspace.apply(&["tfplan"]).await.ok();
        is_untouched(&magnum, &alice, &cluster, &held).await;

        let replace = format!("-replace={ADDRESS}");
        let plan = workspace.plan(&[&replace]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["delete", "create"]);
        workspace.apply(&["tfplan"]).await.ok();
        let held = is_rotated(&magnum, &alice, &cluster, &held).await;
        says(&workspace.resource(ADDRESS).await, 1, "completed");

        workspace.taint(ADDRESS).await.ok();
        workspace.apply(&[]).await.ok();
        let held = is_rotated(&magnum, &alice, &cluster, &held).await;

        workspace.destroy(&[]).await.ok().says("undoes nothing");
        is_untouched(&magnum, &alice, &cluster, &held).await;
    }
}

#[tokio::test]
async fn a_schedule_rotates_when_it_is_due_and_not_before() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({})).await;
    let held = magnum.held(&cluster);
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    // Nothing calls for a rotation yet; the schedule counts from here.
    let waiting = "rotate_on_create = false\nrotation_period = \"P30D\"";
    workspace.write("main.tf", &rotation(&cluster.name, waiting));
    workspace.apply(&[]).await.ok();
    is_untouched(&magnum, &alice, &cluster, &held).await;
    let state = workspace.resource(ADDRESS).await;
    says(&state, 0, "none");
    workspace.env("REKEY_CLOCK_OFFSET", &(29 * DAY).to_string());
    workspace.plan(&[]).await.empty();

    workspace.env("REKEY_CLOCK_OFFSET", &(31 * DAY).to_string());
    let due = state["rotation_due_at"].as_str().unwrap()[..10].to_owned();
    let plan = workspace.plan(&[]).await.ok().says("generation 1: rotation_period").says(&due);
    assert_eq!(plan.actions(ADDRESS), ["update"]);

    // Held, and said so.
    workspace.write("main.tf", &rotation(&cluster.name, &format!("{waiting}\nrotate = false")));
    workspace.apply(&[]).await.ok();
    workspace.plan(&[]).await.empty().says("overdue and held").says(&due);
    is_untouched(&magnum, &alice, &cluster, &held).await;

    workspace.write("main.tf", &rotation(&cluster.name, waiting));
    workspace.apply(&[]).await.ok();
    is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "completed");
    workspace.plan(&[]).await.empty();
}

#[tokio::test]
async fn an_imported_cluster_is_rotated_when_something_calls_for_it() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({})).await;
    let held = magnum.held(&cluster);
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.write("main.tf", &rotation(&cluster.name, &trigger(1)));
    workspace.import(ADDRESS, &cluster.name).await.ok();
    says(&workspace.resource(ADDRESS).await, 0, "none");
    workspace.plan(&[]).await.ok().says_not("rotation_reason");
    workspace.apply(&["tfplan"]).await.ok();
    is_untouched(&magnum, &alice, &cluster, &held).await;
    workspace.plan(&[]).await.empty();

    workspace.write("main.tf", &rotation(&cluster.name, &trigger(2)));
    workspace.apply(&[]).await.ok();
    is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "completed");

    workspace.run(&["state", "rm", ADDRESS]).await.ok();
    workspace.import(ADDRESS, "no-such-cluster").await.fails().says("no-such-cluster");
    let of_ca = format!("{}/ca", cluster.name);
    workspace.import(ADDRESS, &of_ca).await.fails().says("CLUSTER/ca_certificate");
}

#[tokio::test]
async fn two_resources_of_one_cluster_take_turns() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({ "stub_rotate_delay": "1" })).await;
    let held = magnum.held(&cluster);
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    let one = rotation(&cluster.name, "");
    workspace.write("main.tf", &format!("{one}{}", one.replace("\"prod\" {", "\"again\" {")));
    workspace.apply(&[]).await.ok().says_not("more than one run");
    is_rotated(&magnum, &alice, &cluster, &held).await;
}

#[tokio::test]
async fn a_name_that_several_clusters_have_is_refused_with_their_uuids() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let one = magnum.cluster(&alice, NEW, json!({})).await;
    let other = magnum.cluster_named(&one.name, &alice, NEW, json!({})).await;
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.write("main.tf", &rotation(&one.name, ""));
    workspace.plan(&[]).await.fails().says(&one.uuid).says(&other.uuid);
    workspace.write("main.tf", &rotation("no-such-cluster", ""));
    workspace.plan(&[]).await.fails().says("There is no such cluster in the project");
}

#[tokio::test]
async fn a_rotation_by_hand_is_told_and_is_not_the_one_that_is_asked_for() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let (cluster, mut workspace) = rotated(&magnum, Cli::any(), &alice).await;
    let by_hand = async || {
        let path = format!("/credentials/{}", cluster.uuid);
        magnum.send(&alice, reqwest::Method::PATCH, &path, None).await;
        magnum.held(&cluster)
    };
    let held = by_hand().await;
    workspace.plan(&[]).await.says("made outside this resource");
    workspace.write("main.tf", &rotation(&cluster.name, &trigger(2)));
    workspace.apply(&[]).await.ok().says("made outside this resource");
    is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 2, "completed");
    workspace.plan(&[]).await.empty().says_not("outside");

    // One that nobody took up is what the cluster has, and asks for nothing; a later trigger is another rotation.
    let held = by_hand().await;
    workspace.apply(&["-refresh-only"]).await.ok();
    workspace.env("REKEY_CLOCK_OFFSET", &(2 * DAY).to_string());
    workspace.write("main.tf", &rotation(&cluster.name, &trigger(3)));
    workspace.apply(&[]).await.ok();
    is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 3, "completed");
}
