//! What the operator is told of a Magnum cluster. Summaries are constants; the detail names the cluster, says what is
//! still valid and what to do.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cloud::kubernetes::Workload;
use crate::cloud::openstack::Token;
use crate::cloud::openstack::magnum::Cluster;
use crate::provider::arguments::moment;
use crate::provider::cluster_credential_rotation::magnum::inside;
use crate::provider::cluster_credential_rotation::model::ClusterRotation;
use crate::provider::cluster_credential_rotation::workloads::WILL_RESTART;
use crate::rotation::{Moment, Period};
use crate::tfplugin::diagnostics::Diagnostic;

/// A CA is replaced with some preparation.
const WARN_BEFORE_SECONDS: i64 = 30 * 86_400;

/// `the cluster "prod" (uuid)`.
pub fn called(cluster: &Cluster) -> String {
    format!("the cluster {:?} ({})", cluster.name, cluster.uuid)
}

/// Status and reason, as Magnum shows them.
pub fn stands(cluster: &Cluster) -> String {
    let status = cluster.status.as_deref().unwrap_or("in an unknown state");
    match cluster.status_reason.as_deref().filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{status} ({})", reason.trim_end_matches('.')),
        None => status.to_owned(),
    }
}

pub fn must_be_said() -> Diagnostic {
    Diagnostic::error(
        "rotate_on_create must be said",
        "Replacing a CA makes every kubeconfig of the cluster useless. Set rotate_on_create = true to do it when this resource is \
         created, or false to wait for triggers or the schedule.",
    )
    .at_attribute("rotate_on_create")
}

pub fn does_not_expire() -> Diagnostic {
    Diagnostic::error(
        "renew_before needs an expiry",
        "The application credential of a cluster does not expire. Use rotation_period; renew_before is for credential = \
         \"ca_certificate\".",
    )
    .at_attribute("renew_before")
}

pub fn no_overlap(argument: &str) -> Diagnostic {
    Diagnostic::error(
        "A Magnum cluster has no overlap",
        format!(
            "Magnum gives a cluster its new credential and takes the old one away in one step, so {argument} means nothing here. Leave \
             it out."
        ),
    )
    .at_attribute(argument)
}

pub fn gone(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "Cluster is gone",
        format!(
            "Magnum says that {called} exists no more. Take the resource out of the configuration, or name another cluster."
        ),
    )
}

pub fn elsewhere(called: &str, login: &Token) -> Diagnostic {
    let project = login.project.as_ref().map_or("none", |project| project.id.as_str());
    Diagnostic::warning(
        "Cluster not found in this project",
        format!(
            "The project of this login ({project}) is another than that of {called}, and Magnum shows no cluster of other projects. The \
             state is kept as it was."
        ),
    )
}

pub fn ca_hidden(called: &str, state: &ClusterRotation) -> Diagnostic {
    Diagnostic::warning(
        "The cluster's CA cannot be seen",
        format!(
            "Magnum shows the CA of {called} only to its owner, user {}, and this login is another's. Its fingerprint and expiry are kept \
             as they were.",
            state.owner_user_id.known().map_or("unknown", String::as_str)
        ),
    )
}

pub fn owner_changes(cluster: &Cluster, caller: &Token, former: Option<&str>) -> Diagnostic {
    let former = former.map_or_else(
        || format!("user {}", cluster.user_id.as_deref().unwrap_or("unknown")),
        |name| format!("{name} ({})", cluster.user_id.as_deref().unwrap_or_default()),
    );
    Diagnostic::warning(
        "The cluster changes its owner",
        format!(
            "{} belongs to {former}; by this rotation it will belong to {} ({}). It then acts with that user's rights and stops working when \
             they leave the project, and {former} can no longer fetch its kubeconfig or CA.",
            capital(&called(cluster)),
            caller.user.name,
            caller.user.id
        ),
    )
}

/// Which workloads a rotation restarts, where the plan's lines do not show it.
pub fn restarts(called: &str, workloads: &[String]) -> Diagnostic {
    Diagnostic::warning(
        WILL_RESTART,
        format!(
            "After the rotation of {called} what holds the former credential does not take up the new one by itself. So these are restarted \
             and waited for: {}. Set restart_workloads = \"never\" to do that yourself.",
            workloads.join(", ")
        ),
    )
    .at(inside("restart_workloads"))
}

/// Two runs have sent a rotation at the same time; Magnum has no lock.
pub fn several(cluster: &Cluster, new: &BTreeSet<String>) -> Diagnostic {
    let ids: Vec<&str> = new.iter().map(String::as_str).collect();
    Diagnostic::warning(
        "The cluster was rotated by more than one run at a time",
        format!(
            "Since this rotation was sent the user has {} new application credentials for {}: {}. The cluster uses one of them, Magnum does \
             not tell which, and the others were left behind. Rotate once more when no other run does, and delete those that are then \
             still there besides the newest.",
            new.len(),
            called(cluster),
            ids.join(", ")
        ),
    )
}

/// Somebody else has rotated it meanwhile.
pub fn superseded(cluster: &Cluster, sender: &str) -> Diagnostic {
    Diagnostic::warning(
        "The cluster was rotated by somebody else meanwhile",
        format!(
            "{} has a new credential, but it belongs to user {}, who rotated it after user {sender}. What this resource asked for is gone \
             again.",
            capital(&called(cluster)),
            cluster.user_id.as_deref().unwrap_or("unknown")
        ),
    )
}

/// The driver could not delete the former one, and says so.
pub fn former_survives(cluster: &Cluster, left: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "The cluster's former credential still exists",
        format!(
            "{} has its new credential, but not every former one was deleted: {}. Magnum says: {}. They go on working; once the cluster \
             has proven to work, delete them by hand.",
            capital(&called(cluster)),
            left.join(", "),
            stands(cluster)
        ),
    )
}

/// Proven, but not well.
pub fn unhealthy(cluster: &Cluster) -> Diagnostic {
    Diagnostic::warning(
        "The cluster is not well after the rotation",
        format!(
            "The rotation is proven, and Magnum calls {} {}{}.",
            called(cluster),
            stands(cluster),
            cluster.health_status.as_deref().map_or(String::new(), |health| format!(", {health}"))
        ),
    )
}

/// Nothing runs of these, so nothing was seen to come back.
pub fn no_pods(cluster: &Cluster, workloads: &BTreeSet<String>) -> Diagnostic {
    let workloads: Vec<&str> = workloads.iter().map(String::as_str).collect();
    Diagnostic::warning(
        "A restarted workload has no pods",
        format!(
            "In {} nothing runs of: {}. Its controller wants no pod, because no node fits or its replicas are 0, so nothing holds the \
             former credential there; and nothing does its work.",
            called(cluster),
            workloads.join(", ")
        ),
    )
}

/// Restarts that a rotation has left over and that are not wanted any more.
pub fn left_alone(cluster: &Cluster, workloads: &BTreeSet<String>) -> Diagnostic {
    let workloads: Vec<&str> = workloads.iter().map(String::as_str).collect();
    Diagnostic::warning(
        "Workloads are not restarted",
        format!(
            "restart_workloads = \"never\" leaves these of {} as they are, and the rotation is complete without them: {}. Their pods go on \
             with the former credential, which is revoked, until you restart them.",
            called(cluster),
            workloads.join(", ")
        ),
    )
    .at(inside("restart_workloads"))
}

/// Pods from before that are to be deleted and never go.
pub fn lingering_pods(cluster: &Cluster, workload: &Workload, advice: &str) -> Diagnostic {
    Diagnostic::warning(
        "A pod from before does not go",
        format!("{workload} of {} runs anew. {advice}", called(cluster)),
    )
}

pub fn ca_rotation(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "Every kubeconfig of the cluster will be refused",
        format!(
            "The CA of {called} is replaced. Everybody and everything that connects to it with the present CA or with a certificate that it \
             signed needs a new one: people run `openstack coe cluster config`, Terraform gets it from the ephemeral rekey_kubeconfig."
        ),
    )
}

pub fn expiring(called: &str, state: &ClusterRotation, now: Timestamp) -> Option<Diagnostic> {
    let expiry = moment(&state.expires_at)?;
    let early = Period::from_seconds(WARN_BEFORE_SECONDS)?;
    if now < early.before(expiry) {
        return None;
    }
    let verb = if expiry <= now { "expired" } else { "expires" };
    Some(Diagnostic::warning(
        "The cluster's CA expires soon",
        format!(
            "The CA of {called} {verb} at {}. Without it nobody can connect. Change triggers, or set renew_before, to replace it in time.",
            Moment(expiry)
        ),
    ))
}

/// For the beginning of a sentence.
fn capital(called: &str) -> String {
    called.replacen("the ", "The ", 1)
}
