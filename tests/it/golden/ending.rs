//! How old generations end, and strays.

use super::{OVERLAPPING, Stage};
use crate::support::tools::Cli;

fn arguments(v: u32) -> String {
    format!("{OVERLAPPING}  triggers = {{ v = \"{v}\" }}")
}

/// Two generations, the first of which ends on day 7.
async fn rotated(cli: &Cli) -> Stage {
    let mut stage = Stage::with(cli, &arguments(1)).await;
    stage.becomes(&arguments(2)).await;
    stage
}

#[tokio::test]
async fn an_overlap_that_is_over() {
    for cli in Cli::all() {
        let mut stage = rotated(cli).await;
        stage.prints("within_the_overlap").await;
        stage.day(8);
        stage.prints("overlap_is_over").await;
        stage.write(&arguments(3));
        stage.prints("overlap_is_over_and_a_trigger").await;
        stage.write(&format!("{}\n  rotate   = false", arguments(2)));
        stage.prints("overlap_is_over_and_held").await;
        stage.write(&arguments(2).replace("P7D", "P30D"));
        stage.prints("overlap_lengthened_in_time").await;
    }
}

#[tokio::test]
async fn an_overlap_that_changes() {
    for cli in Cli::all() {
        let mut stage = rotated(cli).await;
        stage.write(&arguments(2).replace("P7D", "P2D"));
        stage.prints("overlap_shortened").await;
        stage.write(&arguments(2).replace("  overlap     = \"P7D\"\n", ""));
        stage.prints("overlap_removed").await;
        stage.prints_with("destroy", &["-destroy"]).await;
    }
}

#[tokio::test]
async fn strays() {
    for cli in Cli::all() {
        let mut stage = rotated(cli).await;
        // A state that is older than the cloud: what an interrupted run leaves looks the same.
        let old = std::fs::read_to_string(stage.workspace.path("terraform.tfstate")).unwrap();
        stage.becomes(&arguments(3)).await;
        let stray = stage.id().await;
        stage.workspace.write("terraform.tfstate", &old);
        stage.write(&arguments(2));
        stage.prints("stray").await;
        stage.write(&arguments(4));
        stage.prints("stray_and_a_trigger").await;
        stage.write(&format!("{}\n  revoke_strays = [\"{stray}\"]", arguments(2)));
        stage.prints("revoke_strays").await;
        stage.write(&arguments(2));
        stage.prints_with("destroy_with_a_stray", &["-destroy"]).await;
    }
}
