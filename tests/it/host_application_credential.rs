//! `rekey_application_credential` under the test host and against the stand-in Keystone: what Terraform
//! and OpenTofu do with its plans, by the row of what was observed of them; awkward hosts; faults.
//!
//! What was observed of the CLIs, by subject, and where it is held here or with the real ones:
//!
//! | subject | tests |
//! |---|---|
//! | overlap: what is known and unknown in a plan, what a second apply does, what the end of an overlap changes | `life`, `golden::ending`, `golden::printing` |
//! | schedule without an overlap: the forced replacement, its order, `prevent_destroy` | `life`, `golden::rotating`, `golden::printing` |
//! | notes of changes outside | `golden::printing` |
//! | time: plans made before a deadline and applied after it, or under another login; stale plans | `awkward`, `golden::printing` |
//! | refresh: skipped, alone, at rest | `awkward`, `golden::printing` |
//! | policy that changes, or is held, while something is due | `awkward`, `golden::rotating`, `golden::ending` |
//! | old generations: dates that move, that vanish, that cannot be revoked; strays | `old_generations`, `golden::ending` |
//! | taint, `-replace`, either order, and a replacement that fails after its effect | `life`, `failures` |
//! | a create or update that fails after its effect | `failures`, `faults`, `crash` |
//! | identity | `adopted`, `awkward`, `owners`; the host refuses unknown parts of it |
//! | import and `moved` | `adopted`, `scenarios::adopt`, `examples` |
//! | unknown triggers, unknown provider | `awkward`, `golden::printing`, `scenarios::login` |
//! | `secret_wo` | `secrets`, `scenarios::issue` |
//! | warnings: from which call, how often, folded | `owners`, `golden::printing` |
//! | many of one block | `owners`, `golden::printing`, `scenarios::many` |

mod adopted;
mod awkward;
mod clocks;
mod configured;
mod crash;
mod elsewhere;
mod failures;
mod faults;
mod fleet;
mod histories;
mod left_behind;
mod life;
mod old_generations;
mod owners;
mod plan_tells;
mod rate_limit;
mod rights;
mod rules;
mod secrets;
mod strays;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rekey::clock;
use rekey::cloud::Surroundings;
use rekey::provider;
use rekey_sandbox::Sandbox;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::host::{Host, InProcess, Workspace};

/// The address that these tests use.
pub(crate) const CI: &str = "rekey_application_credential.ci";

/// A Keystone, and a host whose provider sees no other surroundings than this.
pub(crate) struct Bed {
    pub(crate) cloud: Arc<Sandbox>,
    pub(crate) host: Host,
}

impl Bed {
    pub(crate) async fn start() -> Self {
        // Another test may have left this thread in the future.
        clock::shift(SignedDuration::ZERO);
        let host = Host::new(InProcess(|| provider::registry_in(Surroundings::default())));
        Self { cloud: Arc::new(Sandbox::start().await), host }
    }

    /// The provider block of a user on a project.
    pub(crate) fn login_on(&self, user: &str, project: &str) -> Json {
        let account = self.cloud.user(user);
        json!({ "openstack": {
            "auth_url": self.cloud.auth_url(),
            "username": account.name,
            "password": account.password,
            "user_domain_name": "Default",
            "project_name": project,
            "project_domain_name": "Default",
            "region_name": "RegionOne",
            "timeout": "PT5S",
        } })
    }

    /// The provider block of a user on the project demo.
    pub(crate) fn login(&self, user: &str) -> Json {
        self.login_on(user, "demo")
    }

    /// The provider block of an application credential.
    pub(crate) fn login_with(&self, id: &str, secret: &str) -> Json {
        json!({ "openstack": {
            "auth_url": self.cloud.auth_url(),
            "application_credential_id": id,
            "application_credential_secret": secret,
        } })
    }

    /// A directory of alice's with one credential in its configuration.
    pub(crate) fn workspace(&self, config: Json) -> Workspace {
        let mut ws = self.host.workspace();
        ws.provider(self.login("alice")).resource(CI, config);
        ws
    }

    /// Lets time pass, for the cloud and for the provider.
    pub(crate) fn pass(&self, by: SignedDuration) {
        self.cloud.advance(by);
        clock::shift(self.cloud.now().duration_since(Timestamp::now()));
    }

    pub(crate) fn pass_days(&self, days: i64) {
        self.pass(SignedDuration::from_hours(24 * days));
    }

    /// Whether a consumer can log in with what it holds.
    pub(crate) async fn opens(&self, id: &Json, secret: &Json) -> bool {
        let body = json!({ "auth": { "identity": {
            "methods": ["application_credential"],
            "application_credential": { "id": id, "secret": secret },
        } } });
        let status = post(&self.cloud, "/v3/auth/tokens", &body).await;
        assert!(matches!(status, 201 | 401 | 404), "{status}");
        status == 201
    }

    /// Whether the credential in the state opens.
    pub(crate) async fn current_opens(&self, ws: &Workspace) -> bool {
        self.opens(&ws.attribute(CI, "id"), &ws.attribute(CI, "secret")).await
    }

    /// Ids of everything that alice has.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.cloud.credentials("alice").into_iter().map(|it| it.id).collect()
    }

    /// Which calls change anything, since the log was reset: `POST`, `DELETE` and logins with a
    /// credential.
    pub(crate) fn effects(&self) -> Vec<String> {
        let telling =
            |kind: &String| kind.contains("application_credentials") && !kind.starts_with("GET");
        self.cloud.calls().iter().map(rekey_sandbox::Call::kind).filter(telling).collect()
    }
}

/// One request by hand, so that no client's retries stand between the test and the cloud.
async fn post(cloud: &Sandbox, path: &str, body: &Json) -> u16 {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        cloud.address(),
        body.len()
    );
    let mut stream = TcpStream::connect(cloud.address()).await.expect("the sandbox listens");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer));
    read.await.expect("an answer in time").unwrap();
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line")
}
