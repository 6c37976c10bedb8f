//! The part of Keystone's v3 API that the provider needs: application credentials, access rules.

use jiff::Timestamp;
use secrecy::SecretString;

use super::Error;
use super::session::{Patience, Reference, Session};

/// An application credential as Keystone shows it; never with its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCredential {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub user_id: String,
    /// None for one made with an unscoped token.
    pub project_id: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub unrestricted: bool,
    /// With the implied ones.
    pub roles: Vec<Reference>,
    pub access_rules: Vec<AccessRule>,
}

/// One kind of request that a credential may make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessRule {
    /// None when it is about to be made.
    pub id: Option<String>,
    pub service: String,
    pub method: String,
    pub path: String,
}

/// How a role is named in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleRef {
    Id(String),
    Name(String),
}

/// What Create sends. `unrestricted` is always sent; empty `roles` means all of the token's.
#[derive(Clone, Debug)]
pub struct NewApplicationCredential {
    pub name: String,
    pub secret: SecretString,
    pub description: Option<String>,
    pub roles: Vec<RoleRef>,
    pub expires_at: Option<Timestamp>,
    pub unrestricted: bool,
    pub access_rules: Vec<AccessRule>,
}

/// Calls to Keystone with a session's token.
#[derive(Clone, Copy, Debug)]
pub struct Keystone<'s> {
    #[expect(dead_code, reason = "to be completed")]
    session: &'s Session,
}

impl Keystone<'_> {
    /// Sent once: a create is never retried here once it may have taken effect
    /// ([`Error::is_ambiguous`]); the caller looks the name up.
    pub async fn create_application_credential(
        &self,
        _user_id: &str,
        _new: &NewApplicationCredential,
        _patience: &Patience,
    ) -> Result<ApplicationCredential, Error> {
        todo!()
    }

    pub async fn application_credential(
        &self,
        _user_id: &str,
        _id: &str,
        _patience: &Patience,
    ) -> Result<ApplicationCredential, Error> {
        todo!()
    }

    /// All of the user's, on all projects, expired ones too.
    pub async fn application_credentials(
        &self,
        _user_id: &str,
        _patience: &Patience,
    ) -> Result<Vec<ApplicationCredential>, Error> {
        todo!()
    }

    /// The one of that exact name, if any.
    pub async fn application_credential_named(
        &self,
        _user_id: &str,
        _name: &str,
        _patience: &Patience,
    ) -> Result<Option<ApplicationCredential>, Error> {
        todo!()
    }

    /// Idempotent on the wire: a 404 is [`Error::Api`] with status 404, also after a retry whose
    /// first try had deleted it.
    pub async fn delete_application_credential(
        &self,
        _user_id: &str,
        _id: &str,
        _patience: &Patience,
    ) -> Result<(), Error> {
        todo!()
    }

    pub async fn access_rules(
        &self,
        _user_id: &str,
        _patience: &Patience,
    ) -> Result<Vec<AccessRule>, Error> {
        todo!()
    }

    pub async fn delete_access_rule(
        &self,
        _user_id: &str,
        _id: &str,
        _patience: &Patience,
    ) -> Result<(), Error> {
        todo!()
    }
}
