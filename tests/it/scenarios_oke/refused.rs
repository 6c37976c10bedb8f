//! What is refused, where and in which words; and phases that OKE does not finish.

use rekey_sandbox::{OkeAnswers, OkeEvent, Rule};

use super::{Scene, node, rotation, says, trigger};
use crate::support::tools::Cli;

#[tokio::test]
async fn a_second_start_is_refused_at_plan_with_the_date_that_ends_the_first() {
    for cli in Cli::all() {
        let mut scene = Scene::with(cli, &trigger(1)).await;
        let due = scene.prod().completes_at.unwrap().strftime("%Y-%m-%d").to_string();
        scene.write(&trigger(2));
        scene.workspace.plan(&[]).await.fails().says(&due).says("complete_generation");
        scene.workspace.apply(&[]).await.fails();
        assert_eq!(scene.calls(), (1, 0));
        scene.pass_days(15);
        scene.workspace.plan(&[]).await.ok().says("generation 2: triggers");
        scene.workspace.apply(&[]).await.ok();
        says(&scene.state().await, 2, "overlap");
    }
}

#[tokio::test]
async fn what_oke_cannot_rotate_is_refused_at_plan() {
    let mut scene = Scene::new(Cli::any()).await;
    let create = |name: &str, version: Option<&str>, virtual_nodes| OkeEvent::CreateOkeCluster {
        name: name.into(),
        kubernetes_version: version.map(str::to_owned),
        nodes: None,
        virtual_nodes,
    };
    scene.happens(&create("old", Some("v1.19.7"), false));
    scene.happens(&create("virtual", None, true));
    for (name, words) in [("old", "1.20"), ("virtual", "virtual")] {
        let id = scene.sandbox.oke(name).id;
        scene.workspace.write("main.tf", &rotation(&id, &trigger(1)));
        scene.workspace.plan(&[]).await.fails().says(words);
    }
    for overlap in ["PT23H", "P91D"] {
        scene.write(&trigger(1).replace("P14D", overlap));
        scene.workspace.plan(&[]).await.fails().says("overlap");
    }
    scene.write(&trigger(1));
    scene.happens(&OkeEvent::BeginOkeWork { cluster: "prod".into(), seconds: 3600 });
    let work = scene.prod().work[0].id.clone();
    scene.workspace.plan(&[]).await.fails().says(&work);
    scene.pass_hours(2);
    scene.happens(&OkeEvent::SetOkeState {
        cluster: "prod".into(),
        state: "FAILED".into(),
        details: Some("no quota".into()),
    });
    scene.workspace.plan(&[]).await.fails().says("FAILED");
    assert_eq!(scene.calls(), (0, 0));
}

#[tokio::test]
async fn a_node_that_is_not_active_is_warned_of_and_the_rotation_waits_for_it() {
    let mut scene = Scene::new(Cli::any()).await;
    scene.happens(&node(false));
    scene.write(&trigger(1));
    scene.workspace.plan(&[]).await.ok().says("FAILING");
    let running = scene.workspace.start(&["apply", "-input=false", "-auto-approve"]);
    scene.is_called("GET", "/workRequests/", 2).await;
    assert_eq!(scene.prod().phase, Some("ISSUING_NEW_CREDENTIALS"));
    scene.happens(&node(true));
    let run = running.end().await.ok();
    scene.workspace.search(&run);
    says(&scene.state().await, 1, "overlap");
}

#[tokio::test]
async fn a_phase_that_fails_is_told_in_okes_words_and_tried_again_when_asked_for() {
    let message = "etcd did not answer".to_owned();
    let quiet = format!("rotate_on_create = false\n{}", trigger(1));
    let mut scene = Scene::with(Cli::any(), &quiet).await;
    let cluster = "prod".to_owned();
    scene.happens(&OkeEvent::FailOkePhase {
        cluster,
        message: message.clone(),
        after_effect: false,
    });
    scene.write(&format!("rotate_on_create = false\n{}", trigger(2)));
    let run = scene.workspace.apply(&[]).await.fails();
    run.says(&message).says("work until they expire");
    scene.workspace.apply(&[]).await.ok();
    says(&scene.state().await, 1, "overlap");
    assert_eq!(scene.calls(), (2, 0));
}

#[tokio::test]
async fn nodes_that_never_get_ready_end_in_okes_words_too() {
    let mut scene = Scene::new(Cli::any()).await;
    scene
        .sandbox
        .set_oke_answers(OkeAnswers { node_rule: Rule::AtTheCall, ..OkeAnswers::default() });
    scene.happens(&node(false));
    scene.write(&trigger(1));
    scene.workspace.apply(&[]).await.fails().says("READY");
    assert_eq!(scene.prod().starts, 0);
    scene.happens(&node(true));
    scene.workspace.apply(&[]).await.ok();
    says(&scene.state().await, 1, "overlap");
}
