//! `complete_generation`: the old credentials go when the user says so, and not before they may.

use rekey_sandbox::{OkeAnswers, Refusal, Rule};

use super::{Scene, node, says, trigger};
use crate::support::tools::Cli;

fn completing(generation: u32) -> String {
    format!("{}\ncomplete_generation = {generation}", trigger(1))
}

#[tokio::test]
async fn it_completes_the_rotation_that_it_names_and_never_another() {
    for cli in Cli::all() {
        let mut scene = Scene::with(cli, &trigger(1)).await;
        scene.pass_hours(25);
        scene.write(&completing(1));
        scene.workspace.plan(&[]).await.ok();
        scene.workspace.apply(&["tfplan"]).await.ok();
        let state = scene.state().await;
        says(&state, 1, "completed");
        assert_eq!(state["ca_certificate_sha256s"].as_array().unwrap().len(), 1);
        assert_eq!((scene.calls(), scene.prod().authorities.len()), ((1, 1), 1));
        scene.workspace.plan(&[]).await.empty();

        // Left in the configuration it says nothing of the next one.
        scene.write(&completing(1).replace("\"1\"", "\"2\""));
        scene.workspace.apply(&[]).await.ok();
        says(&scene.state().await, 2, "overlap");
        scene.pass_hours(30);
        scene.workspace.plan(&[]).await.empty();
        assert_eq!(scene.calls(), (2, 1));
    }
}

#[tokio::test]
async fn too_early_it_is_an_error_of_the_plan_that_names_the_time() {
    let mut scene = Scene::with(Cli::any(), &trigger(1)).await;
    scene.write(&completing(1));
    let earliest = scene.prod().started_at.unwrap() + jiff::SignedDuration::from_hours(24);
    let earliest = earliest.strftime("%Y-%m-%d").to_string();
    scene.workspace.plan(&[]).await.fails().says("24 hours").says(&earliest);
    scene.workspace.apply(&[]).await.fails();
    assert_eq!(scene.calls(), (1, 0));
    says(&scene.state().await, 1, "overlap");
}

#[tokio::test]
async fn a_refused_completion_is_settled_by_looking_and_never_repeated_blindly() {
    let refusals = [
        Refusal::Conflict,
        Refusal::IncorrectState,
        Refusal::InvalidParameter,
        Refusal::UnprocessableEntity,
    ];
    for refusal in refusals {
        let mut scene = Scene::with(Cli::any(), &trigger(1)).await;
        let node_rule = Rule::AtTheCall;
        scene.sandbox.set_oke_answers(OkeAnswers { node_rule, refusal, ..OkeAnswers::default() });
        scene.pass_hours(26);
        scene.happens(&node(false));
        scene.write(&completing(1));
        scene.workspace.apply(&[]).await.fails().says("READY");
        assert_eq!((scene.calls(), scene.prod().authorities.len()), ((1, 1), 2), "{refusal:?}");
        says(&scene.state().await, 1, "overlap");
        scene.happens(&node(true));
        scene.workspace.apply(&[]).await.ok();
        says(&scene.state().await, 1, "completed");
        scene.workspace.plan(&[]).await.empty();
    }
}
