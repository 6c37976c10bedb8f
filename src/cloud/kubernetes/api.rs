//! The verbs of Kubernetes' API on any path, for whoever knows the objects: GET, LIST, POST, PATCH, DELETE.
//!
//! What changes something is sent once: where its answer is lost, the error says that it may have acted
//! ([`Error::may_have_acted`]), and only a look tells what came of it.

use http::header::{CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::client::{Answer, Client};
use super::error::Error;
use crate::cloud::http::{Method, Pages, Patience, Request};

/// All of a list, as it was at one moment.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// Of the whole list.
    pub resource_version: String,
    /// The server's clock, in whole seconds.
    pub date: Option<Timestamp>,
}

impl Client {
    /// The object at this path (`/api/v1/namespaces/…`).
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        patience: &Patience,
    ) -> Result<T, Error> {
        let request = self.request(Method::GET, path, &[])?;
        Ok(self.call(&request, patience).await?.body)
    }

    /// Everything at this path, over all pages; `query` may select by label or field, and say how large a page is
    /// (`limit`).
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        patience: &Patience,
    ) -> Result<Listed<T>, Error> {
        let mut restarts = 0;
        loop {
            match self.pages(path, query, patience).await {
                // 410: the pages took too long, what was read is too old to go on from.
                Err(error) if error.status() == Some(410) && restarts < RESTARTS => restarts += 1,
                outcome => return outcome,
            }
        }
    }

    /// Makes an object (or asks for a review) at this path.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        patience: &Patience,
    ) -> Result<T, Error> {
        let request = self.with_body(Method::POST, path, body, "application/json")?;
        Ok(self.call(&request, patience).await?.body)
    }

    /// Changes an object by a merge patch (RFC 7386). A `resourceVersion` in it is a precondition.
    pub async fn merge<T: DeserializeOwned>(
        &self,
        path: &str,
        change: &impl Serialize,
        patience: &Patience,
    ) -> Result<T, Error> {
        let request =
            self.with_body(Method::PATCH, path, change, "application/merge-patch+json")?;
        Ok(self.call(&request, patience).await?.body)
    }

    /// Deletes an object; `options` are `DeleteOptions`, such as `{"preconditions": {"uid": …}}`.
    pub async fn delete(
        &self,
        path: &str,
        options: &impl Serialize,
        patience: &Patience,
    ) -> Result<(), Error> {
        let request = self.with_body(Method::DELETE, path, options, "application/json")?.once();
        self.call::<IgnoredAny>(&request, patience).await?;
        Ok(())
    }

    pub(super) fn with_body(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        kind: &'static str,
    ) -> Result<Request, Error> {
        let query =
            if method == Method::DELETE { &[][..] } else { &[("fieldManager", FIELD_MANAGER)] };
        let request = self.request(method, path, query)?;
        let unsendable = |label: String| Error::Unsendable {
            request: label,
            reason: "its body cannot be written as JSON".to_owned(),
        };
        let label = request.label();
        let mut request = request.json(body).map_err(|_| unsendable(label))?;
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Ok(request)
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        patience: &Patience,
    ) -> Result<Listed<T>, Error> {
        let mut listed = Listed { items: Vec::new(), resource_version: String::new(), date: None };
        let mut left = Pages::of(LARGEST_LIST);
        let mut token = String::new();
        loop {
            let mut page = query.to_vec();
            if !query.iter().any(|(name, _)| *name == "limit") {
                page.push(("limit", PAGE));
            }
            if !token.is_empty() {
                page.push(("continue", &token));
            }
            let request = self.request(Method::GET, path, &page)?;
            let Answer { body, response } = self.call::<List<T>>(&request, patience).await?;
            left.take(&request, &response)
                .map_err(|error| Error::from_transport(error, &self.server()))?;
            listed.date = response.date();
            listed.items.extend(body.items.unwrap_or_default());
            listed.resource_version = body.metadata.resource_version.unwrap_or_default();
            token = body.metadata.continuation.unwrap_or_default();
            if token.is_empty() {
                return Ok(listed);
            }
        }
    }
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default)]
    metadata: ListMetadata,
    /// Null where an old server has none.
    items: Option<Vec<T>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    #[serde(rename = "continue")]
    continuation: Option<String>,
    resource_version: Option<String>,
}

const FIELD_MANAGER: &str = "terraform-provider-rekey";
/// The pods of a daemon set on 5,000 nodes are about 100 MB; what is kept of them is little.
const LARGEST_LIST: usize = 256 * 1024 * 1024;
const PAGE: &str = "500";
const RESTARTS: u32 = 3;

#[cfg(test)]
mod tests;
