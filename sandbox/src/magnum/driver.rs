//! The cluster driver: does, in the same order, what the test bed's stub driver and Magnum's driver for Cluster API
//! do. It is steered by the same labels of a cluster as the stub:
//!
//! - `stub_delay`: for how many seconds a status is `*_IN_PROGRESS`; without it, until somebody looks.
//! - `stub_create`, `stub_rotate_credential`, `stub_rotate_ca`: `fail`.
//!   The credential's may also `fail-late`: after the new credential was made, which is then left behind.
//! - `stub_rotate_delay`: how many seconds the rotation of the credential takes before anything is made, on the
//!   machine's own clock.
//! - `stub_handover_delay`: how many seconds it takes after the new credential was made, until the cluster has it and
//!   the former one is deleted.
//! - `stub_api_address`: what is told as the address of the API server, in place of its own.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

use super::model::{Cluster, Held, Magnum, Operation, Work};
use crate::http::{Content, Reply};
use crate::ids::Ids;
use crate::keystone::{Caller, Keystone};
use crate::world::locked;

impl Magnum {
    /// What Magnum does once a second: takes over what the drivers have come to by now.
    pub(crate) fn sync(&mut self, keystone: &Mutex<Keystone>, now: Timestamp) {
        for cluster in &mut self.clusters {
            if cluster.work.as_ref().is_some_and(|work| work.until <= now) {
                cluster.come_to_an_end(keystone, now);
            }
        }
        self.clusters.retain(|cluster| cluster.status != "DELETE_COMPLETE");
    }
}

impl Cluster {
    /// Lets the driver begin something.
    pub(crate) fn begin(&mut self, what: Operation, now: Timestamp) {
        let seconds = self.label("stub_delay").and_then(|text| text.parse().ok()).unwrap_or(0.0);
        let delay = SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
        let until = now.saturating_add(delay).unwrap_or(now);
        self.work = Some(Work { what, until });
    }

    fn come_to_an_end(&mut self, keystone: &Mutex<Keystone>, now: Timestamp) {
        let Some(work) = self.work.take() else { return };
        let fails = |label: &str| self.label(label) == Some("fail");
        let (name, verb, failed) = match work.what {
            Operation::Create => ("create", "CREATE", fails("stub_create")),
            Operation::Delete => ("delete", "DELETE", false),
            Operation::RotateCa => ("rotate_ca", "UPDATE", fails("stub_rotate_ca")),
        };
        match work.what {
            Operation::Create => {
                let own = || self.kubernetes.address();
                let address = self.label("stub_api_address").map_or_else(own, str::to_owned);
                self.api_address = Some(address);
            }
            Operation::Delete => {
                if let Some(held) = self.held.take() {
                    locked(keystone).remove_credential(&held.id);
                }
            }
            Operation::RotateCa if !failed => {
                self.kubernetes.serve_by(&self.authorities.kubernetes, now);
                self.ca_rotations += 1;
            }
            Operation::RotateCa => {}
        }
        let end = if failed { "FAILED" } else { "COMPLETE" };
        let reason = failed.then(|| format!("stub: {name} failed as the labels ask"));
        let owner = self.user_id.clone();
        self.set(&format!("{verb}_{end}"), reason, &owner, now);
        self.nodes_status.clone_from(&self.status);
    }

    /// Makes the cluster a new application credential of the caller's. The error is the driver's own text.
    pub(crate) fn make_new_credential(
        &mut self,
        keystone: &mut Keystone,
        ids: &mut Ids,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Held, String> {
        let made = if self.label("stub_rotate_credential") == Some("fail") {
            Err("stub: rotation failed as the labels ask".to_owned())
        } else {
            self.make_credential(keystone, ids, caller, now)
        };
        made.inspect_err(|error| self.give_up(error, now))
    }

    /// Gives it to the cluster, and the cluster to the caller; then deletes the former one, and sets the status last.
    pub(crate) fn take_new_credential(
        &mut self,
        keystone: &mut Keystone,
        held: Held,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(), String> {
        if self.label("stub_rotate_credential") == Some("fail-late") {
            let error = "stub: rotation failed after creating as the labels ask".to_owned();
            self.give_up(&error, now);
            return Err(error);
        }
        let former = self.held.replace(held);
        let left = former.and_then(|former| delete(keystone, &former).err());
        let reason = left.map(|error| {
            format!(
                "A new application credential was applied successfully but the previous application credential could not be \
                 deleted: {error}"
            )
        });
        self.rotations += 1;
        self.set("UPDATE_COMPLETE", reason, &caller.user_id, now);
        Ok(())
    }

    fn give_up(&mut self, error: &str, now: Timestamp) {
        let owner = self.user_id.clone();
        self.set("UPDATE_FAILED", Some(error.to_owned()), &owner, now);
    }

    /// The application credential that the nodes use; as the caller, with all the roles of the token.
    pub(crate) fn make_credential(
        &self,
        keystone: &mut Keystone,
        ids: &mut Ids,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Held, String> {
        let name = format!("magnum-{}-{}", self.uuid, &ids.hex()[..8]);
        let description = format!("Magnum cluster ({})", self.name);
        let user_id = caller.user_id.clone();
        let path = format!("/users/{user_id}/application_credentials");
        let issued = keystone.issue_for_service(caller, &name, &description, now);
        let issued = issued.map_err(|refusal| client_error(keystone, &path, &refusal))?;
        Ok(Held { id: issued.id, secret: issued.secret, user_id })
    }
}

fn delete(keystone: &mut Keystone, held: &Held) -> Result<(), String> {
    if keystone.remove_credential(&held.id).is_some() {
        return Ok(());
    }
    let Held { id, user_id, .. } = held;
    Err(format!(
        "No ApplicationCredential found for {id}: Client Error for url: {}/v3/users/{user_id}/application_credentials/{id}, Could not find \
         Application Credential: {id}.",
        keystone.base
    ))
}

/// A refusal in the words of the client library that Magnum's drivers use.
fn client_error(keystone: &Keystone, path: &str, refusal: &Reply) -> String {
    let status = refusal.status.as_u16();
    let kind = match status {
        400 => "BadRequestException",
        403 => "ForbiddenException",
        404 => "NotFoundException",
        409 => "ConflictException",
        _ => "HttpException",
    };
    let body = match &refusal.body {
        Content::Json(text) => serde_json::from_slice(text).unwrap_or_default(),
        _ => serde_json::Value::Null,
    };
    let message = body["error"]["message"].as_str().unwrap_or_default();
    format!("{kind}: {status}: Client Error for url: {}/v3{path}, {message}", keystone.base)
}
