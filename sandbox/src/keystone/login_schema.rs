//! What a login's body must look like before anybody looks into it.

use serde_json::Value;

use super::refuse;
use super::schema::{kind_of, repr};
use crate::http::Reply;

/// Objects by their path below `auth`, and what their members must be.
const OBJECTS: [&[&str]; 7] = [
    &["identity", "password"],
    &["identity", "password", "user"],
    &["identity", "password", "user", "domain"],
    &["identity", "token"],
    &["scope", "project"],
    &["scope", "project", "domain"],
    &["scope", "domain"],
];
const TEXTS: [(&[&str], &[&str]); 5] = [
    (&["identity", "password", "user"], &["id", "name", "password"]),
    (&["identity", "password", "user", "domain"], &["id", "name"]),
    (&["identity", "token"], &["id"]),
    (&["scope", "project"], &["id", "name"]),
    (&["scope", "domain"], &["id", "name"]),
];
/// What must say whom it means.
const NAMED: [(&[&str], &str); 5] = [
    (&["identity", "password", "user"], "identity/password/user"),
    (&["identity", "password", "user", "domain"], "identity/password/user/domain"),
    (&["scope", "project"], "scope/project"),
    (&["scope", "project", "domain"], "scope/project/domain"),
    (&["scope", "domain"], "scope/domain"),
];

/// Checks the value of `auth`.
pub(crate) fn check(auth: &Value) -> Result<(), Reply> {
    must_be(auth, "object", "auth")?;
    let Some(identity) = auth.get("identity") else {
        return Err(lacks("identity"));
    };
    must_be(identity, "object", "identity")?;
    let Some(methods) = identity.get("methods") else {
        return Err(lacks("methods"));
    };
    must_be(methods, "array", "methods")?;
    for method in methods.as_array().into_iter().flatten() {
        must_be(method, "string", "0")?;
    }
    for path in OBJECTS {
        if let Some(value) = at(auth, path) {
            must_be(value, "object", path[path.len() - 1])?;
        }
    }
    for (path, members) in TEXTS {
        for member in members {
            if let Some(value) = at(auth, path).and_then(|object| object.get(member)) {
                must_be(value, "string", member)?;
            }
        }
    }
    for (path, place) in NAMED {
        if let Some(value) = at(auth, path)
            && value.get("id").is_none()
            && value.get("name").is_none()
        {
            return Err(refuse::bad_request(&format!(
                "Invalid input for field {place}: id or name must be present."
            )));
        }
    }
    Ok(())
}

fn at<'v>(auth: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(auth, |value, key| value.get(key))
}

fn must_be(value: &Value, kind: &str, field: &str) -> Result<(), Reply> {
    if kind_of(value) == kind {
        return Ok(());
    }
    let shown = repr(value);
    Err(refuse::invalid_field(field, &shown, &format!("{shown} is not of type '{kind}'")))
}

fn lacks(property: &str) -> Reply {
    refuse::bad_request(&format!("'{property}' is a required property"))
}
