//! What Plan tells beside its diff; what Read has seen is in the parent.

use std::collections::BTreeSet;

use super::{called, owner};
use crate::cloud::openstack::Token;
use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::schedule::due::recorded_due;
use crate::provider::schedule::tell_changed;
use crate::rotation::{Due, Reason, Step};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Diagnostic;
use crate::tfplugin::model::Attr;

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
    for step in steps {
        match step {
            Step::Revoke { generation, reason } => cx.tell(ends(prior, *generation, reason)),
            Step::Replace { .. } => {
                strays_stay(cx, prior);
                if config.name.known().is_some() && config.name == prior.name {
                    cx.tell(gap(prior));
                }
            }
            _ => {}
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

/// A generation is revoked by this plan. What ends is named first: whoever reads this at night acts on the first name.
fn ends(prior: &ApplicationCredential, generation: u64, reason: &Reason) -> Diagnostic {
    let current = prior.number();
    let old = prior.previous().get(&generation.to_string());
    let named = |name: &Attr<String>, id: &Attr<String>| {
        let text = |attr: &Attr<String>| attr.known().cloned().unwrap_or_default();
        format!("{:?} ({})", text(name), text(id))
    };
    let ends = old.map_or_else(|| called(prior), |old| named(&old.name, &old.id));
    let consumers = if *reason == Reason::HadExpired {
        "That is done once its successor is proven; whoever uses it is refused already.".to_owned()
    } else {
        format!(
            "That is done before resources which depend on this one are updated in the same apply: whoever still uses it by then \
             is refused. Generation {current}, {}, stays.",
            called(prior)
        )
    };
    Diagnostic::warning(
        "An old generation ends with this apply",
        format!(
            "The application credential {ends}, generation {generation}, is revoked: {reason}. {consumers}"
        ),
    )
}

/// What was to end stays, as an expired generation cannot be proven.
pub fn kept_for_want_of_proof(
    cx: &Context,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    steps: &[Step],
) {
    let held = config.rotate.known() == Some(&false);
    let over = steps.iter().filter_map(|step| match step {
        Step::HoldDue(due @ Due::Overlap { .. }) if !held => Some(due.to_string()),
        _ => None,
    });
    let named = config.revoke_strays.known().into_iter().flat_map(|named| &named.0);
    let named = named
        .filter_map(Attr::known)
        .filter(|id| prior.strays.known().is_some_and(|strays| strays.contains_key(id.as_str())));
    let kept: Vec<String> =
        over.chain(named.map(|id| format!("revoke_strays names {id}"))).collect();
    if kept.is_empty() {
        return;
    }
    cx.tell(Diagnostic::warning(
        "Nothing is revoked while the current generation has expired",
        format!(
            "For the application credential {}: {}. Nothing is revoked unless a generation is seen to work, and this one has \
             expired: that waits for the next generation. Change triggers or its expiry to issue it.",
            called(prior),
            kept.join("; ")
        ),
    ));
}

/// What was due by arguments that change in this plan is judged anew by the next one.
pub fn policy_changed(
    cx: &Context,
    prior: &ApplicationCredential,
    steps: &[Step],
    remaining: &[Due],
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
    tell_changed(cx, &format!("the application credential {}", called(prior)), &dropped);
}

/// Another user takes over.
pub fn owner_changes(prior: &ApplicationCredential, caller: &Token) -> Diagnostic {
    Diagnostic::warning(
        "Application credential changes its owner",
        format!(
            "The application credential {} belongs to {}. Under the present login its successor will belong to {} ({}): it \
             carries that user's roles and dies with that account.",
            called(prior),
            owner(prior),
            caller.user.name,
            caller.user.id,
        ),
    )
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

/// A stray that is named in `revoke_strays` and that this login may not delete: who may.
pub fn not_revocable(
    cx: &Context,
    state: &ApplicationCredential,
    config: &ApplicationCredential,
    locked: &BTreeSet<String>,
) {
    let named = config.revoke_strays.known().map(|named| named.0.as_slice()).unwrap_or_default();
    let strays = state.strays.known();
    for id in named.iter().filter_map(Attr::known).filter(|id| locked.contains(*id)) {
        let Some(stray) = strays.and_then(|strays| strays.get(id)) else { continue };
        let user = stray.user_id.known().map_or("unknown", String::as_str);
        cx.tell(
            Diagnostic::warning(
                "Stray of another user",
                format!(
                    "revoke_strays names {id}, a stray of the application credential {}. It belongs to user {user}, and the \
                     present login may neither see nor revoke it. It is not planned for revocation: that user or an \
                     administrator can do it, by applying this configuration or by hand.",
                    called(state)
                ),
            )
            .at_attribute("revoke_strays"),
        );
    }
}
