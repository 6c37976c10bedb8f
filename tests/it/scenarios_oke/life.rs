//! What calls for a rotation, and how the years go by.

use serde_json::json;

use super::{ADDRESS, Scene, rotation, says, trigger};
use crate::support::tools::Cli;

#[tokio::test]
async fn five_years_go_by() {
    for cli in Cli::all() {
        let begin = "rotate_on_create = false\nrenew_before = \"P120D\"\n";
        let mut scene = Scene::with(cli, &format!("{begin}{}", trigger(2026))).await;
        says(&scene.state().await, 0, "none");
        assert_eq!(scene.calls(), (0, 0));
        scene.workspace.plan(&[]).await.empty();
        let mut before = scene.prod().authorities;
        for (generation, year) in (2027..2031).enumerate() {
            scene.pass_days(365);
            scene.workspace.plan(&[]).await.empty();
            scene.write(&format!("{begin}{}", trigger(year)));
            let reason = format!("generation {}: triggers", generation + 1);
            let plan = scene.workspace.plan(&[]).await.ok().says(&reason);
            assert_eq!(plan.actions(ADDRESS), ["update"]);
            scene.workspace.apply(&["tfplan"]).await.ok();

            let state = scene.state().await;
            says(&state, u32::try_from(generation + 1).unwrap(), "overlap");
            let due = scene.prod().completes_at.unwrap();
            let told: jiff::Timestamp =
                state["auto_completes_at"].as_str().unwrap().parse().unwrap();
            assert_eq!(told.as_second(), due.as_second());
            assert_eq!(state["ca_certificate_sha256s"].as_array().unwrap().len(), 2);
            let overlap = scene.prod().authorities;
            assert_eq!((overlap.len(), &overlap[0]), (2, &before[0]));
            scene.workspace.plan(&[]).await.empty();

            scene.pass_days(15);
            scene.workspace.plan(&[]).await.empty();
            scene.workspace.apply(&["-refresh-only"]).await.ok();
            let state = scene.state().await;
            says(&state, u32::try_from(generation + 1).unwrap(), "completed");
            assert_eq!(state["ca_certificate_sha256s"].as_array().unwrap().len(), 1);
            before = scene.prod().authorities;
            assert_eq!(before, overlap[1..]);
        }
        // The schedule is earlier than OKE, so OKE never begins by itself.
        scene.pass_days(365 * 5 - 110);
        let plan = scene.workspace.plan(&[]).await.ok().says("generation 5: renew_before");
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        scene.workspace.apply(&[]).await.ok();
        says(&scene.state().await, 5, "overlap");
        assert_eq!((scene.calls(), scene.prod().starts, scene.prod().completions), ((5, 0), 5, 4));
    }
}

#[tokio::test]
async fn a_create_starts_one_and_dependents_follow_the_bundle() {
    let mut scene = Scene::new(Cli::any()).await;
    let dependent = format!(
        "{}\n}}\nresource \"terraform_data\" \"clients\" {{\n  input = {ADDRESS}.ca_certificate_sha256s",
        trigger(1)
    );
    scene.write(&dependent);
    scene.workspace.apply(&[]).await.ok();
    says(&scene.state().await, 1, "overlap");
    let clients = scene.workspace.resource("terraform_data.clients").await;
    assert_eq!(clients["input"].as_array().unwrap().len(), 2);
    scene.pass_days(15);
    // Now the old one is gone from it too.
    let plan = scene.workspace.plan(&[]).await.ok();
    assert_eq!(plan.actions("terraform_data.clients"), ["update"]);
    assert_eq!(plan.actions(ADDRESS), ["no-op"]);
    scene.workspace.apply(&[]).await.ok();
    let clients = scene.workspace.resource("terraform_data.clients").await;
    assert_eq!(clients["input"].as_array().unwrap().len(), 1);
    scene.workspace.plan(&[]).await.empty();
}

#[tokio::test]
async fn workloads_are_restarted_in_the_overlap_and_what_is_missing_is_taken_up() {
    let mut scene = Scene::new(Cli::any()).await;
    let id = scene.prod().id;
    let write = |scene: &Scene, names: &[&str], year: u32| {
        let named = |name: &&str| {
            format!("{{ kind = \"Deployment\", namespace = \"apps\", name = \"{name}\" }}")
        };
        let workloads: Vec<_> = names.iter().map(named).collect();
        let text = rotation(&id, &trigger(i64::from(year)));
        let block = format!("oke = {{\n    workloads = [{}]\n   ", workloads.join(", "));
        scene.workspace.write("main.tf", &text.replace("oke = {", &block));
    };
    write(&scene, &["web"], 1);
    let plan = scene.workspace.plan(&[]).await.ok();
    assert_eq!(plan.change(ADDRESS)["after"]["restarts"], json!(["Deployment apps/web"]));
    scene.workspace.apply(&[]).await.ok();
    says(&scene.state().await, 1, "overlap");
    assert_eq!(scene.prod().restarts["web"], 1);
    scene.workspace.plan(&[]).await.empty();

    scene.pass_days(15);
    write(&scene, &["nobody", "web"], 2);
    scene.workspace.apply(&[]).await.fails().says("A workload is missing");
    says(&scene.state().await, 2, "restarting");
    write(&scene, &["web"], 2);
    scene.workspace.plan(&[]).await.says("stopped in the phase");
    scene.workspace.apply(&[]).await.ok();
    says(&scene.state().await, 2, "overlap");
    assert_eq!((scene.prod().starts, scene.prod().restarts["web"]), (2, 2));
    scene.workspace.plan(&[]).await.empty();
}

#[tokio::test]
async fn an_overlap_that_changes_while_one_runs_is_kept_for_the_next() {
    let mut scene = Scene::with(Cli::any(), &trigger(1)).await;
    let due = scene.prod().completes_at;
    scene.write(&trigger(1).replace("P14D", "P30D"));
    scene.workspace.plan(&[]).await.ok().says("next").says_not("rotation_reason");
    scene.workspace.apply(&[]).await.ok();
    assert_eq!((scene.calls(), scene.prod().completes_at), ((1, 0), due));
    scene.workspace.plan(&[]).await.empty();
    scene.pass_days(15);
    scene.write(&trigger(2).replace("P14D", "P30D"));
    scene.workspace.apply(&[]).await.ok();
    let left = scene.prod().completes_at.unwrap().duration_since(scene.sandbox.now());
    assert!(left.as_hours() > 24 * 29, "{left}");
}

#[tokio::test]
async fn a_destroy_in_the_overlap_undoes_nothing_and_says_when_oke_goes_on() {
    let mut scene = Scene::with(Cli::any(), &trigger(1)).await;
    let due = scene.prod().completes_at.unwrap().strftime("%Y-%m-%d").to_string();
    scene.workspace.destroy(&[]).await.ok().says(&due);
    assert_eq!((scene.prod().phase, scene.calls()), (Some("NEW_CREDENTIALS_ISSUED"), (1, 0)));
    scene.pass_days(15);
    assert_eq!(scene.prod().phase, Some("COMPLETED"));
}
