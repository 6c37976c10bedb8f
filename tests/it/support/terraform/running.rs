//! A command of the CLI while it runs: signals to it and to its providers, and the wait for its end.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Child;

use super::{PATIENCE, Run};

/// A command that still runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(super) child: Child,
    pub(super) command: String,
    pub(super) log: PathBuf,
}

impl Running {
    /// Waits for the end.
    pub(crate) async fn end(self) -> Run {
        let Self { child, command, log } = self;
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let log = std::fs::read(log).unwrap_or_default();
        let log = without_builtins(&String::from_utf8_lossy(&log));
        let Ok(output) = output else {
            panic!(
                "`{command}` hangs; the end of its log:\n{}",
                &log[log.len().saturating_sub(4000)..]
            )
        };
        Run { log, ..Run::new(command, &output.unwrap()) }
    }

    /// Sends a signal to the CLI alone: `INT`, `TERM`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        kill(name, self.child.id().expect("it still runs"));
    }

    /// Sends a signal to the provider processes alone.
    pub(crate) fn signal_providers(&self, name: &str) {
        let providers = self.providers();
        assert!(!providers.is_empty(), "no provider runs under `{}`", self.command);
        for process in providers {
            kill(name, process);
        }
    }

    /// Sends a signal as a terminal does: to the CLI and to its providers.
    pub(crate) fn signal_all(&self, name: &str) {
        self.signal_providers(name);
        self.signal(name);
    }

    /// Waits until the CLI has passed the interrupt on to the provider.
    pub(crate) async fn is_told_to_stop(&self) {
        self.has_logged("GRPCProvider.v6: Stop").await;
    }

    /// Waits until the CLI has asked the provider to change something.
    pub(crate) async fn is_applying(&self) {
        self.has_logged("GRPCProvider.v6: ApplyResourceChange").await;
    }

    /// Waits until the CLI asks for the lock of the state.
    pub(crate) async fn asks_for_the_lock(&self) {
        self.has_logged("requesting state lock").await;
    }

    async fn has_logged(&self, text: &str) {
        let logged = async {
            loop {
                let log = std::fs::read(&self.log).unwrap_or_default();
                if String::from_utf8_lossy(&log).contains(text) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let logged = tokio::time::timeout(PATIENCE, logged).await;
        assert!(logged.is_ok(), "the CLI never logged «{text}»");
    }

    /// The provider processes that the CLI has started.
    fn providers(&self) -> Vec<u32> {
        let parent = self.child.id().expect("it still runs");
        let processes = std::fs::read_dir("/proc").expect("/proc: signals are tested on Linux");
        processes
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|process| is_provider_of(*process, parent))
            .collect()
    }
}

/// Without the lines in which Terraform itself writes down what a `terraform_data` holds, secret or not.
fn without_builtins(log: &str) -> String {
    let ours = |line: &&str| !line.contains("UpgradeResourceState: ignoring dynamic block");
    log.lines().filter(ours).collect::<Vec<_>>().join("\n")
}

fn is_provider_of(process: u32, parent: u32) -> bool {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let Ok(status) = std::fs::read_to_string(folder.join("status")) else { return false };
    let is_child = status.lines().any(|line| line == format!("PPid:\t{parent}"));
    // by its arguments: what it runs is not shown of a process whose memory nobody may look into
    let arguments = std::fs::read(folder.join("cmdline")).unwrap_or_default();
    let program = arguments.split(|byte| *byte == 0).next().unwrap_or_default();
    let program = Path::new(OsStr::from_bytes(program));
    is_child
        && program
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("terraform-provider-rekey"))
}

fn kill(signal: &str, process: u32) {
    let status = std::process::Command::new("kill")
        .args([&format!("-{signal}"), &process.to_string()])
        .status()
        .unwrap();
    assert!(status.success(), "kill -{signal} {process}");
}
