//! Everything that calls for a new generation.

use super::{ADDRESS, OVERLAPPING, Stage};
use crate::support::tools::{Cli, Feature};

const SCHEDULED: &str = r#"
  name_prefix     = "ci-"
  roles           = ["member"]
  rotation_period = "P30D"
"#;

#[tokio::test]
async fn a_change_with_an_overlap() {
    for cli in Cli::all() {
        let mut stage =
            Stage::with(cli, &format!("{OVERLAPPING}  triggers = {{ v = \"1\" }}")).await;
        stage.write(&format!("{OVERLAPPING}  triggers = {{ v = \"2\" }}"));
        stage.prints("trigger_with_overlap").await;
        let described =
            format!("{OVERLAPPING}  triggers = {{ v = \"1\" }}\n  description = \"new\"");
        stage.write(&described);
        stage.prints("argument_with_overlap").await;
        // Another user's login.
        stage.write(&format!("{OVERLAPPING}  triggers = {{ v = \"2\" }}"));
        stage.log_in("bob", "demo");
        stage.prints("trigger_under_another_login").await;
    }
}

#[tokio::test]
async fn a_change_without_an_overlap() {
    for cli in Cli::all() {
        let arguments =
            |v: u32| format!("  name_prefix = \"ci-\"\n  triggers    = {{ v = \"{v}\" }}");
        let mut stage = Stage::with(cli, &arguments(1)).await;
        stage.write(&arguments(2));
        stage.prints("trigger_without_overlap").await;
        stage.write(&(arguments(2) + "\n  lifecycle {\n    create_before_destroy = true\n  }"));
        stage.prints("trigger_with_create_before_destroy").await;
        stage.write(&(arguments(2) + "\n  overlap = \"P7D\""));
        stage.prints("trigger_that_brings_an_overlap").await;
    }
}

#[tokio::test]
async fn a_fixed_name() {
    for cli in Cli::all() {
        let arguments = |v: u32| format!("  name     = \"ci\"\n  triggers = {{ v = \"{v}\" }}");
        let mut stage = Stage::with(cli, &arguments(1)).await;
        stage.write(&arguments(2));
        stage.prints("fixed_name").await;
    }
}

#[tokio::test]
async fn by_hand() {
    for cli in Cli::all() {
        let arguments = |v: u32| format!("{OVERLAPPING}  triggers = {{ v = \"{v}\" }}");
        let mut stage = Stage::with(cli, &arguments(1)).await;
        stage.becomes(&arguments(2)).await;
        stage
            .prints_with("replace_cuts_off_every_generation", &[&format!("-replace={ADDRESS}")])
            .await;
        stage.workspace.taint(ADDRESS).await.ok();
        stage.prints("taint_cuts_off_every_generation").await;
    }
}

#[tokio::test]
async fn a_schedule_with_an_overlap() {
    for cli in Cli::all() {
        let overlapping = format!("{SCHEDULED}  overlap         = \"P7D\"\n");
        let mut stage = Stage::with(cli, &overlapping).await;
        stage.day(31);
        stage.prints("schedule_with_overlap").await;
        stage.write(&format!("{overlapping}  rotate          = false"));
        stage.prints("schedule_held").await;
        stage.write(&overlapping.replace("P30D", "P60D"));
        stage.prints("schedule_lengthened_while_due").await;
        stage.write(&overlapping.replace("P30D", "P10D"));
        stage.prints("schedule_shortened_while_due").await;
    }
}

#[tokio::test]
async fn a_schedule_without_an_overlap() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, SCHEDULED).await;
        stage.day(31);
        stage.prints("schedule_without_overlap").await;
    }
}

#[tokio::test]
async fn an_expiry() {
    for cli in Cli::all() {
        let arguments = format!("{OVERLAPPING}  expires_in  = \"P60D\"");
        let renewed = format!("{arguments}\n  renew_before = \"P20D\"");
        let mut stage = Stage::with(cli, &arguments).await;
        stage.day(50);
        stage.prints("expires_soon").await;
        stage.day(0);
        stage.becomes(&renewed).await;
        stage.day(41);
        stage.prints("renewal_due").await;
        stage.write(&format!("{renewed}\n  rotate       = false"));
        stage.prints("renewal_held").await;
        stage.write(&renewed);
        stage.day(61);
        stage.prints("expired").await;
        stage.write(&format!("{renewed}\n  rotate       = false"));
        stage.prints("expired_and_held").await;
    }
}

#[tokio::test]
async fn a_fixed_expiry() {
    for cli in Cli::all() {
        let expiry = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 60);
        let expiry = jiff::Timestamp::from_second(expiry.as_second()).unwrap();
        let mut stage =
            Stage::with(cli, &format!("{OVERLAPPING}  expires_at  = \"{expiry}\"")).await;
        stage.day(61);
        stage.prints("expires_at_is_over").await;
        stage.write(&format!(
            "{OVERLAPPING}  expires_at  = \"{expiry}\"\n  triggers = {{ v = \"1\" }}"
        ));
        stage.prints("expires_at_is_over_and_a_rotation_wanted").await;
    }
}

#[tokio::test]
async fn an_own_secret() {
    for cli in Cli::all() {
        let arguments = |version: u32, more: &str| {
            format!(
                "{OVERLAPPING}  secret_wo         = \"a secret of my very own\"\n  \
                 secret_wo_version = {version}\n{more}"
            )
        };
        if !cli.has(Feature::WriteOnlyArguments) {
            let mut stage = Stage::empty(cli).await;
            stage.write(&arguments(1, ""));
            let plan = stage.workspace.plan(&[]).await;
            plan.fails().says("Write-only attributes need a newer Terraform");
            continue;
        }
        let mut stage = Stage::with(cli, &arguments(1, "")).await;
        stage.write(&arguments(2, ""));
        stage.prints("secret_wo_version").await;
        stage.becomes(&arguments(1, "  rotation_period   = \"P30D\"")).await;
        stage.day(31);
        stage.prints("schedule_issues_the_same_secret").await;
    }
}

#[tokio::test]
async fn an_unknown_trigger() {
    for cli in Cli::all() {
        let input =
            |v: u32| format!("resource \"terraform_data\" \"of\" {{\n  input = \"{v}\"\n}}\n");
        let mut stage = Stage::empty(cli).await;
        stage.workspace.write("of.tf", &input(1));
        stage
            .becomes(&format!("{OVERLAPPING}  triggers = {{ v = terraform_data.of.output }}"))
            .await;
        let of = stage.workspace.resource("terraform_data.of").await;
        stage.label(of["id"].as_str().unwrap(), "<id of the data>");
        stage.workspace.write("of.tf", &input(2));
        stage.prints("unknown_trigger").await;
    }
}
