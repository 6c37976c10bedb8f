//! What Plan tells beside its diff; what Read has seen is in the parent.

use std::collections::BTreeSet;

use super::{called, owner};
use crate::cloud::openstack::Token;
use crate::provider::application_credential::decide::Decision;
use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::arguments::moment;
use crate::provider::schedule::due::recorded_due;
use crate::provider::schedule::{tell_changed, tell_held};
use crate::rotation::{Due, Moment, Reason, Step};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Diagnostic;
use crate::tfplugin::model::{Attr, Set};

/// What a plan says beside its diff. A replacement is spoken of in the call that knows the prior state.
pub fn planned(
    cx: &Context,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    steps: &[Step],
) {
    let rotation = steps.iter().find_map(|step| match step {
        Step::Issue { reasons, .. } | Step::Replace { reasons, .. } => Some(reasons.as_slice()),
        _ => None,
    });
    let reasons = rotation.unwrap_or_default();
    let scheduled =
        reasons.iter().all(|reason| matches!(reason, Reason::Due(_))) && !reasons.is_empty();
    if scheduled && config.secret_wo_version.known().is_some() {
        cx.tell(Diagnostic::warning(
            "The same secret is issued again",
            format!(
                "The application credential {} is rotated by its schedule while secret_wo_version stays {}: its successor opens with \
                 what secret_wo holds in the apply. Where that is the same secret as before, whoever knows it can use the \
                 successor too. Give secret_wo another one and raise secret_wo_version to change it.",
                called(prior),
                config.secret_wo_version.known().copied().unwrap_or_default()
            ),
        ));
    }
    let ending: Vec<(u64, &Reason)> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Revoke { generation, reason } => Some((*generation, reason)),
            _ => None,
        })
        .collect();
    if !ending.is_empty() {
        cx.tell(ends(prior, &ending));
    }
    if steps.iter().any(|step| matches!(step, Step::Replace { .. })) {
        strays_stay(cx, prior);
        if config.name.known().is_some() && config.name == prior.name {
            cx.tell(gap(prior));
        }
    }
}

/// A fixed name is replaced.
fn gap(prior: &ApplicationCredential) -> Diagnostic {
    Diagnostic::warning(
        "A fixed name is replaced with a gap",
        format!(
            "The application credential {} has a fixed name, which Keystone gives only once. It is revoked before its successor \
             is issued, and consumers are refused in between; with create_before_destroy the replacement fails with 409 every \
             time.\n\nUse name_prefix, with create_before_destroy or with overlap, to rotate without a gap.",
            called(prior)
        ),
    )
    .at_attribute("name")
}

/// Generations are revoked by this plan: all in one warning, as Terraform folds equal ones and shows the first alone.
/// What ends is named first: whoever reads this at night acts on the first name.
fn ends(prior: &ApplicationCredential, ending: &[(u64, &Reason)]) -> Diagnostic {
    let current = prior.number();
    let named = |name: &Attr<String>, id: &Attr<String>| {
        let text = |attr: &Attr<String>| attr.known().cloned().unwrap_or_default();
        format!("{:?} ({})", text(name), text(id))
    };
    let one = |generation: u64| {
        let old = prior.previous().get(&generation.to_string());
        old.map_or_else(|| called(prior), |old| named(&old.name, &old.id))
    };
    let had_expired = |reason: &Reason| *reason == Reason::HadExpired;
    let after = if ending.iter().all(|(_, reason)| had_expired(reason)) {
        "That is done once its successor is proven; whoever uses it is refused already.".to_owned()
    } else if ending.iter().any(|(_, reason)| had_expired(reason)) {
        "The next generation is proven before that.".to_owned()
    } else {
        format!("Generation {current}, {}, stays.", called(prior))
    };
    let refused = "That is done before resources which depend on this one are updated in the same apply: whoever still uses";
    let detail = match ending {
        [(generation, reason)] => {
            let what = format!(
                "The application credential {}, generation {generation}, is revoked: {reason}.",
                one(*generation)
            );
            if had_expired(reason) {
                format!("{what} {after}")
            } else {
                format!("{what} {refused} it by then is refused. {after}")
            }
        }
        several => {
            let list = several.iter().map(|(generation, reason)| {
                format!("{}, generation {generation} ({reason})", one(*generation))
            });
            format!(
                "These application credentials are revoked: {}. {refused} one of them by then is refused. {after}",
                some_of(list.collect())
            )
        }
    };
    Diagnostic::warning(
        if ending.len() == 1 {
            "An old generation ends with this apply"
        } else {
            "Old generations end with this apply"
        },
        detail,
    )
}

/// So many are named in one warning; an operator cannot act on more at once.
const MOST_NAMED: usize = 5;

/// The first ones, and how many more there are.
pub fn some_of(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join("; ")
}

/// What was to end stays, as an expired generation cannot be proven.
fn kept_for_want_of_proof(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    steps: &[Step],
) -> Vec<String> {
    let held = config.rotate.known() == Some(&false);
    let over = steps.iter().filter_map(|step| match step {
        Step::HoldDue(due @ Due::Overlap { .. }) if !held => Some(due.to_string()),
        _ => None,
    });
    let named = config.revoke_strays.known().into_iter().flat_map(|named| &named.0);
    let named = named
        .filter_map(Attr::known)
        .filter(|id| prior.strays.known().is_some_and(|strays| strays.contains_key(id.as_str())));
    over.chain(named.map(|id| format!("revoke_strays names {id}"))).collect()
}

/// What a plan leaves as it is although its time is near or over: one warning, whatever comes together. `expired` and
/// `soon` are what the last refresh saw.
pub fn overdue(
    cx: &Context,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    decision: &Decision,
    (expired, soon): (bool, bool),
) {
    let Decision { steps, planned, .. } = decision;
    let succeeded =
        steps.iter().any(|step| matches!(step, Step::Issue { .. } | Step::Replace { .. }));
    let expiry = moment(&prior.expires_at);
    let kept = if expired && !decision.issues() {
        kept_for_want_of_proof(prior, config, steps)
    } else {
        Vec::new()
    };
    let kept = if kept.is_empty() {
        String::new()
    } else {
        format!(
            " Nothing is revoked unless a generation is seen to work, so this waits for the next one: {}.",
            kept.join("; ")
        )
    };
    let what = format!("the application credential {}", called(prior));
    let held: Vec<Due> = steps
        .iter()
        .filter_map(|step| match step {
            Step::HoldDue(due) if due.can_be_held() => Some(due.clone()),
            _ => None,
        })
        .filter(|_| config.rotate.known() == Some(&false))
        .collect();
    if !held.is_empty() {
        let tells_expiry = held.iter().any(|due| matches!(due, Due::Expired { .. }));
        let more = match expiry {
            _ if succeeded => String::new(),
            Some(at) if expired && !tells_expiry => {
                format!(" It expired at {}. Whoever uses it is refused.{kept}", Moment(at))
            }
            _ if expired => format!(" Whoever uses it is refused.{kept}"),
            Some(at) if soon => {
                format!(
                    " It expires at {}, and whoever uses it is refused from then on.",
                    Moment(at)
                )
            }
            _ => String::new(),
        };
        tell_held(cx, &what, &held, &more);
        return;
    }
    let Some(expiry) = expiry.filter(|_| (expired || soon) && !succeeded) else { return };
    let (summary, verb, consumers) = if expired {
        ("Application credential has expired", "expired", " Whoever uses it is refused.")
    } else {
        ("Application credential expires soon", "expires", "")
    };
    let next = if planned.rotation_due_at.is_unknown() { prior } else { planned };
    let schedule = match moment(&next.rotation_due_at) {
        _ if expired && prior.expires_in.is_null() => {
            "Change expires_at, or use expires_in, to issue the next one.".to_owned()
        }
        _ if expired => "Change triggers to issue the next one.".to_owned(),
        Some(at) if at >= expiry => {
            "Its rotation is due only then, and whoever uses it is refused until that is applied: set renew_before to \
             rotate it in time."
                .into()
        }
        Some(at) => format!("Its rotation is due at {}.", Moment(at)),
        None if prior.expires_in.is_null() => {
            "Change expires_at, or use expires_in with renew_before, to rotate it in time.".into()
        }
        None => "Set renew_before, or change triggers, to rotate it in time.".to_owned(),
    };
    cx.tell(Diagnostic::warning(
        summary,
        format!(
            "The application credential {} {verb} at {}.{consumers}{kept} {schedule}",
            called(prior),
            Moment(expiry)
        ),
    ));
}

/// What was due by arguments that change in this plan is judged anew by the next one.
pub fn policy_changed(
    cx: &Context,
    prior: &ApplicationCredential,
    steps: &[Step],
    remaining: &[Due],
    arising: &[Due],
) {
    let rotates =
        steps.iter().any(|step| matches!(step, Step::Issue { .. } | Step::Replace { .. }));
    let dropped: Vec<Due> = recorded_due(&prior.rotation_due)
        .into_iter()
        .filter(|due| !remaining.contains(due))
        .filter(|due| !(rotates && due.calls_for_generation()))
        .filter(|due| {
            let ends = |step: &Step| {
                matches!((step, due), (Step::Revoke { generation, .. }, Due::Overlap { generation: ended, .. })
                    if generation == ended)
            };
            !steps.iter().any(ends)
        })
        .collect();
    tell_changed(cx, &format!("the application credential {}", called(prior)), &dropped, arising);
}

/// Another user takes over, or the credential moves to another project, or both.
pub fn moves(
    prior: &ApplicationCredential,
    caller: &Token,
    owner_changes: bool,
) -> Option<Diagnostic> {
    let project = caller.project.as_ref().zip(prior.project_id.known());
    let project = project.filter(|(to, from)| to.id != **from).map(|(to, from)| {
        format!(
            "gives access to the project {from}. Under the present login its successor gives access to the project {} ({}) instead: \
             whoever takes it works there from then on and no longer sees the present project, and what depends on project_id \
             changes",
            to.name, to.id
        )
    });
    let user = owner_changes.then(|| {
        format!(
            "belongs to {}. Under the present login its successor will belong to {} ({}): it carries that user's roles and dies with \
             that account",
            owner(prior),
            caller.user.name,
            caller.user.id,
        )
    });
    let (summary, told, way_out) = match (user, project) {
        (None, None) => return None,
        (Some(user), None) => ("Application credential changes its owner", user, ""),
        (None, Some(project)) => (
            "Application credential moves to another project",
            project,
            "\n\nIf that is not meant, give the provider a login to the present project.",
        ),
        (Some(user), Some(project)) => (
            "Application credential changes its owner and its project",
            format!("{user}. It {project}"),
            "\n\nIf that is not meant, give the provider a login to the present project.",
        ),
    };
    let detail = format!("The application credential {} {told}.{way_out}", called(prior));
    Some(Diagnostic::warning(summary, detail))
}

/// What stays behind after a destroy.
pub fn strays_stay(cx: &Context, state: &ApplicationCredential) {
    if let Attr::Known(strays) = &state.strays
        && !strays.is_empty()
    {
        let ids: Vec<&str> = strays.keys().map(String::as_str).collect();
        cx.tell(Diagnostic::warning(
            "Strays are not revoked by destroy",
            format!(
                "The application credential {} has strays: {}. They go on working after the destroy, and no later plan lists \
                 them. Name them in revoke_strays in an apply before it, if nobody uses them.",
                called(state),
                ids.join(", ")
            ),
        ));
    }
}

/// Strays that are named in `revoke_strays` and that this login may not delete: who may.
pub fn not_revocable(
    cx: &Context,
    state: &ApplicationCredential,
    config: &ApplicationCredential,
    locked: &BTreeSet<String>,
) {
    let named = config.revoke_strays.known().map(|named| named.0.as_slice()).unwrap_or_default();
    let strays = state.strays.known();
    let list: Vec<String> = named
        .iter()
        .filter_map(Attr::known)
        .filter(|id| locked.contains(*id))
        .filter_map(|id| {
            let stray = strays?.get(id)?;
            let user = stray.user_id.known().map_or("unknown", String::as_str);
            Some(format!("{id} of user {user}"))
        })
        .collect();
    if list.is_empty() {
        return;
    }
    cx.tell(
        Diagnostic::warning(
            "Stray of another user",
            format!(
                "revoke_strays names strays of the application credential {} that the present login may neither see nor revoke: \
                 {}. They are not planned for revocation: their user or an administrator can do it, by applying this \
                 configuration or by hand.",
                called(state),
                some_of(list)
            ),
        )
        .at_attribute("revoke_strays"),
    );
}

/// Ids that are newly named and that nothing is known of: a slip of the pen would pass for a revocation.
pub fn no_strays(cx: &Context, prior: &ApplicationCredential, config: &ApplicationCredential) {
    let ids = |attr: &Attr<Set<Attr<String>>>| -> BTreeSet<String> {
        let named = attr.known().into_iter().flat_map(|named| &named.0);
        named.filter_map(Attr::known).cloned().collect()
    };
    let before = ids(&prior.revoke_strays);
    let strays = prior.strays.known();
    let unknown: Vec<String> = ids(&config.revoke_strays)
        .into_iter()
        .filter(|id| !before.contains(id))
        .filter(|id| strays.is_none_or(|strays| !strays.contains_key(id)))
        .collect();
    if unknown.is_empty() {
        return;
    }
    let listed = strays.filter(|strays| !strays.is_empty()).map_or_else(
        || "it has none".to_owned(),
        |strays| format!("its strays are {}", some_of(strays.keys().cloned().collect())),
    );
    cx.tell(
        Diagnostic::warning(
            "revoke_strays names what is no stray",
            format!(
                "No stray of the application credential {} has the id {}; {listed}. Nothing is revoked for it: it is gone already, or \
                 it is written wrong, or it belongs to another resource.",
                called(prior),
                unknown.join(", ")
            ),
        )
        .at_attribute("revoke_strays"),
    );
}
