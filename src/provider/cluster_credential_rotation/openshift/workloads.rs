//! The user's own workloads that read the components' secrets: restarted at the end, and every pod of them seen to be
//! new.

use crate::cloud::kubernetes::{self, Kind, Workload};
use crate::provider::cluster_credential_rotation::magnum::block::Workload as Named;
use crate::provider::cluster_credential_rotation::openshift::block::Openshift;
use crate::provider::cluster_credential_rotation::openshift::cluster::OpenshiftCluster;
use crate::provider::cluster_credential_rotation::openshift::notes::Notes;
use crate::provider::cluster_credential_rotation::openshift::{inside, told};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster as _, Failure, Proof, Stage,
};
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics};
use crate::tfplugin::model::Attr;

/// Those that the block names.
pub(super) fn wanted(block: &Openshift) -> Result<Vec<Workload>, Diagnostic> {
    let one = |named: &Named| {
        let text = |attr: &Attr<String>| attr.known().cloned().unwrap_or_default();
        let kind = text(&named.kind).parse().unwrap_or(Kind::Deployment);
        Workload::new(&text(&named.namespace), kind, &text(&named.name))
    };
    let wrong = |error: kubernetes::workload::NameError| {
        Diagnostic::error("That is not the name of a workload", error.to_string())
            .at(inside("workloads"))
    };
    block.workloads.known().into_iter().flatten().map(one).collect::<Result<_, _>>().map_err(wrong)
}

/// How the state names them; None where a name is not known yet.
pub(super) fn names(block: &Openshift) -> Option<Vec<String>> {
    let open = |named: &Named| {
        named.kind.is_unknown() || named.name.is_unknown() || named.namespace.is_unknown()
    };
    let named = &block.workloads;
    if named.is_unknown() || named.known().into_iter().flatten().any(open) {
        return None;
    }
    let wanted = wanted(block).unwrap_or_default();
    Some(wanted.iter().map(ToString::to_string).collect())
}

/// All that are left. One that cannot be restarted keeps no other from it.
pub(super) async fn advance(
    cluster: &OpenshiftCluster,
    stage: &Stage<'_>,
    notes: &mut Notes,
) -> Result<Advance, Failure> {
    let unfinished = |why: Diagnostic| Failure::Unfinished(why.into());
    let client = cluster.client.kubernetes();
    let wanted = wanted(&cluster.block).map_err(unfinished)?;
    // Those that the block does not name any more are nobody's business.
    notes.left.retain(|name| wanted.iter().any(|workload| workload.to_string() == *name));
    let stamp = if let Some(stamp) = notes.restarted_at {
        stamp
    } else {
        // By the cluster's own clock, as its pods' ages are.
        let version = client.version(&cluster.patience).await;
        version.map_err(|error| unfinished(told::not_restarted(&cluster.called(), None, &error)))?.1
    };
    notes.restarted_at = Some(stamp);
    let mut failures = Vec::new();
    let mut asked = Vec::new();
    for workload in wanted.iter().filter(|workload| notes.left.contains(&workload.to_string())) {
        match client.restart(workload, stamp, &cluster.patience).await {
            Ok(_) => asked.push(workload),
            Err(error) => {
                failures.push(told::not_restarted(&cluster.called(), Some(workload), &error));
            }
        }
    }
    let mut without_pods = Vec::new();
    for workload in asked {
        match client.wait_for_rollout(workload, stamp, &cluster.patience).await {
            Ok(rollout) => {
                if rollout.pods.is_empty() {
                    without_pods.push(workload.to_string());
                }
                notes.left.remove(&workload.to_string());
            }
            Err(error) => {
                failures.push(told::not_restarted(&cluster.called(), Some(workload), &error));
            }
        }
    }
    if !without_pods.is_empty() {
        stage.cx.tell(told::no_pods(&cluster.called(), &without_pods));
    }
    if failures.is_empty() {
        Ok(Advance::Done(Proof::seen()))
    } else {
        Err(Failure::Unfinished(Diagnostics(failures)))
    }
}
