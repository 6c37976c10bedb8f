//! `rekey_cluster_credential_rotation` of an OKE cluster under the test host and against the sandbox's OKE: each
//! answer of the service that nobody has seen, faults at every call, processes killed at every call.

mod answers;
mod beside;
mod course;
mod crash;
mod faults;
mod workloads;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rekey::clock;
use rekey::cloud::Surroundings;
use rekey::provider;
use rekey_sandbox::{OkeAnswers, OkeEvent, OkeSeen, Sandbox};
use serde_json::{Value as Json, json};

use crate::host::{Host, InProcess, Workspace};

/// The address that these tests use.
const OKE: &str = "rekey_cluster_credential_rotation.oke";

/// A cloud in which alice has the OKE cluster `prod`, and a host whose provider sees no other surroundings.
struct Bed {
    cloud: Arc<Sandbox>,
    host: Host,
}

impl Bed {
    async fn start() -> Self {
        // Another test may have left this thread in the future.
        clock::shift(SignedDuration::ZERO);
        let host = Host::new(InProcess(|| provider::registry_in(Surroundings::default())));
        let cloud = Sandbox::start().await;
        cloud.create_oke_cluster("prod");
        Self { cloud: Arc::new(cloud), host }
    }

    async fn with(answers: OkeAnswers) -> Self {
        let bed = Self::start().await;
        bed.cloud.set_oke_answers(answers);
        bed
    }

    /// The provider's configuration with alice's API key.
    fn login(&self) -> Json {
        let alice = self.cloud.oci("alice");
        json!({ "oci": {
            "endpoint": alice.endpoint,
            "fingerprint": alice.fingerprint,
            "private_key": alice.private_key,
            "region": alice.region,
            "tenancy_ocid": alice.tenancy,
            "user_ocid": alice.user,
        } })
    }

    /// A directory of alice's with the resource and these arguments besides.
    fn workspace(&self, more: Json) -> Workspace {
        let mut ws = self.host.workspace();
        ws.provider(self.login());
        let mut config = json!({
            "oke": { "cluster_id": self.prod().id },
            "overlap": "P14D",
            "triggers": { "v": "1" },
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ws.resource(OKE, config);
        ws
    }

    fn prod(&self) -> OkeSeen {
        self.cloud.oke("prod")
    }

    fn happens(&self, event: &OkeEvent) {
        self.cloud.happen_to_oke(event);
    }

    /// Lets time pass, for the cloud and for the provider.
    fn pass_hours(&self, hours: i64) {
        self.cloud.advance(SignedDuration::from_hours(hours));
        clock::shift(self.cloud.now().duration_since(Timestamp::now()));
    }
}

/// The trigger's next value.
fn trigger(value: &str) -> Json {
    json!({ "triggers": { "v": value } })
}

/// Runs until nothing is left to do, so often at most; whether it came to that.
async fn rests(ws: &mut Workspace, runs: usize) -> bool {
    for _ in 0..runs {
        let plan = ws.plan().await;
        if plan.is_empty() && !plan.told.failed() {
            return true;
        }
        if !plan.told.failed() {
            let _ = ws.apply(&plan).await;
        }
    }
    let plan = ws.plan().await;
    plan.is_empty() && !plan.told.failed()
}
