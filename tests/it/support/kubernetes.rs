//! A real Kubernetes control plane: one for all tests that only use it, and others for tests that break it.
//!
//! It lives as long as this process: its standard input is a pipe from here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rekey::cloud::Surroundings;
use rekey::cloud::kubernetes::{Access, Client, ClientKey, Limits};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::openstack::unique;
use super::terraform::Run;
use super::tools;

/// What a control plane says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Facts {
    pub(crate) url: String,
    /// The administrator's.
    pub(crate) kubeconfig: PathBuf,
    /// `ca.crt`, `server.crt`, `server.key`, `admin.crt`, `admin.key`.
    pub(crate) pki: PathBuf,
    logs: PathBuf,
    pids: BTreeMap<String, u32>,
}

/// A running control plane with two nodes.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    child: Child,
    input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
    facts: Facts,
}

/// As `/proc` tells them: `T` is stopped, `Z` is dead and not yet buried. Of a process that is gone there are none.
fn thread_states(pid: &str) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    stats
        .filter_map(|stat| {
            let (_, rest) = stat.rsplit_once(") ")?;
            rest.split(' ').next().map(str::to_owned)
        })
        .collect()
}

impl ControlPlane {
    /// The one that all tests share: each works in namespaces of its own and breaks nothing.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: LazyLock<ControlPlane> = LazyLock::new(|| ControlPlane::start(None));
        tokio::task::spawn_blocking(|| &*SHARED).await.unwrap()
    }

    /// One that may be broken, with these certificates or its own. One such at a time: each takes 800 MB.
    pub(crate) async fn own(pki: Option<PathBuf>) -> Own {
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let turn = TURN.lock().await;
        let plane = tokio::task::spawn_blocking(move || Self::start(pki.as_deref()));
        Own { plane: plane.await.unwrap(), _turn: turn }
    }

    fn start(pki: Option<&Path>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        let folder = tools::target().join("kubernetes");
        let state = folder.join(format!("run-{process}-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&folder).unwrap();
        remove_what_is_left(&folder);
        let mut command = std::process::Command::new(binary());
        command.arg("up").arg("--dir").arg(&state);
        if let Some(pki) = pki {
            command.arg("--pki").arg(pki);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(state.with_extension("log")).unwrap())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let facts = read_facts(&mut lines, &state);
        Self { inner: Arc::new(Mutex::new(Inner { child, input, lines, facts })) }
    }

    pub(crate) fn facts(&self) -> Facts {
        self.inner.lock().unwrap().facts.clone()
    }

    /// Serves with other certificates from now on, as after the rotation of a cluster's CA. Also restarts the
    /// API server where they are the same. What is in the cluster stays.
    pub(crate) async fn serve_with(&self, pki: &Path) {
        let (inner, pki) = (Arc::clone(&self.inner), pki.to_owned());
        let serve = move || {
            let mut inner = inner.lock().unwrap();
            let logs = inner.facts.logs.clone();
            writeln!(inner.input.as_mut().unwrap(), "{}", pki.display()).unwrap();
            inner.facts = read_facts(&mut inner.lines, &logs);
        };
        tokio::task::spawn_blocking(serve).await.unwrap();
    }

    /// Sends a signal to the API server: `STOP`, `CONT`, `KILL`.
    pub(crate) fn signal_api_server(&self, name: &str) {
        let pid = self.facts().pids["kube-apiserver"].to_string();
        let status = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(status.success(), "kill -s {name} {pid}: {status}");
        // A signal takes effect thread by thread: on a busy machine one of them answers a request meanwhile.
        let reached: fn(&str) -> bool = match name {
            "STOP" => |state| state == "T",
            "KILL" => |state| state == "Z",
            _ => return,
        };
        while !thread_states(&pid).iter().all(|state| reached(state)) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The administrator's kubeconfig, as text.
    pub(crate) fn kubeconfig(&self) -> String {
        std::fs::read_to_string(self.facts().kubeconfig).unwrap()
    }

    pub(crate) fn ca(&self) -> String {
        std::fs::read_to_string(self.facts().pki.join("ca.crt")).unwrap()
    }

    /// The administrator.
    pub(crate) fn client(&self) -> Client {
        client(&self.kubeconfig())
    }

    /// Somebody else, by a certificate that this cluster's own signer makes of our request.
    pub(crate) async fn client_as(&self, user: &str, groups: &[&str]) -> Client {
        let key = ClientKey::generate().unwrap();
        let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
        let certificate = self.sign(&key.signing_request(user, &groups).unwrap()).await;
        let (server, ca) = (self.facts().url, self.ca());
        let none = Surroundings::default();
        let access = Access::with_certificate(&server, &ca, &certificate, key.pem(), &none);
        Client::with_limits(access.unwrap(), LIMITS)
    }

    /// Has a request for a client's certificate signed.
    pub(crate) async fn sign(&self, request: &str) -> String {
        use base64::Engine;
        use base64::prelude::BASE64_STANDARD;
        let name = unique("request");
        self.apply(&json!({
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": { "name": name },
            "spec": {
                "request": BASE64_STANDARD.encode(request),
                "signerName": "kubernetes.io/kube-apiserver-client",
                "usages": ["client auth"],
            },
        }))
        .await;
        self.kubectl(&["certificate", "approve", &name]).await.ok();
        let signed = "jsonpath={.status.certificate}";
        let wait = [
            "wait",
            "--for=jsonpath={.status.certificate}",
            "--timeout=300s",
            "--output",
            signed,
            "csr",
            &name,
        ];
        let encoded = self.kubectl(&wait).await.ok().stdout;
        String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).unwrap()).unwrap()
    }

    /// A new namespace.
    pub(crate) async fn namespace(&self) -> String {
        let name = unique("ns");
        self.kubectl(&["create", "namespace", &name]).await.ok();
        name
    }

    /// `kubectl`, as the administrator.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> Run {
        self.kubectl_with(arguments, "").await
    }

    /// `kubectl apply`.
    pub(crate) async fn apply(&self, manifest: &Value) {
        self.kubectl_with(&["apply", "-f", "-"], &manifest.to_string()).await.ok();
    }

    /// The object as the server has it.
    pub(crate) async fn get(&self, namespace: &str, object: &str) -> Value {
        let run = self.kubectl(&["get", "--namespace", namespace, "--output=json", object]).await;
        serde_json::from_str(&run.ok().stdout).unwrap()
    }

    /// `kubectl`, as whoever these files (a list as `KUBECONFIG` has it) describe.
    pub(crate) async fn kubectl_by(&self, kubeconfig: &str, arguments: &[&str]) -> Run {
        run(arguments, "", &[("KUBECONFIG", kubeconfig)]).await
    }

    async fn kubectl_with(&self, arguments: &[&str], input: &str) -> Run {
        let kubeconfig = self.facts().kubeconfig.display().to_string();
        run(arguments, input, &[("KUBECONFIG", &kubeconfig)]).await
    }
}

async fn run(arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Run {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut child = Command::new(binary())
        .arg("kubectl")
        .args(arguments)
        .env_clear()
        .env("HOME", folder.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.expect("kubectl hangs").unwrap();
    Run::new(format!("kubectl {}", arguments.join(" ")), &output)
}

impl Drop for Inner {
    fn drop(&mut self) {
        // It ends with its input; a stopped API server is killed by it all the same.
        self.input = None;
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.facts.logs);
    }
}

/// A control plane of a test's own. Ends with it.
#[derive(Debug)]
pub(crate) struct Own {
    plane: ControlPlane,
    _turn: tokio::sync::MutexGuard<'static, ()>,
}

impl std::ops::Deref for Own {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        &self.plane
    }
}

/// A client with this kubeconfig, and limits that make a failing test end soon.
pub(crate) fn client(kubeconfig: &str) -> Client {
    let access = Access::from_kubeconfig(kubeconfig, None, &Surroundings::default()).unwrap();
    Client::with_limits(access, LIMITS)
}

/// A folder of certificates by a CA of their own, to serve with.
pub(crate) fn other_pki() -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let status = std::process::Command::new(binary()).arg("pki").arg(folder.path()).status();
    assert!(status.unwrap().success());
    folder
}

/// The one binary that everything is in; built where it is not, or is of other sources.
pub(crate) fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubernetes");
        let folder = tools::target().join("kubernetes");
        std::fs::create_dir_all(&folder).unwrap();
        // Only one of all test processes builds it.
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let binary = folder.join("kube");
        let wanted = fingerprint(&sources);
        let told = std::process::Command::new(&binary).arg("fingerprint").output();
        if told.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == wanted) {
            return binary;
        }
        let build = std::process::Command::new(sources.join("build.sh"))
            .arg(&binary)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            build.status.success(),
            "the Kubernetes for the tests was not built. It needs Go 1.26 (https://go.dev/dl) and its module proxy:\n{}",
            String::from_utf8_lossy(&build.stderr)
        );
        binary
    });
    &BINARY
}

/// As the binary computes it of the sources that it was built from.
fn fingerprint(sources: &Path) -> String {
    let mut names: Vec<_> = std::fs::read_dir(sources)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            matches!(&**name, "go.mod" | "go.sum")
                || Path::new(name).extension().is_some_and(|kind| kind == "go" || kind == "yaml")
        })
        .collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(format!("{name}\n"));
        hash.update(std::fs::read(sources.join(name)).unwrap());
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What test processes have left that are gone.
fn remove_what_is_left(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let process = name.strip_prefix("run-").and_then(|rest| rest.split('-').next());
        let Some(process) = process else { continue };
        if !Path::new("/proc").join(process).exists() {
            // Another process may be faster.
            let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
        }
    }
}

fn read_facts(lines: &mut BufReader<ChildStdout>, state: &Path) -> Facts {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|_| {
        let log = std::fs::read_to_string(state.with_extension("log")).unwrap_or_default();
        panic!("the Kubernetes for the tests did not start:\n{log}")
    })
}

const LIMITS: Limits =
    Limits { connect: Duration::from_secs(10), request: Duration::from_secs(20), attempts: 4 };
const PATIENCE: Duration = Duration::from_mins(10);
