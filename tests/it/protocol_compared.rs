//! The test host is held to core: one story of the probe's is played by the host and by the real CLI, and after each step
//! the calls that the provider saw and everything that the state holds must be the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::host::{self, PlanOptions};
use crate::probe::{self, Cloud, Mood};
use crate::protocol_terraform::{A, Attached, attached};
use crate::support::tools::Cli;

/// What is done, and how the provider is in the mood to take it.
struct Step {
    what: What,
    moods: &'static [(&'static str, Mood)],
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// The configuration with this label is applied.
    Apply(&'static str),
    Destroy,
    /// The same configuration, with `-replace`.
    Replace(&'static str),
}

const fn step(what: What, moods: &'static [(&'static str, Mood)]) -> Step {
    Step { what, moods }
}

const STORY: &[Step] = &[
    step(What::Apply("one"), &[("create", Mood::Fail)]),
    step(What::Apply("one"), &[("create", Mood::FailAfterSave)]),
    // What is tainted is made anew.
    step(What::Apply("one"), &[("delete", Mood::Fail)]),
    step(What::Apply("one"), &[]),
    step(What::Apply("one"), &[]),
    step(What::Apply("two"), &[("update", Mood::Fail)]),
    step(What::Apply("two"), &[("update", Mood::Panic)]),
    step(What::Apply("two"), &[("update", Mood::FailAfterSave)]),
    step(What::Apply("three"), &[("plan", Mood::Fail)]),
    step(What::Apply("three"), &[("read", Mood::Fail)]),
    step(What::Apply("three"), &[]),
    step(What::Replace("three"), &[("delete", Mood::Fail)]),
    step(What::Replace("three"), &[("delete", Mood::Panic)]),
    step(What::Replace("three"), &[("delete", Mood::FailAfterSave)]),
    step(What::Replace("three"), &[("create", Mood::Fail)]),
    step(What::Apply("three"), &[]),
    step(What::Replace("three"), &[]),
    step(What::Destroy, &[("plan_destroy", Mood::Fail)]),
    step(What::Destroy, &[("delete", Mood::Fail)]),
    step(What::Destroy, &[("delete", Mood::FailAfterSave)]),
    step(What::Destroy, &[("delete", Mood::PanicAfterSave)]),
];

/// What is to be seen after a step.
#[derive(Debug, PartialEq)]
struct Seen {
    failed: bool,
    calls: Vec<String>,
    attributes: Json,
    private: Json,
    identity: Json,
    tainted: bool,
}

#[tokio::test]
async fn the_host_does_what_core_does() {
    for cli in Cli::all() {
        let (host, host_cloud) = probe::host();
        let host = host.cli(played(cli));
        let mut ours = host.workspace();
        let mut theirs = attached(cli);
        for (number, step) in STORY.iter().enumerate() {
            for cloud in [&host_cloud, &theirs.cloud] {
                cloud.calm();
                cloud.take_calls();
                for (call, mood) in step.moods {
                    cloud.mood(call, *mood);
                }
            }
            let played = by_host(&mut ours, &host_cloud, step.what).await;
            let done = by_core(&mut theirs, step.what).await;
            let (what, moods) = (step.what, step.moods);
            assert_eq!(played, done, "step {number}, {what:?} with {moods:?}, {}", cli.version);
        }
        assert_eq!(theirs.cloud.count(), 0);
    }
}

/// The CLI that the host plays for this real one.
fn played(cli: &Cli) -> host::Cli {
    let minor = cli.version.split('.').nth(1).unwrap().parse::<u32>().unwrap();
    match (cli.is_tofu, minor) {
        (true, _) => host::Cli::OpenTofu,
        (_, ..=10) => host::Cli::Terraform8,
        (_, 11) => host::Cli::Terraform11,
        (_, 12..=15) => host::Cli::Terraform15,
        _ => host::Cli::Terraform16,
    }
}

async fn by_host(workspace: &mut host::Workspace, cloud: &Cloud, what: What) -> Seen {
    if let What::Apply(label) | What::Replace(label) = what {
        workspace.resource(A, json!({ "name": "a", "label": label }));
    }
    let plan = workspace.plan_with(match what {
        What::Apply(_) => PlanOptions::default(),
        What::Replace(_) => PlanOptions { replace: vec![A.to_owned()], ..PlanOptions::default() },
        What::Destroy => PlanOptions { destroy: true, ..PlanOptions::default() },
    });
    let plan = plan.await;
    let failed = plan.told.failed() || workspace.apply(&plan).await.told.failed();
    let object = workspace.state.object(A);
    let of = |part: fn(&host::Object) -> Json| object.map_or(Json::Null, part);
    Seen {
        failed,
        calls: cloud.take_calls(),
        attributes: of(host::Object::attributes),
        private: of(host::Object::private),
        identity: of(host::Object::identity),
        tainted: object.is_some_and(|object| object.tainted),
    }
}

async fn by_core(attached: &mut Attached, what: What) -> Seen {
    let label = |label: &str| format!("  label = \"{label}\"");
    let run = match what {
        What::Apply(text) => {
            attached.thing(&label(text));
            attached.workspace.apply(&[]).await
        }
        What::Replace(text) => {
            attached.thing(&label(text));
            attached.workspace.apply(&[&format!("-replace={A}")]).await
        }
        What::Destroy => attached.workspace.destroy(&[]).await,
    };
    let text = std::fs::read_to_string(attached.workspace.path("terraform.tfstate"));
    let state: Json = text.map_or(Json::Null, |text| serde_json::from_str(&text).unwrap());
    let instance = &state["resources"][0]["instances"][0];
    let private = instance["private"].as_str().map(|text| STANDARD.decode(text).unwrap());
    Seen {
        failed: run.code != Some(0),
        calls: attached.cloud.take_calls(),
        attributes: instance["attributes"].clone(),
        private: private
            .map_or(Json::Null, |bytes| serde_json::from_slice(&bytes).unwrap_or(Json::Null)),
        identity: instance["identity"].clone(),
        tainted: instance["status"] == "tainted",
    }
}
