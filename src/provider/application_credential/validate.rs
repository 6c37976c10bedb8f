//! What is wrong with a configuration whatever the cloud says: rules between arguments.

use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::application_credential::naming::RUN_PREFIX;
use crate::provider::application_credential::rules;
use crate::provider::arguments::period;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::{Attr, Set};

const MINUTE: i64 = 60;
/// A thousand years: an expiry is a date, and those have four digits of a year.
const LONGEST_LIFE: i64 = 365_000 * 86_400;
const SECRET_CHARACTERS: usize = 16;
const SECRET_BYTES: usize = 72;

/// Rules that the schema does not hold.
pub fn validate(config: &ApplicationCredential) -> Result<()> {
    let mut errors = Vec::new();
    let mut refuse = |attribute: &str, summary: &str, detail: String| {
        errors.push(Diagnostic::error(summary, detail).at_attribute(attribute));
    };

    for (name, argument) in
        [("expires_in", &config.expires_in), ("rotation_period", &config.rotation_period)]
    {
        if period(argument).is_some_and(|period| period.seconds() < MINUTE) {
            refuse(
                name,
                "The duration is too short",
                format!(
                    "{name} must be at least a minute (PT1M, 1m): anything shorter is over before it can be used."
                ),
            );
        }
    }
    if period(&config.expires_in).is_some_and(|period| period.seconds() > LONGEST_LIFE) {
        refuse(
            "expires_in",
            "The duration is too long",
            format!(
                "expires_in is {}, and no calendar goes so far. Leave it out for a credential that does not expire, or give at \
                 most 365000d.",
                text(&config.expires_in)
            ),
        );
    }
    for (name, argument) in [("name", &config.name), ("name_prefix", &config.name_prefix)] {
        if argument.known().is_some_and(|text| !text.is_empty() && text.trim().is_empty()) {
            refuse(
                name,
                "The name is blank",
                format!(
                    "{name} holds nothing but spaces, which Keystone refuses. Give it a letter or a digit."
                ),
            );
        }
        if argument.known().is_some_and(|text| text.starts_with(RUN_PREFIX)) {
            refuse(
                name,
                "The name is reserved",
                format!(
                    "Names that begin with {RUN_PREFIX} are those of the ephemeral resource rekey_application_credential, which \
                     deletes expired ones."
                ),
            );
        }
    }
    if !config.overlap.is_null() && config.name_prefix.is_null() {
        refuse(
            "overlap",
            "overlap needs name_prefix",
            "During the overlap the old and the new generation exist together, and Keystone gives each name only once. Use \
             name_prefix instead of name."
                .into(),
        );
    }
    if !config.renew_before.is_null() && config.expires_in.is_null() && config.expires_at.is_null()
    {
        refuse(
            "renew_before",
            "renew_before needs expires_in",
            "It is counted back from the expiry, which expires_in gives to each generation.".into(),
        );
    }
    if let (Some(renew), Some(life)) = (period(&config.renew_before), period(&config.expires_in))
        && renew >= life
    {
        refuse(
            "renew_before",
            "renew_before is not shorter than expires_in",
            format!(
                "A credential that lives for {} would be due again ({} before its end) as soon as it is issued.",
                text(&config.expires_in),
                text(&config.renew_before)
            ),
        );
    }
    if let (Some(life), Some(age)) = (period(&config.expires_in), period(&config.rotation_period))
        && !config.overlap.is_unknown()
    {
        let overlap = period(&config.overlap);
        let used = overlap.map_or(age, |overlap| age.plus(overlap));
        if life <= used {
            refuse("expires_in", "expires_in is too short for the schedule", too_short(config));
        }
    }
    overlap_outlives(config, &mut refuse);
    secret(config, &mut refuse);
    errors.extend(rights(config).err().into_iter().flat_map(|errors| errors.0));
    if errors.is_empty() { Ok(()) } else { Err(Diagnostics(errors)) }
}

/// An old generation ends with its own expiry: where its successor comes so late that it expires within the overlap,
/// the overlap is not kept. An age of rotation has a rule of its own, and always comes first.
fn overlap_outlives(config: &ApplicationCredential, refuse: &mut impl FnMut(&str, &str, String)) {
    let (Some(life), Some(overlap)) = (period(&config.expires_in), period(&config.overlap)) else {
        return;
    };
    if !config.rotation_period.is_null() {
        return;
    }
    if life <= overlap {
        refuse(
            "expires_in",
            "expires_in is not longer than overlap",
            format!(
                "A credential that expires after {} cannot stay valid for an overlap of {} once it has been rotated: its own expiry \
                 comes first. Make expires_in much longer, or overlap shorter.",
                text(&config.expires_in),
                text(&config.overlap)
            ),
        );
        return;
    }
    if period(&config.renew_before).is_some_and(|early| early < overlap) {
        refuse(
            "renew_before",
            "renew_before is shorter than overlap",
            format!(
                "The schedule rotates {} before the expiry, and the old credential expires that long after, although overlap keeps it \
                 for {}: consumers that rely on the overlap would be refused. Make renew_before at least as long as overlap.",
                text(&config.renew_before),
                text(&config.overlap)
            ),
        );
    }
}

/// What is wrong with the roles and the access rules.
pub fn rights(config: &ApplicationCredential) -> Result<()> {
    let mut errors = Vec::new();
    let mut refuse = |attribute: &str, summary: &str, detail: String| {
        errors.push(Diagnostic::error(summary, detail).at_attribute(attribute));
    };
    restrictions(config, &mut refuse);
    rules::check(config, &mut refuse);
    if errors.is_empty() { Ok(()) } else { Err(Diagnostics(errors)) }
}

fn secret(config: &ApplicationCredential, refuse: &mut impl FnMut(&str, &str, String)) {
    match (&config.secret_wo, &config.secret_wo_version) {
        (Attr::Null, Attr::Known(_)) => refuse(
            "secret_wo_version",
            "secret_wo_version without secret_wo",
            "secret_wo_version tells when secret_wo is a new one; give secret_wo its value, or leave both out.".into(),
        ),
        (Attr::Known(_) | Attr::Unknown, Attr::Null) => refuse(
            "secret_wo",
            "secret_wo without secret_wo_version",
            "A write-only secret is in no state, so Terraform cannot see that it has changed. Set secret_wo_version, and raise \
             it with each new secret."
                .into(),
        ),
        _ => {}
    }
    let Attr::Known(secret) = &config.secret_wo else { return };
    let text = secret.expose();
    if text.chars().count() < SECRET_CHARACTERS || text.len() > SECRET_BYTES {
        refuse(
            "secret_wo",
            "The secret has the wrong length",
            format!(
                "secret_wo must have at least {SECRET_CHARACTERS} characters, and at most {SECRET_BYTES} bytes, as Keystone looks at \
                 no more."
            ),
        );
    }
}

/// What restricts and is empty would restrict nothing, and the credential would have every right of its login.
fn restrictions(config: &ApplicationCredential, refuse: &mut impl FnMut(&str, &str, String)) {
    let empty = [
        ("roles", "roles of its login", config.roles.known().is_some_and(Set::is_empty)),
        ("access_rules", "requests", config.access_rules.known().is_some_and(Set::is_empty)),
    ];
    for (name, all, _) in empty.into_iter().filter(|(.., empty)| *empty) {
        refuse(
            name,
            "An empty restriction restricts nothing",
            format!(
                "{name} is an empty set. Keystone takes that for no restriction, and the credential would have all {all}. List at \
                 least one, or leave {name} out (null) if all are meant."
            ),
        );
    }
    for role in config.roles.known().into_iter().flat_map(|roles| &roles.0) {
        if role.known().is_some_and(|role| role.trim().is_empty()) {
            refuse(
                "roles",
                "A role without a name",
                "A role must be given by its name or its id.".into(),
            );
        }
    }
}

/// The arguments in the words of the configuration.
fn too_short(config: &ApplicationCredential) -> String {
    let (kept, longer) = match text(&config.overlap) {
        "" => (String::new(), "rotation_period"),
        overlap => (
            format!(" and is kept for {overlap} after that"),
            "rotation_period and overlap together",
        ),
    };
    format!(
        "A credential is rotated at the age of {}{kept}, and expires after {}: it ends before its time, or at the very moment, and \
         consumers would be refused. Make expires_in longer than {longer}, and best well above, so that a pipeline which \
         stands still for some days costs nothing.",
        text(&config.rotation_period),
        text(&config.expires_in)
    )
}

fn text(argument: &Attr<String>) -> &str {
    argument.known().map_or("", String::as_str)
}
