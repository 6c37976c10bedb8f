//! What keeps OKE from rotating, as far as its API shows it: asked at plan, and by apply before it sends.

use crate::cloud::oci::container_engine::{ClusterLifecycle, NodeLifecycle, NodePoolLifecycle};
use crate::provider::cluster_credential_rotation::oke::cluster::OkeCluster;
use crate::provider::cluster_credential_rotation::oke::shown::{self, ROTATES};
use crate::provider::cluster_credential_rotation::oke::{told, workloads};
use crate::provider::cluster_credential_rotation::platform::{Cluster as _, When};
use crate::rotation::course::Phase;
use crate::tfplugin::diagnostics::Diagnostic;

/// Everything that is wrong. What this login may not list is left to OKE itself, which refuses it at the call.
pub async fn all(cluster: &OkeCluster, when: When) -> Vec<Diagnostic> {
    let mut refusals = Vec::new();
    let shows = &cluster.shows;
    let called = cluster.called();
    let in_flight = cluster.work_requests().await.unwrap_or_default();
    let in_flight = in_flight.iter().find(|work| shown::is_running(work));
    // A create takes up a rotation that is at work, and what comes after one waits for it.
    let of_rotation = when == When::Planning
        && in_flight.is_some()
        && cluster
            .status()
            .await
            .is_ok_and(|status| matches!(status.phase, Some(Phase::Issuing | Phase::Retiring)));
    match (in_flight, &shows.lifecycle_state) {
        _ if of_rotation || when == When::PlanningAfterwards => {}
        // A cluster that is being changed is UPDATING: by what, says more.
        (Some(work), _) => refusals.push(told::busy(&called, work)),
        (None, ClusterLifecycle::Active) => {}
        (None, state) => {
            let details = shows.lifecycle_details.as_deref().unwrap_or_default();
            refusals.push(told::not_active(&called, state.as_str(), details));
        }
    }
    if shown::version(&shows.kubernetes_version).is_some_and(|version| version < ROTATES) {
        refusals.push(told::too_old(&called, &shows.kubernetes_version));
    }
    let engine = cluster.session.container_engine();
    let compartment = &shows.compartment_id;
    let virtual_pools =
        engine.virtual_node_pools(compartment, cluster.id(), &cluster.patience).await;
    let names: Vec<String> = virtual_pools
        .unwrap_or_default()
        .into_iter()
        .filter(|pool| pool.lifecycle_state != NodePoolLifecycle::Deleted)
        .map(|pool| if pool.name.is_empty() { pool.id } else { pool.name })
        .collect();
    if !names.is_empty() {
        refusals.push(told::virtual_nodes(&called, &names));
    }
    if when.sends() && refusals.is_empty() {
        refusals.extend(workloads::refusals(cluster).await);
    }
    refusals
}

/// What keeps OKE from retiring the old credentials: it does one thing at a time, and waits for nodes.
pub async fn against_completing(cluster: &OkeCluster) -> Vec<Diagnostic> {
    let called = cluster.called();
    let listed = cluster.work_requests().await.unwrap_or_default();
    // Its own retirement is one too, and is followed.
    let retires =
        cluster.told().await.is_ok_and(|told| !matches!(shown::phase(&told), Some(Phase::Overlap)));
    let mut found = Vec::new();
    if !retires && let Some(work) = listed.iter().find(|work| shown::is_running(work)) {
        found.push(told::busy_to_complete(&called, work));
    }
    found.extend(nodes(cluster).await);
    found
}

/// Nodes that will make the rotation pause. The API does not know whether a node is READY; it knows some that cannot be.
pub async fn nodes(cluster: &OkeCluster) -> Option<Diagnostic> {
    let engine = cluster.session.container_engine();
    let compartment = &cluster.shows.compartment_id;
    let pools = engine.node_pools(compartment, cluster.id(), &cluster.patience).await.ok()?;
    let mut wrong = Vec::new();
    for pool in pools {
        let Ok(pool) = engine.node_pool(&pool.id, &cluster.patience).await else { continue };
        for node in pool.nodes.unwrap_or_default() {
            let gone = [NodeLifecycle::Deleted, NodeLifecycle::Deleting];
            let error = node.node_error.as_ref().and_then(|error| error.message.as_deref());
            let fine = node.lifecycle_state == NodeLifecycle::Active && error.is_none();
            if fine || gone.contains(&node.lifecycle_state) {
                continue;
            }
            let name = if node.name.is_empty() { &node.id } else { &node.name };
            let why = error.map(|error| format!(", {error}")).unwrap_or_default();
            wrong.push(format!("{name} of {} ({}{why})", pool.name, node.lifecycle_state));
        }
    }
    (!wrong.is_empty()).then(|| told::nodes_not_ready(&cluster.called(), &wrong))
}
