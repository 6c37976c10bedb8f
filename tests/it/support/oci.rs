//! Oracle's own clients: the official CLI and the SDK for Python, installed once under `target/oci`, and how they log
//! in to the sandbox.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use rekey_sandbox::{OciLogin, Sandbox};
use serde_json::{Value, json};
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

    /// From now on it goes to this address.
    pub(crate) fn at(mut self, endpoint: &str) -> Self {
        endpoint.clone_into(&mut self.endpoint);
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// `~/.oci/config`.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.home.path().join(".oci/config")
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
        self.run("oci", &all, "").await
    }

    /// What a command of the CLI prints as JSON; null for nothing.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        let run = self.cli(arguments).await.ok();
        if run.stdout.trim().is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
    }

    /// The CLI, at that time by its own clock.
    pub(crate) async fn cli_at(&self, seconds: i64, arguments: &[&str]) -> Run {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oci/at.py");
        let seconds = seconds.to_string();
        let mut all = vec![script, &seconds];
        all.extend(arguments);
        self.run("python", &all, "").await
    }

    /// What calls of the SDK come to: each is `{name, args, kwargs}`.
    pub(crate) async fn sdk(&self, calls: Value) -> Vec<Value> {
        let config = json!({
            "user": self.login.user,
            "tenancy": self.login.tenancy,
            "fingerprint": self.login.fingerprint,
            "key_content": self.login.private_key,
            "region": self.login.region,
        });
        let asked = json!({ "config": config, "endpoint": self.endpoint, "calls": calls });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oci/calls.py");
        let run = self.run("python", &[script], &asked.to_string()).await.ok();
        serde_json::from_str(&run.stdout).unwrap()
    }

    async fn run(&self, program: &str, arguments: &[&str], input: &str) -> Run {
        let programs = tokio::task::spawn_blocking(programs).await.unwrap();
        let mut child = tokio::process::Command::new(programs.join(program))
            .args(arguments)
            .env_clear()
            .envs(ENVIRONMENT)
            .env("HOME", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes()).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        Run::new(format!("{program} {}", arguments.join(" ")), &output)
    }
}
