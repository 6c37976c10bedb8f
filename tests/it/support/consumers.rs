//! Consumers: they hold a clouds.yaml that somebody wrote for them and keep logging in with it, as jobs
//! and services do. They know nothing of Terraform or of rotations.
//!
//! How fast they do it is not part of any promise: a test waits until each has logged in a few times more.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::openstack::{Keystone, http_client, issue};

/// Between two logins of one consumer, so that the rest of the machine is not starved.
const PAUSE: Duration = Duration::from_millis(150);
/// Longer than any login takes; a consumer that hangs becomes a failure.
const PATIENCE: Duration = Duration::from_mins(10);

/// How a consumer treats the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Reads it for each login: a job that starts anew each time.
    Job,
    /// Reads it once and holds what it read until it is restarted.
    Service,
}

/// By what a consumer logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// A task of this process.
    Task,
    /// A process of its own, with openstacksdk.
    Process,
}

/// What a consumer has experienced since it was made, restarts included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) logins: usize,
    /// The credential of the last login.
    pub(crate) holds: String,
    /// Everything it has ever logged in with.
    pub(crate) held: BTreeSet<String>,
    /// What each refusal said.
    pub(crate) refused: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Consumer {
    client: Client,
    habit: Habit,
    file: PathBuf,
    tally: watch::Sender<Tally>,
    task: JoinHandle<()>,
}

impl Consumer {
    /// Starts to log in with the cloud `ci` of this file.
    pub(crate) fn start(client: Client, habit: Habit, file: &Path) -> Self {
        let tally = watch::Sender::default();
        let task = run(client, habit, file, &tally);
        Self { client, habit, file: file.to_owned(), tally, task }
    }

    /// Ends it in the middle of whatever it does, and starts it anew.
    pub(crate) fn restart(&mut self) {
        self.task.abort();
        self.task = run(self.client, self.habit, &self.file, &self.tally);
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally.borrow().clone()
    }

    pub(crate) fn is_service(&self) -> bool {
        self.habit == Habit::Service
    }

    /// Waits until it has logged in so many times more.
    pub(crate) async fn goes_on(&self, times: usize) {
        let before = self.tally().logins;
        self.waits(|tally| tally.logins >= before + times).await;
    }

    /// Waits until it has been refused once more.
    pub(crate) async fn is_refused(&self) {
        let before = self.tally().refused.len();
        self.waits(|tally| tally.refused.len() > before).await;
    }

    async fn waits(&self, until: impl FnMut(&Tally) -> bool) {
        let mut changes = self.tally.subscribe();
        let done = changes.wait_for(until);
        let in_time = tokio::time::timeout(PATIENCE, done).await.is_ok();
        assert!(in_time, "a consumer stands still: {self:?}");
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn run(client: Client, habit: Habit, file: &Path, tally: &watch::Sender<Tally>) -> JoinHandle<()> {
    let (file, tally) = (file.to_owned(), tally.clone());
    match client {
        Client::Task => tokio::spawn(as_task(habit, file, tally)),
        Client::Process => tokio::spawn(as_process(habit, file, tally)),
    }
}

fn note(tally: &watch::Sender<Tally>, id: &str, refusal: Option<String>) {
    tally.send_modify(|tally| match refusal {
        None => {
            tally.logins += 1;
            id.clone_into(&mut tally.holds);
            tally.held.insert(id.to_owned());
        }
        Some(text) => tally.refused.push(format!("{id}: {text}")),
    });
}

async fn as_task(habit: Habit, file: PathBuf, tally: watch::Sender<Tally>) {
    let http = http_client();
    let mut held = read(&file);
    loop {
        if habit == Habit::Job {
            held = read(&file);
        }
        let (auth_url, id, login) = &held;
        let answer = issue(&http, auth_url, login).await;
        note(&tally, id, answer.err().map(|(status, text)| format!("{status} {text}")));
        tokio::time::sleep(PAUSE).await;
    }
}

/// Where to log in, with which credential, and the request that does it.
fn read(file: &Path) -> (String, String, Value) {
    let text = std::fs::read_to_string(file).unwrap();
    let clouds: Value = serde_saphyr::from_str(&text).unwrap();
    let auth = &clouds["clouds"]["ci"]["auth"];
    let part = |name: &str| auth[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
    let id = part("application_credential_id");
    let login = json!({ "auth": { "identity": {
        "methods": ["application_credential"],
        "application_credential": { "id": id, "secret": part("application_credential_secret") },
    }}});
    (part("auth_url"), id, login)
}

/// One line for each login: the credential, and what went wrong if anything did.
const SCRIPT: &str = r#"
import sys, time
import openstack
from keystoneauth1.exceptions import ClientException

def connect():
    cloud = openstack.connect(cloud="ci")
    return cloud, cloud.config.get_auth_args()["application_credential_id"]

cloud, held = connect()
while True:
    if sys.argv[1] == "Job":
        cloud, held = connect()
    else:
        cloud.session.invalidate()
    try:
        cloud.authorize()
        print(held, flush=True)
    except (openstack.exceptions.SDKException, ClientException) as error:
        print(held, " ".join(str(error).split()), flush=True)
    time.sleep(float(sys.argv[2]))
"#;

async fn as_process(habit: Habit, file: PathBuf, tally: watch::Sender<Tally>) {
    let mut process = Command::new(Keystone::python())
        .args(["-c", SCRIPT, &format!("{habit:?}"), &PAUSE.as_secs_f64().to_string()])
        .env_clear()
        .env("HOME", file.parent().unwrap())
        .env("OS_CLIENT_CONFIG_FILE", &file)
        .env("PYTHONWARNINGS", "ignore")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        match line.split_once(' ') {
            None => note(&tally, &line, None),
            Some((id, refusal)) => note(&tally, id, Some(refusal.to_owned())),
        }
    }
    panic!("a consumer ended by itself: {:?}", process.wait().await);
}
