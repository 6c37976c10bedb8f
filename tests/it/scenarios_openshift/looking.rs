//! The data source, by the example of its page.

use serde_json::{Value, json};

use super::{Aws, workspace};
use crate::support::terraform::{Workspace, repository};
use crate::support::tools::Cli;

async fn told(ws: &mut Workspace) -> Value {
    ws.resource("data.rekey_openshift_credentials_mode.prod").await
}

#[tokio::test]
async fn the_mode_is_told_and_what_follows_for_a_rotation() {
    let example = "examples/data-sources/rekey_openshift_credentials_mode/data-source.tf";
    let example = std::fs::read_to_string(repository(example)).unwrap();
    for cli in Cli::all() {
        let of = Aws::start("").await;
        let cluster = of.sandbox().await;
        let mut ws = workspace(&cluster, cli).await;
        ws.write("main.tf", &example);
        ws.apply(&[]).await.ok().says_not("another way than the runbook says");
        let mint = told(&mut ws).await;
        for (name, expected) in [
            ("annotation", json!("mint")),
            ("credentials_mode", json!("")),
            ("effective_mode", json!("default")),
            ("failing", json!([])),
            ("legacy_disabled", json!(false)),
            ("mode", json!("mint")),
            ("platform", json!("AWS")),
            ("refusals", json!([])),
            ("root_secret", json!("kube-system/aws-creds")),
            ("root_secret_exists", json!(true)),
            ("short_term", json!(false)),
        ] {
            assert_eq!(mint[name], expected, "{name}: {mint}");
        }
        assert_eq!(mint["component_secrets"].as_array().unwrap().len(), cluster.requests().len());

        cluster.delete(&cluster.root_path()).await;
        ws.apply(&[])
            .await
            .ok()
            .says("is in mode mint_root_removed: a rotation goes another way than the runbook says")
            .says("The root credential has been removed from this cluster");
        assert_eq!(told(&mut ws).await["root_secret_exists"], json!(false));
    }
}
