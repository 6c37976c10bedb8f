//! Issues one credential, exactly once: the name and the secret are chosen before Keystone is called, so
//! that a lost reply is cleared up by looking up the name.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use zeroize::Zeroize as _;

use crate::cloud::openstack::keystone::{
    AccessRule, ApplicationCredential as Listed, NewApplicationCredential, RoleRef,
};
use crate::cloud::openstack::{Error, Login, Patience, Session, Token};
use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::application_credential::{checks, rules};
use crate::provider::arguments::{moment, period, whole_seconds};
use crate::provider::errors;
use crate::provider::openstack::{Openstack, grace};
use crate::redaction::SecretString;
use crate::tfplugin::diagnostics::{Diagnostic, Result};

/// A credential that exists now.
#[derive(Debug)]
pub struct Issued {
    pub credential: Listed,
    pub secret: SecretString,
    /// Other credentials of the same generation, which an earlier run or another one has made: nobody here knows their
    /// secrets.
    pub found: Vec<Listed>,
    /// Access rules that were made for it, by id.
    pub rules: Vec<String>,
    pub at: Timestamp,
}

impl Issued {
    pub fn login(&self) -> Login {
        Login { application_credential_id: self.credential.id.clone(), secret: self.secret.clone() }
    }
}

/// The name of Keystone's option, in the message for whoever has reached it.
pub const LIMIT: &str = "user_limit";

/// Creates are tried so often where no answer tells whether they took effect.
const TRIES: usize = 3;

/// Issues a credential for the caller. `name` is told how many names have been tried, which somebody has taken, and
/// which access rules are made for the credential; None ends it.
pub async fn issue(
    openstack: &Openstack,
    session: &Session,
    caller: &Token,
    config: &ApplicationCredential,
    name: impl Fn(usize, &[bool]) -> Option<String>,
    patience: &Patience,
) -> Result<Issued> {
    let now = session.now();
    let user = &caller.user.id;
    let secret = match config.secret_wo.known() {
        Some(own) => own.0.clone(),
        None => generate().map_err(no_random)?,
    };
    let expires_at = moment(&config.expires_at)
        .or_else(|| period(&config.expires_in).map(|period| whole_seconds(period.after(now))));
    let mut access_rules: Vec<AccessRule> = config
        .access_rules
        .known()
        .map(|rules| rules.0.iter().map(AccessRule::from).collect())
        .unwrap_or_default();
    rules::sort(&mut access_rules);
    let made = made_rules(openstack, session, user, &access_rules, patience).await?;
    let mut new = NewApplicationCredential {
        name: name(0, &made).unwrap_or_default(),
        secret,
        description: config.description.known().cloned(),
        roles: checks::role_refs(caller, config),
        expires_at,
        unrestricted: config.unrestricted.known().copied().unwrap_or(false),
        access_rules,
    };

    openstack.forget(user);
    let mut found = Vec::new();
    let credential = loop {
        let created = create(session, user, &new, caller, patience).await;
        openstack.forget(user);
        let error = match created {
            Ok(credential) => break credential,
            Err(NotCreated::Told(diagnostic)) => return Err(diagnostic.into()),
            Err(NotCreated::NameTaken(error)) => error,
        };
        let holder =
            session.keystone().application_credential_named(user, &new.name, patience).await;
        let holder = holder.ok().flatten();
        if let (Some(holder), true) = (&holder, config.secret_wo.is_known())
            && is_made_already(session, holder, &new, caller, patience).await
        {
            break holder.clone();
        }
        let Some(other) = name(found.len() + 1, &made).filter(|_| holder.is_some()) else {
            return Err(name_taken(session, &new, &error, holder.as_ref()).into());
        };
        found.extend(holder);
        new.name = other;
    };
    Ok(Issued {
        found,
        rules: rules::ids(&credential, &new.access_rules, &made),
        secret: new.secret,
        credential,
        at: whole_seconds(now),
    })
}

/// Which of the wanted rules will be the new credential's own.
async fn made_rules(
    openstack: &Openstack,
    session: &Session,
    user: &str,
    wanted: &[AccessRule],
    patience: &Patience,
) -> Result<Vec<bool>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let unreadable = |error: Error| {
        errors::call(
            "Cannot issue an application credential",
            "find out which access rules there are already",
            &error,
            "No credential was issued, and what existed before is as it was.",
            "",
        )
    };
    let existing = session.keystone().access_rules(user, patience).await.map_err(unreadable)?;
    let listed = openstack.credentials(session, user, patience).await.map_err(unreadable)?;
    Ok(rules::made(wanted, &existing, &listed))
}

/// 256 random bits, 43 characters: Keystone's bcrypt looks at 72 bytes at most.
pub fn generate() -> std::result::Result<SecretString, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let secret = SecretString::from(URL_SAFE_NO_PAD.encode(bytes));
    bytes.zeroize();
    Ok(secret)
}

/// Already gone is success.
pub async fn delete(
    openstack: &Openstack,
    session: &Session,
    user: &str,
    id: &str,
    patience: &Patience,
) -> std::result::Result<(), Error> {
    delete_found(openstack, session, user, id, patience).await.map(drop)
}

/// The same, and whether there was anything to delete.
pub async fn delete_found(
    openstack: &Openstack,
    session: &Session,
    user: &str,
    id: &str,
    patience: &Patience,
) -> std::result::Result<bool, Error> {
    openstack.forget(user);
    let deleted = session.keystone().delete_application_credential(user, id, patience).await;
    openstack.forget(user);
    match deleted {
        Ok(()) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

pub fn no_random(error: getrandom::Error) -> Diagnostic {
    Diagnostic::error(
        "No random bytes",
        format!("The operating system gave no random bytes: {error}. Nothing was issued."),
    )
}

/// Why there is no new credential.
enum NotCreated {
    NameTaken(Error),
    Told(Diagnostic),
}

/// Whether it is what is to be made, by a run that was killed then: the user's own secret opens it.
async fn is_made_already(
    session: &Session,
    holder: &Listed,
    new: &NewApplicationCredential,
    caller: &Token,
    patience: &Patience,
) -> bool {
    let key = |rule: &AccessRule| (rule.service.clone(), rule.method.clone(), rule.path.clone());
    let sorted = |rules: &[AccessRule]| rules.iter().map(key).collect::<BTreeSet<_>>();
    let roles: BTreeSet<&str> =
        holder.roles.iter().flat_map(|role| [role.id.as_str(), role.name.as_str()]).collect();
    let wanted = new.roles.iter().all(|role| match role {
        RoleRef::Id(role) | RoleRef::Name(role) => roles.contains(role.as_str()),
    });
    let same = wanted
        && holder.unrestricted == new.unrestricted
        && holder.project_id.as_ref() == caller.project.as_ref().map(|project| &project.id)
        && holder.expires_at.is_some() == new.expires_at.is_some()
        && holder.expires_at.is_none_or(|expiry| expiry > session.now())
        && sorted(&holder.access_rules) == sorted(&new.access_rules);
    let login = Login { application_credential_id: holder.id.clone(), secret: new.secret.clone() };
    same && session.log_in(&login, patience).await.is_ok()
}

async fn create(
    session: &Session,
    user: &str,
    new: &NewApplicationCredential,
    caller: &Token,
    patience: &Patience,
) -> std::result::Result<Listed, NotCreated> {
    let mut lost: Option<Error> = None;
    for _ in 0..TRIES {
        let error =
            match session.keystone().create_application_credential(user, new, patience).await {
                Ok(created) => return Ok(created),
                Err(error) => error,
            };
        let taken = error.status() == Some(409);
        if !(error.is_ambiguous() || taken && lost.is_some()) {
            return Err(match (taken, lost) {
                (true, _) => NotCreated::NameTaken(error),
                (false, Some(lost)) => NotCreated::Told(unsettled(&lost, new)),
                (false, None) => NotCreated::Told(refused(&error, new, caller)),
            });
        }
        match look_up(session, user, new).await {
            Ok(Some(created)) => return Ok(created),
            Ok(None) => lost = Some(lost.unwrap_or(error)),
            Err(_) => return Err(NotCreated::Told(unsettled(&error, new))),
        }
    }
    Err(NotCreated::Told(match lost {
        Some(error) => refused(&error, new, caller),
        None => unreachable_outcome(),
    }))
}

/// After a lost reply: is there a credential of that name, and does our secret open it?
async fn look_up(
    session: &Session,
    user: &str,
    new: &NewApplicationCredential,
) -> std::result::Result<Option<Listed>, Error> {
    let patience = grace();
    let named = session.keystone().application_credential_named(user, &new.name, &patience).await?;
    let Some(named) = named else { return Ok(None) };
    let login = Login { application_credential_id: named.id.clone(), secret: new.secret.clone() };
    match session.log_in(&login, &patience).await {
        Ok(_) => Ok(Some(named)),
        Err(error) => Err(error),
    }
}

fn refused(error: &Error, new: &NewApplicationCredential, caller: &Token) -> Diagnostic {
    let next = match error.status() {
        Some(400) if mentions(error, "unassigned role") => format!(
            "{} does not have one of the wanted roles on this project.",
            caller.user.name
        ),
        Some(403) if mentions(error, "maximum of") => format!(
            "This cloud limits how many application credentials a user may have ([application_credential] {LIMIT}). The \
             data source rekey_application_credentials lists those of {}: revoke one that nobody uses (an expired one, an old \
             generation, a stray) and apply again.",
            caller.user.name
        ),
        Some(403) => "The login may not issue application credentials: a restricted application credential, a trust or a \
             token that is not scoped to a project cannot."
            .into(),
        Some(404) => "Keystone does not know the login's user any more, or has no application credentials: they came with the \
             release Queens. Check with `openstack application credential list` under the same login; where that works, look at \
             auth_url."
            .into(),
        Some(429) => "The cloud limits how often it may be called; nothing is wrong with the configuration. Apply again in some \
             minutes, with a lower -parallelism, or give the operation more time in `timeouts`."
            .into(),
        Some(500..) => "That is a fault of the cloud, not of the configuration. Apply again; if it stays, its operators find it by \
             the request id."
            .into(),
        _ if matches!(error, Error::TimedOut { .. }) => {
            "Apply again, or give the operation more time in `timeouts`.".into()
        }
        _ if error.tells_nothing() => "Apply again once Keystone answers.".into(),
        _ => String::new(),
    };
    errors::call(
        "Cannot issue an application credential",
        &format!("issue the application credential {:?}", new.name),
        error,
        "No credential was issued, and what existed before is as it was.",
        &next,
    )
}

fn name_taken(
    session: &Session,
    new: &NewApplicationCredential,
    error: &Error,
    holder: Option<&Listed>,
) -> Diagnostic {
    let holder = match holder {
        Some(holder) => format!(
            "It is the name of the credential {}, of project {}{}.",
            holder.id,
            holder.project_id.as_deref().unwrap_or("none"),
            holder
                .expires_at
                .filter(|expiry| *expiry <= session.now())
                .map_or("", |_| ", which has expired and holds its name until it is deleted"),
        ),
        None => "Another credential of the same user has it, perhaps on another project.".into(),
    };
    errors::call(
        "The name of the application credential is in use",
        &format!("issue the application credential {:?}", new.name),
        error,
        &format!("No credential was issued. {holder}"),
        "A name is unique among all credentials of a user, on all projects, the expired ones included. Use name_prefix instead \
         of name: each generation then has a name of its own. A replacement with create_before_destroy needs it, as the old \
         credential still has the name when the new one is issued; to adopt the existing credential, import it.",
    )
    .at_attribute("name")
}

fn unsettled(error: &Error, new: &NewApplicationCredential) -> Diagnostic {
    errors::call(
        "It is not known whether an application credential was issued",
        &format!("learn whether the application credential {:?} was issued", new.name),
        error,
        &format!(
            "If it was, it is named {:?}, nobody has its secret, and what existed before still works.",
            new.name
        ),
        "Once Keystone answers again, plan again: an update lists it among `strays`. For a resource that was being created, \
         look for the name with the data source rekey_application_credentials and delete it.",
    )
}

fn unreachable_outcome() -> Diagnostic {
    Diagnostic::error("Cannot issue an application credential", "No attempt was made.")
}

fn mentions(error: &Error, words: &str) -> bool {
    matches!(error, Error::Api(answer) if answer.message.contains(words))
}

#[cfg(test)]
mod tests {
    use crate::redaction::ExposeSecret as _;

    use super::*;

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.expose_secret().len(), 43);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}
