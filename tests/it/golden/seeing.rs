//! What a refresh finds: deletions, other owners, other clouds, lost rights.

use rekey_sandbox::Sandbox;

use super::{OVERLAPPING, Stage, clouds_yaml};
use crate::support::tools::Cli;

fn arguments(v: u32) -> String {
    format!("{OVERLAPPING}  triggers = {{ v = \"{v}\" }}")
}

#[tokio::test]
async fn something_is_gone() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, &arguments(1)).await;
        let first = stage.id().await;
        stage.becomes(&arguments(2)).await;
        let second = stage.id().await;
        stage.cloud.delete_credential(&second);
        stage.prints("current_generation_is_gone").await;
        stage.cloud.delete_credential(&first);
        stage.prints("everything_is_gone").await;
    }
}

#[tokio::test]
async fn the_owner_is_gone() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, &arguments(1)).await;
        stage.cloud.delete_user("alice");
        stage.users.retain(|user| *user != "alice");
        stage.log_in("admin", "admin");
        stage.write(&arguments(1).replace("member", "admin"));
        stage.prints("owner_is_gone").await;
    }
}

#[tokio::test]
async fn somebody_elses() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, &arguments(1)).await;
        stage.log_in("bob", "demo");
        stage.prints("of_another_user").await;
        stage.becomes(&arguments(2)).await;
        stage.day(8);
        stage.prints("old_generation_of_another_user").await;
    }
}

#[tokio::test]
async fn another_cloud() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, &arguments(1)).await;
        let other = Sandbox::start().await;
        stage.label(&other.auth_url(), "<another auth_url>");
        for user in ["alice", "admin"] {
            stage.label(&other.user(user).id, &format!("<another {user}'s id>"));
        }
        stage.workspace.clouds_yaml(&clouds_yaml(&other, &other.user("alice"), "demo"));
        stage.prints("another_cloud").await;
        stage.workspace.clouds_yaml(&clouds_yaml(&other, &other.user("admin"), "admin"));
        stage.prints("another_cloud_as_administrator").await;
    }
}

#[tokio::test]
async fn lost_rights() {
    for cli in Cli::all() {
        let arguments = "  name_prefix  = \"ci-\"\n  roles        = [\"member\", \"project_admin\"]\n  \
                         check_usable = true";
        let mut stage = Stage::with(cli, arguments).await;
        stage.cloud.remove_role("alice", "demo", "project_admin");
        stage.prints("lost_a_role").await;
        stage.cloud.disable_user("alice");
        stage.log_in("admin", "admin");
        stage.prints("does_not_work").await;
    }
}

#[tokio::test]
async fn a_login_that_may_not() {
    for cli in Cli::all() {
        let mut stage = Stage::empty(cli).await;
        stage.write(
            "  name_prefix = \"ci-\"\n  roles       = [\"member\", \"unheld_role\", \"nonsense\"]",
        );
        stage.prints("roles_that_the_login_lacks").await;
    }
}
