//! Access rules in a real Keystone, which leaves them behind: what was made for a credential goes with it by
//! whatever way it goes, and what the user had or another credential uses stays.

use serde_json::{Value, json};

use super::{ADDRESS, issued, resource};
use crate::support::openstack::{Keystone, User, unique};
use crate::support::tools::Cli;

fn rule(path: &str) -> Value {
    json!({ "service": "compute", "method": "GET", "path": path })
}

/// One resource whose rules have these paths.
fn limited(paths: &[&str], create_before_destroy: bool) -> String {
    let rules: Vec<Value> = paths.iter().map(|path| rule(path)).collect();
    format!(
        r#"
        name_prefix  = "ci-"
        access_rules = {}
        lifecycle {{ create_before_destroy = {create_before_destroy} }}
        "#,
        json!(rules)
    )
}

async fn paths(user: &User) -> Vec<String> {
    let rules = user.access_rules().await;
    let mut paths: Vec<_> =
        rules.iter().map(|rule| rule["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn no_rule_is_left_by_a_replacement_a_taint_or_a_destroy() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        for create_before_destroy in [false, true] {
            let alice = keystone.user(&["member"]).await;
            // One that the user had before, and one that another credential uses.
            let had = json!({ "name": unique("had"), "access_rules": [rule("/had")] });
            let had = alice.create_credential(had).await;
            keystone.delete_credential(&alice, had["id"].as_str().unwrap()).await;
            let other = json!({ "name": unique("other"), "access_rules": [rule("/used")] });
            alice.create_credential(other).await;

            let all = ["/a", "/b", "/had", "/used"];
            let mut workspace = issued(cli, &alice, &limited(&all, create_before_destroy)).await;
            assert_eq!(paths(&alice).await, all);
            let replace = format!("-replace={ADDRESS}");
            workspace.apply(&[&replace]).await.ok();
            assert_eq!(paths(&alice).await, all, "in use by its successor");
            workspace.taint(ADDRESS).await.ok();
            workspace.apply(&[]).await.ok();
            assert_eq!(paths(&alice).await, all);
            workspace.plan(&[]).await.empty();

            // What the successor does not want is not left behind.
            let fewer = ["/b", "/had"];
            workspace.write("main.tf", &resource(&limited(&fewer, create_before_destroy)));
            workspace.apply(&[]).await.ok();
            assert_eq!(paths(&alice).await, ["/b", "/had", "/used"]);
            workspace.destroy(&[]).await.ok();
            assert_eq!(paths(&alice).await, ["/had", "/used"]);
        }
    }
}
