//! What all resources that rotate by a schedule say alike: their policy, what of it is not known yet, which triggers
//! changed, what an import records, when the next rotation is due, what is held.
//!
//! Not what is done about it: that is decided in `rotation`, and told by each resource in its own words.

pub mod due;
pub mod triggers;

use crate::provider::arguments::period;
use crate::rotation::{Due, Period, Policy};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::Attr;
use triggers::{Compared, Triggers, compare};

/// The arguments of a schedule, as a resource has them in its configuration or its state.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    pub expires_in: Option<&'a Attr<String>>,
    pub overlap: &'a Attr<String>,
    pub renew_before: &'a Attr<String>,
    pub rotate: &'a Attr<bool>,
    pub rotation_period: &'a Attr<String>,
    pub triggers: &'a Attr<Triggers>,
}

/// A resource with a schedule.
pub trait Scheduled {
    fn arguments(&self) -> Arguments<'_>;

    /// What is known of the policy; an argument that is unknown counts as not given, see [`known_policy`].
    fn policy(&self) -> Policy {
        let Arguments { expires_in, overlap, renew_before, rotate, rotation_period, .. } =
            self.arguments();
        Policy {
            expires_in: expires_in.and_then(period),
            overlap: period(overlap),
            renew_before: period(renew_before),
            rotate: rotate.known().copied().unwrap_or(true),
            rotation_period: period(rotation_period),
        }
    }

    /// Whether there may be a next date.
    fn scheduled(&self) -> bool {
        let arguments = self.arguments();
        let dated = [arguments.renew_before, arguments.rotation_period];
        dated.into_iter().chain(arguments.expires_in).any(|argument| !argument.is_null())
    }

    /// How the triggers differ from the state's. An import records those that are given, known or not.
    fn triggers_since(&self, prior: &Self, imported: bool) -> Compared {
        let (before, now) = (prior.arguments().triggers, self.arguments().triggers);
        if imported && before.is_null() {
            return Compared::default();
        }
        compare(before, now)
    }
}

/// A plan of something that exists refuses a policy that is not known: whether anything is rotated hangs on it.
pub fn known_policy(model: &impl Scheduled) -> Result<()> {
    let Arguments { overlap, renew_before, rotate, rotation_period, .. } = model.arguments();
    let errors: Vec<Diagnostic> = [
        ("overlap", overlap.is_unknown()),
        ("renew_before", renew_before.is_unknown()),
        ("rotate", rotate.is_unknown()),
        ("rotation_period", rotation_period.is_unknown()),
    ]
    .into_iter()
    .filter(|(_, unknown)| *unknown)
    .map(|(name, _)| {
        Diagnostic::error(
            "The rotation policy is not known",
            format!(
                "{name} decides whether and how this credential is rotated, so the plan needs its value. Give it one that does not \
                 come from a resource that is yet to be applied."
            ),
        )
        .at_attribute(name)
    })
    .collect();
    if errors.is_empty() { Ok(()) } else { Err(Diagnostics(errors)) }
}

/// A rotation or a revocation is overdue, and `rotate = false` holds it. `what` names the object.
/// `more` is what else is to be said of it.
pub fn tell_held(cx: &Context, what: &str, due: &[Due], more: &str) {
    let held: Vec<String> =
        due.iter().filter(|due| due.can_be_held()).map(ToString::to_string).collect();
    if !held.is_empty() {
        cx.tell(Diagnostic::warning(
            "Rotation is overdue and held",
            format!(
                "For {what}: {}. `rotate = false` holds it; without it, the next plan does what is due.{more}",
                held.join("; ")
            ),
        ));
    }
}

/// What was due by arguments that change in this plan is judged anew by the next one. `what` names the object.
/// `arising` is due by the new arguments already.
pub fn tell_changed(cx: &Context, what: &str, dropped: &[Due], arising: &[Due]) {
    let list = |due: &[Due]| {
        let texts: Vec<String> = due.iter().map(ToString::to_string).collect();
        texts.join("; ")
    };
    let was = format!(
        "For {what} this was due: {}. As the arguments that it follows from change, it is judged anew:",
        list(dropped)
    );
    let detail = match (dropped, arising) {
        ([], []) => return,
        ([], arising) => format!(
            "For {what} this is due already by the arguments that change: {}. The plan after this apply does it.",
            list(arising)
        ),
        (_, []) => {
            format!("{was} what is due by the new ones is done by the plan after this apply.")
        }
        (_, arising) => format!(
            "{was} by the new ones this is due already: {}. The plan after this apply does it.",
            list(arising)
        ),
    };
    cx.tell(Diagnostic::warning("The schedule changes with this apply", detail));
}

/// A credential that lives shorter than `renew_before` would be rotated in every apply.
pub fn too_early(
    renew_before: &Attr<String>,
    lifetime: Option<jiff::SignedDuration>,
) -> Option<Diagnostic> {
    let early: Period = period(renew_before)?;
    let lifetime = lifetime?;
    if early.seconds() < lifetime.as_secs() {
        return None;
    }
    Some(
        Diagnostic::error(
            "renew_before is longer than the credential lives",
            format!(
                "It lives for {} days, so one that was just made would be due at once, and every apply would rotate it again. Set \
                 renew_before to less than that.",
                lifetime.as_hours() / 24
            ),
        )
        .at_attribute("renew_before"),
    )
}
