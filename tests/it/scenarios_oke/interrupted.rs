//! Runs that are interrupted or killed in a phase: the next one goes on, and nothing is started twice.

use super::{Scene, says, trigger};
use crate::support::tools::Cli;

/// So many seconds that no phase ends by itself in a test.
const LONG: i64 = 3600;

/// A signal to a run once it follows a work request.
async fn stopped(scene: &mut Scene, signal: &str) {
    let asked = scene.sandbox.count("GET", "/20180222/workRequests/");
    let running = scene.workspace.start(&["apply", "-input=false", "-auto-approve"]);
    scene.is_called("GET", "/workRequests/", asked + 1).await;
    if signal == "KILL" {
        running.signal_providers("KILL");
    } else {
        running.signal_all("INT");
        running.is_told_to_stop().await;
    }
    let run = running.end().await;
    scene.workspace.search(&run);
}

#[tokio::test]
async fn an_interrupt_in_either_phase_is_taken_up() {
    for cli in Cli::all() {
        let quiet = format!("rotate_on_create = false\n{}", trigger(1));
        let mut scene = Scene::with(cli, &quiet).await;
        scene.pace(LONG, LONG);
        scene.write(&format!("rotate_on_create = false\n{}", trigger(2)));
        stopped(&mut scene, "INT").await;
        assert_eq!((scene.prod().phase, scene.calls()), (Some("ISSUING_NEW_CREDENTIALS"), (1, 0)));
        scene.pass_hours(2);
        scene.workspace.apply(&[]).await.ok();
        says(&scene.state().await, 1, "overlap");
        scene.workspace.plan(&[]).await.empty();

        scene.pass_hours(25);
        let completing =
            format!("rotate_on_create = false\n{}\ncomplete_generation = 1", trigger(2));
        scene.write(&completing);
        stopped(&mut scene, "INT").await;
        assert_eq!(scene.prod().phase, Some("RETIRING_OLD_CREDENTIALS"));
        scene.pass_hours(2);
        scene.workspace.apply(&[]).await.ok();
        says(&scene.state().await, 1, "completed");
        assert_eq!((scene.calls(), scene.prod().starts), ((1, 1), 1));
        scene.workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn a_run_that_is_killed_in_its_first_phase_is_taken_up() {
    let mut scene = Scene::new(Cli::any()).await;
    scene.pace(LONG, LONG);
    scene.write(&trigger(1));
    stopped(&mut scene, "KILL").await;
    assert_eq!(scene.prod().starts, 1);
    scene.pass_hours(2);
    scene.workspace.apply(&[]).await.ok();
    scene.workspace.apply(&[]).await.ok();
    says(&scene.state().await, 1, "overlap");
    assert_eq!((scene.calls(), scene.prod().starts), ((1, 0), 1));
    scene.workspace.plan(&[]).await.empty();
}
