//! What a login may be allowed to do: one verb on one kind of thing, mostly in one namespace.

use serde::Serialize;

/// One verb on one kind of thing in one namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Permission {
    pub verb: String,
    /// Empty: core.
    pub group: String,
    /// Plural: `deployments`.
    pub resource: String,
    /// Empty: of the whole cluster.
    pub namespace: String,
    /// Empty: any.
    pub name: String,
}

impl Permission {
    /// What a refused request would have needed; None where it is none of those that this client sends.
    pub(super) fn of_request(label: &str) -> Option<Self> {
        let (method, path) = label.split_once(' ')?;
        let (group, rest) = match path.strip_prefix("/apis/") {
            Some(rest) => {
                let (group, rest) = rest.split_once('/')?;
                (group, rest.split_once('/')?.1)
            }
            None => ("", path.strip_prefix("/api/v1/")?),
        };
        if rest == "namespaces"
            || group.ends_with("authentication.k8s.io")
            || group.ends_with("authorization.k8s.io")
        {
            return None;
        }
        let (namespace, rest) = match rest.strip_prefix("namespaces/") {
            Some(rest) => rest.split_once('/')?,
            None => ("", rest),
        };
        let mut parts = rest.split('/');
        let resource = parts.next()?;
        let name = parts.next().unwrap_or_default();
        let verb = match (method, name) {
            ("GET", "") => "list",
            ("GET", _) => "get",
            ("POST", "") => "create",
            ("PATCH", _) => "patch",
            ("DELETE", _) => "delete",
            _ => return None,
        };
        Some(Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The command that makes a role of it.
    pub(super) fn role(&self) -> String {
        let resource = if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        };
        let Self { verb, namespace, .. } = self;
        let (kind, place) = match &**namespace {
            "" => ("clusterrole", String::new()),
            namespace => ("role", format!(" --namespace={namespace}")),
        };
        format!("kubectl create {kind} NAME{place} --verb={verb} --resource={resource}")
    }
}

impl std::fmt::Display for Permission {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { verb, group, resource, namespace, name } = self;
        let dot = if group.is_empty() { "" } else { "." };
        write!(formatter, "{verb} {resource}{dot}{group}")?;
        if !name.is_empty() {
            write!(formatter, " {name}")?;
        }
        if namespace.is_empty() { Ok(()) } else { write!(formatter, " in {namespace}") }
    }
}

#[cfg(test)]
mod tests;
