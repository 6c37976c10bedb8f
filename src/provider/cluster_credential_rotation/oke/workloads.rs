//! The workloads that the block names: restarted once the new credentials are there, while the old ones are valid too.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::Surroundings;
use crate::cloud::http::Patience;
use crate::cloud::kubernetes::{self, Access, Client, Permission, Rollout, Settings, Workload};
use crate::provider::cluster_credential_rotation::oke::block::Oke;
use crate::provider::cluster_credential_rotation::oke::cluster::OkeCluster;
use crate::provider::cluster_credential_rotation::oke::inside;
use crate::provider::cluster_credential_rotation::oke::notes::Notes;
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster as _, Failure, Stage,
};
use crate::provider::cluster_credential_rotation::workloads::{self, Restarts, named_in_state};
use crate::provider::oci::call;
use crate::provider::oke::Entrance;
use crate::rotation::course::Phase;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics};

/// A token of OKE's is good for four minutes; a rollout may take longer.
const TURN: Duration = Duration::from_mins(3);
/// For all of them. An operation on OKE may take a day; a workload that is not back by then needs somebody.
const LONGEST: Duration = Duration::from_mins(20);

pub(super) fn wanted(block: &Oke) -> Result<Vec<Workload>, Diagnostic> {
    let named = block.workloads.known().map(Vec::as_slice).unwrap_or_default();
    workloads::wanted(named).map_err(|error| workloads::no_name(&error, inside("workloads")))
}

/// How the notes name them.
pub(super) fn names(block: &Oke) -> BTreeSet<String> {
    named_in_state(&block.workloads).known().into_iter().flatten().cloned().collect()
}

/// What keeps this login from restarting them later, asked before anything is sent.
pub(super) async fn refusals(cluster: &OkeCluster) -> Vec<Diagnostic> {
    let wanted = match wanted(&cluster.block) {
        Ok(wanted) if wanted.is_empty() => return Vec::new(),
        Ok(wanted) => wanted,
        Err(why) => return vec![why],
    };
    let client = match enter(cluster).await {
        Ok(client) => client,
        Err(why) => return vec![not_sent(why)],
    };
    let permissions: Vec<Permission> = wanted.iter().flat_map(Workload::permissions).collect();
    match client.missing_permissions(&permissions, &cluster.patience).await {
        Ok(missing) if missing.is_empty() => Vec::new(),
        Ok(missing) => vec![may_not(&cluster.called(), &missing)],
        Err(error) => vec![not_sent(workloads::unreachable(&error))],
    }
}

/// All that are left; then the status says how it goes on.
pub(super) async fn advance(
    cluster: &OkeCluster,
    stage: &Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    let unfinished = |why: Diagnostic| Failure::Unfinished(why.into());
    let called = cluster.called();
    let wanted = wanted(&cluster.block).map_err(unfinished)?;
    notes.left.retain(|name| wanted.iter().any(|workload| workload.to_string() == *name));
    // Whoever has taken them out needs no way into the cluster.
    if notes.left.is_empty() {
        return Ok(Advance::More(Phase::Verifying));
    }
    let mut without_pods = BTreeSet::new();
    let now = Instant::now();
    let end = cluster.patience.deadline.map_or(now + LONGEST, |end| end.min(now + LONGEST));
    loop {
        let client = enter(cluster).await.map_err(|why| unfinished(half_done(why)))?;
        let turn = (Instant::now() + TURN).min(end);
        let patience = Patience { deadline: Some(turn), ..cluster.patience.clone() };
        let came_back = |workload: &Workload, rollout: &Rollout| {
            if rollout.pods.is_empty() {
                without_pods.insert(workload.to_string());
            }
        };
        let restarts = Restarts { left: &mut notes.left, asked_at: &mut notes.restarted_at };
        let failed = restarts.carry_out(&client, &wanted, &patience, came_back).await;
        let failed = match failed {
            Ok(failed) if failed.is_empty() => break,
            Ok(failed) => failed,
            Err(error) => {
                return Err(unfinished(half_done(workloads::unreachable(&error))));
            }
        };
        // The turn is over, and not the operation: they are waited for with another token.
        if (turn..end).contains(&Instant::now()) && !cluster.patience.cancel.is_cancelled() {
            continue;
        }
        let failures = failed
            .iter()
            .map(|(workload, error)| half_done(workloads::not_restarted(workload, error)));
        return Err(Failure::Unfinished(Diagnostics(failures.collect())));
    }
    if !without_pods.is_empty() {
        stage.cx.tell(no_pods(&called, &without_pods.into_iter().collect::<Vec<_>>()));
    }
    Ok(Advance::More(Phase::Verifying))
}

/// The way into the cluster: the provider's own, or OKE's kubeconfig with a token that is made here.
async fn enter(cluster: &OkeCluster) -> Result<Client, Diagnostic> {
    let called = cluster.called();
    let engine = cluster.session.container_engine();
    let kubeconfig = engine.kubeconfig(cluster.id(), None, &cluster.patience).await;
    let entrance = kubeconfig.as_deref().ok().and_then(crate::provider::oke::entrance);
    let server = entrance.as_ref().map(|entrance| entrance.server.clone()).unwrap_or_default();
    let bundle = async { entrance.as_ref().map(|entrance| entrance.bundle.clone()) };
    let configured = &cluster.kubernetes;
    let way = workloads::configured(configured, &called, &server, bundle, &cluster.patience).await;
    if let Some(way) = way {
        return way;
    }
    let failed = |error: &_| {
        let doing = format!("find a way into {called}");
        let help = "Give the provider a kubernetes block that leads to it.";
        call("There is no way into the cluster", &doing, error, "", help)
    };
    let kubeconfig = kubeconfig.as_ref().map_err(failed);
    let entrance: &Entrance = match (kubeconfig, &entrance) {
        (Err(why), _) => return Err(why),
        (Ok(_), None) => return Err(no_entrance(&called)),
        (Ok(_), Some(entrance)) => entrance,
    };
    let token = cluster.session.bearer_token(cluster.id(), &cluster.patience).await;
    let token = token.map_err(|error| failed(&error))?;
    let settings = Settings {
        host: Some(entrance.server.clone()),
        cluster_ca_certificate: Some(entrance.bundle.clone()),
        token: Some(token.token),
        ..Settings::default()
    };
    let access = Access::resolve(&settings, &Surroundings::of_process());
    let access = access.map_err(|error: kubernetes::AccessError| {
        Diagnostic::error("The cluster's address or CA cannot be used", error.message)
    })?;
    Ok(Client::new(access))
}

/// Nothing was sent, as what comes after it could not be done.
fn not_sent(why: Diagnostic) -> Diagnostic {
    let detail = format!(
        "{}\n\nNothing was sent; the cluster has its credentials as before. Without `workloads` the rotation needs no way into the cluster.",
        why.detail
    );
    Diagnostic { detail, ..why }
}

fn no_entrance(called: &str) -> Diagnostic {
    Diagnostic::error(
        "There is no way into the cluster",
        format!(
            "The kubeconfig that OKE gives of {called} names no address and CA. Give the provider a kubernetes block that leads to it."
        ),
    )
}

fn may_not(called: &str, missing: &[Permission]) -> Diagnostic {
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    Diagnostic::error(
        "The workloads may not be restarted by this login",
        format!(
            "Once the new credentials of {called} are there its workloads are to be restarted, and this login to its Kubernetes lacks: {}. \
             Nothing was sent.\n\nBind a role with these to the login (the documentation of this resource has one), or take `workloads` out \
             and restart them yourself.",
            missing.join("; ")
        ),
    )
}

/// The new credentials are there.
fn half_done(why: Diagnostic) -> Diagnostic {
    let detail = format!(
        "{}\n\nThe new credentials are there, and every other workload is restarted; the old ones work until the overlap ends. The next \
         apply takes up the workloads that are left and starts no second rotation.",
        why.detail
    );
    Diagnostic { detail, ..why }
}

fn no_pods(called: &str, workloads: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "A restarted workload has no pods",
        format!("On {called} nothing runs of: {}.", workloads.join(", ")),
    )
}
