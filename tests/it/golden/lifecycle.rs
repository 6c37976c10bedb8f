//! Terraform's own life cycle, with the real CLI: what is ignored, generated, saved and applied elsewhere. Nothing is
//! compared with a print here.

use rekey_sandbox::Sandbox;
use serde_json::json;

use super::{ADDRESS, OVERLAPPING, Stage, clouds_yaml};
use crate::support::tools::{Cli, Feature};

fn arguments(v: u32, more: &str) -> String {
    format!("{OVERLAPPING}  triggers = {{ v = \"{v}\" }}\n{more}")
}

/// What core hands over for an ignored argument is no wish: the next generation has a name and an expiry of its own.
#[tokio::test]
async fn ignored_arguments_do_not_keep_a_rotation_from_its_end() {
    for cli in Cli::all() {
        for ignored in ["[name]", "[expires_at]", "[name, expires_at, unrestricted]", "all"] {
            let more = format!(
                "  expires_in = \"90d\"\n  rotation_period = \"30d\"\n  lifecycle {{\n    ignore_changes = {ignored}\n  }}\n"
            );
            let mut stage = Stage::with(cli, &arguments(1, &more)).await;
            let dependent = "resource \"terraform_data\" \"of\" {\n  input = rekey_application_credential.ci.id\n}\n";
            stage.workspace.write("of.tf", dependent);
            stage.apply().await;
            let first = stage.workspace.resource(ADDRESS).await;
            stage.day(31);
            stage.apply().await;
            let second = stage.workspace.resource(ADDRESS).await;
            assert_eq!(second["generation"], 2, "{ignored}");
            assert_ne!(second["id"], first["id"], "{ignored}");
            let of = stage.workspace.resource("terraform_data.of").await;
            assert_eq!(of["output"], second["id"], "{ignored}: what depends on it has moved");
            stage.workspace.plan(&[]).await.empty();
            stage.workspace.apply(&["-refresh-only"]).await.ok();
            let seen = stage.workspace.resource(ADDRESS).await;
            assert_ne!(seen["name"], first["name"], "{ignored}");
            assert_ne!(seen["expires_at"], first["expires_at"], "{ignored}");
            stage.workspace.plan(&[]).await.empty();
        }
    }
}

/// The configuration that the CLI writes for an import plans nothing, and a rotation of it gives no more rights.
#[tokio::test]
async fn a_generated_configuration_keeps_the_rights() {
    for cli in Cli::all() {
        if !cli.has(Feature::ImportById) {
            continue;
        }
        let rights = "  name         = \"legacy\"\n  roles        = [\"reader\"]\n  access_rules = [{ service = \"compute\", \
                      method = \"GET\", path = \"/v2.1/servers\" }]";
        let mut stage = Stage::with(cli, rights).await;
        let id = stage.id().await;
        stage.workspace.run(&["state", "rm", ADDRESS]).await.ok();
        stage
            .workspace
            .write("main.tf", &format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n"));
        let generating = ["plan", "-input=false", "-generate-config-out=generated.tf"];
        let run = stage.workspace.run(&generating).await.ok();
        run.says("1 to import, 0 to add, 0 to change, 0 to destroy");
        stage.apply().await;
        let generated = std::fs::read_to_string(stage.workspace.path("generated.tf")).unwrap();
        let rotates = generated.replacen("{\n", "{\n  overlap     = \"7d\"\n", 1);
        let by_prefix = |v: u32| {
            let lines = rotates.lines().filter_map(|line| {
                let argument = line.split_once('=').map_or("", |(name, _)| name.trim());
                match argument {
                    "name_prefix" => Some("  name_prefix = \"ci-\"".to_owned()),
                    "triggers" => Some(format!("  triggers = {{ v = \"{v}\" }}")),
                    "name" => None,
                    "overlap" if line.contains("null") => None,
                    _ => Some(line.to_owned()),
                }
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        for v in [1, 2] {
            stage.workspace.write("generated.tf", &by_prefix(v));
            stage.apply().await;
        }
        let credential = stage.workspace.resource(ADDRESS).await;
        assert_eq!(credential["generation"], 2);
        assert_eq!(credential["effective_roles"], json!(["reader"]));
        assert_eq!(credential["access_rules"][0]["path"], "/v2.1/servers");
    }
}

/// A plan for one cloud, applied by a job that logs in to another.
#[tokio::test]
async fn a_saved_plan_is_refused_by_another_cloud() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, &arguments(1, "")).await;
        stage.write(&arguments(2, ""));
        stage.workspace.plan(&[]).await.ok();
        let other = Sandbox::start().await;
        stage.workspace.clouds_yaml(&clouds_yaml(&other, &other.user("alice"), "demo"));
        let run = stage.workspace.apply(&["tfplan"]).await.fails();
        run.says("The login is to another cloud").says("Nothing was changed");
        assert_eq!(other.credentials("alice").len(), 0);
        assert_eq!(stage.cloud.credentials("alice").len(), 1);
    }
}
