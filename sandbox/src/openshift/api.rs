//! The few calls that the operator makes of a Kubernetes API: of a real one over HTTP, or of a cluster of this sandbox
//! without a connection.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};

use crate::authority::{Broken, provider};
use crate::clock::Clock;
use crate::kubernetes::Inside;

/// A way to an API server, as somebody who may do everything. Cheap to clone.
#[derive(Clone)]
pub struct Api(Way);

#[derive(Clone)]
enum Way {
    Inside(Inside, Arc<Clock>),
    Remote(Arc<Remote>),
}

struct Remote {
    base: String,
    http: reqwest::Client,
}

/// What the API server says no with.
#[derive(Clone, Debug)]
pub struct Refused {
    /// 0 where there was no answer.
    pub status: u16,
    /// Such as `NotFound`.
    pub reason: String,
    pub message: String,
}

/// A change of an object, as it was before and as it is now.
#[derive(Clone, Debug)]
pub struct Change {
    pub before: Option<Value>,
    pub now: Option<Value>,
}

impl Api {
    /// A server that shows a certificate of this authority, for a client with this certificate and key; all PEM.
    pub fn remote(base: &str, ca: &str, certificate: &str, key: &str) -> Result<Self, Broken> {
        let mut roots = RootCertStore::empty();
        for found in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            roots.add(found?)?;
        }
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
        let tls = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent("cloud-credential-operator")
            .no_proxy()
            .build()?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self(Way::Remote(Arc::new(Remote { base, http }))))
    }

    pub(crate) fn inside(cluster: Inside, clock: Arc<Clock>) -> Self {
        Self(Way::Inside(cluster, clock))
    }

    /// None where there is no such object.
    pub async fn get(&self, path: &str) -> Result<Option<Value>, Refused> {
        match self.send(Method::GET, path, JSON, None).await {
            Ok(found) => Ok(Some(found)),
            Err(refused) if refused.status == 404 => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// The objects, each with its kind.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, Refused> {
        self.list_with_version(path).await.map(|(objects, _)| objects)
    }

    pub async fn create(&self, collection: &str, object: &Value) -> Result<Value, Refused> {
        self.send(Method::POST, collection, JSON, Some(object)).await
    }

    pub async fn replace(&self, path: &str, object: &Value) -> Result<Value, Refused> {
        self.send(Method::PUT, path, JSON, Some(object)).await
    }

    /// By a JSON merge patch.
    pub async fn patch(&self, path: &str, change: &Value) -> Result<Value, Refused> {
        self.send(Method::PATCH, path, "application/merge-patch+json", Some(change)).await
    }

    /// Also well where it is gone already.
    pub async fn delete(&self, path: &str) -> Result<(), Refused> {
        match self.send(Method::DELETE, path, JSON, None).await {
            Err(refused) if refused.status != 404 => Err(refused),
            _ => Ok(()),
        }
    }

    /// Tells all objects of a kind, and each change from then on, until the API server is gone.
    pub async fn follow(&self, collection: &str, mut tell: impl FnMut(Change)) {
        let mut known = BTreeMap::new();
        loop {
            let Ok((all, version)) = self.list_with_version(collection).await else {
                if self.is_gone() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let all: BTreeMap<_, _> =
                all.into_iter().map(|object| (name(&object), object)).collect();
            for (key, object) in &all {
                let before = known.insert(key.clone(), object.clone());
                if before.as_ref() != Some(object) {
                    tell(Change { before, now: Some(object.clone()) });
                }
            }
            let gone: Vec<_> =
                known.keys().filter(|key| !all.contains_key(*key)).cloned().collect();
            for key in gone {
                tell(Change { before: known.remove(&key), now: None });
            }
            let mut note = |kind: &str, object: Value| {
                let key = name(&object);
                if kind == "DELETED" {
                    known.remove(&key);
                    tell(Change { before: Some(object), now: None });
                } else {
                    let before = known.insert(key, object.clone());
                    tell(Change { before, now: Some(object) });
                }
            };
            match &self.0 {
                Way::Inside(cluster, _) => {
                    let plural = collection.rsplit('/').next().unwrap_or_default();
                    let mut after = version.parse().unwrap_or_default();
                    while let Some((now, events)) = cluster.changes(plural, after).await {
                        after = now;
                        for event in events {
                            note(event.kind, event.object);
                        }
                    }
                }
                Way::Remote(remote) => remote.watch(collection, &version, note).await,
            }
            if self.is_gone() {
                return;
            }
        }
    }

    async fn list_with_version(&self, path: &str) -> Result<(Vec<Value>, String), Refused> {
        let mut list = self.send(Method::GET, path, JSON, None).await?;
        let version = list["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        let kind = list["kind"].as_str().unwrap_or_default().trim_end_matches("List").to_owned();
        let group = list["apiVersion"].take();
        let Value::Array(mut items) = list["items"].take() else {
            return Ok((Vec::new(), version));
        };
        for item in &mut items {
            item["kind"] = json!(kind);
            item["apiVersion"] = group.clone();
        }
        Ok((items, version))
    }

    /// Whether it will never answer again.
    fn is_gone(&self) -> bool {
        matches!(&self.0, Way::Inside(cluster, _) if cluster.is_gone())
    }

    /// A server that has just been told of a kind sets its storage up first, and says 429 meanwhile.
    async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &'static str,
        body: Option<&Value>,
    ) -> Result<Value, Refused> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut tries = 0;
        loop {
            let (status, answer) = self.send_once(method.clone(), path, kind, &text).await?;
            tries += 1;
            if status == 429 && tries < TRIES {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            if status < 400 {
                return Ok(answer);
            }
            let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
            return Err(Refused { status, reason: text("reason"), message: text("message") });
        }
    }

    async fn send_once(
        &self,
        method: Method,
        path: &str,
        kind: &'static str,
        body: &str,
    ) -> Result<(u16, Value), Refused> {
        match &self.0 {
            Way::Inside(cluster, clock) => {
                // As over a connection, others have a turn at each call.
                tokio::task::yield_now().await;
                let answer = cluster.request(method, path, kind, body.into(), clock.now());
                answer.map(|(status, body)| (status.as_u16(), body)).ok_or_else(Refused::nobody)
            }
            Way::Remote(remote) => remote.send(method, path, kind, body.to_owned()).await,
        }
    }
}

impl Remote {
    async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Result<(u16, Value), Refused> {
        let url = format!("{}{path}", self.base);
        let request = self.http.request(method, url).header("content-type", kind).body(body);
        let answer = request.timeout(PATIENCE).send().await.map_err(|_| Refused::nobody())?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.unwrap_or_default()))
    }

    /// Until the server ends it, or says that it cannot go on from there.
    async fn watch(&self, collection: &str, version: &str, mut note: impl FnMut(&str, Value)) {
        let url = format!("{}{collection}?watch=true&resourceVersion={version}", self.base);
        let Ok(mut answer) = self.http.get(url).send().await else { return };
        let mut text = Vec::new();
        while let Ok(Some(more)) = answer.chunk().await {
            text.extend_from_slice(&more);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let Ok(mut event) = serde_json::from_slice::<Value>(&line) else { return };
                let object = event["object"].take();
                match event["type"].as_str() {
                    Some(kind @ ("ADDED" | "MODIFIED" | "DELETED")) => note(kind, object),
                    Some("BOOKMARK") => {}
                    _ => return,
                }
            }
        }
    }
}

impl Refused {
    fn nobody() -> Self {
        Self { status: 0, reason: String::new(), message: "nobody answers".to_owned() }
    }

    /// Somebody else was faster.
    pub fn is_conflict(&self) -> bool {
        self.status == 409
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.reason, self.message)
    }
}

impl std::error::Error for Refused {}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Inside(..) => f.write_str("Api(a cluster of the sandbox)"),
            Way::Remote(remote) => write!(f, "Api({})", remote.base),
        }
    }
}

fn name(object: &Value) -> (String, String) {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

const JSON: &str = "application/json";
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);
const TRIES: u32 = 150;
