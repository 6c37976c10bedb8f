//! What a login's body must look like before anybody looks into it.

use serde_json::Value;

use super::refuse;
use super::schema::{kind_of, repr};
use crate::http::Reply;

/// What a value must be; members that are not named may be anything.
enum Shape {
    Object { required: &'static [&'static str], members: &'static [(&'static str, Shape)] },
    Text,
    Texts,
}

const ID_AND_NAME: Shape =
    Shape::Object { required: &[], members: &[("id", Shape::Text), ("name", Shape::Text)] };

const AUTH: Shape = Shape::Object {
    required: &["identity"],
    members: &[
        (
            "identity",
            Shape::Object {
                required: &["methods"],
                members: &[
                    ("methods", Shape::Texts),
                    ("password", Shape::Object { required: &[], members: &[("user", USER)] }),
                    ("token", Shape::Object { required: &["id"], members: &[("id", Shape::Text)] }),
                ],
            },
        ),
        (
            "scope",
            Shape::Object {
                required: &[],
                members: &[("project", PROJECT), ("domain", ID_AND_NAME)],
            },
        ),
    ],
};

const USER: Shape = Shape::Object {
    required: &[],
    members: &[
        ("id", Shape::Text),
        ("name", Shape::Text),
        ("password", Shape::Text),
        ("domain", ID_AND_NAME),
    ],
};

const PROJECT: Shape = Shape::Object {
    required: &[],
    members: &[("id", Shape::Text), ("name", Shape::Text), ("domain", ID_AND_NAME)],
};

/// What must say whom it means.
const NAMED: [&str; 5] = [
    "identity/password/user",
    "identity/password/user/domain",
    "scope/project",
    "scope/project/domain",
    "scope/domain",
];

/// Checks the value of `auth`.
pub(crate) fn check(auth: &Value) -> Result<(), Reply> {
    let mut path = Vec::new();
    check_shape(auth, &AUTH, &mut path).map_err(|why| {
        let field = path.join("/");
        refuse::bad_request(&if path.is_empty() {
            why
        } else {
            format!("Invalid input for field '{field}': {why}")
        })
    })?;
    for place in NAMED {
        let named = auth.pointer(&format!("/{place}"));
        if named.is_some_and(|value| value.get("id").or(value.get("name")).is_none()) {
            return Err(refuse::bad_request(&format!(
                "Invalid input for field {place}: id or name must be present."
            )));
        }
    }
    Ok(())
}

/// On failure `path` is left at the place that is wrong. The real one goes on to print its schema.
fn check_shape(value: &Value, shape: &Shape, path: &mut Vec<String>) -> Result<(), String> {
    match shape {
        Shape::Text => must_be(value, "string"),
        Shape::Texts => {
            must_be(value, "array")?;
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                path.push(index.to_string());
                must_be(item, "string")?;
                path.pop();
            }
            Ok(())
        }
        Shape::Object { required, members } => {
            // A scope may also be the word `unscoped`.
            if path.len() == 1 && path[0] == "scope" && value.is_string() {
                return Ok(());
            }
            must_be(value, "object")?;
            if let Some(name) = required.iter().find(|name| value.get(**name).is_none()) {
                return Err(format!("'{name}' is a required property"));
            }
            for (name, shape) in *members {
                if let Some(member) = value.get(*name) {
                    path.push((*name).to_owned());
                    check_shape(member, shape, path)?;
                    path.pop();
                }
            }
            Ok(())
        }
    }
}

fn must_be(value: &Value, kind: &str) -> Result<(), String> {
    if kind_of(value) == kind {
        return Ok(());
    }
    Err(format!("{} is not of type '{kind}'", repr(value)))
}
