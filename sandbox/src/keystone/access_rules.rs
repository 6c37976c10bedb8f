//! `/v3/users/{user_id}/access_rules`, and the rules of a new credential. What they let through is `caller`'s.

use serde_json::{Value, json};

use super::answer::{Answer, collection, done};
use super::caller::Caller;
use super::model::{AccessRule, Keystone};
use super::refuse;
use super::views::RuleView;
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
    /// The rules that a new credential asks for: ids of those there are, and new ones for the rest,
    /// which the caller adds once nothing can fail any more. Rules outlive the credentials they
    /// were made for.
    pub(super) fn wanted_rules(
        &mut self,
        user_id: &str,
        wanted: Option<&Value>,
    ) -> Result<(Vec<String>, Vec<AccessRule>), Reply> {
        let (mut ids, mut new) = (Vec::new(), Vec::<AccessRule>::new());
        for rule in wanted.and_then(Value::as_array).into_iter().flatten() {
            let member = |key: &str| rule.get(key).and_then(Value::as_str).map(str::to_owned);
            let id = member("id");
            let known = self.access_rules.iter().find(|rule| Some(&rule.id) == id.as_ref());
            if let Some(known) = known {
                if known.user_id != user_id {
                    return Err(refuse::could_not_find("Access Rule", &known.id));
                }
                ids.push(known.id.clone());
                continue;
            }
            // The real one crashes on an unknown id without the rest of the rule.
            let (Some(service), Some(path), Some(method)) =
                (member("service"), member("path"), member("method"))
            else {
                return Err(refuse::crash());
            };
            let twin = self.access_rules.iter().chain(&new).find(|rule| {
                (&*rule.user_id, &rule.service, &rule.path, &rule.method)
                    == (user_id, &service, &path, &method)
            });
            if let Some(twin) = twin {
                ids.push(twin.id.clone());
                continue;
            }
            let known_keys = ["id", "service", "path", "method"];
            let mut keys = rule.as_object().into_iter().flat_map(|members| members.keys());
            if let Some(unknown) = keys.find(|key| !known_keys.contains(&key.as_str())) {
                return Err(refuse::bad_request(&format!(
                    "'{unknown}' is an invalid keyword argument for AccessRuleModel"
                )));
            }
            let id = id.unwrap_or_else(|| self.ids.hex());
            ids.push(id.clone());
            new.push(AccessRule { id, user_id: user_id.to_owned(), service, path, method });
        }
        Ok((ids, new))
    }
}

fn linked(keystone: &Keystone, rule: &AccessRule) -> Value {
    let mut shown = json!(RuleView::from(rule));
    shown["links"] = json!({ "self": format!("{}/v3/access_rules/{}", keystone.base, rule.id) });
    shown
}
