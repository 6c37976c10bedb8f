//! What a user does with the credentials of an OKE cluster, with the real CLI and the sandbox's OKE: each promise of
//! the guide. Nobody has an Oracle cloud here; `sandbox_oke` says how the sandbox is held to Oracle's own clients.

mod adopted;
mod completed;
mod interrupted;
mod life;
mod refused;

use jiff::SignedDuration;
use rekey_sandbox::{OkeEvent, OkeSeen, Sandbox};
use serde_json::Value;

use crate::support::oci::Oci;
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::Cli;

const ADDRESS: &str = "rekey_cluster_credential_rotation.oke";

/// A cluster `prod` in OKE, and a working directory of alice's.
struct Scene {
    sandbox: Sandbox,
    workspace: Workspace,
    offset: SignedDuration,
    /// Where the key and the configuration file lie.
    _home: Oci,
}

impl Scene {
    async fn new(cli: &Cli) -> Self {
        let sandbox = Sandbox::start().await;
        sandbox.create_oke_cluster("prod");
        let alice = Oci::new(&sandbox, "alice");
        let mut workspace = Workspace::new(cli);
        workspace.watch("the API key", &key_body(alice.login.private_key));
        workspace.write("provider.tf", &provider(&alice));
        Self { sandbox, workspace, offset: SignedDuration::ZERO, _home: alice }
    }

    /// With the resource, and these arguments besides; applied.
    async fn with(cli: &Cli, arguments: &str) -> Self {
        let mut scene = Self::new(cli).await;
        scene.write(arguments);
        scene.workspace.apply(&[]).await.ok();
        scene
    }

    fn write(&self, arguments: &str) {
        self.workspace.write("main.tf", &rotation(&self.prod().id, arguments));
    }

    fn prod(&self) -> OkeSeen {
        self.sandbox.oke("prod")
    }

    async fn state(&mut self) -> Value {
        self.workspace.resource(ADDRESS).await
    }

    /// Lets time pass, for OKE and for the provider.
    fn pass_hours(&mut self, hours: i64) {
        self.offset += SignedDuration::from_hours(hours);
        self.sandbox.set_clock_offset(self.offset);
        self.workspace.env("REKEY_CLOCK_OFFSET", &self.offset.as_secs().to_string());
    }

    fn pass_days(&mut self, days: i64) {
        self.pass_hours(24 * days);
    }

    fn happens(&self, event: &OkeEvent) {
        self.sandbox.happen_to_oke(event);
    }

    /// Phases take so many seconds from now on.
    fn pace(&self, issue: i64, retire: i64) {
        let cluster = "prod".to_owned();
        self.happens(&OkeEvent::SetOkePace { cluster, accept: 0, issue, retire });
    }

    /// How often a rotation was started and completed by a call.
    fn calls(&self) -> (usize, usize) {
        let calls = self.sandbox.calls();
        let count = |end: &str| {
            calls.iter().filter(|call| call.method == "POST" && call.path.ends_with(end)).count()
        };
        (count("startCredentialRotation"), count("completeCredentialRotation"))
    }

    /// Waits until a call of that method to such a path was made so often.
    async fn is_called(&self, method: &str, end: &str, times: usize) {
        let called = async {
            loop {
                let calls = self.sandbox.calls();
                let of = calls.iter().filter(|c| c.method == method && c.path.contains(end));
                if of.count() >= times {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let called = tokio::time::timeout(std::time::Duration::from_mins(3), called).await;
        assert!(called.is_ok(), "{method} {end} was not called {times} times");
    }
}

fn provider(user: &Oci) -> String {
    let (config, endpoint) = (user.config_path(), &user.endpoint);
    let config = config.display();
    format!(
        "{REQUIRED}\nprovider \"rekey\" {{\n  oci = {{\n    config_file = \"{config}\"\n    endpoint = \"{endpoint}\"\n  }}\n}}\n"
    )
}

/// The resource, with these arguments besides.
fn rotation(cluster: &str, arguments: &str) -> String {
    format!(
        "resource \"rekey_cluster_credential_rotation\" \"oke\" {{\n  oke = {{ cluster_id = \"{cluster}\" }}\n{arguments}\n}}\n"
    )
}

fn trigger(value: i64) -> String {
    format!("overlap = \"P14D\"\ntriggers = {{ year = \"{value}\" }}")
}

/// The second node of `prod`, as Kubernetes and OKE see it.
fn node(ready: bool) -> OkeEvent {
    OkeEvent::SetOkeNode {
        cluster: "prod".into(),
        node: 1,
        state: if ready { "ACTIVE".into() } else { "FAILING".into() },
        error: None,
        ready,
    }
}

/// A line out of the middle of a key, which nothing else holds.
fn key_body(pem: &str) -> String {
    pem.lines().nth(5).unwrap().to_owned()
}

/// What the state says of the last rotation.
#[track_caller]
fn says(state: &Value, generation: u32, phase: &str) {
    assert_eq!(state["generation"], generation, "{state}");
    assert_eq!(state["phase"], phase, "{state}");
}
