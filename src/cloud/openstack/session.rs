//! One login, one scope: a token that all calls share, renewed before it ends.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Error, config::Cloud, keystone::Keystone};

/// An id with the name that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub id: String,
    pub name: String,
}

/// The application credential that a token came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCredential {
    pub id: String,
    pub name: String,
    /// May not manage other application credentials.
    pub restricted: bool,
    pub has_access_rules: bool,
}

/// An issued token and what Keystone said of it.
#[derive(Clone, Debug)]
pub struct Token {
    /// `X-Subject-Token`.
    pub value: SecretString,
    pub user: Reference,
    /// None when unscoped, domain-scoped or system-scoped.
    pub project: Option<Reference>,
    pub roles: Vec<Reference>,
    pub application_credential: Option<TokenCredential>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    // to be completed: the catalog
}

/// How long a call may go on, and what ends its waiting early. Waits end at once; a request in
/// flight is always awaited.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    pub cancel: CancellationToken,
    pub deadline: Option<Instant>,
}

/// Whoever logs in with this gets a token of its own, outside the session's.
#[derive(Clone, Debug)]
pub struct Login {
    pub application_credential_id: String,
    pub secret: SecretString,
}

/// A login to one cloud. Cheap to clone; contacts nobody before the first call.
#[derive(Clone, Debug)]
pub struct Session {
    // to be completed
}

impl Session {
    pub fn new(_cloud: Cloud) -> Result<Self, Error> {
        todo!()
    }

    pub fn cloud(&self) -> &Cloud {
        todo!()
    }

    /// The session's token: issued on first use, shared, renewed `margin` before its end.
    pub async fn token(&self, _patience: &Patience) -> Result<Token, Error> {
        todo!()
    }

    /// The identity service.
    pub fn keystone(&self) -> Keystone<'_> {
        todo!()
    }

    /// Logs in with an application credential, against the same cloud with the same trust.
    pub async fn log_in(&self, _login: &Login, _patience: &Patience) -> Result<Token, Error> {
        todo!()
    }

    /// Revokes a token that [`Session::log_in`] gave (or any other).
    pub async fn revoke(&self, _token: &SecretString, _patience: &Patience) -> Result<(), Error> {
        todo!()
    }
}

/// How long before its end a token is renewed.
pub const RENEWAL_MARGIN: Duration = Duration::from_secs(60);
