//! The part of Magnum's v1 API that the provider needs: clusters, their templates, and the rotation of
//! their credential and their CA.
//!
//! Two answers do not say what they seem to. The rotation of a credential is synchronous although it answers
//! 202, and after 60 seconds it answers 500 while it goes on: an ambiguous answer is cleared up by looking at the
//! cluster, never by sending it again. And a refused rotation of the CA may have replaced the stored CA.
//!
//! A third says more than it seems to: not every 404 means that a cluster is gone ([`is_gone`]).

mod found;

pub use found::{FoundCluster, Restarts};

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::config::ConfigError;
use super::session::Session;
use super::{Error, Patience};
use crate::cloud::http::Request;

/// A cluster as Magnum shows it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Cluster {
    pub uuid: String,
    pub name: String,
    /// `CREATE_COMPLETE`, `UPDATE_IN_PROGRESS`, `UPDATE_FAILED` and so on.
    pub status: Option<String>,
    pub status_reason: Option<String>,
    /// `HEALTHY`, `UNHEALTHY`, `UNKNOWN`; None where the driver does not tell.
    pub health_status: Option<String>,
    pub api_address: Option<String>,
    /// The version of Kubernetes, where the driver tells it.
    pub coe_version: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub cluster_template_id: String,
    pub project_id: Option<String>,
    /// The owner: whoever created it or rotated its credential last.
    pub user_id: Option<String>,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
}

/// The template that a cluster was made from.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClusterTemplate {
    pub uuid: String,
    pub name: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub tls_disabled: bool,
}

/// A version of the API, such as 1.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

/// The first version that rotates credentials (Magnum 21.0.0).
pub const ROTATES_CREDENTIALS: Version = Version(1, 12);

/// Whether an answer is Magnum's own word that this cluster exists no more. A 404 may also be about the cluster's
/// template (Magnum 23 hides a cluster whose template the login may not see), about the project, or a load balancer's.
pub fn is_gone(error: &Error, id: &str) -> bool {
    matches!(error, Error::Api(answer)
        if answer.status == 404 && answer.message.contains(&format!("Cluster {id} could not be found")))
}

/// How many clusters a project's list may have: more are not read.
const MOST_CLUSTERS: usize = 10_000;

/// Calls to Magnum with a session's token.
#[derive(Clone, Copy, Debug)]
pub struct Magnum<'s> {
    session: &'s Session,
}

impl Session {
    /// The container infrastructure management service.
    pub fn magnum(&self) -> Magnum<'_> {
        Magnum { session: self }
    }
}

impl Magnum<'_> {
    /// The newest version that this Magnum speaks.
    pub async fn newest_version(&self, patience: &Patience) -> Result<Version, Error> {
        let mut url = self.session.endpoint(SERVICE, patience).await?;
        // The list of versions stands above the version itself.
        let path = url.path().trim_end_matches('/').trim_end_matches("v1").to_owned();
        url.set_path(&path);
        let answer: wire::Versions =
            self.session.json(Request::new(Method::GET, url), patience).await?;
        let newest = answer.versions.iter().filter_map(|version| parse(&version.max_version)).max();
        Ok(newest.unwrap_or(Version(1, 1)))
    }

    /// By uuid or name. 404 also for one of another project; 409 where several have the name.
    pub async fn cluster(&self, id: &str, patience: &Patience) -> Result<Cluster, Error> {
        let request = self.request(Method::GET, &["clusters", id], LATEST, patience).await?;
        self.session.json(request, patience).await
    }

    /// All of the project's, every page, with all their fields.
    pub async fn clusters(&self, patience: &Patience) -> Result<Vec<Cluster>, Error> {
        let mut all: Vec<Cluster> = Vec::new();
        loop {
            let mut request =
                self.request(Method::GET, &["clusters", "detail"], LATEST, patience).await?;
            if let Some(last) = all.last() {
                request.url.query_pairs_mut().append_pair("marker", &last.uuid);
            }
            let page: wire::Clusters = self.session.json(request, patience).await?;
            let last = all.last().map(|last| last.uuid.clone());
            let turned = page.clusters.last().is_some_and(|next| Some(&next.uuid) != last.as_ref());
            let ended = page.next.is_none() || !turned;
            all.extend(page.clusters);
            if ended || all.len() > MOST_CLUSTERS {
                return Ok(all);
            }
        }
    }

    pub async fn template(&self, id: &str, patience: &Patience) -> Result<ClusterTemplate, Error> {
        let path = ["clustertemplates", id];
        let request = self.request(Method::GET, &path, LATEST, patience).await?;
        self.session.json(request, patience).await
    }

    /// Gives the cluster a new application credential of the caller, who becomes its owner. Sent once.
    pub async fn rotate_credential(&self, uuid: &str, patience: &Patience) -> Result<(), Error> {
        let path = ["credentials", uuid];
        let request = self.request(Method::PATCH, &path, "1.12", patience).await?;
        self.accepted(request, uuid, patience).await
    }

    /// Replaces the cluster's CAs. Sent once.
    pub async fn rotate_ca(&self, uuid: &str, patience: &Patience) -> Result<(), Error> {
        let path = ["certificates", uuid];
        let request = self.request(Method::PATCH, &path, LATEST, patience).await?;
        self.accepted(request, uuid, patience).await
    }

    /// Sends what Magnum accepts with 202 and the cluster's uuid; any other success is somebody else's.
    async fn accepted(
        &self,
        request: Request,
        uuid: &str,
        patience: &Patience,
    ) -> Result<(), Error> {
        let label = request.label();
        let answer = self.session.send(request, patience).await?;
        let told: Option<wire::Accepted> = serde_json::from_slice(&answer.body).ok();
        let reason = match told {
            _ if answer.status != StatusCode::ACCEPTED => {
                format!("its status is {} and not 202", answer.status.as_u16())
            }
            None => format!("it is {}", answer.what_it_is_instead()),
            Some(told) if told.uuid != uuid => {
                format!("it is about another cluster, {}", told.uuid)
            }
            Some(_) => return Ok(()),
        };
        Err(Error::Unreadable { request: label, reason, request_id: answer.request_id() })
    }

    /// The CA of the cluster's Kubernetes, PEM. Only for its owner (403).
    pub async fn ca(&self, uuid: &str, patience: &Patience) -> Result<String, Error> {
        let path = ["certificates", uuid];
        let request = self.request(Method::GET, &path, LATEST, patience).await?;
        let answer: wire::Certificate = self.session.json(request, patience).await?;
        Ok(answer.pem)
    }

    /// Has a signing request (PEM) signed by the cluster's CA: a certificate for five years, with the
    /// request's subject. Only for its owner (403). Signing twice does no harm.
    pub async fn sign(&self, uuid: &str, csr: &str, patience: &Patience) -> Result<String, Error> {
        let request = self.request(Method::POST, &["certificates"], LATEST, patience).await?;
        let request = request
            .repeatable()
            .json(&json!({ "cluster_uuid": uuid, "csr": csr }))
            .map_err(|_| ConfigError {
                message: "the signing request cannot be written as JSON".to_owned(),
                setting: None,
            })?;
        let answer: wire::Certificate = self.session.json(request, patience).await?;
        Ok(answer.pem)
    }

    async fn request(
        &self,
        method: Method,
        path: &[&str],
        version: &'static str,
        patience: &Patience,
    ) -> Result<Request, Error> {
        let mut url = self.session.endpoint(SERVICE, patience).await?;
        if !url.path().trim_end_matches('/').ends_with("/v1") {
            super::address::extend(&mut url, &["v1"])?;
        }
        super::address::extend(&mut url, path)?;
        let version = HeaderValue::try_from(format!("{SERVICE} {version}"));
        let version = version.unwrap_or(HeaderValue::from_static("container-infra latest"));
        Ok(Request::new(method, url).header(VERSION, version))
    }
}

const LATEST: &str = "latest";
const SERVICE: &str = "container-infra";
const VERSION: HeaderName = HeaderName::from_static("openstack-api-version");

fn parse(text: &str) -> Option<Version> {
    let (major, minor) = text.split_once('.')?;
    Some(Version(major.parse().ok()?, minor.parse().ok()?))
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// The shapes on the wire.
mod wire {
    use super::{Cluster, Deserialize};

    #[derive(Deserialize)]
    pub(super) struct Versions {
        pub(super) versions: Vec<OneVersion>,
    }

    #[derive(Deserialize)]
    pub(super) struct OneVersion {
        #[serde(default)]
        pub(super) max_version: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Clusters {
        pub(super) clusters: Vec<Cluster>,
        #[serde(default)]
        pub(super) next: Option<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Accepted {
        pub(super) uuid: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Certificate {
        pub(super) pem: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_word_about_this_cluster_means_gone() {
        let answer = |status, message: &str| {
            Error::Api(crate::cloud::openstack::ApiError {
                meaning: crate::cloud::openstack::Meaning::Status,
                status,
                message: message.into(),
                request_id: None,
                request: "GET /v1/clusters/u1".into(),
            })
        };
        assert!(is_gone(&answer(404, "Cluster u1 could not be found."), "u1"));
        for other in [
            answer(404, "ClusterTemplate t1 could not be found."),
            answer(404, "Cluster u2 could not be found."),
            answer(404, "404 Not Found"),
            answer(403, "Cluster u1 could not be found."),
        ] {
            assert!(!is_gone(&other, "u1"), "{other}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parse("1.9").unwrap() < ROTATES_CREDENTIALS);
        assert!(parse("1.14").unwrap() > ROTATES_CREDENTIALS);
        assert_eq!(parse("latest"), None);
    }
}
