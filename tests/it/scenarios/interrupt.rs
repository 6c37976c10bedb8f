//! Runs that are stopped or killed in the middle of an effect.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{ADDRESS, Current, issued, resource, through_proxy};
use crate::support::openstack::Keystone;
use crate::support::proxy::Fate;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

const CREDENTIALS: &str = "/application_credentials";

#[tokio::test]
async fn one_interrupt_during_a_slow_create_loses_nothing() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &resource(r#"name_prefix = "slow-""#));
        proxy.rule(Method::POST, CREDENTIALS, Fate::HoldReply, 1);

        let running = workspace.start(&["apply", "-input=false", "-auto-approve"]);
        proxy.struck(1).await;
        // As a terminal does it: to the CLI and to the provider.
        running.signal_all("INT");
        running.is_told_to_stop().await;
        proxy.release();
        let run = running.end().await;
        workspace.search(&run);
        assert!(run.code.is_some(), "the CLI died: {run}");

        let current = Current::of(&mut workspace).await;
        assert_eq!(keystone.only_credential(&alice).await["id"], current.id.as_str());
        current.works_for(&alice).await;
        workspace.apply(&[]).await.ok();
        workspace.plan(&[]).await.empty();
        assert_eq!(keystone.credentials(&alice).await.len(), 1);
    }
}

#[tokio::test]
async fn a_rotation_that_was_killed_after_its_effect_is_listed_and_can_be_revoked() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let arguments = |n: u32| {
            format!("name_prefix = \"ci-\"\noverlap = \"P7D\"\ntriggers = {{ n = \"{n}\" }}")
        };
        let mut workspace = issued(cli, &alice, &arguments(1)).await;
        let first = Current::of(&mut workspace).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &resource(&arguments(2)));
        proxy.rule(Method::POST, CREDENTIALS, Fate::HoldReply, 1);

        let running = workspace.start(&["apply", "-input=false", "-auto-approve"]);
        proxy.struck(1).await;
        running.signal_providers("KILL");
        let run = running.end().await.fails();
        workspace.search(&run);
        assert_eq!(workspace.resource(ADDRESS).await["id"], first.id.as_str());
        first.works_for(&alice).await;
        let listed = keystone.credentials(&alice).await;
        assert_eq!(listed.len(), 2);
        let stray = listed.iter().find(|one| one["id"] != first.id.as_str()).unwrap();
        let stray = stray["id"].as_str().unwrap();

        // The next plan tells of it, and revokes nothing unasked.
        workspace.log_in(&alice);
        workspace.plan(&[]).await.ok().says(stray);
        workspace.apply(&["tfplan"]).await.ok();
        let second = Current::of(&mut workspace).await;
        second.works_for(&alice).await;
        first.works_for(&alice).await;
        assert_eq!(keystone.credentials(&alice).await.len(), 3);
        assert!(second.state["strays"][stray].is_object(), "{}", second.state["strays"]);
        // Its number was taken.
        assert_eq!(second.state["generation"], 3);
        workspace.plan(&[]).await.empty().says(stray);

        let named = format!("{}\nrevoke_strays = [\"{stray}\"]", arguments(2));
        workspace.write("main.tf", &resource(&named));
        workspace.apply(&[]).await.ok();
        let left = keystone.credentials(&alice).await;
        assert!(left.iter().all(|one| one["id"] != stray), "{left:?}");
        assert_eq!(workspace.resource(ADDRESS).await["strays"], json!(null));
        second.works_for(&alice).await;
        first.works_for(&alice).await;
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_provider_that_is_told_to_end_leaves_no_socket_behind() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        for signal in ["TERM", "KILL"] {
            let alice = keystone.user(&["member"]).await;
            let (proxy, clouds) = through_proxy(&alice).await;
            let mut workspace = Workspace::with_login(cli, &alice);
            workspace.clouds_yaml(&clouds);
            // A short path: a socket's must have less than 108 bytes.
            let sockets = tempfile::tempdir().unwrap();
            workspace.env("TMPDIR", sockets.path().to_str().unwrap());
            workspace.write("main.tf", &resource(r#"name_prefix = "end-""#));
            proxy.rule(Method::POST, CREDENTIALS, Fate::HoldReply, 1);
            let running = workspace.start(&["apply", "-input=false", "-auto-approve"]);
            proxy.struck(1).await;
            running.signal_providers(signal);
            if signal == "TERM" {
                proxy.release();
            }
            let run = running.end().await;
            workspace.search(&run);
            if signal == "TERM" {
                let left: Vec<_> = std::fs::read_dir(sockets.path()).unwrap().collect();
                assert!(left.is_empty(), "{left:?}");
                // What was under way was finished and recorded.
                let current = Current::of(&mut workspace).await;
                assert_eq!(keystone.only_credential(&alice).await["id"], current.id.as_str());
            } else {
                run.fails();
                // Nobody could clean up; a run of the next day does.
                let left: Vec<_> = std::fs::read_dir(sockets.path()).unwrap().collect();
                assert_eq!(left.len(), 1, "{left:?}");
                let folder = std::fs::File::open(left[0].as_ref().unwrap().path()).unwrap();
                let yesterday = std::time::SystemTime::now() - Duration::from_hours(24);
                folder.set_modified(yesterday).unwrap();
                workspace.log_in(&alice);
                workspace.plan(&[]).await.ok();
                let left: Vec<_> = std::fs::read_dir(sockets.path()).unwrap().collect();
                assert!(left.is_empty(), "{left:?}");
            }
        }
    }
}
