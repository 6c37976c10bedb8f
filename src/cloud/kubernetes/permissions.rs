//! What a login may do, asked of the API server before anything is touched.

use http::header::CONTENT_TYPE;
use http::{Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::{Answer, Effect};
use super::{Client, Error};
use crate::cloud::http::Patience;

/// One verb on one kind of thing in one namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Permission {
    pub verb: String,
    /// Empty: core.
    pub group: String,
    /// Plural: `deployments`.
    pub resource: String,
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
        let mut parts = rest.strip_prefix("namespaces/")?.split('/');
        let (namespace, resource) = (parts.next()?, parts.next()?);
        let name = parts.next().unwrap_or_default();
        let verb = match (method, name) {
            ("GET", "") => "list",
            ("GET", _) => "get",
            ("PATCH", _) => "patch",
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
        format!(
            "kubectl create role NAME --namespace={namespace} --verb={verb} --resource={resource}"
        )
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
        write!(formatter, " in {namespace}")
    }
}

impl Client {
    /// Those of `wanted` that this login does not have, by the server's own judgement
    /// (`SelfSubjectAccessReview`): nothing is touched.
    pub async fn missing_permissions(
        &self,
        wanted: &[Permission],
        patience: &Patience,
    ) -> Result<Vec<Permission>, Error> {
        let mut missing = Vec::new();
        for permission in wanted {
            if !self.may(permission, patience).await? {
                missing.push(permission.clone());
            }
        }
        Ok(missing)
    }

    async fn may(&self, permission: &Permission, patience: &Patience) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Review {
            status: Status,
        }
        #[derive(Deserialize)]
        struct Status {
            allowed: bool,
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": permission },
        });
        let mut request = Request::new(review.to_string().into_bytes());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = http::Uri::from_static(REVIEWS);
        request
            .headers_mut()
            .insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        // A POST that only asks.
        let answer: Answer<Review> = self.call(&request, Effect::Reads, patience).await?;
        Ok(answer.body.status.allowed)
    }
}

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

#[cfg(test)]
mod tests;
