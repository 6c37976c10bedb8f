//! Container Engine for Kubernetes (OKE), version 20180222: the calls that a rotation of a cluster's
//! credentials needs. Typed and nothing else: what an answer means is decided elsewhere.
//!
//! 404 is "not there" and "not allowed" at once. A start or a completion answers with the OCID of a work
//! request, which does the work.

mod model;

#[cfg(test)]
mod tests;

use std::time::Duration;

use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::json;

pub use model::{
    Cluster, ClusterLifecycle, ClusterMetadata, ClusterType, CredentialRotation, Endpoints,
    LogEntry, Node, NodeError, NodeLifecycle, NodePool, NodePoolLifecycle, RotationDetails,
    RotationStatus, WorkRequest, WorkRequestError, WorkResource, WorkStatus,
};

use super::retry::{self, RetryToken};
use super::session::{Call, Session};
use super::{Error, Patience};
use crate::cloud::http::Response;

/// Calls to Container Engine with a session's login.
#[derive(Clone, Copy, Debug)]
pub struct ContainerEngine<'s> {
    session: &'s Session,
}

/// What a start or a completion was accepted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// None where the service tells none.
    pub work_request_id: Option<String>,
    pub request_id: Option<String>,
}

/// Which address of the cluster a kubeconfig is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KubeconfigEndpoint {
    Legacy,
    Private,
    Public,
    VcnHostname,
}

impl Session {
    /// The service that runs OKE.
    pub fn container_engine(&self) -> ContainerEngine<'_> {
        ContainerEngine { session: self }
    }
}

impl ContainerEngine<'_> {
    /// Issues new credentials beside the old ones, which are retired `delay` (ISO 8601, 1 to 90 days) later
    /// at the latest.
    pub async fn start_credential_rotation(
        &self,
        cluster: &str,
        delay: &str,
        token: &RetryToken,
        patience: &Patience,
    ) -> Result<Accepted, Error> {
        let call = Call::post(&["clusters", cluster, "actions", "startCredentialRotation"])
            .token(token)
            .body(&json!({ "autoCompletionDelayDuration": delay }))?;
        let label = call.label();
        accepted(label, &self.session.send(call, patience).await?)
    }

    /// Retires the old credentials.
    pub async fn complete_credential_rotation(
        &self,
        cluster: &str,
        token: &RetryToken,
        patience: &Patience,
    ) -> Result<Accepted, Error> {
        let call = Call::post(&["clusters", cluster, "actions", "completeCredentialRotation"])
            .token(token);
        let label = call.label();
        accepted(label, &self.session.send(call, patience).await?)
    }

    pub async fn credential_rotation_status(
        &self,
        cluster: &str,
        patience: &Patience,
    ) -> Result<CredentialRotation, Error> {
        self.get(&["clusters", cluster, "credentialRotationStatus"], patience).await
    }

    pub async fn cluster(&self, id: &str, patience: &Patience) -> Result<Cluster, Error> {
        self.get(&["clusters", id], patience).await
    }

    /// All of a compartment, deleted ones too for a while.
    pub async fn clusters(
        &self,
        compartment: &str,
        patience: &Patience,
    ) -> Result<Vec<Cluster>, Error> {
        self.list(&["clusters"], &[("compartmentId", compartment)], patience).await
    }

    /// With its nodes, which the list does not have.
    pub async fn node_pool(&self, id: &str, patience: &Patience) -> Result<NodePool, Error> {
        self.get(&["nodePools", id], patience).await
    }

    pub async fn node_pools(
        &self,
        compartment: &str,
        cluster: &str,
        patience: &Patience,
    ) -> Result<Vec<NodePool>, Error> {
        let query = [("compartmentId", compartment), ("clusterId", cluster)];
        self.list(&["nodePools"], &query, patience).await
    }

    /// Of virtual nodes, which know no rotation.
    pub async fn virtual_node_pools(
        &self,
        compartment: &str,
        cluster: &str,
        patience: &Patience,
    ) -> Result<Vec<NodePool>, Error> {
        let query = [("compartmentId", compartment), ("clusterId", cluster)];
        self.list(&["virtualNodePools"], &query, patience).await
    }

    /// And how long to wait before asking again, where the service says so.
    pub async fn work_request(
        &self,
        id: &str,
        patience: &Patience,
    ) -> Result<(WorkRequest, Option<Duration>), Error> {
        let (request, answer) =
            self.session.json(Call::get(&["workRequests", id]), patience).await?;
        Ok((request, retry::told(&answer)))
    }

    /// Of one cluster, the newest first.
    pub async fn work_requests(
        &self,
        compartment: &str,
        cluster: &str,
        patience: &Patience,
    ) -> Result<Vec<WorkRequest>, Error> {
        let query = [
            ("compartmentId", compartment),
            ("clusterId", cluster),
            ("sortBy", "TIME_ACCEPTED"),
            ("sortOrder", "DESC"),
        ];
        self.list(&["workRequests"], &query, patience).await
    }

    /// `compartment` is the work request's own.
    pub async fn work_request_errors(
        &self,
        id: &str,
        compartment: &str,
        patience: &Patience,
    ) -> Result<Vec<WorkRequestError>, Error> {
        self.list(&["workRequests", id, "errors"], &[("compartmentId", compartment)], patience)
            .await
    }

    /// `compartment` is the work request's own.
    pub async fn work_request_logs(
        &self,
        id: &str,
        compartment: &str,
        patience: &Patience,
    ) -> Result<Vec<LogEntry>, Error> {
        self.list(&["workRequests", id, "logs"], &[("compartmentId", compartment)], patience).await
    }

    /// A kubeconfig of this moment, YAML. No secret: whoever uses it needs Oracle's CLI for the token.
    pub async fn kubeconfig(
        &self,
        cluster: &str,
        endpoint: Option<KubeconfigEndpoint>,
        patience: &Patience,
    ) -> Result<String, Error> {
        let mut wanted = json!({ "tokenVersion": "2.0.0" });
        if let Some(endpoint) = endpoint {
            wanted["endpoint"] = endpoint.name().into();
        }
        let call = Call::post(&["clusters", cluster, "kubeconfig", "content"])
            .accept("application/x-yaml")
            .body(&wanted)?;
        let label = call.label();
        let answer = self.session.send(call, patience).await?;
        match std::str::from_utf8(&answer.body) {
            Ok(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(Error::Unreadable {
                request: label,
                reason: "it is no text".to_owned(),
                request_id: answer.request_id(),
            }),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        patience: &Patience,
    ) -> Result<T, Error> {
        self.session.json(Call::get(path), patience).await.map(|(value, _)| value)
    }

    /// Every page. A page that was seen already, or one too many, is an error: the list would not end.
    async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&'static str, &str)],
        patience: &Patience,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        loop {
            let mut call = Call::get(path);
            for (name, value) in query {
                call = call.query(name, *value);
            }
            if let Some(page) = seen.last() {
                call = call.query("page", page.clone());
            }
            let label = call.label();
            let (page, answer): (Vec<T>, _) = self.session.json(call, patience).await?;
            all.extend(page);
            let Some(next) = text(&answer.headers, "opc-next-page") else { return Ok(all) };
            if seen.contains(&next) || seen.len() >= MOST_PAGES {
                return Err(Error::Unreadable {
                    request: label,
                    reason: format!(
                        "its pages do not end: after {} there is a next one",
                        seen.len() + 1
                    ),
                    request_id: answer.request_id(),
                });
            }
            seen.push(next);
        }
    }
}

impl KubeconfigEndpoint {
    fn name(self) -> &'static str {
        match self {
            Self::Legacy => "LEGACY_KUBERNETES",
            Self::Private => "PRIVATE_ENDPOINT",
            Self::Public => "PUBLIC_ENDPOINT",
            Self::VcnHostname => "VCN_HOSTNAME",
        }
    }
}

const MOST_PAGES: usize = 1_000;

/// A page with status 200, of a portal on the way, says nothing of a rotation: the service's own answers carry its ids.
fn accepted(request: String, answer: &Response) -> Result<Accepted, Error> {
    let work_request_id = text(&answer.headers, "opc-work-request-id");
    let request_id = answer.request_id();
    if work_request_id.is_none() && request_id.is_none() {
        let reason = format!("it is {}", answer.what_it_is_instead());
        return Err(Error::Unreadable { request, reason, request_id });
    }
    Ok(Accepted { work_request_id, request_id })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
