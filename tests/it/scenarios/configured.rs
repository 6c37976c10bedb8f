//! What a plan of the real CLI says of the provider's own configuration.

use serde_json::Value;

use super::resource;
use crate::support::openstack::Keystone;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

#[tokio::test]
async fn a_cloud_that_is_not_verified_is_told_once_in_a_plan() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut clouds: Value = serde_json::from_str(&alice.clouds_yaml()).unwrap();
        clouds["clouds"]["test"]["verify"] = false.into();
        clouds["clouds"]["test"]["profile"] = "vendor".into();
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds.to_string());
        workspace.write("main.tf", &resource(r#"name_prefix = "ci-""#));
        let plan = workspace.plan(&[]).await.ok();
        let text = plan.run.text();
        for summary in ["Certificates are not verified", "A profile is not used"] {
            assert_eq!(text.matches(summary).count(), 1, "{text}");
        }
    }
}
