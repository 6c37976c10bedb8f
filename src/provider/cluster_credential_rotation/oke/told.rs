//! What the operator is told of an OKE cluster. Summaries are constants; the detail names the cluster, says what is still
//! valid, and what to do.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::oci::Error;
use crate::cloud::oci::container_engine::{CredentialRotation, WorkRequest};
use crate::provider::arguments::{moment, whole_seconds};
use crate::provider::cluster_credential_rotation::model::ClusterRotation;
use crate::provider::cluster_credential_rotation::oke::inside;
use crate::provider::cluster_credential_rotation::workloads::WILL_RESTART;
use crate::provider::oci::call;
use crate::rotation::Moment;
use crate::rotation::course::Phase;
use crate::tfplugin::diagnostics::{Diagnostic, Severity};

pub const GOES_ON: &str = "The rotation was accepted and goes on; OKE waits up to 24 hours for nodes that are not ready. The next apply takes it up \
                           where it is, and sends nothing again.";
pub const MAY_HAVE_BEGUN: &str = "A start was sent, and nothing is known of it yet. The next apply looks for it before it sends anything.";

/// OKE rotates by itself so long before the expiry, and completes such a rotation so long before it.
const BY_ITSELF: SignedDuration = SignedDuration::from_hours(24 * 90);
const COMPLETES: SignedDuration = SignedDuration::from_hours(24 * 3);
/// From when on an expiry is told.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 120);

pub fn called(name: Option<&str>, id: &str) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("the cluster {name:?} ({id})"),
        None => format!("the cluster {id}"),
    }
}

/// Seconds as OKE takes them: `P5DT5H5M`.
pub fn iso(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let mut time = String::new();
    for (number, unit) in [(rest / 3_600, 'H'), (rest % 3_600 / 60, 'M'), (rest % 60, 'S')] {
        if number > 0 {
            time.push_str(&number.to_string());
            time.push(unit);
        }
    }
    if time.is_empty() { format!("P{days}D") } else { format!("P{days}DT{time}") }
}

// Of the configuration.

pub fn no_cluster_id() -> Diagnostic {
    Diagnostic::error(
        "That is not the id of a cluster",
        "cluster_id is the OCID of an OKE cluster, such as ocid1.cluster.oc1.iad.aaaa.",
    )
    .at(inside("cluster_id"))
}

pub fn overlap_must_be_said() -> Diagnostic {
    Diagnostic::error(
        "overlap must be said",
        "OKE keeps old and new credentials valid side by side for the overlap, and then retires the old ones by itself: every client \
         must have been moved by then. Give it 1 to 90 days, such as overlap = \"P14D\".",
    )
    .at_attribute("overlap")
}

pub fn overlap_out_of_bounds() -> Diagnostic {
    Diagnostic::error(
        "The overlap is out of bounds",
        "OKE takes an overlap of 1 to 90 days (P1D to P90D; hours and minutes may be added, as in P5DT5H).",
    )
    .at_attribute("overlap")
}

pub fn overlap_not_moved(called: &str, state: &ClusterRotation) -> Diagnostic {
    let date = state.auto_completes_at.known();
    let date = date.map_or_else(String::new, |at| format!(": it stays at {at}"));
    Diagnostic::warning(
        "The overlap changes with the next rotation",
        format!(
            "OKE cannot move the end of the overlap that is under way for {called}{date}. The new value is kept for the next rotation, and \
             nothing is started. To end this overlap sooner, set complete_generation = {}.",
            state.counted()
        ),
    )
}

pub fn too_young(called: &str, from: Timestamp) -> Diagnostic {
    let from = Moment(whole_seconds(from));
    Diagnostic::error(
        "The rotation cannot be completed yet",
        format!(
            "OKE retires the old credentials of {called} only when the new ones are 24 hours old: at {from} at the earliest. Until then old \
             and new ones are both valid.\n\nApply again after that, or take complete_generation out: OKE then completes it by itself."
        ),
    )
    .at_attribute("complete_generation")
}

// Of the cluster.

pub fn gone(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "The cluster is gone",
        format!(
            "There is no {} any more; its rotation leaves the state.",
            called.trim_start_matches("the ")
        ),
    )
}

pub fn hidden(called: &str, whose: &str, error: &Error) -> Diagnostic {
    let told = call(
        "The cluster cannot be seen",
        &format!("read {called} as {whose}"),
        error,
        "OCI gives the same answer for a cluster that is gone and for one that this login may not see. The state is kept as it was.",
        "If it was deleted, take the resource out of the configuration with a removed block.",
    );
    Diagnostic { severity: Severity::Warning, ..told }
}

pub fn not_active(called: &str, state: &str, details: &str) -> Diagnostic {
    let details = if details.is_empty() { String::new() } else { format!(" ({details})") };
    refused(&format!(
        "{called} is {state}{details}, and OKE rotates the credentials of an ACTIVE cluster only"
    ))
}

pub fn busy(called: &str, work: &WorkRequest) -> Diagnostic {
    refused(&format!(
        "for {called} the work request {} ({}) is {}, and OKE does one thing at a time. Wait until it is done and apply again: \
         what is asked for stays in the configuration, and is planned again then",
        work.id, work.operation_type, work.status
    ))
}

pub fn busy_to_complete(called: &str, work: &WorkRequest) -> Diagnostic {
    Diagnostic::error(
        "The rotation cannot be completed yet",
        format!(
            "For {called} the work request {} ({}) is {}, and OKE does one thing at a time. Nothing was sent; old and new credentials are \
             both valid.\n\nApply again once it is done: complete_generation is asked for again then.",
            work.id, work.operation_type, work.status
        ),
    )
    .at_attribute("complete_generation")
}

pub fn too_old(called: &str, version: &str) -> Diagnostic {
    refused(&format!(
        "{called} runs Kubernetes {version}, and OKE rotates since 1.20. Upgrade it first"
    ))
}

pub fn virtual_nodes(called: &str, names: &[String]) -> Diagnostic {
    refused(&format!(
        "{called} has virtual node pools ({}), whose nodes cannot take new credentials. OKE rotates clusters with managed and \
         self-managed nodes only",
        names.join(", ")
    ))
}

fn refused(why: &str) -> Diagnostic {
    Diagnostic::error(
        "The cluster's credentials cannot be rotated",
        format!("Nothing was sent: {why}."),
    )
    .at(inside("cluster_id"))
}

pub fn nodes_not_ready(called: &str, nodes: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "Nodes will pause the rotation",
        format!(
            "For {called} these nodes are not ACTIVE: {}. OKE rotates only while all nodes are ready: it waits for 24 hours, and then the \
             rotation fails. Mend or delete them first.",
            nodes.join("; ")
        ),
    )
}

/// The one warning of dates: the end of an overlap, else an expiry that comes soon.
pub fn dates(called: &str, state: &ClusterRotation, now: Timestamp) -> Option<Diagnostic> {
    let expires = moment(&state.expires_at);
    if state.at() == Phase::Overlap {
        let at = moment(&state.auto_completes_at)?;
        let by_itself = expires.is_some_and(|expires| {
            let left = expires.duration_since(at);
            left >= SignedDuration::ZERO && left <= COMPLETES + SignedDuration::from_hours(1)
        });
        let who = match (by_itself, expires) {
            (true, Some(expires)) => format!(
                "OKE began this rotation by itself, as the credentials expire at {}, and completes it three days before that or at once",
                Moment(expires)
            ),
            _ => "Old and new credentials are both valid".to_owned(),
        };
        return Some(Diagnostic::warning(
            "Clients must be moved to the new credentials",
            format!(
                "{who}. At {} OKE retires the old credentials of {called}, and whoever still uses them is cut off: by then give every \
                 client a new kubeconfig, restart what talks to the API server, and recreate or restart nodes.",
                Moment(at)
            ),
        ));
    }
    let expires = expires.filter(|_| !state.at().is_under_way())?;
    if expires.duration_since(now) > SOON {
        return None;
    }
    if expires <= now {
        return Some(Diagnostic::warning(
            "The cluster's credentials have expired",
            format!(
                "Those of {called} expired at {}: nodes and clients that trust them alone are cut off. A rotation is still possible: change \
                 triggers, apply, and give every client a new kubeconfig.",
                Moment(expires)
            ),
        ));
    }
    let begins = expires.checked_sub(BY_ITSELF).ok().filter(|begins| *begins > now);
    let begins = begins.map_or_else(String::new, |begins| {
        format!(
            " From {} on OKE rotates them by itself, whether the nodes are ready or not.",
            Moment(begins)
        )
    });
    Some(Diagnostic::warning(
        "The cluster's credentials expire soon",
        format!(
            "Those of {called} expire at {}.{begins} To choose the time yourself, change triggers, or set renew_before to more than 90 \
             days.",
            Moment(expires)
        ),
    ))
}

// Of the start.

pub fn restarts(called: &str, workloads: &BTreeSet<String>) -> Diagnostic {
    let workloads: Vec<&str> = workloads.iter().map(String::as_str).collect();
    Diagnostic::warning(
        WILL_RESTART,
        format!(
            "Once {called} has its new credentials these are restarted and waited for: {}. Take them out of `workloads` to do that yourself.",
            workloads.join(", ")
        ),
    )
    .at(inside("workloads"))
}

pub fn start_refused(called: &str, error: &Error) -> Diagnostic {
    call(
        "The cluster's credentials were not rotated",
        &format!("start the rotation of {called}"),
        error,
        "OKE has begun nothing, and the old credentials are valid as before.",
        "",
    )
    .at(inside("cluster_id"))
}

pub fn start_unknown(called: &str, error: &Error) -> Diagnostic {
    call(
        "It is not known whether the rotation has begun",
        &format!("start the rotation of {called}"),
        error,
        "The old credentials are valid in any case.",
        "Apply again: it is looked for first, and sent again only if it is not there.",
    )
}

pub fn begun_all_the_same(called: &str, error: &Error) -> Diagnostic {
    Diagnostic::warning(
        "The call failed, and the rotation goes on",
        format!(
            "OKE shows that the rotation of {called} is under way, although its answer was: {error}. It is followed."
        ),
    )
}

pub fn issued_all_the_same(called: &str, story: &str) -> Diagnostic {
    Diagnostic::warning(
        "New credentials were issued, and OKE says that something failed",
        format!(
            "For {called} {story}. OKE shows that old and new credentials are both valid, so the rotation is in its overlap and nothing is \
             sent again.\n\nLook at what the reason names (often a node that is not ready) before the old credentials are retired."
        ),
    )
}

pub fn issue_failed(called: &str, story: &str) -> Diagnostic {
    Diagnostic::error(
        "The rotation of the cluster's credentials has failed",
        format!(
            "For {called} {story}.\n\nThe old credentials work until they expire; new ones were not put in their place.\n\nMend what the \
             reason names (often a node that is not ready) and apply again: the next apply starts a new rotation."
        ),
    )
}

pub fn still_running(called: &str, phase: Phase) -> Diagnostic {
    Diagnostic::error(
        "The rotation is not done yet",
        format!("That of {called} is in the phase {:?}. {GOES_ON}", phase.name()),
    )
}

pub fn odd(called: &str, rotation: &CredentialRotation, work: Option<&str>) -> Diagnostic {
    let work =
        work.map_or_else(String::new, |status| format!(" Its work request ended as {status}."));
    Diagnostic::error(
        "OKE does not say what became of the rotation",
        format!(
            "For {called} nothing is at work any more, and the status is {} ({}).{work} Nothing is sent again.\n\nThe old credentials are valid \
             unless the status says COMPLETED. Look at the cluster's work requests in the console; the next apply looks again.",
            rotation.status, rotation.status_details
        ),
    )
}

// Of the proof.

pub fn no_bundle(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "The CAs could not be looked at",
        format!(
            "This login gets no kubeconfig of {called}, so what the rotation has come to is told by OKE's status alone, and \
             ca_certificate_sha256s stays as it was."
        ),
    )
}

pub fn one_ca_in_overlap(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "The kubeconfig has one CA only",
        format!(
            "OKE shows that {called} has old and new credentials, and yet its kubeconfig has only one CA. Do not hand out kubeconfigs before \
             it has both."
        ),
    )
}

pub fn old_ca_still_there(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "The old CA is still in the kubeconfig",
        format!(
            "OKE shows that the rotation of {called} is complete, and yet its kubeconfig has the old CA too. Take new kubeconfigs later."
        ),
    )
}

// Of the completion.

pub fn completion_refused(called: &str, error: &Error) -> Diagnostic {
    call(
        "The rotation was not completed",
        &format!("complete the rotation of {called}"),
        error,
        "Old and new credentials are both valid, and OKE still completes it by itself at the end of the overlap.",
        "New credentials must be 24 hours old, all nodes ready, and no other work request in flight.",
    )
    .at_attribute("complete_generation")
}

pub fn completion_unknown(called: &str, error: &Error) -> Diagnostic {
    call(
        "It is not known whether the rotation is being completed",
        &format!("complete the rotation of {called}"),
        error,
        "The new credentials are valid in any case; the old ones may be on their way out.",
        "Apply again: the status is read first.",
    )
}

/// Of a create, also one that replaces a tainted resource.
pub fn takes_up(called: &str, phase: Phase) -> Diagnostic {
    Diagnostic::warning(
        "A rotation is under way already",
        format!(
            "The last rotation of {called} is in the phase {:?}, and OKE begins no second one before its end. This create starts none: it \
             takes that one up, with the overlap that it was started with.",
            phase.name()
        ),
    )
}

pub fn retirement_failed(called: &str, story: &str) -> Diagnostic {
    let story = if story.is_empty() {
        "the status is back where it was".to_owned()
    } else {
        story.to_owned()
    };
    Diagnostic::error(
        "The old credentials were not retired",
        format!(
            "For {called} {story}.\n\nOld and new credentials are both valid; the old ones work until they expire.\n\nMend what the reason \
             names (often a node that is not ready) and apply again with complete_generation, or leave it to OKE."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tfplugin::model::Attr;

    #[test]
    fn durations_are_written_as_oke_takes_them() {
        assert_eq!(iso(14 * 86_400), "P14D");
        assert_eq!(iso(5 * 86_400 + 5 * 3_600 + 5 * 60), "P5DT5H5M");
        assert_eq!(iso(86_400 + 1), "P1DT1S");
    }

    fn state(phase: Phase, completes: Option<&str>, expires: &str) -> ClusterRotation {
        ClusterRotation {
            auto_completes_at: completes.map(str::to_owned).into(),
            expires_at: Attr::Known(expires.to_owned()),
            phase: Attr::Known(phase.name().into()),
            ..ClusterRotation::default()
        }
    }

    #[test]
    fn dates_are_told_where_somebody_must_act() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let told = |state: &ClusterRotation| dates("c", state, now).map(|told| told.detail);
        let far = "2030-01-01T00:00:00Z";
        assert_eq!(told(&state(Phase::Completed, None, far)), None);
        assert_eq!(told(&state(Phase::Issuing, None, "2026-04-01T00:00:00Z")), None);
        let soon = told(&state(Phase::Completed, None, "2026-06-10T00:00:00Z")).unwrap();
        assert!(
            soon.contains("expire at 2026-06-10") && soon.contains("From 2026-03-12"),
            "{soon}"
        );
        let late = told(&state(Phase::None, None, "2026-04-01T00:00:00Z")).unwrap();
        assert!(!late.contains("by itself"), "{late}");
        let overlap = told(&state(Phase::Overlap, Some("2026-03-15T00:00:00Z"), far)).unwrap();
        assert!(overlap.contains("At 2026-03-15") && !overlap.contains("by itself"), "{overlap}");
        let own = state(Phase::Overlap, Some("2026-05-29T00:00:00Z"), "2026-06-01T00:00:00Z");
        let own = told(&own).unwrap();
        assert!(own.contains("OKE began this rotation by itself"), "{own}");
    }
}
