//! The user's own workloads that read the components' secrets: restarted at the end, and every pod of them seen to be
//! new.

use std::collections::BTreeSet;

use crate::cloud::kubernetes::{Rollout, Workload};
use crate::provider::cluster_credential_rotation::openshift::block::Openshift;
use crate::provider::cluster_credential_rotation::openshift::cluster::OpenshiftCluster;
use crate::provider::cluster_credential_rotation::openshift::notes::Notes;
use crate::provider::cluster_credential_rotation::openshift::{inside, told};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster as _, Failure, Proof, Stage,
};
use crate::provider::cluster_credential_rotation::workloads::{self, Restarts};
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics};

/// Those that the block names.
pub(super) fn wanted(block: &Openshift) -> Result<Vec<Workload>, Diagnostic> {
    let named = block.workloads.known().map(Vec::as_slice).unwrap_or_default();
    workloads::wanted(named).map_err(|error| workloads::no_name(&error, inside("workloads")))
}

/// All that are left.
pub(super) async fn advance(
    cluster: &OpenshiftCluster,
    stage: &Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    let unfinished = |why: Diagnostic| Failure::Unfinished(why.into());
    let not_restarted = |workload: Option<&Workload>, error: &_| {
        told::not_restarted(&cluster.called(), workload, error)
    };
    let wanted = wanted(&cluster.block).map_err(unfinished)?;
    let mut without_pods = BTreeSet::new();
    let restarts = Restarts { left: &mut notes.left, asked_at: &mut notes.restarted_at };
    let came_back = |workload: &Workload, rollout: &Rollout| {
        if rollout.pods.is_empty() {
            without_pods.insert(workload.to_string());
        }
    };
    let client = cluster.client.kubernetes();
    let failed = restarts.carry_out(client, &wanted, &cluster.patience, came_back).await;
    let failed = failed.map_err(|error| unfinished(not_restarted(None, &error)))?;
    if !without_pods.is_empty() {
        let without_pods: Vec<_> = without_pods.into_iter().collect();
        stage.cx.tell(told::no_pods(&cluster.called(), &without_pods));
    }
    if failed.is_empty() {
        return Ok(Advance::Done(Proof::seen()));
    }
    let failures = failed.iter().map(|(workload, error)| not_restarted(Some(workload), error));
    Err(Failure::Unfinished(Diagnostics(failures.collect())))
}
