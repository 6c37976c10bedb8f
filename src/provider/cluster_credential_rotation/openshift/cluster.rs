//! The cluster that was found: what was seen of it, and the rotation in hand.

use std::sync::{Mutex, PoisonError};

use crate::clock;
use crate::cloud::http::Patience;
use crate::cloud::openshift::procedure::{Flight, Task};
use crate::cloud::openshift::refusal::Route;
use crate::cloud::openshift::{Client, Error, Platform as Cloud, Salt, Situation};
use crate::provider::cluster_credential_rotation::openshift::block::{Given, Openshift};
use crate::provider::cluster_credential_rotation::openshift::notes::Notes;
use crate::provider::cluster_credential_rotation::workloads::named_in_state;

/// A cluster, as this login sees it.
#[derive(Debug)]
pub(super) struct OpenshiftCluster {
    pub(super) client: Client,
    pub(super) patience: Patience,
    pub(super) block: Openshift,
    pub(super) given: Given,
    pub(super) limits: crate::cloud::openshift::procedure::Limits,
    /// It is only looked at: what is amiss is told.
    pub(super) looks: bool,
    /// In mint mode, and the root secret was there when it was last seen.
    pub(super) had_root: bool,
    pub(super) situation: Mutex<Situation>,
    /// The rotation that this process is at, with what it has seen of it.
    pub(super) flight: Mutex<Option<Flight>>,
}

impl OpenshiftCluster {
    /// As it was last seen.
    pub(super) fn situation(&self) -> Situation {
        self.situation.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks anew at all that a rotation changes.
    pub(super) async fn look_again(&self) -> std::result::Result<Situation, Error> {
        let mut situation = self.situation();
        situation.look_again(&self.client, &self.patience).await?;
        situation.look_at_consumers(&self.client, &self.patience).await?;
        *self.situation.lock().unwrap_or_else(PoisonError::into_inner) = situation.clone();
        Ok(situation)
    }

    /// The rotation in hand, with what this process knows of it; else as it is noted.
    pub(super) fn flight(&self, notes: &Notes) -> Option<Flight> {
        let held = self.flight.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let same =
            |held: &Flight| notes.flight.as_ref().is_some_and(|noted| noted.salt == held.salt);
        held.filter(same).or_else(|| notes.flight.clone().map(Flight::resumed))
    }

    pub(super) fn keep(&self, flight: &Flight) {
        *self.flight.lock().unwrap_or_else(PoisonError::into_inner) = Some(flight.clone());
    }

    pub(super) fn task(&self, platform: Cloud) -> Task<'_> {
        Task {
            platform,
            new_root: self.given.root(),
            remove_root_after: self.block.remove_root_after.known() == Some(&true),
            limits: self.limits,
        }
    }

    /// The way that a rotation takes here.
    pub(super) fn route(&self, situation: &Situation) -> Option<Route> {
        Route::of(situation, !matches!(self.given, Given::Nothing))
    }

    /// A rotation that begins, or the one that the cluster's own mark tells of.
    pub(super) fn begun(&self, found: bool) -> Option<Flight> {
        let situation = self.situation();
        if let Some(marked) = Flight::marked(&situation) {
            return Some(marked);
        }
        let (platform, route) = (situation.platform?, self.route(&situation)?);
        let changes = self
            .given
            .root()
            .is_some_and(|new| !found && !new.changes(situation.root.as_ref()).is_empty());
        let salt = Salt::random().ok()?;
        Some(Flight::begin(platform, route, &situation, salt, changes, clock::now()))
    }

    pub(super) fn noted(&self, found: bool) -> Notes {
        let left = named_in_state(&self.block.workloads).known().cloned().unwrap_or_default();
        let left = left.into_iter().collect();
        Notes { flight: self.begun(found), left, ..Notes::default() }
    }
}
