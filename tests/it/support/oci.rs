//! Oracle's own client: the official CLI, installed once under `target/oci`, and how they log
//! in to the sandbox.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use rekey_sandbox::{OciLogin, Sandbox};
use serde_json::Value;
use tempfile::TempDir;

use super::terraform::Run;
use super::tools;

/// What a program of theirs may see of the surroundings.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("LC_ALL", "C.UTF-8"),
    ("OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING", "True"),
    ("PATH", "/usr/bin:/bin"),
    ("SUPPRESS_LABEL_WARNING", "True"),
];

/// The folder of the programs. Installs what is pinned, once for each content of the list; test processes wait for
/// one another.
fn programs() -> &'static Path {
    static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = tools::target().join("oci");
        fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let wanted = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oci/requirements.txt");
        let (venv, mark) = (folder.join("venv"), folder.join("installed.txt"));
        let text = fs::read_to_string(wanted).unwrap();
        if fs::read_to_string(&mark).ok().as_ref() != Some(&text) {
            let _ = fs::remove_dir_all(&venv);
            run(Command::new(tools::python()).args(["-m", "venv"]).arg(&venv), "python3-venv");
            // Everything is pinned, so pip has nothing to resolve; what is never imported need not be compiled.
            let pip =
                ["-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "--no-compile"];
            let pip = [&pip[..], &["--disable-pip-version-check", "-r", wanted]].concat();
            run(Command::new(venv.join("bin/python")).args(pip), "PyPI in reach");
            fs::write(&mark, text).unwrap();
        }
        venv.join("bin")
    });
    &PROGRAMS
}

fn run(command: &mut Command, needs: &str) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed (it needs {needs}):\n{said}");
}

/// A user of the sandbox's OKE with a home directory, in which the key and the configuration file lie.
pub(crate) struct Oci {
    pub(crate) login: OciLogin,
    pub(crate) endpoint: String,
    home: TempDir,
}

impl Oci {
    pub(crate) fn new(sandbox: &Sandbox, user: &str) -> Self {
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let login = sandbox.oci(user);
        fs::create_dir(home.path().join(".oci")).unwrap();
        let key = home.path().join(".oci/key.pem");
        fs::write(&key, login.private_key).unwrap();
        fs::write(home.path().join(".oci/config"), login.config_file(&key)).unwrap();
        Self { endpoint: login.endpoint.clone(), login, home }
    }

    /// One more file in `~/.oci`; its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(".oci").join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `oci ARGUMENTS`, as it is installed.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> Run {
        let mut all = vec!["--endpoint", &self.endpoint];
        all.extend(arguments);
        self.run("oci", &all).await
    }

    /// What a command of the CLI prints as JSON; null for nothing.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        let run = self.cli(arguments).await.ok();
        if run.stdout.trim().is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> Run {
        let programs = tokio::task::spawn_blocking(programs).await.unwrap();
        let output = tokio::process::Command::new(programs.join(program))
            .args(arguments)
            .env_clear()
            .envs(ENVIRONMENT)
            .env("HOME", self.home.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        Run::new(format!("{program} {}", arguments.join(" ")), &output)
    }
}
