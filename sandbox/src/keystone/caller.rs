//! Who asks: by a token that is good, or by the sandbox's own hand; and what that one may do, also by the access rules of
//! the credential that the token came from.

use super::events::UnknownName;
use super::model::{Credential, Keystone, Scope, Token};
use super::refuse;
use super::tokens::Dead;
use crate::http::{Ask, Reply};

/// Who asks, by a token that is good.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) user_id: String,
    pub(crate) project_id: Option<String>,
    pub(crate) system: bool,
    /// Of the token.
    pub(crate) role_ids: Vec<String>,
    role_names: Vec<String>,
    /// The credential that the token came from.
    pub(crate) credential_id: Option<String>,
}

impl Caller {
    pub(crate) fn has_role(&self, name: &str) -> bool {
        self.role_names.iter().any(|role| role == name)
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.has_role("admin")
    }

    pub(crate) fn is_system_reader(&self) -> bool {
        self.system && self.has_role("reader")
    }
}

/// 403, unless it is an administrator.
pub(super) fn admin(caller: &Caller, action: &str) -> Result<(), Reply> {
    if caller.is_admin() {
        return Ok(());
    }
    Err(refuse::forbidden_action(&format!("identity:{action}")))
}

/// 403, unless it is an administrator, or may read everything.
pub(super) fn admin_or_reader(caller: &Caller, action: &str) -> Result<(), Reply> {
    if caller.is_system_reader() { Ok(()) } else { admin(caller, action) }
}

impl Keystone {
    /// Who sends the request; none without a token, or with one that is not good.
    pub(super) fn caller(&self, ask: &Ask) -> Result<Option<Caller>, Reply> {
        let Some(id) = ask.header("x-auth-token") else { return Ok(None) };
        let token = match self.validate(id, ask.now, true) {
            Ok(token) => token,
            Err(Dead::Gone(message)) => return Err(refuse::not_found(&message)),
            Err(_) => return Ok(None),
        };
        let caller = self.bearer(token);
        if !self.lets_through(&caller, "identity", ask.method.as_str(), &ask.path) {
            return Err(refuse::unauthorized_by_middleware(&self.base));
        }
        Ok(Some(caller))
    }

    /// Whom another service takes the sender for; none without a token that is good for this call to it.
    pub(crate) fn caller_of(&self, ask: &Ask, service: &str, path: &str) -> Option<Caller> {
        let token = self.validate(ask.header("x-auth-token")?, ask.now, true).ok()?;
        let caller = self.bearer(token);
        self.lets_through(&caller, service, ask.method.as_str(), path).then_some(caller)
    }

    /// Whether the access rules of the caller's credential, if it has any, let a call through.
    pub(crate) fn lets_through(
        &self,
        caller: &Caller,
        service: &str,
        method: &str,
        path: &str,
    ) -> bool {
        let credential = caller.credential_id.as_deref().and_then(|id| self.credential(id));
        credential.is_none_or(|credential| {
            credential.access_rules.is_empty() || self.is_allowed(credential, service, method, path)
        })
    }

    /// Somebody as with a fresh token for a project; both by name or id.
    pub(crate) fn caller_for(&self, user: &str, project: &str) -> Result<Caller, UnknownName> {
        let user_id = self.find_user(user)?.id.clone();
        let project_id = self.find_project(project)?.id.clone();
        let role_ids = self.effective_roles(&user_id, &Scope::Project(project_id.clone()));
        let names = role_ids.iter().filter_map(|id| self.role(id)).map(|role| role.name.clone());
        Ok(Caller {
            role_names: names.collect(),
            user_id,
            project_id: Some(project_id),
            system: false,
            role_ids,
            credential_id: None,
        })
    }

    fn bearer(&self, token: &Token) -> Caller {
        let role_ids = self.roles_of(token);
        let names = role_ids.iter().filter_map(|id| self.role(id)).map(|role| role.name.clone());
        Caller {
            user_id: token.user_id.clone(),
            project_id: match &token.scope {
                Scope::Project(id) => Some(id.clone()),
                _ => None,
            },
            system: token.scope == Scope::System,
            role_names: names.collect(),
            role_ids,
            credential_id: token.credential_id.clone(),
        }
    }

    /// Whether a credential's rules let it make that call.
    fn is_allowed(&self, credential: &Credential, service: &str, method: &str, path: &str) -> bool {
        self.access_rules.iter().filter(|rule| credential.access_rules.contains(&rule.id)).any(
            |rule| rule.service == service && rule.method == method && covers(&rule.path, path),
        )
    }
}

/// `*` and `{anything}` stand for one segment, `**` for any number of them.
fn covers(pattern: &str, path: &str) -> bool {
    fn walk(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], _) => (0..=path.len()).any(|skipped| walk(rest, &path[skipped..])),
            ([first, rest @ ..], [segment, others @ ..]) => {
                let any = *first == "*" || (first.starts_with('{') && first.ends_with('}'));
                (any || first == segment) && walk(rest, others)
            }
            _ => false,
        }
    }
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    walk(&pattern, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_segments() {
        assert!(covers("/v3/users/*/access_rules", "/v3/users/u1/access_rules"));
        assert!(covers("/v3/users/{id}", "/v3/users/u1"));
        assert!(covers("/v3/**", "/v3/users/u1/access_rules"));
        assert!(!covers("/v3/users/*", "/v3/users/u1/access_rules"));
        assert!(!covers("/v3/users", "/v3/users/u1"));
    }
}
