//! A working directory in which the real `terraform` or `tofu` runs with the provider that was built.
//!
//! Each command runs at `TF_LOG=TRACE`, and everything it printed and logged is searched for the secrets
//! that the workspace knows: see `canary`.

mod run;
mod running;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rekey::provider::address;
use rekey::tfplugin::serve;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

pub(crate) use run::{Plan, Run};
pub(crate) use running::Running;

use super::canary::Canary;
use super::openstack::User;
use super::tools::{self, Cli};

/// Longer than any command takes; a hang becomes a failure that shows its log.
const PATIENCE: Duration = Duration::from_mins(10);

/// What makes a configuration ask for the provider.
pub(crate) const REQUIRED: &str = concat!(
    "terraform {\n  required_providers {\n    rekey = { source = \"",
    env!("PROVIDER_ADDRESS"),
    "\" }\n  }\n}\n"
);

#[derive(Debug)]
pub(crate) struct Workspace {
    folder: TempDir,
    cli: Cli,
    environment: Vec<(String, String)>,
    canary: Canary,
}

impl Workspace {
    pub(crate) fn new(cli: &Cli) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let workspace =
            Self { folder, cli: cli.clone(), environment: Vec::new(), canary: Canary::default() };
        // A folder of its own: beside the binary lies a file `….d`, which would be taken for the provider too.
        let plugins = workspace.path("plugins");
        std::fs::create_dir(&plugins).unwrap();
        // A state that comes from the openstack provider wants it to be installed, though a move calls
        // only the new one: any provider can stand for it.
        for name in ["terraform-provider-rekey", "terraform-provider-openstack"] {
            let plugin = plugins.join(name);
            std::fs::hard_link(tools::provider(), &plugin)
                .or_else(|_| std::fs::copy(tools::provider(), &plugin).map(drop))
                .unwrap();
        }
        workspace.write("cli.tfrc", &overrides(&plugins));
        std::fs::create_dir(workspace.path("home")).unwrap();
        workspace
    }

    /// With a clouds.yaml in which the cloud `test` is this user, and a provider block that names it.
    pub(crate) fn with_login(cli: &Cli, user: &User) -> Self {
        let mut workspace = Self::new(cli);
        workspace.log_in(user);
        workspace.write(
            "provider.tf",
            &format!(
                "{REQUIRED}\nprovider \"rekey\" {{\n  openstack = {{ cloud = \"test\" }}\n}}\n"
            ),
        );
        workspace
    }

    /// From now on the cloud `test` is this user.
    pub(crate) fn log_in(&mut self, user: &User) {
        self.canary.watch("the user's password", &user.password);
        self.clouds_yaml(&user.clouds_yaml());
    }

    /// From now on this is the clouds.yaml.
    pub(crate) fn clouds_yaml(&mut self, text: &str) {
        self.write("home/clouds.yaml", text);
        let path = self.path("home/clouds.yaml").display().to_string();
        self.env("OS_CLIENT_CONFIG_FILE", &path);
    }

    /// Sets a variable for all later commands.
    pub(crate) fn env(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// From now on no command may show this text, in no output and no log.
    pub(crate) fn watch(&mut self, what: &str, secret: &str) {
        self.canary.watch(what, secret);
    }

    /// Writes a file; `main.tf` is the usual one.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn cli(&self) -> &Cli {
        &self.cli
    }

    // The commands

    pub(crate) async fn validate(&mut self) -> Run {
        self.run(&["validate"]).await
    }

    /// `plan`, and the plan itself where there is one.
    pub(crate) async fn plan(&mut self, arguments: &[&str]) -> Plan {
        self.plan_to("tfplan", arguments).await
    }

    /// `plan -out=file`, for a plan that is applied later: `apply(&["file"])`.
    pub(crate) async fn plan_to(&mut self, file: &str, arguments: &[&str]) -> Plan {
        let _ = std::fs::remove_file(self.path(file));
        let out = format!("-out={file}");
        let mut all = vec!["plan", "-input=false", "-detailed-exitcode", &out];
        all.extend(arguments);
        let run = self.run(&all).await;
        let json = if run.code == Some(0) || run.code == Some(2) {
            self.read_json(&["show", "-json", file]).await
        } else {
            Value::Null
        };
        Plan { run, json }
    }

    pub(crate) async fn apply(&mut self, arguments: &[&str]) -> Run {
        let mut all = vec!["apply", "-input=false", "-auto-approve"];
        all.extend(arguments);
        self.run(&all).await
    }

    pub(crate) async fn destroy(&mut self, arguments: &[&str]) -> Run {
        let mut all = vec!["destroy", "-input=false", "-auto-approve"];
        all.extend(arguments);
        self.run(&all).await
    }

    pub(crate) async fn taint(&mut self, address: &str) -> Run {
        self.run(&["taint", address]).await
    }

    pub(crate) async fn import(&mut self, address: &str, id: &str) -> Run {
        self.run(&["import", "-input=false", address, id]).await
    }

    /// One output's value. The command prints secrets when asked to, so the canary does not look.
    pub(crate) async fn output(&mut self, name: &str) -> String {
        let run = self.run_unwatched(&["output", "-raw", name]).await.ok();
        run.stdout
    }

    /// The state as `show -json` tells it: all of it, secrets too.
    pub(crate) async fn state(&mut self) -> Value {
        self.read_json(&["show", "-json"]).await
    }

    /// The attributes of one resource in the state; null when it is not there.
    pub(crate) async fn resource(&mut self, address: &str) -> Value {
        let state = self.state().await;
        let Some(resources) = state["values"]["root_module"]["resources"].as_array() else {
            return Value::Null;
        };
        let found = resources.iter().find(|resource| resource["address"] == address);
        found.map_or(Value::Null, |resource| resource["values"].clone())
    }

    /// Any command.
    pub(crate) async fn run(&mut self, arguments: &[&str]) -> Run {
        let run = self.start(arguments).end().await;
        self.learn_secrets();
        self.canary.check(&run.command, &[("stdout", &run.stdout), ("stderr", &run.stderr)]);
        self.canary.check(&run.command, &[("the TRACE log", &run.log)]);
        run
    }

    /// Starts a command and lets it run: for signals, and for what happens meanwhile.
    /// Its output is searched by [`Workspace::search`].
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let log = self.path("trace.log");
        let _ = std::fs::remove_file(&log);
        let child = self
            .command(arguments)
            .env("TF_LOG", "TRACE")
            .env("TF_LOG_PATH", &log)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let command = format!("{} {}", self.cli.path.display(), arguments.join(" "));
        Running { child, command, log }
    }

    /// Searches what a started command has said.
    pub(crate) fn search(&mut self, run: &Run) {
        self.learn_secrets();
        let parts =
            [("stdout", &*run.stdout), ("stderr", &run.stderr), ("the TRACE log", &run.log)];
        self.canary.check(&run.command, &parts);
    }

    async fn run_unwatched(&self, arguments: &[&str]) -> Run {
        let output = tokio::time::timeout(PATIENCE, self.command(arguments).output());
        let output = output.await.expect("the command hangs").unwrap();
        Run::new(format!("{} {}", self.cli.path.display(), arguments.join(" ")), &output)
    }

    async fn read_json(&self, arguments: &[&str]) -> Value {
        let run = self.run_unwatched(arguments).await.ok();
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.cli.path);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("CHECKPOINT_DISABLE", "1")
            .env("HOME", self.path("home"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TF_CLI_ARGS", "-no-color")
            .env("TF_CLI_CONFIG_FILE", self.path("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Every secret that the state has become a holder of is watched for from then on.
    fn learn_secrets(&mut self) {
        for name in ["terraform.tfstate", "terraform.tfstate.backup"] {
            let Ok(text) = std::fs::read(self.path(name)) else { continue };
            let Ok(state) = serde_json::from_slice::<Value>(&text) else { continue };
            self.canary.learn(&state);
        }
    }
}

/// The CLI's configuration that takes our provider from a folder, and the openstack provider too.
fn overrides(folder: &Path) -> String {
    let openstack = serve::address::full("terraform-provider-openstack/openstack");
    let lines: Vec<_> = address::full()
        .iter()
        .chain(&openstack)
        .map(|name| format!("    \"{name}\" = \"{}\"", folder.display()))
        .collect();
    format!(
        "disable_checkpoint = true\nprovider_installation {{\n  dev_overrides {{\n{}\n  }}\n  direct {{}}\n}}\n",
        lines.join("\n")
    )
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
