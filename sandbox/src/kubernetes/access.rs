//! Who may do what: `system:masters` everything, everybody what discovery needs, others what was granted.

use axum::http::StatusCode;
use serde_json::json;

use super::refuse::failure;
use super::wanted::{Action, Wanted};
use crate::authority::Subject;
use crate::http::Reply;

/// A role, bound to a group.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) group: String,
    /// `*` for all, and for what is in none.
    pub(crate) namespace: String,
    pub(crate) verbs: Vec<String>,
    pub(crate) resources: Vec<String>,
}

impl Action {
    /// Whether that one may do it.
    pub(super) fn is_allowed(&self, who: &Subject, grants: &[Grant]) -> bool {
        who.groups.iter().any(|group| group == "system:masters")
            || grants.iter().any(|grant| {
                who.groups.contains(&grant.group)
                    && (grant.namespace == self.namespace || grant.namespace == "*")
                    && grant.verbs.contains(&self.verb)
                    && grant.resources.contains(&self.resource)
            })
    }
}

/// Whoever sent no certificate.
pub(super) fn anonymous() -> Subject {
    Subject {
        user: "system:anonymous".to_owned(),
        groups: vec!["system:unauthenticated".to_owned()],
    }
}

/// 403, unless the sender may do that.
pub(super) fn authorize(who: &Subject, wanted: &Wanted, grants: &[Grant]) -> Result<(), Reply> {
    let known = who.user != "system:anonymous";
    let (forbidden, details) = match wanted {
        Wanted::Open => return Ok(()),
        Wanted::Discovery | Wanted::AccessReview | Wanted::Review if known => return Ok(()),
        Wanted::Resource(action) if action.is_allowed(who, grants) => return Ok(()),
        Wanted::Resource(action) => (
            what(action),
            json!({
                "name": action.name, "group": action.group, "kind": action.resource,
            }),
        ),
        _ => ("cannot get path".to_owned(), json!({})),
    };
    let subject = match wanted {
        Wanted::Resource(action) => {
            let dot = if action.group.is_empty() { "" } else { "." };
            let name = if action.name.is_empty() {
                String::new()
            } else {
                format!(" \"{}\"", action.name)
            };
            format!("{}{dot}{}{name} is forbidden", action.resource, action.group)
        }
        _ => "forbidden".to_owned(),
    };
    let message = format!("{subject}: User \"{}\" {forbidden}", who.user);
    Err(failure(StatusCode::FORBIDDEN, "Forbidden", &message, &details))
}

fn what(action: &Action) -> String {
    let place = if action.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", action.namespace)
    };
    let Action { verb, resource, group, .. } = action;
    format!("cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}")
}
