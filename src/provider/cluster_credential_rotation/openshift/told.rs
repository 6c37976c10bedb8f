//! What is said of an OpenShift cluster's rotation: what happened, what is still valid, what to do next.

use crate::cloud::kubernetes::{self, Permission, Workload};
use crate::cloud::openshift::drift::Drift;
use crate::cloud::openshift::health::unwell;
use crate::cloud::openshift::probe::{Probed, Unfit};
use crate::cloud::openshift::procedure::Stopped;
use crate::cloud::openshift::refusal::{Refusal, Route};
use crate::cloud::openshift::targets::{order, targets};
use crate::cloud::openshift::{Client, Error, Mode, Situation};
use crate::provider::cluster_credential_rotation::openshift::block::Given;
use crate::tfplugin::diagnostics::Diagnostic;

/// For texts.
pub(super) fn called(infrastructure: &str) -> String {
    format!("the OpenShift cluster {infrastructure}")
}

pub(super) fn no_way_in() -> Diagnostic {
    Diagnostic::error(
        "The provider has no way into the cluster",
        "The openshift block rotates the credentials of the cluster that the provider's kubernetes block leads to, and there is none. \
         Give it one, such as kubernetes = { config_path = \"~/.kube/config\" }: a kubeconfig of `oc login` works.",
    )
}

pub(super) fn not_here(name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("{name} is not for OpenShift"),
        match name {
            "renew_before" => {
                "The cluster does not know when its cloud credentials expire. Use rotation_period, or triggers that follow the credential."
            }
            _ => {
                "On OpenShift the components take up a new root credential one after another, and there is no time in which the cluster \
                 uses both. Keep the former root credential alive where it is made, such as by the overlap of rekey_application_credential."
            }
        },
    )
    .at_attribute(name)
}

pub(super) fn another_cluster(expected: &str, found: &str, client: &Client) -> Diagnostic {
    Diagnostic::error(
        "The kubernetes block leads to another cluster",
        format!(
            "The state is about {}, and {} is {} ({}). Nothing was changed.\n\nCorrect the kubernetes block, or give each cluster a provider \
             of its own (alias).",
            called(expected),
            client.kubernetes().server(),
            called(found),
            client.kubernetes().origin()
        ),
    )
}

/// Before anything was changed.
pub(super) fn unreadable(error: &Error) -> Diagnostic {
    explained("The cluster's credentials cannot be looked at", error, "Nothing was changed.")
}

pub(super) fn not_sent(error: &Error) -> Diagnostic {
    explained(
        "The rotation was not begun",
        error,
        "Nothing was changed: every component has its credential as before.",
    )
}

/// Once something was written, or may have been.
pub(super) fn after_sending(error: &Error) -> Diagnostic {
    explained(
        "The rotation could not go on",
        error,
        "What was done stays done. The next apply looks at what is there and goes on; it deletes nothing that was made again.",
    )
}

/// `lost`: the answer to one of its writes did not come.
pub(super) fn contended(called: &str, lost: bool) -> Diagnostic {
    let written = if lost {
        "Whether this apply has written it once is not known."
    } else {
        "Nothing was written by this apply."
    };
    Diagnostic::error(
        "The root credential is being changed by somebody else",
        format!(
            "The root secret of {called} was changed by somebody else each time it was to be written. {written}\n\n\
             Find out who writes it, then apply again."
        ),
    )
}

pub(super) fn cannot_begin(called: &str) -> Diagnostic {
    Diagnostic::error(
        "The rotation cannot be begun",
        format!(
            "The operator's mode on {called} allows no rotation any more. Plan again: the plan says why, and what to do instead."
        ),
    )
}

pub(super) fn refused(called: &str, refusal: &Refusal) -> Diagnostic {
    Diagnostic::error(
        refusal.summary(),
        format!("{called}: {refusal} Nothing was changed.\n\n{}", refusal.advice()),
    )
}

pub(super) fn may_not(called: &str, missing: &[Permission]) -> Diagnostic {
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    Diagnostic::error(
        "The login may not rotate the cluster's credentials",
        format!(
            "For a rotation on {called} this login lacks: {}. Nothing was changed.\n\nBind a role with these to it; the guide about OpenShift \
             has a ClusterRole.",
            missing.join("; ")
        ),
    )
}

pub(super) fn not_tried(called: &str, probed: &Probed) -> Diagnostic {
    Diagnostic::warning(
        "The new root credential is written untried",
        format!("It goes to {called}. {probed}"),
    )
}

pub(super) fn unfit(called: &str, unfit: &Unfit) -> Diagnostic {
    Diagnostic::error(
        "The new root credential does not work",
        format!(
            "It was tried before it is written to {called}, as the operator would not: {unfit}. Nothing was changed.\n\nGive one that works."
        ),
    )
}

pub(super) fn stopped(called: &str, stopped: &Stopped) -> Diagnostic {
    Diagnostic::error(
        stopped.trouble.summary(),
        format!("{called}: {stopped}\n\n{}", stopped.trouble.advice()),
    )
}

/// `seen`: how it looked when the wait ended.
pub(super) fn interrupted(called: &str, what: &str, seen: Option<&Stopped>) -> Diagnostic {
    let seen = seen.map_or_else(String::new, |seen| format!("\n\n{seen}"));
    Diagnostic::error(
        "The rotation is not complete",
        format!(
            "This apply was stopped or its time (timeouts) was over while it waited for {what} on {called}. What was done stays done; the next \
             apply goes on from there.{seen}"
        ),
    )
}

pub(super) fn still_unwell(called: &str, operators: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "Cluster operators that were unwell before still are",
        format!(
            "On {called}: {}. They were not waited for, so whether they work with the new credentials is not proven.",
            operators.join(", ")
        ),
    )
}

pub(super) fn drifted(called: &str, found: &[Drift]) -> Diagnostic {
    let found: Vec<_> = found.iter().map(|drift| format!("- {drift}")).collect();
    Diagnostic::warning(
        "The cluster's credentials are not as they should be",
        format!("On {called}:\n{}", found.join("\n")),
    )
}

/// What a rotation will touch, which the plan's lines do not show.
pub(super) fn forewarned(called: &str, situation: &Situation, given: &Given) -> Vec<Diagnostic> {
    let (Some(platform), mode) = (situation.platform, Mode::of(situation)) else {
        return Vec::new();
    };
    let route = Route::of(situation, !matches!(given, Given::Nothing));
    let names = order(situation, mode);
    let how = match route {
        Some(Route::Mint) => {
            "Each component's secret is deleted and made again with a new key, one after the other in this order; its old key dies before \
             the new one is there, so each component is without a credential for a moment. The first failure stops it."
        }
        _ => {
            "The operator copies the root credential to each component; none is without a credential at any time."
        }
    };
    let root = match given {
        Given::Nothing => format!("The root credential in {} is used as it is.", platform.root()),
        _ => format!("A new root credential is written to {}.", platform.root()),
    };
    let mut details = vec![format!(
        "{called} runs on {} in mode {mode}: {} CredentialsRequests with {} component secrets. {root} {how}\n\n{}",
        situation.infrastructure.platform(),
        targets(situation).len(),
        names.len(),
        names
            .iter()
            .enumerate()
            .map(|(index, name)| format!("{}. {name}", index + 1))
            .collect::<Vec<_>>()
            .join("\n")
    )];
    let asked = matches!(platform.name(), "aws" | "openstack");
    if !asked && !matches!(given, Given::Nothing) {
        details.push(Probed::NotAsked.to_string());
    }
    if situation.version.as_ref().is_some_and(|version| version.is("Progressing")) {
        details.push(
            "The cluster is being updated: its operators may not settle until that is over."
                .to_owned(),
        );
    }
    let unwell: Vec<_> = unwell(&situation.operators).into_keys().collect();
    if !unwell.is_empty() {
        details.push(format!(
            "These cluster operators are unwell already and will not be waited for: {}.",
            unwell.join(", ")
        ));
    }
    vec![Diagnostic::warning("What the rotation touches", details.join("\n\n"))]
}

pub(super) fn not_restarted(
    called: &str,
    workload: Option<&Workload>,
    error: &kubernetes::Error,
) -> Diagnostic {
    let story = match error {
        kubernetes::Error::Stuck(stuck) => stuck.report(),
        _ => error.to_string(),
    };
    let what = workload.map_or_else(String::new, |workload| format!("{workload}: "));
    Diagnostic::error(
        "A workload could not be restarted",
        format!(
            "{what}{story}{}\n\nThe credentials of {called} are rotated and proven. The next apply takes up the workloads that are left and \
             does not rotate again.",
            advice(error)
        ),
    )
}

pub(super) fn no_pods(called: &str, workloads: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "A restarted workload has no pods",
        format!(
            "On {called} nothing runs of: {}. So nothing holds the former credential there.",
            workloads.join(", ")
        ),
    )
}

fn explained(summary: &str, error: &Error, valid: &str) -> Diagnostic {
    let advice = match error {
        Error::Kubernetes(error) => advice(error),
        Error::NotOpenshift { .. } => {
            "\n\nIs this the right cluster? The provider's kubernetes block leads to it.".to_owned()
        }
    };
    Diagnostic::error(summary, format!("{error}\n\n{valid}{advice}"))
}

fn advice(error: &kubernetes::Error) -> String {
    error.advice().map_or_else(String::new, |advice| format!("\n\n{advice}"))
}
