//! The real `terraform` and `tofu` with the probe provider, attached as in a debugger: what the test
//! host plays is done here by core itself.

use std::path::Path;

use rekey::tfplugin::serve::serve_incoming;
use serde_json::json;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::probe::{self, Cloud, Mood};
use crate::support::terraform::{Run, Workspace};
use crate::support::tools::{Cli, Feature};

pub(crate) const A: &str = "probe_thing.a";
const ADDRESS: &str = "probe.test/probe/probe";

/// A working directory in which `probe` is this process.
pub(crate) struct Attached {
    pub(crate) workspace: Workspace,
    pub(crate) cloud: Cloud,
    _folder: tempfile::TempDir,
    _end: DropGuard,
}

pub(crate) fn attached(cli: &Cli) -> Attached {
    // Cargo's own folder may be too deep for a socket.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let socket = folder.path().join("s");
    let incoming = UnixListenerStream::new(UnixListener::bind(&socket).unwrap());
    let (cloud, end) = (Cloud::default(), CancellationToken::new());
    tokio::spawn(serve_incoming(probe::registry(&cloud.session()), incoming, end.clone()));
    let mut workspace = Workspace::new(cli);
    workspace.env("TF_REATTACH_PROVIDERS", &reattach(&socket));
    workspace.write(
        "provider.tf",
        &format!("terraform {{\n  required_providers {{\n    probe = {{ source = \"{ADDRESS}\" }}\n  }}\n}}\n"),
    );
    Attached { workspace, cloud, _folder: folder, _end: end.drop_guard() }
}

fn reattach(socket: &Path) -> String {
    json!({ ADDRESS: {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": std::process::id(),
        "Test": true,
        "Addr": { "Network": "unix", "String": socket },
    }})
    .to_string()
}

impl Attached {
    pub(crate) fn thing(&self, more: &str) {
        let block = format!("resource \"probe_thing\" \"a\" {{\n  name = \"a\"\n{more}\n}}\n");
        self.workspace.write("main.tf", &block);
    }

    async fn apply(&mut self) -> Run {
        self.workspace.apply(&[]).await
    }

    /// `tainted`, or nothing, of the thing in the state file.
    fn status(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.workspace.path("terraform.tfstate")).unwrap();
        let state: serde_json::Value = serde_json::from_str(&text).unwrap();
        let instance = &state["resources"][0]["instances"][0];
        instance["status"].as_str().map(str::to_owned)
    }
}

#[tokio::test]
async fn a_thing_of_every_kind_lives_and_goes() {
    for cli in Cli::all() {
        let mut probe = attached(cli);
        probe.thing(
            r#"
  amount   = 0.1
  anything = { a = [1, "x"] }
  words    = ["one", "two"]
  marks    = ["z", "a"]
  tags     = { b = "c" }
  part     = { title = "whole" }
  parts    = [{ title = "first", weight = 3 }, { title = "second" }]
  part_set = [{ title = "some" }]
  part_map = { k = { title = "by key" } }
  rule { path = "/one" }
  rule { path = "/two" }"#,
        );
        probe.apply().await.ok();
        let thing = probe.workspace.resource(A).await;
        assert_eq!((&thing["id"], &thing["note"]), (&json!("thing-1"), &json!("none")));
        assert_eq!(thing["amount"].to_string(), "0.1");
        assert_eq!(thing["parts"][1]["weight"], 1);
        assert_eq!(thing["rule"][1]["path"], "/two");
        probe.workspace.plan(&[]).await.empty();
        // In place, and in a replacement.
        probe.thing("  label = \"new\"");
        let plan = probe.workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions(A), ["update"], "{}", plan.change(A)["replace_paths"]);
        probe.apply().await.ok();
        probe.workspace.plan(&[]).await.empty();
        probe.workspace.apply(&[&format!("-replace={A}")]).await.ok();
        assert_eq!(probe.workspace.resource(A).await["id"], "thing-4");
        probe.workspace.destroy(&[]).await.ok();
        assert_eq!(probe.cloud.count(), 0);
    }
}

#[tokio::test]
async fn what_exists_is_in_the_state_after_a_panic() {
    for cli in Cli::all() {
        let mut probe = attached(cli);
        probe.thing("");
        probe.cloud.mood("create", Mood::PanicAfterSave);
        let run = probe.apply().await.fails();
        let run = run.says("Provider bug").says("Create of probe_thing stopped halfway");
        run.says_not("hunter2").says_not("did not respond").says_not("crashed");
        assert_eq!(probe.workspace.resource(A).await["id"], "thing-1");
        assert_eq!(probe.status().as_deref(), Some("tainted"));
        probe.cloud.calm();
        probe.apply().await.ok();
        assert_eq!(probe.cloud.count(), 1);
        // An update does not taint, and its state is what was done.
        probe.thing("  label = \"new\"");
        probe.cloud.mood("update", Mood::PanicAfterSave);
        probe.apply().await.fails().says("Update of probe_thing stopped halfway");
        assert_eq!(probe.workspace.resource(A).await["label"], "new");
        assert_eq!(probe.status(), None);
        // Half of a destroy.
        probe.cloud.calm();
        probe.cloud.mood("delete", Mood::Panic);
        probe.workspace.destroy(&[]).await.fails().says("Delete of probe_thing");
        probe.cloud.calm();
        probe.workspace.destroy(&[]).await.ok();
        assert_eq!(probe.cloud.count(), 0);
    }
}

#[tokio::test]
async fn an_interrupt_keeps_what_was_in_flight() {
    for cli in Cli::all() {
        let mut probe = attached(cli);
        probe.thing("");
        probe.cloud.mood("create", Mood::Slow);
        let run = probe.workspace.start(&["apply", "-input=false", "-auto-approve"]);
        while !probe.cloud.calls().contains(&"create".to_owned()) {
            probe.cloud.entered().await;
        }
        run.signal("INT");
        probe.cloud.go_on();
        run.end().await;
        assert_eq!(probe.workspace.resource(A).await["id"], "thing-1");
        assert_eq!(probe.status(), None);
    }
}

#[tokio::test]
async fn functions_and_ephemeral_resources_are_what_core_asks_for() {
    for cli in Cli::all() {
        let mut probe = attached(cli);
        let text = r#"
output "loud" {
  value = provider::probe::shout("hello")
}
data "probe_census" "all" {}
ephemeral "probe_pass" "one" {
  user = "alice"
}
resource "probe_thing" "a" {
  name              = "a"
  secret_wo         = ephemeral.probe_pass.one.pass
  secret_wo_version = 1
}
"#;
        probe.workspace.write("main.tf", text);
        if !cli.has(Feature::EphemeralResources) {
            probe.workspace.plan(&[]).await.fails().says("ephemeral");
            continue;
        }
        if !cli.has(Feature::WriteOnlyArguments) {
            probe.workspace.plan(&[]).await.fails().says("secret_wo");
            continue;
        }
        probe.workspace.watch("the ephemeral pass", "pass-number-");
        probe.apply().await.ok();
        assert_eq!(probe.workspace.resource("data.probe_census.all").await["names"], json!([]));
        assert_eq!(probe.workspace.output("loud").await, "HELLO");
        // Opened in the plan and in the apply, and closed both times.
        let calls = probe.cloud.take_calls();
        let count = |name: &str| calls.iter().filter(|call| *call == name).count();
        assert_eq!((count("open"), count("close")), (2, 2), "{calls:?}");
        assert!(probe.cloud.passes().is_empty());
        let state = std::fs::read_to_string(probe.workspace.path("terraform.tfstate")).unwrap();
        assert!(!state.contains("pass-number-"), "a write-only value is in the state");
        probe.workspace.plan(&[]).await.empty();
        let wrong = text.replace("\"hello\"", "\"\"");
        probe.workspace.write("main.tf", &wrong);
        probe.workspace.plan(&[]).await.fails().says("nothing to shout");
    }
}
