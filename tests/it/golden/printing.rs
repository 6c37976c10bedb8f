//! What Terraform makes of the provider's answers: notes of drift, refresh-only plans, folded warnings,
//! values that are known in a plan although others beside them are not.

use serde_json::json;

use super::{ADDRESS, OVERLAPPING, Stage};
use crate::support::terraform::Run;
use crate::support::tools::{Cli, Feature};

const SCHEDULED: &str = r#"
  name_prefix     = "ci-"
  roles           = ["member"]
  rotation_period = "P30D"
  overlap         = "P7D"
"#;

/// Notes of drift: referenced by attribute, by `depends_on`, or not at all, there is none.
#[tokio::test]
async fn references_by_attribute_bring_no_note() {
    for cli in Cli::all() {
        for reference in [
            "",
            "output \"o\" {\n  value = rekey_application_credential.ci.id\n}\n",
            "output \"o\" {\n  value = rekey_application_credential.ci.rotation_due\n}\n",
            "resource \"terraform_data\" \"of\" {\n  depends_on = [rekey_application_credential.ci]\n}\n",
        ] {
            let mut stage = Stage::empty(cli).await;
            stage.workspace.write("of.tf", reference);
            stage.becomes(SCHEDULED).await;
            stage.day(31);
            let plan = stage.workspace.plan(&[]).await.ok();
            assert_eq!(plan.json["resource_drift"][0]["address"], ADDRESS, "{reference}");
            plan.says("generation 2: rotation_period").says_not("outside of");
        }
    }
}

/// Notes of drift: whoever refers to the whole object gets one, and it names the reason.
#[tokio::test]
async fn a_reference_to_the_whole_object_brings_a_note_that_names_the_reason() {
    for cli in Cli::all() {
        let mut stage = Stage::empty(cli).await;
        let whole = "locals {\n  c = rekey_application_credential.ci\n}\noutput \"o\" {\n  value = local.c.id\n}\n";
        stage.workspace.write("of.tf", whole);
        stage.becomes(SCHEDULED).await;
        stage.day(31);
        stage.prints("note_for_the_whole_object").await;
    }
}

/// Refresh alone: shown, stored once, and from then on known without a refresh.
#[tokio::test]
async fn a_refresh_alone_stores_what_is_due_once() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, SCHEDULED).await;
        stage.day(31);
        // The state has not been told.
        let blind = stage.workspace.plan(&["-refresh=false"]).await.empty();
        blind.says_not("Warning: Old");
        stage.prints_with("refresh_only", &["-refresh-only"]).await;
        stage.workspace.apply(&["-refresh-only"]).await.ok();
        stage.prints_with("refresh_only_at_rest", &["-refresh-only"]).await;
        let plan = stage.workspace.plan(&["-refresh=false"]).await.ok();
        plan.says("generation 2: rotation_period");
        stage.apply().await;
        stage.workspace.plan(&[]).await.empty();
    }
}

/// Saved plans: of an older state they are stale, and nothing is done.
#[tokio::test]
async fn a_stale_plan_does_nothing() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, SCHEDULED).await;
        stage.day(31);
        stage.workspace.plan_to("early", &[]).await.ok();
        stage.apply().await;
        assert_eq!(stage.cloud.credentials("alice").len(), 2);
        stage.workspace.apply(&["early"]).await.fails().says("Saved plan is stale");
        assert_eq!(stage.cloud.credentials("alice").len(), 2);
    }
}

/// How often it says this.
fn times(run: &Run, summary: &str) -> usize {
    run.text().matches(summary).count()
}

/// Warnings: one of what stays as it is comes with the plan that leaves it, and with no other. One of a plan is told
/// by the plan alone where the CLI tells the apply's planning apart, as Terraform does since 1.9.
#[tokio::test]
async fn warnings_are_told_where_they_help() {
    const AHEAD: &str = "Application credential expires soon";
    const MORE: &str = "The next generation may do more than this one";
    for cli in Cli::all() {
        let arguments = |v: u32, roles: &str| {
            format!(
                "  name_prefix = \"ci-\"\n  overlap = \"P7D\"\n  roles = {roles}\n  expires_in  = \"P10D\"\n  \
                 triggers    = {{ v = \"{v}\" }}"
            )
        };
        let again = usize::from(!cli.has(Feature::TellsApplies));
        let mut stage = Stage::with(cli, &arguments(1, "[\"reader\"]")).await;
        let rest = stage.workspace.plan(&[]).await.empty();
        assert_eq!(times(&rest.run, AHEAD), 1, "{}", rest.run);
        stage.write(&arguments(2, "[\"member\"]"));
        let plan = stage.workspace.plan(&[]).await.ok();
        assert_eq!((times(&plan.run, AHEAD), times(&plan.run, MORE)), (0, 1), "{}", plan.run);
        let saved = stage.workspace.apply(&["tfplan"]).await.ok();
        assert_eq!((times(&saved, AHEAD), times(&saved, MORE)), (0, again), "{saved}");
        stage.write(&arguments(3, "[\"member\", \"project_admin\"]"));
        let at_once = stage.workspace.apply(&[]).await.ok();
        assert_eq!((times(&at_once, AHEAD), times(&at_once, MORE)), (0, 1), "{at_once}");
        assert_eq!(times(&at_once, "more similar warning"), again, "{at_once}");
    }
}

/// Many of one block: about as many lines for each as for one, and no warning of what was configured.
#[tokio::test]
async fn many_that_are_due_print_their_changes_and_no_warning() {
    for cli in Cli::all() {
        let mut stage = Stage::with(cli, &format!("  count           = 5\n{SCHEDULED}")).await;
        stage.day(31);
        let plan = stage.workspace.plan(&[]).await.ok();
        assert_eq!(times(&plan.run, "generation 2: rotation_period reached at"), 5);
        assert_eq!(
            times(&plan.run, "Warning: "),
            times(&plan.run, "Warning: Provider development overrides"),
            "{}",
            plan.run
        );
        let blocks: Vec<_> = plan.run.stdout.split("\n  # rekey_").skip(1).collect();
        assert_eq!(blocks.len(), 5);
        for block in blocks {
            let lines = block.split("\n\n").next().unwrap().lines().count();
            assert!(lines <= 27, "{lines} lines for one of many: {block}");
        }
    }
}

/// Overlap: which old generations there will be is known in the plan, though not until when.
#[tokio::test]
async fn what_is_known_of_old_generations_can_be_used_in_the_plan() {
    for cli in Cli::all() {
        let mut stage = Stage::empty(cli).await;
        let of = "resource \"terraform_data\" \"old\" {\n  \
                  count = length(rekey_application_credential.ci.previous_generations)\n}\n\
                  output \"old\" {\n  value = { for n, old in \
                  rekey_application_credential.ci.previous_generations : n => old.id }\n}\n";
        stage.workspace.write("of.tf", of);
        let arguments = |v: u32| format!("{OVERLAPPING}  triggers = {{ v = \"{v}\" }}");
        stage.becomes(&arguments(1)).await;
        let first = stage.id().await;
        stage.write(&arguments(2));
        let plan = stage.workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions("terraform_data.old[0]"), ["create"]);
        assert_eq!(plan.json["output_changes"]["old"]["after"], json!({ "1": first }));
        assert_eq!(
            plan.change(ADDRESS)["after_unknown"]["previous_generations"],
            json!({ "1": { "revoke_after": true } })
        );
        stage.apply().await;
        stage.workspace.plan(&[]).await.empty();
    }
}

/// Unknown triggers, with an overlap: one that turns out equal changes nothing, dependents stay as they are.
#[tokio::test]
async fn an_unknown_trigger_that_turns_out_equal_does_nothing() {
    for cli in Cli::all() {
        // The id changes in each replacement; what is made of it does not, or does.
        let of = |run: u32, value: &str| {
            format!(
                "resource \"terraform_data\" \"of\" {{\n  triggers_replace = {run}\n  input = {value}\n}}\n\
                 resource \"terraform_data\" \"dependent\" {{\n  \
                 input = rekey_application_credential.ci.id\n}}\n"
            )
        };
        let mut stage = Stage::empty(cli).await;
        let arguments = format!("{OVERLAPPING}  triggers = {{ v = terraform_data.of.output }}");
        stage.workspace.write("of.tf", &of(1, "\"same\""));
        stage.becomes(&arguments).await;
        let first = stage.id().await;
        let dependent = stage.workspace.resource("terraform_data.dependent").await;
        stage.workspace.write("of.tf", &of(2, "\"same\""));
        let plan = stage.workspace.plan(&[]).await.ok();
        assert_eq!(plan.change(ADDRESS)["after_unknown"]["generation"], true);
        stage.workspace.apply(&["tfplan"]).await.ok();
        assert_eq!(stage.id().await, first);
        assert_eq!(stage.cloud.credentials("alice").len(), 1);
        assert_eq!(stage.workspace.resource("terraform_data.dependent").await, dependent);
        stage.workspace.plan(&[]).await.empty();
        stage.workspace.write("of.tf", &of(3, "\"other\""));
        stage.workspace.apply(&[]).await.ok();
        assert_ne!(stage.id().await, first);
        assert_eq!(stage.cloud.credentials("alice").len(), 2);
        assert_ne!(stage.workspace.resource("terraform_data.dependent").await, dependent);
        stage.workspace.plan(&[]).await.empty();
    }
}

/// Replacements: with `prevent_destroy` a due one fails the whole plan; an overlap has nothing to destroy.
#[tokio::test]
async fn prevent_destroy_meets_a_due_replacement_and_not_an_overlap() {
    for cli in Cli::all() {
        let kept = "  lifecycle {\n    prevent_destroy = true\n  }\n";
        let without = SCHEDULED.replace("  overlap         = \"P7D\"\n", "");
        let mut stage = Stage::with(cli, &format!("{without}{kept}")).await;
        stage.day(31);
        stage.workspace.plan(&[]).await.fails().says("cannot be destroyed");
        stage.write(&format!("{SCHEDULED}{kept}"));
        let plan = stage.workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["update"]);
    }
}
