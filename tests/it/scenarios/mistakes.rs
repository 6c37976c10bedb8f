//! Mistakes in a configuration: said early, at the argument, in words; and nothing is issued.

use super::{ADDRESS, Current, days_later, issued, resource};
use crate::support::openstack::{Keystone, unique};
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::Cli;

#[tokio::test]
async fn what_cannot_be_right_is_refused_by_validate() {
    // Arguments, and what the error must name.
    let mistakes: [(&str, &[&str]); 15] = [
        ("", &["name", "name_prefix"]),
        ("name = \"a\"\nname_prefix = \"b\"", &["name", "name_prefix"]),
        ("name_prefix = \"a\"\nexpires_in = \"P1Y\"", &["expires_in", "P1Y"]),
        ("name_prefix = \"a\"\nexpires_in = \"P1M\"", &["expires_in", "P1M"]),
        ("name_prefix = \"a\"\nexpires_at = \"2099-01-01\"", &["expires_at", "RFC 3339"]),
        ("name_prefix = \"a\"\nexpires_at = \"2099-01-01T00:00:00+02:00\"", &["expires_at"]),
        ("name_prefix = \"a\"\nexpires_in = \"PT20S\"", &["expires_in"]),
        ("name = \"a\"\noverlap = \"P1D\"", &["overlap", "name_prefix"]),
        ("name = \"  \"", &["name holds nothing but spaces"]),
        ("name = \"a\"\nroles = []", &["roles is an empty set", "(null)"]),
        ("name = \"a\"\naccess_rules = []", &["access_rules is an empty set"]),
        (
            "name = \"a\"\naccess_rules = [{ service = \"compute\", method = \"get\", path = \"/a\" }]",
            &["access_rules", "write GET"],
        ),
        (
            "name = \"a\"\naccess_rules = [{ service = \"compute\", method = \"GET\", path = \"a\" }]",
            &["begin with a slash"],
        ),
        ("name = \"a\"\nexpires_at = \"9999-12-31T23:59:59Z\"", &["later than the last moment"]),
        (
            "name_prefix = \"a\"\nexpires_in = \"P10D\"\nrotation_period = \"P9D\"\noverlap = \"P2D\"",
            &["expires_in", "P9D", "P2D"],
        ),
    ];
    for cli in Cli::all() {
        let mut workspace = Workspace::new(cli);
        workspace.write("provider.tf", REQUIRED);
        for (arguments, named) in mistakes {
            workspace.write("main.tf", &resource(arguments));
            println!("{arguments}");
            let mut run = workspace.validate().await.fails();
            for name in named {
                run = run.says(name);
            }
        }
        let long = format!("name = \"{}\"", "n".repeat(256));
        workspace.write("main.tf", &resource(&long));
        workspace.validate().await.fails().says("255");
    }
}

#[tokio::test]
async fn roles_that_the_caller_lacks_fail_the_plan_with_their_names() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        let lacking = resource("name_prefix = \"ci-\"\nroles = [\"member\", \"unheld_role\"]");
        workspace.write("main.tf", &lacking);
        workspace.plan(&[]).await.fails().says("unheld_role").says("reader");

        workspace.write(
            "main.tf",
            &resource("name_prefix = \"ci-\"\nroles = [\"no_such_role_at_all\"]"),
        );
        workspace.plan(&[]).await.fails().says("no_such_role_at_all");

        // A plan for a stronger login: the apply checks before its first effect.
        workspace.write("main.tf", &lacking);
        let provider = std::fs::read_to_string(workspace.path("provider.tf")).unwrap();
        let warns = provider.replace("openstack =", "plan_checks = \"warn\"\n  openstack =");
        workspace.write("provider.tf", &warns);
        workspace.plan(&[]).await.ok().says("unheld_role");
        workspace.apply(&[]).await.fails().says("unheld_role");
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
    }
}

#[tokio::test]
async fn a_name_in_use_is_said_with_who_holds_it() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let name = unique("taken");
        let first = issued(cli, &alice, &format!("name = \"{name}\"")).await;
        let held = keystone.only_credential(&alice).await;
        let mut second = Workspace::with_login(cli, &alice);
        second.write("main.tf", &resource(&format!("name = \"{name}\"")));
        let run = second.apply(&[]).await.fails();
        run.says(held["id"].as_str().unwrap()).says("name_prefix");
        assert_eq!(second.resource(ADDRESS).await, serde_json::Value::Null);
        assert_eq!(keystone.only_credential(&alice).await["id"], held["id"]);
        drop(first);
    }
}

#[tokio::test]
async fn a_past_expiry_matters_only_where_something_must_be_issued() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let past = resource("name_prefix = \"ci-\"\nexpires_at = \"2020-01-01T00:00:00Z\"");
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.write("main.tf", &past);
        // Only the provider's login tells what time it is where it matters, so validate lets it pass.
        workspace.validate().await.ok();
        workspace.plan(&[]).await.fails().says("expires_at is in the past").says("2020-01-01");
        assert_eq!(keystone.credentials(&alice).await.len(), 0);

        // In time when it was planned, and not any more when it is applied.
        let at = |hours: i64| {
            let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
            jiff::Timestamp::from_second(at.as_second()).unwrap()
        };
        let late = format!("name_prefix = \"ci-\"\nexpires_at = \"{}\"", at(30));
        workspace.write("main.tf", &resource(&late));
        workspace.plan_to("late", &[]).await.ok();
        days_later(&mut workspace, 2);
        workspace.apply(&["late"]).await.fails().says("expires_at is in the past");
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
        assert_eq!(workspace.resource(ADDRESS).await, serde_json::Value::Null);
        days_later(&mut workspace, 0);

        // Two days later this one has expired. The plan warns and does not fail.
        let soon = at(24);
        let arguments = format!("name_prefix = \"ci-\"\nexpires_at = \"{soon}\"");
        workspace.write("main.tf", &resource(&arguments));
        workspace.apply(&[]).await.ok();
        workspace.plan(&[]).await.empty().says(&soon.to_string()[..10]);
        days_later(&mut workspace, 2);
        workspace.plan(&[]).await.empty().says("expired");
        let current = Current::of(&mut workspace).await;
        assert_eq!(keystone.only_credential(&alice).await["id"], current.id.as_str());
    }
}
