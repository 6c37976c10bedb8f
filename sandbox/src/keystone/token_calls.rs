//! `GET`, `HEAD` and `DELETE /v3/auth/tokens`, and how a token is shown, also to whom it is issued.

use axum::http::{HeaderName, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::caller::Caller;
use super::model::{DOMAIN_ID, DOMAIN_NAME, Keystone, Scope, Token};
use super::refuse;
use crate::http::{Ask, Reply};

const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

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

impl Keystone {
    /// How a token is shown.
    fn token_body(&self, token: &Token, catalog: bool) -> Value {
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

/// `2026-11-21T22:15:54.000000Z`.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
