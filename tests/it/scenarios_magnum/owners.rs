//! Who rotates: other members, logins that may not, and what becomes of the former owner.

use serde_json::json;

use super::{ADDRESS, NEW, is_untouched, rotated, rotation, says, trigger};
use crate::support::magnum::Magnum;
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::Cli;

const KUBECONFIG: &str = "ephemeral \"rekey_kubeconfig\" \"it\" {\n  cluster = \"NAME\"\n}\n";

#[tokio::test]
async fn another_member_becomes_the_owner_and_the_former_one_is_shut_out() {
    let magnum = Magnum::get().await;
    let (alice, bob) = (magnum.user("alice"), magnum.colleague(&["member"]).await);
    let (cluster, mut workspace) = rotated(&magnum, Cli::any(), &alice).await;
    let held = magnum.held(&cluster);
    let kubeconfig = KUBECONFIG.replace("NAME", &cluster.name);
    workspace.write("kubeconfig.tf", &kubeconfig);
    workspace.plan(&[]).await.empty();

    workspace.log_in(&bob);
    // Only the owner gets certificates, and whom to ask is said.
    workspace.plan(&[]).await.fails().says("Only the owner of a cluster").says(&alice.id);
    workspace.write("kubeconfig.tf", "");
    workspace.write("main.tf", &rotation(&cluster.name, &trigger(2)));
    let plan = workspace.plan(&[]).await.ok().says("The cluster changes its owner");
    plan.says(&format!("alice ({})", alice.id)).says(&format!("{} ({})", bob.name, bob.id));
    workspace.apply(&["tfplan"]).await.ok();
    let state = workspace.resource(ADDRESS).await;
    says(&state, 2, "completed");
    assert_eq!(state["owner_user_id"], bob.id.as_str());
    assert_eq!(magnum.settled(&alice, &cluster).await["user_id"], bob.id.as_str());
    held.is_gone_for(&alice).await;
    magnum.held(&cluster).works_for(&bob).await;
    workspace.plan(&[]).await.empty();

    workspace.log_in(&alice);
    workspace.plan(&[]).await.empty();
    workspace.write("kubeconfig.tf", &kubeconfig);
    workspace.plan(&[]).await.fails().says("Only the owner of a cluster").says(&bob.id);
}

#[tokio::test]
async fn a_restricted_application_credential_is_refused_before_anything_is_touched() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({})).await;
    let held = magnum.held(&cluster);
    let made = alice.create_credential(json!({ "name": cluster.name })).await;
    let clouds = |plan_checks: &str, workspace: &mut Workspace| {
        workspace.clouds_yaml(&credential_clouds(&alice.auth_url, &alice.region, &made));
        workspace.watch("the credential's secret", made["secret"].as_str().unwrap());
        workspace.write(
            "provider.tf",
            &format!(
                "{REQUIRED}\nprovider \"rekey\" {{\n  openstack = {{ cloud = \"test\" }}\n  plan_checks = \"{plan_checks}\"\n}}\n"
            ),
        );
    };
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.write("main.tf", &rotation(&cluster.name, ""));
    clouds("error", &mut workspace);
    workspace.plan(&[]).await.fails().says("which is restricted").says("unrestricted = true");
    clouds("warn", &mut workspace);
    workspace.plan(&[]).await.ok().says("which is restricted");
    workspace.apply(&["tfplan"]).await.fails().says("which is restricted");
    is_untouched(&magnum, &alice, &cluster, &held).await;
    assert_eq!(magnum.settled(&alice, &cluster).await["status"], "CREATE_COMPLETE");
}

#[tokio::test]
async fn an_unrestricted_one_limited_to_what_a_rotation_calls_is_enough() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({})).await;
    let held = magnum.held(&cluster);
    let rule = |service: &str, method: &str, path: &str| json!({ "service": service, "method": method, "path": path });
    let made = alice
        .create_credential(json!({
            "name": cluster.name,
            "unrestricted": true,
            "access_rules": [
                rule("container-infra", "GET", "/v1/clusters/*"),
                rule("container-infra", "GET", "/v1/clustertemplates/*"),
                rule("container-infra", "PATCH", "/v1/credentials/*"),
                rule("identity", "GET", "/v3/users/*/application_credentials"),
                rule("identity", "POST", "/v3/users/*/application_credentials"),
            ],
        }))
        .await;
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.clouds_yaml(&credential_clouds(&alice.auth_url, &alice.region, &made));
    workspace.watch("the credential's secret", made["secret"].as_str().unwrap());
    workspace.write("main.tf", &rotation(&cluster.name, ""));
    workspace.apply(&[]).await.ok();
    super::is_rotated(&magnum, &alice, &cluster, &held).await;
    workspace.plan(&[]).await.empty();
}

#[tokio::test]
async fn a_login_without_the_role_is_refused_at_plan() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({})).await;
    let held = magnum.held(&cluster);
    let reader = magnum.colleague(&["reader"]).await;
    let mut workspace = Workspace::with_login(Cli::any(), &reader);
    workspace.write("main.tf", &rotation(&cluster.name, ""));
    let refused = workspace.plan(&[]).await.fails();
    refused.says("does not have the role that Magnum wants").says("has: reader");
    // Without any role that Magnum knows, not even the cluster can be seen.
    let carol = magnum.user("carol");
    workspace.log_in(&carol);
    workspace.plan(&[]).await.fails().says("answered 403");
    is_untouched(&magnum, &alice, &cluster, &held).await;
}

#[tokio::test]
async fn what_can_be_seen_of_owners_is_told_and_recommends_a_rotation() {
    let magnum = Magnum::get().await;
    let (bob, chief) =
        (magnum.colleague(&["member"]).await, magnum.colleague(&["member", "admin"]).await);
    let cluster = magnum.cluster(&bob, "kubernetes-v1.33.8", json!({})).await;
    let data = "data \"rekey_cluster_credentials\" \"all\" {}\n\n\
         output \"it\" {\n  value = one([for one in data.rekey_cluster_credentials.all.clusters : one if one.cluster_id == \"UUID\"])\n}\n";
    let mut workspace = Workspace::with_login(Cli::any(), &bob);
    workspace.write("main.tf", &data.replace("UUID", &cluster.uuid));
    workspace.apply(&[]).await.ok();
    let seen = workspace.state().await["values"]["outputs"]["it"]["value"].clone();
    assert_eq!(seen["application_credential_id"], magnum.held(&cluster).id);
    assert_eq!(seen["owner_user_id"], bob.id.as_str());
    assert_eq!(seen["kubernetes_version"], "1.33");
    assert_eq!(seen["template_name"], "kubernetes-v1.33.8");
    assert_eq!(seen["restart_needed"], true);
    assert_eq!(seen["owner_enabled"], true);
    assert_eq!(seen["rotation_recommended"], false, "{seen}");
    assert_eq!(seen["ca_certificate_sha256"].as_str().unwrap().len(), 64);
    assert!(seen["created_at"].is_string(), "{seen}");

    // An administrator sees of others what a colleague may not.
    workspace.log_in(&chief);
    workspace.apply(&[]).await.ok();
    let seen = workspace.state().await["values"]["outputs"]["it"]["value"].clone();
    assert_eq!(
        [&seen["owner_exists"], &seen["owner_enabled"], &seen["owner_in_project"]],
        [true; 3]
    );
    magnum.take_role(&bob, "member").await;
    magnum.disable(&bob).await;
    workspace.apply(&[]).await.ok();
    let seen = workspace.state().await["values"]["outputs"]["it"]["value"].clone();
    assert_eq!(seen["owner_exists"], true);
    assert_eq!([&seen["owner_enabled"], &seen["owner_in_project"]], [false; 2], "{seen}");
    assert_eq!(seen["rotation_recommended"], true);
    let reasons = seen["rotation_reasons"].to_string();
    assert!(reasons.contains("account is disabled") && reasons.contains("no role on the project"));

    let dave = magnum.colleague(&["member"]).await;
    workspace.log_in(&dave);
    workspace.apply(&[]).await.ok();
    let seen = workspace.state().await["values"]["outputs"]["it"]["value"].clone();
    assert!(seen["owner_enabled"].is_null() && seen["ca_certificate_sha256"].is_null(), "{seen}");
}

/// A clouds.yaml in which the cloud `test` is this application credential.
fn credential_clouds(auth_url: &str, region: &str, made: &serde_json::Value) -> String {
    json!({ "clouds": { "test": {
        "auth_type": "v3applicationcredential",
        "auth": {
            "auth_url": auth_url,
            "application_credential_id": made["id"],
            "application_credential_secret": made["secret"],
        },
        "region_name": region,
    }}})
    .to_string()
}
