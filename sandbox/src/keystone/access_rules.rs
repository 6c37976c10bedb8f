//! `/v3/users/{user_id}/access_rules`, and what the rules allow.

use serde_json::{Value, json};

use super::model::{AccessRule, Credential, Keystone};
use super::{Answer, Caller, collection, done, refuse};
use crate::http::{Ask, Reply};

/// Lists a user's rules: its own business, and the system's; a project's admin has no say.
pub(crate) fn list(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let user_id = ask.param("user_id");
    if user_id != caller.user_id && !caller.is_system_reader() {
        return Err(refuse::forbidden_action("identity:list_access_rules"));
    }
    let suits = |rule: &&AccessRule| {
        rule.user_id == user_id
            && ask.query("service").is_none_or(|service| service == rule.service)
            && ask.query("path").is_none_or(|path| path == rule.path)
            && ask.query("method").is_none_or(|method| method == rule.method)
    };
    let rules = keystone.access_rules.iter().filter(suits);
    let shown: Vec<Value> = rules.map(|rule| linked(keystone, rule)).collect();
    Ok(collection(keystone, ask, "access_rules", &shown))
}

/// Shows one.
pub(crate) fn show(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let may = ask.param("user_id") == caller.user_id || caller.is_system_reader();
    let rule = found(keystone, ask, may, "get_access_rule")?;
    Ok(Reply::ok(&json!({ "access_rule": linked(keystone, rule) })))
}

/// Deletes one that no credential uses.
pub(crate) fn delete(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    let may = ask.param("user_id") == caller.user_id || (caller.system && caller.is_admin());
    let id = found(keystone, ask, may, "delete_access_rule")?.id.clone();
    if keystone.credentials.values().any(|credential| credential.access_rules.contains(&id)) {
        return Err(refuse::forbidden("May not delete access rule in use"));
    }
    keystone.access_rules.retain(|rule| rule.id != id);
    done()
}

fn found<'k>(
    keystone: &'k Keystone,
    ask: &Ask,
    may: bool,
    action: &str,
) -> Result<&'k AccessRule, Reply> {
    if !may {
        return Err(refuse::forbidden_action(&format!("identity:{action}")));
    }
    let (user_id, id) = (ask.param("user_id"), ask.param("access_rule_id"));
    keystone
        .access_rules
        .iter()
        .find(|rule| rule.id == id && rule.user_id == user_id)
        .ok_or_else(|| refuse::could_not_find("Access Rule", id))
}

impl Keystone {
    /// The ids of the rules that a new credential asks for: those there are, and new ones for the
    /// rest. Rules outlive the credentials they were made for.
    pub(super) fn adopt_rules(
        &mut self,
        user_id: &str,
        wanted: Option<&Value>,
    ) -> Result<Vec<String>, Reply> {
        let mut ids: Vec<String> = Vec::new();
        for rule in wanted.and_then(Value::as_array).into_iter().flatten() {
            let member = |key: &str| rule.get(key).and_then(Value::as_str);
            let known = match member("id") {
                Some(id) => self.access_rules.iter().find(|rule| rule.id == id),
                None => None,
            };
            if known.is_some_and(|rule| rule.user_id != user_id) {
                let id = member("id").unwrap_or_default();
                return Err(refuse::could_not_find("Access Rule", id));
            }
            let id = if let Some(known) = known {
                known.id.clone()
            } else {
                // The real one crashes on an unknown id without the rest of the rule.
                let (Some(service), Some(path), Some(method)) =
                    (member("service"), member("path"), member("method"))
                else {
                    return Err(refuse::crash());
                };
                let twin = self.access_rules.iter().find(|rule| {
                    rule.user_id == user_id
                        && rule.service == service
                        && rule.path == path
                        && rule.method == method
                });
                if let Some(twin) = twin {
                    twin.id.clone()
                } else {
                    let id = member("id").map_or_else(|| self.ids.hex(), str::to_owned);
                    self.access_rules.push(AccessRule {
                        id: id.clone(),
                        user_id: user_id.to_owned(),
                        service: service.to_owned(),
                        path: path.to_owned(),
                        method: method.to_owned(),
                    });
                    id
                }
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    pub(super) fn rules_body(&self, credential: &Credential) -> Vec<Value> {
        let rules = credential
            .access_rules
            .iter()
            .filter_map(|id| self.access_rules.iter().find(|rule| rule.id == *id));
        rules.map(body).collect()
    }

    /// Whether a credential's rules let it make that call to Keystone itself.
    pub(super) fn is_allowed(&self, credential: &Credential, method: &str, path: &str) -> bool {
        self.access_rules.iter().filter(|rule| credential.access_rules.contains(&rule.id)).any(
            |rule| rule.service == "identity" && rule.method == method && covers(&rule.path, path),
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

fn body(rule: &AccessRule) -> Value {
    json!({ "id": rule.id, "service": rule.service, "path": rule.path, "method": rule.method })
}

fn linked(keystone: &Keystone, rule: &AccessRule) -> Value {
    let mut shown = body(rule);
    shown["links"] = json!({ "self": format!("{}/v3/access_rules/{}", keystone.base, rule.id) });
    shown
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
