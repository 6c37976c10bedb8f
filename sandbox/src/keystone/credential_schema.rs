//! What the body that makes an application credential must look like.

use serde_json::{Map, Value};

use super::answer::json_body;
use super::refuse;
use super::schema::{kind_of, repr};
use crate::http::{Ask, Reply};

const KNOWN: [&str; 10] = [
    "access_rules",
    "description",
    "expires_at",
    "id",
    "name",
    "project_id",
    "roles",
    "secret",
    "system",
    "unrestricted",
];
const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 225;
const LONGEST_ID: usize = 64;

/// Checks the body of a request.
pub(crate) fn check_ask(ask: &Ask) -> Result<(), Reply> {
    check(&json_body(ask)?).map(drop)
}

/// Checks the whole body and gives the object that describes the credential.
pub(crate) fn check(body: &Value) -> Result<&Map<String, Value>, Reply> {
    let Some(credential) = body.get("application_credential") else {
        return Err(refuse::bad_request("'application_credential' is a required property"));
    };
    if let Some(why) = body.as_object().and_then(|o| unexpected(o, &["application_credential"])) {
        return Err(refuse::bad_request(&why));
    }
    let Some(members) = credential.as_object() else {
        return Err(wrong_type("application_credential", credential, "object"));
    };
    if let Some(why) = unexpected(members, &KNOWN) {
        return Err(invalid("application_credential", credential, &why));
    }
    let Some(name) = members.get("name") else {
        return Err(invalid("application_credential", credential, "'name' is a required property"));
    };
    check_name("name", name)?;
    for key in ["description", "expires_at", "secret", "system"] {
        if let Some(value) = members.get(key)
            && !matches!(value, Value::String(_) | Value::Null)
        {
            let why = format!("{} is not of type 'string', 'null'", repr(value));
            return Err(invalid(key, value, &why));
        }
    }
    for key in ["id", "project_id"] {
        if let Some(value) = members.get(key)
            && !value.is_string()
        {
            return Err(wrong_type(key, value, "string"));
        }
    }
    if let Some(value) = members.get("unrestricted")
        && !matches!(value, Value::Bool(_) | Value::Null)
    {
        let why = format!("{} is not of type 'boolean', 'null'", repr(value));
        return Err(invalid("unrestricted", value, &why));
    }
    each(members, "roles", check_role)?;
    each(members, "access_rules", check_access_rule)?;
    Ok(members)
}

/// Checks the items of an array, if there is one.
fn each(
    members: &Map<String, Value>,
    key: &str,
    check: fn(&Value, usize) -> Result<(), Reply>,
) -> Result<(), Reply> {
    let Some(value) = members.get(key) else { return Ok(()) };
    let Some(items) = value.as_array() else { return Err(wrong_type(key, value, "array")) };
    items.iter().enumerate().try_for_each(|(index, item)| check(item, index))
}

fn check_role(role: &Value, index: usize) -> Result<(), Reply> {
    let field = index.to_string();
    let Some(members) = role.as_object() else { return Err(wrong_type(&field, role, "object")) };
    if let Some(why) = unexpected(members, &["id", "name"]) {
        return Err(invalid(&field, role, &why));
    }
    match members.len() {
        0 => return Err(invalid(&field, role, &format!("{} should be non-empty", repr(role)))),
        1 => {}
        _ => {
            return Err(invalid(&field, role, &format!("{} has too many properties", repr(role))));
        }
    }
    members.iter().try_for_each(|(key, value)| {
        if key == "id" { check_id("id", value) } else { check_name("name", value) }
    })
}

fn check_access_rule(rule: &Value, index: usize) -> Result<(), Reply> {
    let field = index.to_string();
    let Some(members) = rule.as_object() else { return Err(wrong_type(&field, rule, "object")) };
    for (key, value) in members {
        match key.as_str() {
            "id" | "service" => check_id(key, value)?,
            "method" if !METHODS.iter().any(|method| value.as_str() == Some(method)) => {
                let allowed: Vec<String> = METHODS.iter().map(|m| format!("'{m}'")).collect();
                let allowed = allowed.join(", ");
                let why = format!("{} is not one of [{allowed}]", repr(value));
                return Err(invalid(key, value, &why));
            }
            "path" => {
                let Some(path) = value.as_str() else {
                    return Err(wrong_type(key, value, "string"));
                };
                if path.chars().count() > LONGEST_PATH {
                    return Err(invalid(key, value, &format!("{} is too long", repr(value))));
                }
                if !path.starts_with('/') {
                    let why = format!("{} does not match '^/\\\\.*'", repr(value));
                    return Err(invalid(key, value, &why));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is said of members that the schema does not know.
fn unexpected(members: &Map<String, Value>, known: &[&str]) -> Option<String> {
    let mut unknown: Vec<String> = members
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .map(|key| format!("'{key}'"))
        .collect();
    unknown.sort();
    let verb = match unknown.len() {
        0 => return None,
        1 => "was",
        _ => "were",
    };
    let unknown = unknown.join(", ");
    Some(format!("Additional properties are not allowed ({unknown} {verb} unexpected)"))
}

fn check_name(field: &str, value: &Value) -> Result<(), Reply> {
    let Some(name) = value.as_str() else { return Err(wrong_type(field, value, "string")) };
    let shown = repr(value);
    if name.is_empty() {
        return Err(invalid(field, value, &format!("{shown} should be non-empty")));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(invalid(field, value, &format!("{shown} is too long")));
    }
    if name.chars().all(char::is_whitespace) {
        return Err(invalid(field, value, &format!("{shown} does not match '[\\\\S]+'")));
    }
    Ok(())
}

fn check_id(field: &str, value: &Value) -> Result<(), Reply> {
    let Some(id) = value.as_str() else { return Err(wrong_type(field, value, "string")) };
    let shown = repr(value);
    if id.is_empty() {
        return Err(invalid(field, value, &format!("{shown} should be non-empty")));
    }
    if id.chars().count() > LONGEST_ID {
        return Err(invalid(field, value, &format!("{shown} is too long")));
    }
    if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(invalid(field, value, &format!("{shown} does not match '^[a-zA-Z0-9-]+$'")));
    }
    Ok(())
}

fn invalid(field: &str, value: &Value, why: &str) -> Reply {
    refuse::invalid_field(field, value, why)
}

fn wrong_type(field: &str, value: &Value, wanted: &str) -> Reply {
    debug_assert_ne!(kind_of(value), wanted);
    invalid(field, value, &format!("{} is not of type '{wanted}'", repr(value)))
}
