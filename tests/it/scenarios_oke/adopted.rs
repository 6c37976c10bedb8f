//! Rotations that others began, or OKE itself: counted and shown, never started again.

use jiff::SignedDuration;
use rekey_sandbox::OkeEvent;
use serde_json::json;

use super::{ADDRESS, Scene, says, trigger};
use crate::support::tools::Cli;

#[tokio::test]
async fn one_that_was_begun_in_the_console_is_counted_and_shown() {
    for cli in Cli::all() {
        let quiet = format!("rotate_on_create = false\n{}", trigger(1));
        let mut scene = Scene::with(cli, &quiet).await;
        scene.happens(&OkeEvent::StartOkeRotation { cluster: "prod".into(), delay_days: 5 });
        let due = scene.prod().completes_at.unwrap().strftime("%Y-%m-%d").to_string();
        scene.workspace.plan(&[]).await.ok().says(&due);
        scene.workspace.apply(&[]).await.ok();
        let state = scene.state().await;
        says(&state, 1, "overlap");
        assert!(state["auto_completes_at"].as_str().unwrap().starts_with(&due));
        assert_eq!((scene.calls(), scene.prod().starts), ((0, 0), 1));
        scene.workspace.plan(&[]).await.empty();
        // Somebody completes it there too.
        scene.pass_hours(25);
        scene.happens(&OkeEvent::CompleteOkeRotation { cluster: "prod".into() });
        scene.workspace.plan(&[]).await.empty();
        scene.workspace.apply(&["-refresh-only"]).await.ok();
        says(&scene.state().await, 1, "completed");
    }
}

#[tokio::test]
async fn one_that_oke_began_ninety_days_before_the_end_is_adopted_and_told() {
    let quiet = format!("rotate_on_create = false\n{}", trigger(1));
    let mut scene = Scene::with(Cli::any(), &quiet).await;
    let expires = scene.prod().expires_at;
    scene.pass_days(365 * 5 - 89);
    let due = (expires - SignedDuration::from_hours(72)).strftime("%Y-%m-%d").to_string();
    scene.workspace.plan(&[]).await.ok().says(&due);
    scene.workspace.apply(&[]).await.ok();
    says(&scene.state().await, 1, "overlap");
    assert_eq!((scene.calls(), scene.prod().starts), ((0, 0), 1));
    scene.pass_days(88);
    scene.workspace.plan(&[]).await.empty();
    scene.workspace.apply(&["-refresh-only"]).await.ok();
    says(&scene.state().await, 1, "completed");
    assert_eq!(scene.calls(), (0, 0));
}

#[tokio::test]
async fn credentials_that_have_expired_are_told_and_a_rotation_is_still_possible() {
    let quiet = format!("rotate_on_create = false\n{}", trigger(1));
    let mut scene = Scene::with(Cli::any(), &quiet).await;
    scene.happens(&OkeEvent::SetOkeAutomatic { cluster: "prod".into(), automatic: false });
    scene.happens(&OkeEvent::SetOkeExpiry { cluster: "prod".into(), seconds: -86_400 });
    scene.workspace.plan(&[]).await.empty().says("expired");
    scene.write(&format!("rotate_on_create = false\n{}", trigger(2)));
    scene.workspace.apply(&[]).await.ok();
    says(&scene.state().await, 1, "overlap");
    assert_eq!(scene.calls(), (1, 0));
}

#[tokio::test]
async fn an_import_finds_whatever_phase_there_is() {
    let mut scene = Scene::new(Cli::any()).await;
    let id = scene.prod().id;
    scene.write(&trigger(1));
    scene.workspace.import(ADDRESS, &id).await.ok();
    says(&scene.state().await, 0, "none");
    scene.workspace.run(&["state", "rm", ADDRESS]).await.ok();
    scene.happens(&OkeEvent::StartOkeRotation { cluster: "prod".into(), delay_days: 5 });
    scene.workspace.import(ADDRESS, &id).await.ok();
    let state = scene.state().await;
    assert_eq!(state["phase"], json!("overlap"));
    assert!(state["auto_completes_at"].is_string());
    scene.workspace.apply(&[]).await.ok();
    scene.workspace.plan(&[]).await.empty();
    assert_eq!((scene.calls(), scene.prod().starts), ((0, 0), 1));
    scene.workspace.run(&["state", "rm", ADDRESS]).await.ok();
    scene.workspace.import(ADDRESS, "ocid1.cluster.oc1.iad.aaaaaaaanope").await.fails();
}
