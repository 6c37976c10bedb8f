//! Proof that a credential works. Revoking takes one as an argument, and only this file makes them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cloud::openstack::keystone::ApplicationCredential as Listed;
use crate::cloud::openstack::{Error, Login, Patience, Session, Token};
use crate::provider::application_credential::model::{ApplicationCredential, ProofOptions};
use crate::provider::arguments::{moment, period};
use crate::rotation::Period;

/// The current generation works, as far as that can be known.
#[derive(Debug)]
pub struct Proof(());

/// Why a credential is not proven.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    #[error("it expired, or expires now")]
    Expired,
    #[error(
        "the state does not hold its secret, and Keystone does not show it to this login, which is neither its owner nor an \
         administrator"
    )]
    Hidden,
    #[error("a login with it failed: {}", crate::provider::errors::story(.0))]
    Login(Error),
    #[error("its tokens lack the role{} {}", if .0.len() == 1 { "" } else { "s" }, .0.join(", "))]
    MissingRoles(Vec<String>),
    #[error(
        "the state holds neither its secret nor the record that it was once used, as after an import; \
         rotate it first (change `triggers`), or renounce the proof with proof = {{ required = false }}"
    )]
    NeverUsed,
    #[error("Keystone does not list it")]
    NotListed,
    #[error("the operation was stopped before {} had succeeded", in_a_row(*wanted))]
    Stopped { wanted: i64 },
    #[error("{} did not succeed within {within}; the last attempt: {last}", in_a_row(*wanted))]
    Unsteady { wanted: i64, within: String, last: Box<Self> },
    #[error("its tokens are for the project {found} instead of {wanted}")]
    WrongProject { found: String, wanted: String },
}

impl Unproven {
    /// Nothing was learned of the credential: time ran out, the cloud was busy, nobody answered.
    pub fn tells_nothing(&self) -> bool {
        match self {
            Self::Login(error) => error.tells_nothing(),
            Self::Stopped { .. } => true,
            Self::Unsteady { last, .. } => last.tells_nothing(),
            Self::Expired
            | Self::Hidden
            | Self::MissingRoles(_)
            | Self::NeverUsed
            | Self::NotListed
            | Self::WrongProject { .. } => false,
        }
    }

    /// What to do where nothing was learned; `operation` is the one of `timeouts` whose time it was.
    pub fn way_out(&self, operation: Option<&str>) -> String {
        let longer = operation.map(|operation| format!("`timeouts = {{ {operation} = \"15m\" }}`"));
        match (self, longer) {
            (Self::Login(error), Some(longer)) if out_of_time(error) => {
                format!("Give it more time, such as {longer}, and apply again.")
            }
            (Self::Login(error), longer) if error.login_status() == Some(429) => format!(
                "The cloud limits how often it may be called: apply again in some minutes, with a lower -parallelism{}.",
                longer.map_or_else(String::new, |longer| format!(", or with more time ({longer})"))
            ),
            (Self::Unsteady { last, .. }, _) => last.way_out(operation),
            (Self::Login(Error::NoAnswer { .. }), Some(longer)) => {
                format!(
                    "Apply again once Keystone answers; if it only needs longer, give it more time, such as {longer}."
                )
            }
            _ => "Apply again once Keystone answers.".into(),
        }
    }
}

fn in_a_row(wanted: i64) -> String {
    if wanted == 1 { "a login".into() } else { format!("{wanted} logins in a row") }
}

fn out_of_time(error: &Error) -> bool {
    matches!(error, Error::TimedOut { .. })
}

/// What a token of the credential must show.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub project_id: Option<String>,
    /// By name.
    pub roles: Vec<String>,
}

impl Wanted {
    pub fn of(credential: &Listed) -> Self {
        let roles = credential.roles.iter().map(|role| role.name.clone());
        Self { project_id: credential.project_id.clone(), roles: roles.collect() }
    }

    pub fn of_state(state: &ApplicationCredential) -> Self {
        let roles = state.effective_roles.known().map(|roles| roles.0.clone());
        Self { project_id: state.project_id.known().cloned(), roles: roles.unwrap_or_default() }
    }

    fn check(&self, token: &Token) -> Result<(), Unproven> {
        if let Some(wanted) = &self.project_id {
            let found = token.project.as_ref().map_or("none", |project| project.id.as_str());
            if found != wanted {
                let (found, wanted) = (found.to_owned(), wanted.clone());
                return Err(Unproven::WrongProject { found, wanted });
            }
        }
        let missing = self.missing_from(token);
        if missing.is_empty() { Ok(()) } else { Err(Unproven::MissingRoles(missing)) }
    }

    /// The roles that a token lacks.
    pub fn missing_from(&self, token: &Token) -> Vec<String> {
        let held: BTreeSet<&str> = token.roles.iter().map(|role| role.name.as_str()).collect();
        self.roles.iter().filter(|role| !held.contains(role.as_str())).cloned().collect()
    }

    /// The roles that the owner lacks, where the caller is the owner on the same project: its own token tells
    /// it for free.
    pub fn lost_by_owner(&self, state: &ApplicationCredential, caller: &Token) -> Vec<String> {
        let comparable = caller.application_credential.is_none()
            && state.user_id.known() == Some(&caller.user.id)
            && self.project_id.as_ref() == caller.project.as_ref().map(|project| &project.id);
        if comparable { self.missing_from(caller) } else { Vec::new() }
    }
}

/// The user renounced the proof with `required = false`.
pub fn renounced(config: &ApplicationCredential) -> Option<Proof> {
    let proof = config.proof.known()?;
    (proof.required.known() == Some(&false)).then_some(Proof(()))
}

/// Uses the credential: logs in until as many logins in a row as wanted have succeeded.
///
/// Where `options` say nothing of how, one login decides. Else a failure is tried again until their time is up, for
/// clouds whose Keystone nodes need a while to agree.
pub async fn by_login(
    session: &Session,
    login: &Login,
    wanted: &Wanted,
    options: Option<&ProofOptions>,
    cancel: &CancellationToken,
    patience: &Patience,
) -> Result<Proof, Unproven> {
    let options = options.filter(|options| {
        options.interval.is_known() || options.logins.is_known() || options.timeout.is_known()
    });
    let consecutive = options.and_then(|options| options.logins.known().copied()).unwrap_or(1);
    let interval = options
        .and_then(|options| period(&options.interval))
        .map_or(Duration::from_secs(2), Period::to_std);
    let within = options.and_then(|options| period(&options.timeout)).or(Period::from_seconds(60));
    let within_text = options.and_then(|options| options.timeout.known());
    let end = within.map(|within| Instant::now() + within.to_std());
    let mut in_a_row = 0;
    loop {
        let outcome = match session.log_in(login, patience).await {
            Ok(token) => wanted.check(&token),
            Err(error) => Err(Unproven::Login(error)),
        };
        match outcome {
            Ok(()) => in_a_row += 1,
            Err(failure) if options.is_none() => return Err(failure),
            // What comes after it has no time either.
            Err(Unproven::Login(error)) if out_of_time(&error) => {
                return Err(Unproven::Login(error));
            }
            Err(failure) => {
                in_a_row = 0;
                if over(end, interval) {
                    let last = Box::new(failure);
                    let within = within_text.map_or("1m", String::as_str).to_owned();
                    return Err(Unproven::Unsteady { wanted: consecutive, within, last });
                }
            }
        }
        if in_a_row >= consecutive {
            return Ok(Proof(()));
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(Unproven::Stopped { wanted: consecutive }),
            () = tokio::time::sleep(interval) => {}
        }
    }
}

/// The secret is not known any more: the record that it was used, what Keystone lists now, and that the owner
/// holds its roles, as far as this login can tell.
pub fn by_record(
    state: &ApplicationCredential,
    used_once: bool,
    listed: &[Listed],
    caller: &Token,
    now: jiff::Timestamp,
) -> Result<Proof, Unproven> {
    let Some(id) = state.id.known().filter(|_| used_once) else {
        return Err(Unproven::NeverUsed);
    };
    let current =
        listed.iter().find(|credential| credential.id == *id).ok_or(Unproven::NotListed)?;
    if current.expires_at.or(moment(&state.expires_at)).is_some_and(|expiry| expiry <= now) {
        return Err(Unproven::Expired);
    }
    let wanted = Wanted::of_state(state);
    let carried: BTreeSet<&str> = current.roles.iter().map(|role| role.name.as_str()).collect();
    let lost = wanted.roles.iter().filter(|role| !carried.contains(role.as_str())).cloned();
    let missing: BTreeSet<String> = lost.chain(wanted.lost_by_owner(state, caller)).collect();
    if missing.is_empty() {
        return Ok(Proof(()));
    }
    Err(Unproven::MissingRoles(missing.into_iter().collect()))
}

fn over(end: Option<Instant>, wait: Duration) -> bool {
    end.is_some_and(|end| Instant::now() + wait > end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::openstack::{ApiError, Meaning};

    fn refused(status: u16) -> Unproven {
        Unproven::Login(Error::Api(ApiError {
            status,
            message: String::new(),
            request_id: None,
            request: "POST /v3/auth/tokens".into(),
            meaning: Meaning::Status,
        }))
    }

    #[test]
    fn only_an_answer_of_keystone_is_evidence() {
        let late = || {
            Unproven::Login(Error::TimedOut {
                request: String::new(),
                after: Duration::ZERO,
                may_have_acted: false,
            })
        };
        for failure in [late(), refused(429), refused(500), Unproven::Stopped { wanted: 1 }] {
            assert!(failure.tells_nothing(), "{failure}");
        }
        for failure in [refused(401), refused(404), Unproven::MissingRoles(Vec::new())] {
            assert!(!failure.tells_nothing(), "{failure}");
        }
        let unsteady =
            |last| Unproven::Unsteady { wanted: 1, within: "1m".into(), last: Box::new(last) };
        assert!(unsteady(late()).tells_nothing() && !unsteady(refused(401)).tells_nothing());
        assert!(unsteady(late()).way_out(Some("create")).contains("timeouts = { create ="));
        assert!(!late().way_out(None).contains("timeouts"));
        let one = unsteady(refused(401)).to_string();
        assert!(one.starts_with("a login did not succeed within 1m"), "{one}");
    }
}
