//! A cluster's CA: refused where nobody could prove it, replaced under real servers, and seen when somebody else did.

use std::time::Duration;

use rekey::cloud::http::Patience;
use rekey::cloud::kubernetes::{Error, Unreachable};
use reqwest::Method;
use serde_json::json;

use super::{ADDRESS, NEW, block, says, through_proxy, trigger};
use crate::support::kubernetes::{ControlPlane, binary, client};
use crate::support::magnum::Magnum;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

const FIVE_YEARS: i64 = 5 * 365 * 86_400;
const MONTH: i64 = 30 * 86_400;

fn of_ca(cluster: &str, arguments: &str) -> String {
    let magnum = format!(
        "cluster = \"{cluster}\"\ncredential = \"ca_certificate\"\ndriver_supports_ca_rotation = true"
    );
    block(&magnum, arguments)
}

/// Somebody who works with a fresh kubeconfig in each run, after the CA is what it will be.
fn dependent(cluster: &str, folder: &str, run: u32) -> String {
    let kube = binary().display();
    format!(
        r#"
ephemeral "rekey_kubeconfig" "admin" {{
  cluster    = "{cluster}"
  groups     = ["system:masters"]
  depends_on = [{ADDRESS}]
}}

resource "terraform_data" "dependent" {{
  triggers_replace = {run}
  depends_on       = [{ADDRESS}]

  provisioner "local-exec" {{
    command = "printf %s \"$RAW\" > '{folder}/kubeconfig-{run}' && '{kube}' kubectl --kubeconfig '{folder}/kubeconfig-{run}' get nodes"
    environment = {{ RAW = ephemeral.rekey_kubeconfig.admin.raw }}
  }}
}}
"#
    )
}

#[tokio::test]
async fn a_new_ca_shuts_out_old_kubeconfigs_and_fresh_ones_work_before_and_after() {
    let magnum = Magnum::get().await;
    let plane = ControlPlane::own(None).await;
    let alice = magnum.user("alice");
    let address = json!({ "stub_api_address": plane.facts().url });
    let cluster = magnum.cluster(&alice, NEW, address).await;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = |name: &str| folder.path().join(name);
    let kubeconfig =
        |run: u32| std::fs::read_to_string(path(&format!("kubeconfig-{run}"))).unwrap();
    let access = folder.path().display().to_string();
    magnum.pki(&alice, &cluster, &path("first")).await;
    plane.serve_with(&path("first")).await;

    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    let policy = "rotate_on_create = false\nrenew_before = \"P90D\"";
    let config = |n: u32| {
        let rotation = of_ca(&cluster.name, &format!("{policy}\n{}", trigger(n)));
        format!("{rotation}{}", dependent(&cluster.name, &access, n))
    };
    let old_ca = magnum.ca(&alice, &cluster).await;
    workspace.write("main.tf", &config(1));
    workspace.apply(&[]).await.ok();
    assert_eq!(magnum.ca(&alice, &cluster).await, old_ca);
    let before = workspace.resource(ADDRESS).await;
    says(&before, 0, "none");
    client(&kubeconfig(1)).version(&Patience::default()).await.unwrap();

    // While Magnum says UPDATE_IN_PROGRESS the driver gives the servers their new certificates.
    magnum.steer(&cluster, &json!({ "stub_delay": "3600" }));
    workspace.write("main.tf", &config(2));
    let plan =
        workspace.plan(&[]).await.ok().says("Every kubeconfig of the cluster will be refused");
    plan.says("generation 1: triggers");
    let running = workspace.start(&["apply", "-input=false", "-auto-approve"]);
    while magnum.ca(&alice, &cluster).await == old_ca {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    magnum.pki(&alice, &cluster, &path("second")).await;
    plane.serve_with(&path("second")).await;
    magnum.finish(&cluster);
    let run = running.end().await;
    workspace.search(&run);
    run.ok().says("shows a certificate of the new CA");
    let after = workspace.resource(ADDRESS).await;
    says(&after, 1, "completed");
    assert_ne!(after["ca_certificate_sha256"], before["ca_certificate_sha256"]);
    client(&kubeconfig(2)).version(&Patience::default()).await.unwrap();
    let refused = client(&kubeconfig(1)).version(&Patience::default()).await.unwrap_err();
    assert!(
        matches!(refused, Error::Unreachable { cause: Unreachable::Untrusted, .. }),
        "{refused:?}"
    );
    workspace.plan(&[]).await.empty();

    // Servers that have not taken it up yet
    magnum.steer(&cluster, &json!({}));
    let soon = format!("{policy}\n{}\ntimeouts = {{ update = \"20s\" }}", trigger(3));
    workspace.write("main.tf", &of_ca(&cluster.name, &soon));
    workspace.apply(&[]).await.fails().says("still shows a certificate of the old CA");
    says(&workspace.resource(ADDRESS).await, 2, "verifying");
    magnum.pki(&alice, &cluster, &path("third")).await;
    plane.serve_with(&path("third")).await;
    workspace.apply(&[]).await.ok().says("shows a certificate of the new CA");
    says(&workspace.resource(ADDRESS).await, 2, "completed");

    // By hand
    let path = format!("/certificates/{}", cluster.uuid);
    magnum.send(&alice, Method::PATCH, &path, None).await;
    magnum.settled(&alice, &cluster).await;
    workspace.plan(&[]).await.says("A rotation was made outside this resource");

    workspace.env("REKEY_CLOCK_OFFSET", &(FIVE_YEARS - 2 * MONTH).to_string());
    let plan = workspace.plan(&[]).await.ok().says("generation 3: renew_before");
    assert_eq!(plan.actions(ADDRESS), ["update"]);
}

#[tokio::test]
async fn a_ca_is_not_replaced_by_adding_a_resource_nor_on_a_guess_nor_unseen() {
    let magnum = Magnum::get().await;
    let (alice, bob) = (magnum.user("alice"), magnum.colleague(&["member"]).await);
    let cluster = magnum.cluster(&alice, NEW, json!({})).await;
    let ca = magnum.ca(&alice, &cluster).await;
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.write("main.tf", &of_ca(&cluster.name, ""));
    workspace.validate().await.fails().says("rotate_on_create must be said");
    let unconfirmed = format!("cluster = \"{}\"\ncredential = \"ca_certificate\"", cluster.name);
    workspace.write("main.tf", &block(&unconfirmed, "rotate_on_create = true"));
    workspace.plan(&[]).await.fails().says("Replacing the CA needs to be confirmed");
    workspace.log_in(&bob);
    workspace.write("main.tf", &of_ca(&cluster.name, "rotate_on_create = true"));
    workspace.plan(&[]).await.fails().says("Only the owner of a cluster can prove");
    assert_eq!(magnum.ca(&alice, &cluster).await, ca);
}

#[tokio::test]
async fn a_driver_that_fails_after_the_ca_was_stored_is_told_and_never_asked_again() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, NEW, json!({ "stub_rotate_ca": "fail" })).await;
    let (proxy, clouds) = through_proxy(&magnum, &alice).await;
    let mut workspace = Workspace::with_login(Cli::any(), &alice);
    workspace.clouds_yaml(&clouds);
    workspace.write("main.tf", &of_ca(&cluster.name, "rotate_on_create = true"));
    // No error: Terraform would replace what failed, and so the CA once more.
    let run = workspace.apply(&[]).await.ok();
    run.says("has failed after its CA was replaced").says("rotate_ca failed as the labels ask");
    says(&workspace.resource(ADDRESS).await, 1, "verifying");
    let plan = workspace.plan(&[]).await.ok().says("A rotation is not complete");
    assert_eq!(plan.actions(ADDRESS), ["update"]);
    workspace.apply(&["tfplan"]).await.fails().says("UPDATE_FAILED");
    assert_eq!(proxy.count(&Method::PATCH, "/certificates/"), 1);
}
