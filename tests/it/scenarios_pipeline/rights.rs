//! What rbac.yaml grants is enough, as all scenarios beside this one show. Here each right is taken away: the run says
//! which one is missing, before it has done anything.

use super::{Place, STATE, ids};
use crate::support::openstack::Keystone;
use crate::support::tools::Cli;

const ROTATE: (&str, &str) = ("TF_VAR_reissue", "2");

/// The place of a rule in the role `rekey-state`, the verbs that are left, and what is missed.
const TAKEN: [(usize, &str, &str); 7] = [
    (0, r#"["create"]"#, "list secrets"),
    (0, r#"["list"]"#, "create secrets"),
    (1, r#"["update"]"#, "get secrets/tfstate-default-rotate"),
    (1, r#"["get"]"#, "update secrets/tfstate-default-rotate"),
    (2, r#"["list"]"#, "create leases.coordination.k8s.io"),
    (3, r#"["update"]"#, "get leases.coordination.k8s.io/lock-tfstate-default-rotate"),
    (3, r#"["get"]"#, "update leases.coordination.k8s.io/lock-tfstate-default-rotate"),
];

#[tokio::test]
async fn a_right_that_is_missing_is_named_before_anything_is_done() {
    let keystone = Keystone::get().await;
    let cli = Cli::any();
    let alice = keystone.user(&["member"]).await;
    let place = Place::new(&alice.clouds_yaml()).await;
    place.run(cli, &[]).await.ok();
    let before = (place.plane.get(&place.state, STATE).await, ids(&keystone, &alice).await);
    for (rule, left, missing) in TAKEN {
        let patch =
            format!(r#"[{{"op": "replace", "path": "/rules/{rule}/verbs", "value": {left}}}]"#);
        let role = "role/rekey-state";
        let patch = ["patch", role, "--namespace", &place.state, "--type=json", "--patch", &patch];
        place.plane.kubectl(&patch).await.ok();
        let (verb, object) = missing.split_once(' ').unwrap();
        place.is_settled(&place.state, verb, object, false).await;
        let run = place.run(cli, &[ROTATE]).await.fails();
        run.says(&format!("the service account may not {missing}")).says("nothing was done");
        place.applies("rbac.yaml").await.ok();
        place.is_settled(&place.state, verb, object, true).await;
    }
    let after = (place.plane.get(&place.state, STATE).await, ids(&keystone, &alice).await);
    assert_eq!(before, after);
    place.run(cli, &[ROTATE]).await.ok().says("1 changed");
}

/// Terraform itself asks for the right to write only when there is something to write down: why the script asks first.
#[tokio::test]
async fn without_the_script_a_new_credential_may_be_one_that_no_state_knows() {
    let keystone = Keystone::get().await;
    let cli = Cli::any();
    let alice = keystone.user(&["member"]).await;
    let place = Place::new(&alice.clouds_yaml()).await;
    place.run(cli, &[]).await.ok();
    let mut workspace = place.initialized(cli).await;
    place.credential(&mut workspace).await;
    workspace.env(ROTATE.0, ROTATE.1);
    let patch = r#"[{"op": "replace", "path": "/rules/1/verbs", "value": ["get"]}]"#;
    let patch =
        ["patch", "role/rekey-state", "--namespace", &place.state, "--type=json", "--patch", patch];
    place.plane.kubectl(&patch).await.ok();
    let state = "secrets/tfstate-default-rotate";
    place.is_settled(&place.state, "update", state, false).await;
    let run = workspace.apply(&[]).await.fails();
    run.says("cannot update resource \"secrets\"").says("errored.tfstate");
    assert_eq!(ids(&keystone, &alice).await.len(), 2);

    // What it wrote beside the configuration brings the state back, once it may be written.
    place.applies("rbac.yaml").await.ok();
    place.is_settled(&place.state, "update", state, true).await;
    workspace.run(&["state", "push", "errored.tfstate"]).await.ok();
    workspace.plan(&[]).await.empty();
    let state = place.credential(&mut workspace).await;
    assert_eq!(state["id"], place.handed_over().await);
    assert_eq!(state["generation"], 2);
}

#[tokio::test]
async fn the_hand_over_that_is_refused_is_made_up_for_by_the_next_run() {
    let keystone = Keystone::get().await;
    let cli = Cli::any();
    let alice = keystone.user(&["member"]).await;
    let place = Place::new(&alice.clouds_yaml()).await;
    place.run(cli, &[]).await.ok();
    let first = place.handed_over().await;
    let delete = ["delete", "role", "rekey-hand-over", "--namespace", &place.backup];
    place.plane.kubectl(&delete).await.ok();
    place.is_settled(&place.backup, "patch", "secrets/openstack", false).await;
    place.run(cli, &[ROTATE]).await.fails().says("cannot patch resource \"secrets\"");
    // The consumer goes on with the old one.
    assert_eq!(place.handed_over().await, first);
    let between = ids(&keystone, &alice).await;
    assert_eq!(between.len(), 2);

    place.applies("rbac.yaml").await.ok();
    place.is_settled(&place.backup, "patch", "secrets/openstack", true).await;
    place.run(cli, &[ROTATE]).await.ok().says("1 added, 0 changed, 1 destroyed");
    assert_ne!(place.handed_over().await, first);
    assert_eq!(ids(&keystone, &alice).await, between, "nothing was issued again");
}

#[tokio::test]
async fn the_manifest_is_one_that_kubernetes_takes() {
    let keystone = Keystone::get().await;
    let alice = keystone.user(&["member"]).await;
    let place = Place::new(&alice.clouds_yaml()).await;
    place.applies("cronjob.yaml").await.ok();
    let made = place.plane.get(&place.state, "cronjob/rekey-rotate").await;
    assert_eq!(made["spec"]["concurrencyPolicy"], "Forbid");
    let pod = &made["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "rekey-rotate");
    // The secret that the runs take over is not the one that they log in with.
    assert_eq!(pod["volumes"][2]["secret"]["secretName"], "rekey-login");
}
