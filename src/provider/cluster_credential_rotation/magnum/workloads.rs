//! After a rotation: the workloads that hold the old credential are restarted, and every pod of them is seen to be new.
//! One that cannot be restarted keeps no other from it.

use crate::cloud::Surroundings;
use crate::cloud::kubernetes::{Access, Client, Kind, Rollout, Workload};
use crate::provider::cluster_credential_rotation::magnum::block::Magnum;
use crate::provider::cluster_credential_rotation::magnum::cluster::MagnumCluster;
use crate::provider::cluster_credential_rotation::magnum::notes::Notes;
use crate::provider::cluster_credential_rotation::magnum::{inside, told};
use crate::provider::cluster_credential_rotation::platform::{Advance, Failure, Proof, Stage};
use crate::provider::cluster_credential_rotation::workloads::{self, Restarts};
use crate::provider::magnum::signed;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics};

/// What Catalyst Cloud's page tells an operator to restart.
const DEFAULT: [(Kind, &str); 3] = [
    (Kind::Deployment, "openstack-cinder-csi-controllerplugin"),
    (Kind::DaemonSet, "openstack-cinder-csi-nodeplugin"),
    (Kind::DaemonSet, "openstack-cloud-controller-manager"),
];
const NAMESPACE: &str = "openstack-system";

/// The workloads that the block names, or the default ones.
pub fn wanted(magnum: &Magnum) -> Result<Vec<Workload>, Diagnostic> {
    let all = match magnum.workloads.known() {
        Some(named) => workloads::wanted(named),
        None => DEFAULT.iter().map(|(kind, name)| Workload::new(NAMESPACE, *kind, name)).collect(),
    };
    all.map_err(|error| workloads::no_name(&error, inside("workloads")))
}

/// How the state names them; None where a name is not known yet.
pub fn names(magnum: &Magnum) -> Option<Vec<String>> {
    let names = || wanted(magnum).unwrap_or_default().iter().map(ToString::to_string).collect();
    workloads::are_known(&magnum.workloads).then(names)
}

/// All that are left: asked to restart, and waited for.
pub async fn advance(
    cluster: &MagnumCluster,
    stage: &mut Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    let unfinished = |why: Diagnostic| Failure::Unfinished(why.into());
    let wanted = wanted(&cluster.block).map_err(unfinished)?;
    let left = notes.left.get_or_insert_default();
    if cluster.block.restart_workloads.known().is_some_and(|said| said == "never") {
        if !left.is_empty() {
            stage.cx.tell(told::left_alone(cluster.shown(), left));
        }
        left.clear();
    }
    left.retain(|name| wanted.iter().any(|workload| workload.to_string() == *name));
    // Whoever wants none restarted needs no way into the cluster.
    if left.is_empty() {
        return Ok(Advance::Done(Proof::seen()));
    }
    let client = enter(cluster).await.map_err(|why| unfinished(half_done(why)))?;
    let Notes { left, no_pods, restarted_at, .. } = notes;
    let restarts = Restarts { left: left.get_or_insert_default(), asked_at: restarted_at };
    let came_back = |workload: &Workload, rollout: &Rollout| {
        if rollout.pods.is_empty() {
            no_pods.insert(workload.to_string());
        }
        if let Some(advice) = rollout.advice() {
            stage.cx.tell(told::lingering_pods(cluster.shown(), workload, &advice));
        }
    };
    let failed = restarts.carry_out(&client, &wanted, &cluster.patience, came_back).await;
    let failed = failed.map_err(|error| unfinished(half_done(workloads::unreachable(&error))))?;
    let failures: Vec<_> = failed
        .iter()
        .map(|(workload, error)| half_done(workloads::not_restarted(workload, error)))
        .collect();
    if !failures.is_empty() {
        return Err(Failure::Unfinished(Diagnostics(failures)));
    }
    if !notes.no_pods.is_empty() {
        stage.cx.tell(told::no_pods(cluster.shown(), &notes.no_pods));
    }
    Ok(Advance::Done(Proof::seen()))
}

/// The way into the cluster, seen to lead to this cluster and to no other: the provider's own, or a certificate that
/// Magnum signs for a key in memory.
pub async fn enter(cluster: &MagnumCluster) -> Result<Client, Diagnostic> {
    let known = cluster.entered.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    if let Some(client) = known {
        return Ok(client);
    }
    let client = find_a_way(cluster).await?;
    *cluster.entered.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
        Some(client.clone());
    Ok(client)
}

async fn find_a_way(cluster: &MagnumCluster) -> Result<Client, Diagnostic> {
    let shown = cluster.shown();
    let server = shown.api_address.as_deref().unwrap_or_default();
    let (magnum, called) = (cluster.session.magnum(), told::called(shown));
    let ca = async { magnum.ca(cluster.uuid(), &cluster.patience).await.ok() };
    let kubernetes = &cluster.services.kubernetes;
    let way = workloads::configured(kubernetes, &called, server, ca, &cluster.patience).await;
    if let Some(way) = way {
        return way;
    }
    if server.is_empty() {
        return Err(Diagnostic::error(
            "The cluster has no address",
            format!(
                "Magnum does not tell the API address of {}. Give the provider a kubernetes block.",
                told::called(shown)
            ),
        ));
    }
    let groups = cluster.block.kubernetes_groups.known().map(|groups| groups.0.clone());
    let groups = groups.unwrap_or_else(|| vec!["system:masters".to_owned()]);
    let certificate = signed(&cluster.session, shown, "rekey", &groups, &cluster.patience).await?;
    let from = Surroundings::of_process();
    let access =
        Access::with_certificate(server, &certificate.ca, &certificate.pem, certificate.key, &from);
    access.map(Client::new).map_err(|error| {
        Diagnostic::error("The cluster's address or certificates cannot be used", error.message)
    })
}

fn half_done(why: Diagnostic) -> Diagnostic {
    let detail = format!(
        "{}\n\nThe cluster's credential is rotated, and every other workload is restarted; pods from before go on with a credential that is \
         revoked. The next apply takes up the workloads that are left and does not rotate again.",
        why.detail
    );
    Diagnostic { detail, ..why }
}
