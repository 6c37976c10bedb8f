//! How a credential comes into the state: issued, imported, moved.

use super::{ADDRESS, OVERLAPPING, Stage};
use crate::support::tools::Cli;

#[tokio::test]
async fn a_first_create() {
    for cli in Cli::all() {
        let mut stage = Stage::empty(cli).await;
        stage.write(
            r#"
  name_prefix     = "ci-"
  description     = "Ansible CICD user"
  roles           = ["member"]
  expires_in      = "P90D"
  rotation_period = "P30D"
  overlap         = "P7D"
  triggers        = { quarter = "2026Q4" }
"#,
        );
        stage.prints("first_create").await;
    }
}

#[tokio::test]
async fn an_import() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, "  name  = \"legacy\"\n  roles = [\"member\"]").await;
        let id = stage.id().await;
        stage.workspace.run(&["state", "rm", ADDRESS]).await.ok();
        stage.write(&format!("{OVERLAPPING}  triggers = {{ v = \"1\" }}"));
        stage
            .workspace
            .write("import.tf", &format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n"));
        stage.prints("import_records_what_keystone_cannot_tell").await;
        // A name that contradicts Keystone is no record.
        stage.write("  name  = \"another\"\n  roles = [\"member\"]");
        stage.prints("import_that_contradicts_keystone").await;
    }
}
