//! What the operator is told. Summaries are constants; the detail names the cluster, says what is still valid
//! and what to do.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cloud::openstack::Token;
use crate::cloud::openstack::magnum::Cluster;
use crate::provider::arguments::moment;
use crate::provider::cluster_rotation::decide::{self, Credential};
use crate::provider::cluster_rotation::model::ClusterRotation;
use crate::rotation::{Due, Moment, Period};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Diagnostic;

/// A CA is replaced with some preparation.
const WARN_BEFORE_SECONDS: i64 = 30 * 86_400;

/// `"prod" (uuid)`.
pub fn called(cluster: &Cluster) -> String {
    format!("{:?} ({})", cluster.name, cluster.uuid)
}

/// The cluster as the state knows it.
pub fn known_as(state: &ClusterRotation) -> String {
    let magnum = state.magnum.known();
    let name = magnum.and_then(|magnum| magnum.cluster.known());
    let uuid = decide::uuid(state);
    match name {
        Some(name) if *name != uuid && !uuid.is_empty() => format!("{name:?} ({uuid})"),
        Some(name) => format!("{name:?}"),
        None => uuid,
    }
}

pub fn not_observed(state: &ClusterRotation, setting: &str) -> Diagnostic {
    Diagnostic::warning(
        "Cluster not refreshed",
        format!(
            "The provider's setting openstack.{setting} is not known before apply, so the cluster {} could not be looked at. The \
             state is kept as it was; what has become due since then waits for the next plan.",
            known_as(state)
        ),
    )
}

pub fn gone(state: &ClusterRotation) -> Diagnostic {
    Diagnostic::warning(
        "Cluster is gone",
        format!(
            "Magnum has no cluster {} any more in this project. Take the resource out of the configuration, or name another \
             cluster.",
            known_as(state)
        ),
    )
}

pub fn elsewhere(state: &ClusterRotation, caller: &Token) -> Diagnostic {
    let project = caller.project.as_ref().map_or("none", |project| project.id.as_str());
    Diagnostic::warning(
        "Cluster not found in this project",
        format!(
            "The cluster {} belongs to another project than this login's ({project}), and Magnum shows no cluster of other \
             projects. The state is kept as it was.",
            known_as(state)
        ),
    )
}

pub fn ca_hidden(state: &ClusterRotation) -> Diagnostic {
    Diagnostic::warning(
        "The cluster's CA cannot be seen",
        format!(
            "Magnum shows the CA of the cluster {} only to its owner, user {}, and this login is another's. Its fingerprint and \
             expiry are kept as they were.",
            known_as(state),
            state.owner_user_id.known().map_or("unknown", String::as_str)
        ),
    )
}

pub fn ca_changed(state: &ClusterRotation) -> Diagnostic {
    Diagnostic::warning(
        "The cluster's CA was replaced outside this resource",
        format!(
            "Magnum has another CA for the cluster {} than the state: it was rotated by hand, or by a run that was killed. A \
             rotation that is asked for within a day takes that one as made, and proves it.\n\nKubeconfigs from before it are refused once \
             the cluster's servers use it.",
            known_as(state)
        ),
    )
}

pub fn rotated_outside(state: &ClusterRotation) -> Diagnostic {
    Diagnostic::warning(
        "The cluster's credential was rotated outside this resource",
        format!(
            "The application credential of the cluster {} is another than the state knows: it was rotated by hand, or by a run \
             that was killed. A rotation that is asked for within a day takes that one as made, and proves it.",
            known_as(state)
        ),
    )
}

pub fn unfinished(state: &ClusterRotation) -> Diagnostic {
    Diagnostic::warning(
        "A rotation is not complete",
        format!(
            "The last rotation of the cluster {} stopped in the phase {:?}. The next apply takes it up there; the credential is \
             not rotated again for it.",
            known_as(state),
            state.phase.known().map_or("", String::as_str)
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
            "The cluster {} belongs to {former}; by this rotation it will belong to {} ({}). It then acts with that user's rights \
             and stops working when they leave the project, and {former} can no longer fetch its kubeconfig or CA.",
            called(cluster),
            caller.user.name,
            caller.user.id
        ),
    )
}

/// Two runs have sent a rotation at the same time; Magnum has no lock.
pub fn several(cluster: &Cluster, new: &BTreeSet<String>) -> Diagnostic {
    let ids: Vec<&str> = new.iter().map(String::as_str).collect();
    Diagnostic::warning(
        "The cluster was rotated by more than one run at a time",
        format!(
            "Since this rotation was sent the user has {} new application credentials for the cluster {}: {}. The cluster uses one \
             of them, Magnum does not tell which, and the others were left behind. Rotate once more when no other run does, and delete \
             those that are then still there besides the newest.",
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
            "The cluster {} has a new credential, but it belongs to user {}, who rotated it after user {sender} did in this apply. The \
             credential that this apply asked for is gone again.",
            called(cluster),
            cluster.user_id.as_deref().unwrap_or("unknown")
        ),
    )
}

/// Nothing runs of these, so nothing was seen to come back.
pub fn no_pods(cluster: &Cluster, workloads: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "A restarted workload has no pods",
        format!(
            "In the cluster {} nothing runs of: {}. Its controller wants no pod, because no node fits or its replicas are 0, so nothing \
             holds the former credential there; and nothing does its work.",
            called(cluster),
            workloads.join(", ")
        ),
    )
}

pub fn ca_rotation(cluster: &Cluster) -> Diagnostic {
    Diagnostic::warning(
        "Every kubeconfig of the cluster will be refused",
        format!(
            "The CA of the cluster {} is replaced. Everybody and everything that connects to it with the present CA or with a \
             certificate that it signed needs a new one: people run `openstack coe cluster config`, Terraform gets it from the \
             ephemeral rekey_kubeconfig.",
            called(cluster)
        ),
    )
}

pub fn expiry(cx: &Context, state: &ClusterRotation, now: Timestamp) {
    let Some(expiry) = moment(&state.expires_at) else { return };
    let rotates = state.rotate.known().copied().unwrap_or(true)
        && decide::due_of(state).iter().any(Due::calls_for_generation);
    let early = Period::from_seconds(WARN_BEFORE_SECONDS);
    if rotates || early.is_some_and(|early| now < early.before(expiry)) {
        return;
    }
    let verb = if expiry <= now { "expired" } else { "expires" };
    cx.tell(Diagnostic::warning(
        "The cluster's CA expires soon",
        format!(
            "The CA of the cluster {} {verb} at {}. Without it nobody can connect. Change triggers, or set renew_before, to \
             replace it in time.",
            known_as(state),
            Moment(expiry)
        ),
    ));
}

pub fn held(cx: &Context, state: &ClusterRotation, due: &[Due]) {
    let held: Vec<String> =
        due.iter().filter(|due| due.can_be_held()).map(ToString::to_string).collect();
    if !held.is_empty() {
        cx.tell(Diagnostic::warning(
            "Rotation is overdue and held",
            format!(
                "For the cluster {}: {}. `rotate = false` holds it; without it, the next plan does what is due.",
                known_as(state),
                held.join("; ")
            ),
        ));
    }
}

pub fn nothing_undone(state: &ClusterRotation) -> Diagnostic {
    let what = match Credential::of(state) {
        Credential::ApplicationCredential => "its application credential",
        Credential::CaCertificate => "its CA",
    };
    Diagnostic::warning(
        "Destroying a rotation undoes nothing",
        format!(
            "The cluster {} keeps {what} as the last rotation left it, and its owner. Only this record of it is removed.",
            known_as(state)
        ),
    )
}
