//! Tokens: made, checked, shown, revoked. What may be logged in with is `login`'s business.

use axum::http::{HeaderName, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::model::{DOMAIN_ID, DOMAIN_NAME, Keystone, Revocation, Scope, Token};
use super::{Answer, Caller, refuse};
use crate::http::{Ask, Reply};

const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

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

    fn revoke(&mut self, user_id: Option<&str>, audit_id: Option<&str>, at: Timestamp) {
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

    /// How a token is shown.
    pub(crate) fn token_body(&self, token: &Token, catalog: bool) -> Value {
        let domain = json!({ "id": DOMAIN_ID, "name": DOMAIN_NAME });
        let user_name = self.user(&token.user_id).map_or("", |user| user.name.as_str());
        let mut body = json!({
            "methods": token.methods,
            "user": {
                "domain": domain,
                "id": token.user_id,
                "name": user_name,
                "password_expires_at": null,
            },
            "audit_ids": token.audit_ids,
            "expires_at": instant(token.expires_at),
            "issued_at": instant(token.issued_at),
        });
        let roles: Vec<Value> = self
            .roles_of(token)
            .iter()
            .filter_map(|id| self.role(id))
            .map(|role| json!({ "id": role.id, "name": role.name }))
            .collect();
        match &token.scope {
            Scope::Unscoped => {}
            Scope::System => body["system"] = json!({ "all": true }),
            Scope::Domain(_) => body["domain"] = domain,
            Scope::Project(id) => {
                let name = self.project(id).map_or("", |project| project.name.as_str());
                body["project"] = json!({ "domain": domain, "id": id, "name": name });
                body["is_domain"] = json!(false);
            }
        }
        if token.scope != Scope::Unscoped {
            body["roles"] = json!(roles);
            if catalog {
                body["catalog"] = self.catalog();
            }
        }
        if let Some(credential) = token.credential_id.as_deref().and_then(|id| self.credential(id))
        {
            let shown = &mut body["application_credential"];
            *shown = json!({
                "id": credential.id,
                "name": credential.name,
                "restricted": credential.unrestricted != Some(true),
            });
            if !credential.access_rules.is_empty() {
                shown["access_rules"] = json!(self.rule_views(credential));
            }
        }
        json!({ "token": body })
    }
}

/// `GET` and `HEAD /v3/auth/tokens`.
pub(crate) fn show(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let action =
        if ask.method == axum::http::Method::HEAD { "check_token" } else { "validate_token" };
    let (id, token) = subject(keystone, ask, caller, action)?;
    let body = keystone.token_body(&token, ask.query("nocatalog").is_none());
    Ok(Reply::ok(&body).with_header(SUBJECT_TOKEN, id))
}

/// `DELETE /v3/auth/tokens`. Tokens made from it die with it.
pub(crate) fn revoke(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let (_, token) = subject(keystone, ask, caller, "revoke_token")?;
    if let Some(audit_id) = token.audit_ids.first() {
        keystone.revoke(None, Some(audit_id), ask.now);
    }
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The token that a call is about, if the caller may ask.
fn subject(
    keystone: &Keystone,
    ask: &Ask,
    caller: &Caller,
    action: &str,
) -> Result<(String, Token), Reply> {
    let knows_access_rules = ask.header("openstack-identity-access-rules").is_some();
    let Some(id) = ask.header("x-subject-token") else {
        return Err(if caller.is_admin() {
            refuse::not_found("No token in the request")
        } else {
            refuse::forbidden_action(&format!("identity:{action}"))
        });
    };
    let token = match keystone.validate(id, ask.now, knows_access_rules) {
        Ok(token) => token.clone(),
        Err(dead) => return Err(dead.told(id)),
    };
    let own = token.user_id == caller.user_id;
    if own || caller.is_admin() || (action != "revoke_token" && caller.has_role("service")) {
        Ok((id.to_owned(), token))
    } else {
        Err(refuse::forbidden_action(&format!("identity:{action}")))
    }
}

pub(crate) fn issued(keystone: &Keystone, ask: &Ask, id: String, token: &Token) -> Reply {
    let body = keystone.token_body(token, ask.query("nocatalog").is_none());
    Reply::json(StatusCode::CREATED, &body).with_header(SUBJECT_TOKEN, id)
}

fn no_credential(id: &str) -> Dead {
    Dead::Gone(format!("Could not find Application Credential: {id}."))
}

/// `2026-11-21T22:15:54.000000Z`.
pub(crate) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn whole_second(at: Timestamp) -> Timestamp {
    let fraction = SignedDuration::from_nanos(i64::from(at.subsec_nanosecond()));
    at.saturating_sub(fraction).unwrap_or(at)
}
