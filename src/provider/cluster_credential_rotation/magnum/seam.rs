//! The seam: how the cluster is found, what is seen of it, and what changes it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cloud::openstack::magnum::{Restarts, is_gone};
use crate::provider::arguments::written;
use crate::provider::cluster_credential_rotation::magnum::cluster::{MagnumCluster, first};
use crate::provider::cluster_credential_rotation::magnum::notes::Notes;
use crate::provider::cluster_credential_rotation::magnum::{
    Credential, MagnumPlatform, Memory, NAME, Owner, inside, refusals, restarts, told, uuid,
};
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster, Failure, Known, Look, Opened, Platform as _, Stage, When, Which,
};
use crate::provider::magnum::{not_found, unreadable};
use crate::provider::openstack::{NotYet, patience, token};
use crate::rotation::course::{Standing, Trace};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};

/// Finds the cluster: the state's, else the one that the block names.
pub async fn open(platform: &MagnumPlatform, cx: &Context, which: Which<'_>) -> Result<Opened> {
    let services = platform.services.clone();
    let session = match services.openstack.session().await? {
        Ok(session) => session,
        Err(NotYet(setting)) => return Ok(Opened::NotYet(format!("openstack.{setting}"))),
    };
    let patience = patience(cx);
    let caller = token(&session, &patience).await?;
    let known = which.known();
    let memory = known.map_or_else(Memory::default, |known| Memory::of(known.memory));
    let named = || platform.block.cluster.known().cloned().unwrap_or_default();
    let id = known.map_or_else(named, |known| uuid(known.state));
    let looked_up = match which {
        Which::LookedAt(_) => services.clusters.cluster(&session, &id, &patience).await,
        Which::Named | Which::ActedOn(_) => services.clusters.fresh(&session, &id, &patience).await,
    };
    let found = match (looked_up, known) {
        (Ok(found), _) => found,
        (Err(error), Some(known)) if is_gone(&error, &id) => {
            let own = caller.project.as_ref().map(|project| &project.id);
            let name = platform.called(known);
            let elsewhere = memory.project_id.is_some() && memory.project_id.as_ref() != own;
            return Ok(if elsewhere {
                Opened::Hidden(told::elsewhere(&name, &caller))
            } else {
                Opened::Gone(told::gone(&name))
            });
        }
        (Err(error), Some(_)) => {
            return Err(unreadable(&format!("read the cluster {id}"), &error).into());
        }
        (Err(error), None) => {
            return Err(not_found(&session, &id, &error, &patience)
                .await
                .at(inside("cluster"))
                .into());
        }
    };
    let owner = Owner::seen(&found.cluster, &caller).or(memory.owner);
    Ok(Opened::Here(Box::new(MagnumCluster {
        services,
        session,
        caller,
        patience,
        block: platform.block.clone(),
        credential: platform.credential,
        found,
        planned_by: memory.looked_by,
        owner,
        entered: Mutex::default(),
    })))
}

/// What tells a credential from the next one: its owner, and the ids or the fingerprint.
fn signs(owner: Option<&String>, marks: Option<&[String]>) -> Option<Value> {
    (owner.is_some() || marks.is_some()).then(|| json!({ "owner": owner, "marks": marks }))
}

fn marks(signs: &Value) -> BTreeSet<&str> {
    signs["marks"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// How long an ambiguous answer may be followed by an effect: Magnum waits for its driver for 60 seconds, and the driver
/// goes on after that.
const MAY_STILL_COME: SignedDuration = SignedDuration::from_mins(2);

#[async_trait]
impl Cluster for MagnumCluster {
    fn platform(&self) -> &'static str {
        NAME
    }

    fn id(&self) -> String {
        format!("{}/{}", self.uuid(), self.credential.name())
    }

    fn called(&self) -> String {
        told::called(self.shown())
    }

    fn memory(&self) -> Value {
        let memory = Memory {
            cluster_name: Some(self.shown().name.clone()),
            looked_by: Some(self.caller.user.id.clone()),
            owner: self.owner.clone(),
            project_id: self.shown().project_id.clone(),
            restarts: match self.found.restarts() {
                Restarts::Needed => Some(true),
                Restarts::NotNeeded => Some(false),
                Restarts::Unknown => None,
            },
        };
        serde_json::to_value(memory).unwrap_or_default()
    }

    async fn look(&self, cx: &Context, state: &ClusterRotation) -> Result<Look> {
        let mut look = Look { own: self.is_owner(), ..Look::default() };
        let owner = self.shown().user_id.as_ref();
        look.facts.set(Fact::OwnerUserId, owner);
        match self.credential {
            Credential::ApplicationCredential if look.own => {
                let listed = self.listed().await.map_err(|error| {
                    unreadable("list the application credentials of the cluster", &error)
                })?;
                let ids: Vec<String> = listed.into_iter().collect();
                look.signs = signs(owner, Some(&ids));
                look.facts.set(Fact::ApplicationCredentialIds, ids);
            }
            Credential::ApplicationCredential => look.signs = signs(owner, None),
            Credential::CaCertificate => {
                match self.session.magnum().ca(self.uuid(), &self.patience).await {
                    Ok(pem) => {
                        let Some(ca) = first(&pem) else { return Ok(look) };
                        look.signs = signs(None, Some(std::slice::from_ref(&ca.sha256)));
                        look.lifetime = Some(ca.not_after.duration_since(ca.not_before));
                        look.facts.set(Fact::CaCertificateSha256, ca.sha256);
                        look.facts.set(Fact::ExpiresAt, written(ca.not_after));
                    }
                    Err(error) if error.status() == Some(403) => {
                        cx.tell(told::ca_hidden(&self.called(), state));
                    }
                    Err(error) => {
                        return Err(unreadable("read the cluster's CA", &error).into());
                    }
                }
            }
        }
        Ok(look)
    }

    fn signs_of(&self, state: &ClusterRotation) -> Option<Value> {
        match self.credential {
            Credential::ApplicationCredential => signs(
                state.owner_user_id.known(),
                state.application_credential_ids.known().map(Vec::as_slice),
            ),
            Credential::CaCertificate => {
                signs(None, state.ca_certificate_sha256.known().map(std::slice::from_ref))
            }
        }
    }

    fn standing(&self, then: Option<&Value>, now: &Look) -> Standing {
        let (Some(then), Some(signs)) = (then, &now.signs) else { return Standing::Unseen };
        // A cluster changes its owner by a rotation, and by nothing else.
        let owners = (then["owner"].as_str(), signs["owner"].as_str());
        if let (Some(before), Some(owner)) = owners
            && before != owner
        {
            return if now.own { Standing::Newer } else { Standing::OfAnother };
        }
        let (known, seen) = (marks(then), marks(signs));
        if seen.is_empty() || known.is_empty() {
            return Standing::Unseen;
        }
        // One that a driver left behind when it failed may be among both.
        let (made, gone) = (!seen.is_subset(&known), !known.is_subset(&seen));
        if made && gone { Standing::Newer } else { Standing::Same }
    }

    async fn refusals(&self, cx: &Context, when: When) -> Vec<Diagnostic> {
        refusals::all(self, cx, when).await
    }

    async fn forewarn(&self, _cx: &Context, known: Option<Known<'_>>) -> Vec<Diagnostic> {
        let cluster = self.shown();
        let mut warnings = Vec::new();
        match self.credential {
            Credential::CaCertificate => warnings.push(told::ca_rotation(&self.called())),
            Credential::ApplicationCredential => {
                if !self.is_owner() {
                    let owner = cluster.user_id.as_deref().unwrap_or_default();
                    let noted = self.owner.as_ref().filter(|noted| noted.id == owner);
                    let former = if let Some(noted) = noted {
                        Some(noted.name.clone())
                    } else {
                        let user = self.session.keystone().user(owner, &self.patience).await;
                        user.ok().map(|user| user.name)
                    };
                    warnings.push(told::owner_changes(cluster, &self.caller, former.as_deref()));
                }
                // A create's lines show what was asked for by name; those of an update hide what does not change.
                let asked_for = self.block.restart_workloads.known().is_some();
                let restarts = restarts(&self.block, self.found.restarts()) == Some(true);
                if restarts && (known.is_some() || !asked_for) {
                    let names = super::workloads::names(&self.block).unwrap_or_default();
                    if !names.is_empty() {
                        warnings.push(told::restarts(&self.called(), &names));
                    }
                }
            }
        }
        warnings
    }

    async fn mark(&self, state: &ClusterRotation) -> Result<Value> {
        let known = self.of_cluster().await.map_err(|error| {
            crate::provider::errors::call(
                "Cannot read application credentials",
                "list the application credentials of the login before the rotation",
                &error,
                "Nothing was sent.",
                "",
            )
        })?;
        let ca_before = match self.credential {
            Credential::CaCertificate => {
                self.session.magnum().ca(self.uuid(), &self.patience).await.ok()
            }
            Credential::ApplicationCredential => None,
        };
        let notes = Notes {
            ca_sha256_before: ca_before.as_deref().and_then(first).map(|ca| ca.sha256),
            ca_before,
            known,
            left: self.to_restart(state),
            owner_before: self.shown().user_id.clone(),
            sender: self.caller.user.id.clone(),
            updated_before: self.shown().updated_at.clone(),
            ..Notes::default()
        };
        Ok(notes.write())
    }

    fn found(&self, state: &ClusterRotation, then: Option<&Value>) -> Value {
        let none = Value::Null;
        let then = then.unwrap_or(&none);
        let known: BTreeSet<String> = marks(then).into_iter().map(str::to_owned).collect();
        let of_ca = self.credential == Credential::CaCertificate;
        let notes = Notes {
            ca_sha256_before: known.first().filter(|_| of_ca).cloned(),
            known: if of_ca { BTreeSet::new() } else { known },
            left: self.to_restart(state),
            owner_before: then["owner"].as_str().map(str::to_owned),
            sender: self.caller.user.id.clone(),
            ..Notes::default()
        };
        notes.write()
    }

    async fn send(
        &self,
        _cx: &Context,
        _state: &ClusterRotation,
        notes: &mut Value,
    ) -> Result<(), Failure> {
        let mut written = Notes::of(notes);
        let sent = super::rotate::send(self, &mut written).await;
        *notes = written.write();
        sent
    }

    async fn trace(&self, notes: &Value) -> Result<Trace> {
        let happened = self.has_rotated(&Notes::of(notes)).await;
        match happened {
            Ok(true) => Ok(Trace::Found),
            Ok(false) => Ok(Trace::NotFound),
            Err(error) => {
                let doing = format!("learn what became of the last rotation of {}", self.called());
                Err(refusals::after_sending(&doing, &error).into())
            }
        }
    }

    fn settled_by(&self, sent_at: Timestamp) -> Timestamp {
        sent_at.saturating_add(MAY_STILL_COME).unwrap_or(Timestamp::MAX)
    }

    async fn advance(&self, stage: &mut Stage<'_>) -> Result<Advance, Failure> {
        Box::pin(super::prove::advance(self, stage)).await
    }
}

impl MagnumCluster {
    /// The workloads that this rotation restarts: what the plan has promised, where it could.
    fn to_restart(&self, state: &ClusterRotation) -> Option<BTreeSet<String>> {
        if self.credential == Credential::CaCertificate {
            return None;
        }
        if let Some(promised) = state.restarts.known() {
            return Some(promised.iter().cloned().collect());
        }
        let needed = restarts(&self.block, self.found.restarts()) == Some(true);
        let names = super::workloads::names(&self.block).filter(|_| needed).unwrap_or_default();
        Some(names.into_iter().collect())
    }
}
