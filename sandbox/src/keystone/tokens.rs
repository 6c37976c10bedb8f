//! Tokens: made, checked, revoked. What may be logged in with is `login`'s business; the calls about them are in
//! `token_calls`.

use jiff::{SignedDuration, Timestamp};

use super::model::{Keystone, Revocation, Scope, Token};
use super::refuse;
use crate::http::Reply;

/// Why a token is not good.
pub(crate) enum Dead {
    /// Expired, revoked, its user disabled: 401 to its bearer.
    Failed,
    /// Something it stands on is gone: 404 with these words, also to its bearer.
    Gone(String),
    /// Its user has no role where it is for: 401.
    Powerless,
    /// Nobody ever issued it: 401 to its bearer.
    Unrecognized,
}

impl Dead {
    /// What somebody is told who asks about that token.
    pub(crate) fn told(&self, id: &str) -> Reply {
        refuse::not_found(match self {
            Self::Failed => "Failed to validate token",
            Self::Gone(message) => message,
            Self::Powerless => return refuse::could_not_find("token", id),
            Self::Unrecognized => "Could not recognize Fernet token",
        })
    }
}

/// What is asked for when a token is made.
pub(crate) struct NewToken {
    pub(crate) user_id: String,
    pub(crate) methods: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) credential_id: Option<String>,
    /// The token that was logged in with.
    pub(crate) parent: Option<Token>,
}

impl Keystone {
    /// Makes a token, if its scope stands and the user has a role there.
    pub(crate) fn issue(&mut self, new: NewToken, now: Timestamp) -> Result<(String, Token), Dead> {
        let issued_at = whole_second(now);
        let mut expires_at = new.parent.as_ref().map_or_else(
            || whole_second(now.saturating_add(self.options.token_lifetime).unwrap_or(now)),
            |parent| parent.expires_at,
        );
        let credential = new.credential_id.as_deref().and_then(|id| self.credential(id));
        if let Some(end) = credential.and_then(|credential| credential.expires_at) {
            expires_at = expires_at.min(end);
        }
        let mut audit_ids = vec![self.ids.url_safe(22)];
        audit_ids.extend(new.parent.and_then(|parent| parent.audit_ids.last().cloned()));
        let token = Token {
            user_id: new.user_id,
            methods: new.methods,
            scope: new.scope,
            credential_id: new.credential_id,
            issued_at,
            expires_at,
            audit_ids,
            sequence: self.next_sequence(),
        };
        self.check_scope(&token)?;
        let id = format!("gAAAAAB{}", self.ids.url_safe(176));
        self.tokens.insert(id.clone(), token.clone());
        Ok((id, token))
    }

    /// Finds a token and proves it good. `knows_access_rules` says whether the one who asks honours
    /// access rules; a token that has some is hidden from others.
    pub(crate) fn validate(
        &self,
        id: &str,
        now: Timestamp,
        knows_access_rules: bool,
    ) -> Result<&Token, Dead> {
        let token = self.tokens.get(id).ok_or(Dead::Unrecognized)?;
        self.check_scope(token)?;
        let enabled = self.user(&token.user_id).is_some_and(|user| user.enabled);
        if !enabled || now >= token.expires_at || self.is_revoked(token) {
            return Err(Dead::Failed);
        }
        if let Some(id) = &token.credential_id {
            let credential = self.credential(id).ok_or_else(|| no_credential(id))?;
            if !credential.access_rules.is_empty() && !knows_access_rules {
                return Err(Dead::Failed);
            }
        }
        Ok(token)
    }

    fn check_scope(&self, token: &Token) -> Result<(), Dead> {
        if self.user(&token.user_id).is_none() {
            return Err(Dead::Gone(format!("Could not find user: {}.", token.user_id)));
        }
        if let Some(id) = &token.credential_id
            && self.credential(id).is_none()
        {
            return Err(no_credential(id));
        }
        if let Scope::Project(id) = &token.scope {
            let project = self
                .project(id)
                .ok_or_else(|| Dead::Gone(format!("Could not find project: {id}.")))?;
            if !project.enabled {
                return Err(Dead::Gone(format!(
                    "Unable to validate token because project {id} is disabled"
                )));
            }
        }
        if token.scope != Scope::Unscoped && self.roles_of(token).is_empty() {
            return Err(Dead::Powerless);
        }
        Ok(())
    }

    /// The ids of a token's roles as of now.
    pub(crate) fn roles_of(&self, token: &Token) -> Vec<String> {
        let held = self.effective_roles(&token.user_id, &token.scope);
        match token.credential_id.as_deref().and_then(|id| self.credential(id)) {
            Some(credential) => {
                credential.roles.iter().filter(|role| held.contains(role)).cloned().collect()
            }
            None => held,
        }
    }

    fn is_revoked(&self, token: &Token) -> bool {
        self.revocations.iter().any(|event| {
            let meant = event.user_id.as_ref().is_none_or(|id| *id == token.user_id)
                && event.audit_id.as_ref().is_none_or(|id| token.audit_ids.contains(id));
            let earlier = token.sequence < event.sequence
                || (self.options.same_second_revocation
                    && event.audit_id.is_none()
                    && token.issued_at <= whole_second(event.at));
            meant && earlier
        })
    }

    /// Kills all tokens of a user issued until now.
    pub(crate) fn revoke_user(&mut self, user_id: &str, now: Timestamp) {
        self.revoke(Some(user_id), None, now);
    }

    /// Kills the tokens of that user, or those with that audit id, issued until now.
    pub(super) fn revoke(&mut self, user_id: Option<&str>, audit_id: Option<&str>, at: Timestamp) {
        let sequence = self.next_sequence();
        self.revocations.push(Revocation {
            user_id: user_id.map(str::to_owned),
            audit_id: audit_id.map(str::to_owned),
            at,
            sequence,
        });
    }

    /// For the log; tells nothing of whether the token is good.
    pub(crate) fn user_name_of_token(&self, id: &str) -> Option<String> {
        let token = self.tokens.get(id)?;
        self.user(&token.user_id).map(|user| user.name.clone())
    }
}

fn no_credential(id: &str) -> Dead {
    Dead::Gone(format!("Could not find Application Credential: {id}."))
}

fn whole_second(at: Timestamp) -> Timestamp {
    let fraction = SignedDuration::from_nanos(i64::from(at.subsec_nanosecond()));
    at.saturating_sub(fraction).unwrap_or(at)
}
