//! What the operator is told. Summaries are constants, since Terraform folds equal ones; the detail names
//! the credential, says what is still valid and what to do.

mod gains;
mod planned;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::openstack::config::Cloud;
use crate::cloud::openstack::keystone::ApplicationCredential as Listed;
use crate::cloud::openstack::{Error, Token};
use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::arguments::{moment, period};
use crate::provider::errors;
use crate::rotation::Period;
use crate::tfplugin::diagnostics::Diagnostic;
use crate::tfplugin::model::{Attr, Set};

pub use gains::gained;
pub use planned::{
    moves, no_strays, not_revocable, overdue, planned, policy_changed, some_of, strays_stay,
};

/// Two weeks, where `warn_before` says nothing.
const WARN_BEFORE_SECONDS: i64 = 14 * 86_400;

/// Why a credential is gone, as far as that can be known.
#[derive(Debug)]
pub enum Gone {
    Deleted { role_lost: Option<String> },
    OwnerDeleted,
}

/// `"ci-1-abc" (0123…)`, or whichever of the two is known.
pub fn called(state: &ApplicationCredential) -> String {
    match (state.name.known(), state.id.known()) {
        (Some(name), Some(id)) => format!("{name:?} ({id})"),
        (Some(name), None) => format!("{name:?}"),
        (None, Some(id)) => id.clone(),
        (None, None) => "that is to be issued".into(),
    }
}

pub fn owner(state: &ApplicationCredential) -> String {
    match (state.user_name.known(), state.user_id.known()) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (_, Some(id)) => format!("user {id}"),
        _ => "an unknown user".into(),
    }
}

pub fn not_observed(state: &ApplicationCredential, setting: &str) -> Diagnostic {
    Diagnostic::warning(
        "Application credential not refreshed",
        format!(
            "The provider's setting openstack.{setting} is not known before apply, so the application credential {} could \
             not be looked at. The state is kept as it was; what has become due since then waits for the next plan.",
            called(state)
        ),
    )
}

/// Nothing is wrong with any credential, but what else runs on this machine may go by its clock.
pub fn clocks_differ(ahead: SignedDuration, cloud: &Cloud) -> Diagnostic {
    let behind = if ahead.is_negative() { "ahead of" } else { "behind" };
    let minutes = (ahead.abs() + SignedDuration::from_secs(30)).as_mins();
    let by = match (minutes / 1440, minutes / 60, minutes) {
        (0, 0, 1) => "1 minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} minutes"),
        (0, 1, _) => "1 hour".to_owned(),
        (0, hours, _) => format!("{hours} hours"),
        (1, ..) => "1 day".to_owned(),
        (days, ..) => format!("{days} days"),
    };
    Diagnostic::warning(
        "This machine's clock differs from the cloud's",
        format!(
            "The clock of the machine that runs the provider is {by} {behind} that of {}. What is due and what has expired is \
             judged by the cloud's clock. Set the machine's: certificates and tokens are judged by it, too.",
            cloud.auth_url
        ),
    )
}

pub fn not_the_owner(state: &ApplicationCredential, caller: &Token, cloud: &Cloud) -> Diagnostic {
    let other = match state.auth_url.known() {
        Some(recorded) if state.has_another_address(cloud) => format!(
            " It was issued by {recorded}, and this login is to {}: perhaps this is another cloud.",
            cloud.auth_url
        ),
        _ => String::new(),
    };
    if state.user_id.known() == Some(&caller.user.id) {
        return Diagnostic::warning(
            "Application credential not refreshed",
            format!(
                "Keystone does not let the present login {} ({}) list its own application credentials (403), so {} could not be \
                 looked at: a policy of this cloud, or a login that is restricted.\n\nThe state is kept as it was.",
                caller.user.name,
                caller.user.id,
                called(state),
            ),
        );
    }
    Diagnostic::warning(
        "Application credential of another user",
        format!(
            "The application credential {} belongs to {}; the present login {name} ({id}) is neither its owner nor an \
             administrator, so Keystone does not show it.{other}\n\nThe state is kept as it was. A generation that is issued \
             under this login belongs to {name}: it carries that user's roles and dies with that account. The present one can \
             be revoked only by its owner or an administrator.",
            called(state),
            owner(state),
            name = caller.user.name,
            id = caller.user.id,
        ),
    )
}

pub fn not_removable(state: &ApplicationCredential, numbers: &[&String]) -> Diagnostic {
    let one = |number: &&String| {
        let old = state.previous().get(*number);
        let user = old.and_then(|old| old.user_id.known()).map_or("another user", String::as_str);
        let id = old.and_then(|old| old.id.known()).map_or("", String::as_str);
        format!("generation {number} ({id}) of user {user}")
    };
    Diagnostic::warning(
        "Old generation of another user",
        format!(
            "Of the application credential {}, the present login may neither see nor revoke {}. That is not planned for revocation: \
             that user or an administrator can do it, by applying this configuration or by hand.",
            called(state),
            some_of(numbers.iter().map(one).collect())
        ),
    )
}

pub fn another_cloud(state: &ApplicationCredential, cloud: &Cloud) -> Diagnostic {
    let (taken, next) = elsewhere_or_gone(state, cloud);
    Diagnostic::warning(
        "Application credential not found in this cloud",
        format!(
            "The Keystone at {} knows neither the application credential {}, nor its owner ({}), nor its project. {taken}\n\nThe state \
             is kept as it was. {next}",
            cloud.auth_url,
            called(state),
            owner(state),
        ),
    )
}

/// What it means that a Keystone knows nothing of a credential and its owner, and what to do.
fn elsewhere_or_gone(state: &ApplicationCredential, cloud: &Cloud) -> (String, &'static str) {
    if state.auth_url.is_known() && !state.has_another_address(cloud) {
        return (
            "It was issued there: owner and project were deleted, and the credential with them; or another cloud answers at this \
             address by now."
                .into(),
            "If it is really gone, `terraform state rm` forgets it.",
        );
    }
    let recorded = state.auth_url.known().map_or("an unknown address", String::as_str);
    (
        format!(
            "It was issued by {recorded}. This is taken for another cloud, not for a deleted credential."
        ),
        "Check which cloud the provider logs in to; if the credential is really gone, `terraform state rm` forgets it.",
    )
}

/// A destroy that found nothing, under a login to what looks like another cloud.
pub fn not_revoked_elsewhere(state: &ApplicationCredential, id: &str, cloud: &Cloud) -> Diagnostic {
    let (taken, next) = elsewhere_or_gone(state, cloud);
    Diagnostic::error(
        "An application credential was not revoked",
        format!(
            "The Keystone at {} has no application credential {id}, and knows neither its owner ({}) nor its project, or does not \
             show them to this login. {taken} In another cloud it goes on working.\n\nIt stays in the state. {next}",
            cloud.auth_url,
            owner(state),
        ),
    )
}

pub fn gone(state: &ApplicationCredential, why: &Gone) -> Diagnostic {
    let why = match why {
        Gone::OwnerDeleted => format!(
            "Its owner {} was deleted, and Keystone deletes the credentials of a user with the user.",
            owner(state)
        ),
        Gone::Deleted { role_lost: Some(role) } => format!(
            "Its owner no longer has the role {role:?}. When a role is deleted from Keystone, all credentials of the users \
             who had it are deleted with it; or somebody deleted this one by hand."
        ),
        Gone::Deleted { role_lost: None } => {
            "Somebody deleted it outside Terraform, or Keystone did: it deletes a user's \
             credentials when a role of theirs is deleted."
                .into()
        }
    };
    Diagnostic::warning(
        "Application credential is gone",
        format!(
            "The application credential {} of {} does not exist any more. {why}\n\nIt is planned to be issued anew; whoever \
             still uses the old one is refused already.",
            called(state),
            owner(state)
        ),
    )
}

/// Only the current generation is gone.
pub fn vanished(state: &ApplicationCredential) -> Diagnostic {
    let left: Vec<&str> = state.previous().keys().map(String::as_str).collect();
    let left = match left.as_slice() {
        [] => String::new(),
        [one] => format!(" Its old generation {one} is still listed."),
        more => format!(" Its old generations {} are still listed.", more.join(", ")),
    };
    Diagnostic::warning(
        "The current application credential is gone",
        format!(
            "The application credential {} of {} does not exist any more: it was deleted outside Terraform. Whoever uses it is \
             refused.{left}\n\nThe next generation is planned to be issued.",
            called(state),
            owner(state)
        ),
    )
}

/// What `revoke_strays` does not name.
pub fn strays(state: &ApplicationCredential, config: &ApplicationCredential) -> Option<Diagnostic> {
    let named = match &config.revoke_strays {
        Attr::Known(Set(named)) => named.as_slice(),
        Attr::Null => &[],
        Attr::Unknown => return None,
    };
    let found = state.strays.known().into_iter().flatten();
    let unnamed = found.filter(|(id, _)| !named.iter().any(|one| one.known() == Some(*id)));
    let list: Vec<String> = unnamed
        .map(|(id, stray)| {
            let name = stray.name.known().map_or("", String::as_str);
            let others = stray.user_id.known().filter(|user| state.user_id.known() != Some(*user));
            let owner = others.map_or_else(String::new, |user| format!(" of user {user}"));
            format!("{name} ({id}){owner}")
        })
        .collect();
    if list.is_empty() || named.iter().any(Attr::is_unknown) {
        return None;
    }
    Some(Diagnostic::warning(
        "Application credentials unknown to the state",
        format!(
            "Beside the application credential {}, Keystone has what only this resource can have issued and the state does \
             not know: {}.\n\nAn interrupted run leaves one behind; so does restoring an old state, and then it may be in \
             use. It works until it is revoked. Once you know that nobody uses it, name its id in `revoke_strays`.",
            called(state),
            list.join(", ")
        ),
    ))
}

/// The generation that was to be issued is there already, and nobody here has its secret.
pub fn made_already(generation: u64, found: &[Listed], issued: &Listed) -> Diagnostic {
    let found: Vec<String> =
        found.iter().map(|found| format!("{:?} ({})", found.name, found.id)).collect();
    Diagnostic::warning(
        "Another run has made this generation already",
        format!(
            "Generation {generation} is in Keystone already, as {}: an apply that was interrupted issued it, or another one at \
             the same time, and the state does not know its secret. It was issued once more, as {:?} ({}), which is the current \
             one now.\n\nThe other works until it is revoked. The next plan lists it in `strays`: name its id in \
             `revoke_strays` once you know that nobody uses it.",
            found.join(", "),
            issued.name,
            issued.id
        ),
    )
}

pub fn weaker(state: &ApplicationCredential, missing: &[String]) -> Diagnostic {
    Diagnostic::warning(
        "Application credential has lost roles",
        format!(
            "The application credential {} is listed with roles that its owner {} no longer has: {}. Its tokens do not carry \
             them.\n\nGrant the roles to the owner again, or take them out of `roles`.",
            called(state),
            owner(state),
            missing.join(", ")
        ),
    )
}

pub fn dead(state: &ApplicationCredential, error: &Error) -> Diagnostic {
    Diagnostic::warning(
        "Application credential does not work",
        format!(
            "Keystone lists the application credential {}, but refuses a login with it: {}. Its owner {} is disabled or has none of \
             the credential's roles any more{}, or its project is disabled or deleted.\n\nWhoever uses it is refused. A new one \
             of the same owner would be refused as well: mend the account, or rotate under another login.",
            called(state),
            errors::story(error),
            owner(state),
            match state.effective_roles.known() {
                Some(roles) if !roles.is_empty() => format!(" ({})", roles.0.join(", ")),
                _ => String::new(),
            },
        ),
    )
}

pub fn cannot_check(state: &ApplicationCredential) -> Diagnostic {
    Diagnostic::warning(
        "Application credential cannot be checked",
        format!(
            "check_usable needs the secret of the application credential {}, and the state does not hold it (secret_wo, or an \
             import). Only what Keystone lists was looked at.",
            called(state)
        ),
    )
}

/// Whether an expiry is so near that it is told.
pub fn expires_soon(state: &ApplicationCredential, now: Timestamp) -> bool {
    let early = period(&state.warn_before).or(Period::from_seconds(WARN_BEFORE_SECONDS));
    let early = early.zip(moment(&state.expires_at));
    early.is_some_and(|(early, expiry)| now >= early.before(expiry))
}
