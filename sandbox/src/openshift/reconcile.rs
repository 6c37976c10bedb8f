//! The second loop: one `CredentialsRequest` after the other; whether it is to be synced at all, and what its status
//! says then. How it is synced is `mint`'s and `passthrough`'s business.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::api::Refused;
use super::conditions::{self, Kind, clears, failing_since, fails};
use super::mode::{Mode, Unclear, mode};
use super::names::REQUEST;
use super::platform::Platform;
use super::queue::Key;
use super::shared::Shared;
use super::time::{is_older, seconds};
use super::work::{Failure, Work, is_known, save};
use super::{mint, passthrough, secrets};

/// Synced at least so often.
const SYNC_PERIOD: SignedDuration = SignedDuration::from_hours(1);
/// Looked at again after so long.
const REST: SignedDuration = SignedDuration::from_mins(70);
const FINALIZER: &str = "cloudcredential.openshift.io/deprovision";

enum Next {
    Again,
    Never,
    Rest,
}

pub(super) async fn run(shared: &Shared) {
    label_what_is_annotated(shared).await;
    loop {
        let key = shared.queue.next(&shared.clock).await;
        // As for the summary: what the clock is moved on by meanwhile counts.
        let now = shared.clock.now();
        let next = reconcile(shared, &key).await.unwrap_or(Next::Again);
        match next {
            Next::Again => shared.queue.failed(key, now),
            Next::Never => shared.queue.ends(&key),
            Next::Rest => {
                shared.queue.rests(key, now.saturating_add(REST).unwrap_or(Timestamp::MAX));
            }
        }
    }
}

/// As the operator does when it starts.
async fn label_what_is_annotated(shared: &Shared) {
    let all = shared.api.list("/api/v1/secrets").await.unwrap_or_default();
    for secret in &all {
        let metadata = &secret["metadata"];
        if metadata["annotations"][REQUEST].is_string() && !secrets::is_visible(secret) {
            let text = |key: &str| metadata[key].as_str().unwrap_or_default();
            let path = secrets::path(text("namespace"), text("name"));
            let label = json!({ "metadata": { "labels": { REQUEST: "true" } } });
            // Tried again at the next start.
            let _ = shared.api.patch(&path, &label).await;
        }
    }
}

async fn reconcile(shared: &Shared, key: &Key) -> Result<Next, Refused> {
    let api = &shared.api;
    let mode = match mode(api).await {
        Ok(Mode::Manual { issuer: false }) => return Ok(Next::Never),
        Ok(mode) => mode,
        Err(Unclear::Conflict { .. }) => return Ok(Next::Again),
        Err(Unclear::Refused(refused)) => return Err(refused),
    };
    let path = format!(
        "/apis/cloudcredential.openshift.io/v1/namespaces/{}/credentialsrequests/{}",
        key.0, key.1
    );
    let Some(mut request) = api.get(&path).await? else { return Ok(Next::Never) };
    let infrastructure = api.get("/apis/config.openshift.io/v1/infrastructures/cluster").await?;
    let infrastructure = infrastructure.unwrap_or_default();
    let kind = request["spec"]["providerSpec"]["kind"].as_str().unwrap_or_default();
    let now = shared.clock.now();
    let platform = Platform::of(&infrastructure).filter(|platform| platform.spec_kind() == kind);
    let Some(platform) = platform else {
        let name = infrastructure["status"]["platformStatus"]["type"].as_str().unwrap_or_default();
        let before = request["status"].clone();
        conditions::ignore(&mut request["status"], name, now);
        if request["status"] != before {
            save(shared, &mut request).await?;
        }
        return Ok(Next::Never);
    };
    if !request["metadata"]["deletionTimestamp"].is_null() {
        return deprovision(shared, platform, &path, &mut request).await;
    }
    let finalizers = request["metadata"]["finalizers"].as_array();
    if !finalizers.is_some_and(|all| all.iter().any(|known| known == FINALIZER)) {
        let mut all = finalizers.cloned().unwrap_or_default();
        all.push(json!(FINALIZER));
        request["metadata"]["finalizers"] = json!(all);
        api.replace(&path, &request).await?;
        // That change is an event of its own.
        return Ok(Next::Never);
    }
    let before = request["status"].clone();
    let (namespace, _) = secrets::reference(&request);
    if api.get(&format!("/api/v1/namespaces/{namespace}")).await?.is_none() {
        let message = format!("target namespace {namespace} not found");
        fails(&mut request["status"], Kind::MissingTargetNamespace, &message, now);
        if request["status"] != before {
            save(shared, &mut request).await?;
        }
        return Ok(Next::Never);
    }
    let found = format!("target namespace {namespace} found");
    clears(&mut request["status"], Kind::MissingTargetNamespace, &found, now);
    let root = secrets::root(api, platform).await?;
    let target = secrets::target(api, &request).await?;
    let of = &infrastructure["metadata"]["resourceVersion"];
    if !is_due(&request, platform, root.as_ref(), target.is_some(), of, now) {
        return Ok(Next::Rest);
    }
    // What no actuator looks at: with short-term credentials there is no root.
    let known = root.as_ref().filter(|root| is_known(platform, root));
    let version = known.map(|root| root["metadata"]["resourceVersion"].clone());
    let generation = request["metadata"]["generation"].clone();
    let mut work = Work {
        shared,
        platform,
        mode,
        infrastructure: &infrastructure,
        request: &mut request,
        root,
        target,
    };
    let synced = work.sync().await;
    if matches!(synced, Err(Failure::Unexpected)) {
        return Ok(Next::Again);
    }
    let next = if synced.is_ok() { Next::Rest } else { Next::Again };
    let seen = Seen { version, generation, infrastructure: of.clone() };
    tell(&mut request["status"], synced, seen, shared.clock.now());
    if request["status"] != before {
        save(shared, &mut request).await?;
    }
    Ok(next)
}

/// What a sync went by.
struct Seen {
    /// Of the root secret, where it counted.
    version: Option<Value>,
    generation: Value,
    infrastructure: Value,
}

/// What the status says after a sync: of a failure no more than the condition and that nothing is provisioned.
fn tell(status: &mut Value, synced: Result<(), Failure>, seen: Seen, now: Timestamp) {
    let granted = "successfully granted credentials request";
    let enough = "cloud credentials sufficient for minting or passthrough";
    status["provisioned"] = json!(synced.is_ok());
    match synced {
        Err(Failure::Insufficient) => {
            let why = "cloud creds are insufficient to satisfy CredentialsRequest";
            fails(status, Kind::InsufficientCloudCreds, why, now);
            clears(status, Kind::ProvisionFailure, granted, now);
        }
        Err(Failure::Provision(why)) => {
            let why = format!("failed to grant creds: {why}");
            fails(status, Kind::ProvisionFailure, &why, now);
            clears(status, Kind::InsufficientCloudCreds, enough, now);
        }
        Err(Failure::Unexpected) => {}
        Ok(()) => {
            clears(status, Kind::ProvisionFailure, granted, now);
            clears(status, Kind::InsufficientCloudCreds, enough, now);
            status["lastSyncTimestamp"] = json!(seconds(now));
            status["lastSyncGeneration"] = seen.generation;
            status["lastSyncInfrastructureResourceVersion"] = seen.infrastructure;
            if let Some(version) = seen.version {
                status["lastSyncCloudCredsSecretResourceVersion"] = version;
            }
        }
    }
    if status["lastSyncGeneration"].is_null() {
        status["lastSyncGeneration"] = json!(0);
    }
}

/// Whether it needs a sync. A root that is not there, or has no verdict where it needs one, is not asked about.
fn is_due(
    request: &Value,
    platform: Platform,
    root: Option<&Value>,
    has_target: bool,
    infrastructure: &Value,
    now: Timestamp,
) -> bool {
    let status = &request["status"];
    let root = root.filter(|root| is_known(platform, root));
    let other_root = root.is_some_and(|root| {
        root["metadata"]["resourceVersion"] != status["lastSyncCloudCredsSecretResourceVersion"]
    });
    let an_hour_ago = now.saturating_sub(SYNC_PERIOD).unwrap_or(Timestamp::MIN);
    other_root
        || status["lastSyncGeneration"] != request["metadata"]["generation"]
        || status["lastSyncInfrastructureResourceVersion"] != *infrastructure
        || is_older(&status["lastSyncTimestamp"], an_hour_ago)
        || !has_target
        || failing_since(status).is_some()
        || status["provisioned"] != true
}

impl Work<'_> {
    async fn sync(&mut self) -> Result<(), Failure> {
        match self.mode {
            Mode::Manual { .. } => self.short_term().await,
            _ if self.platform.can_mint() => mint::sync(self).await,
            _ => passthrough::sync(self).await,
        }
    }

    /// Only AWS' requests that name a role; nothing is looked at for the others.
    async fn short_term(&self) -> Result<(), Failure> {
        let spec = &self.request["spec"];
        let Some(role) = spec["providerSpec"]["stsIAMRoleARN"].as_str() else { return Ok(()) };
        if self.target.is_some() {
            return Ok(());
        }
        let token = spec["cloudTokenPath"].as_str();
        let token = token.unwrap_or("/var/run/secrets/kubernetes.io/serviceaccount/token");
        let file = format!(
            "[default]\nsts_regional_endpoints = regional\nrole_arn = {role}\nweb_identity_token_file = {token}"
        );
        let data = Map::from_iter([("credentials".to_owned(), secrets::encoded(&file))]);
        self.write(data, json!({})).await.map_err(Failure::of_write)
    }
}

async fn deprovision(
    shared: &Shared,
    platform: Platform,
    path: &str,
    request: &mut Value,
) -> Result<Next, Refused> {
    let finalizers = request["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    if !finalizers.iter().any(|known| known == FINALIZER) {
        return Ok(Next::Never);
    }
    let user = mint::user(request).to_owned();
    if !user.is_empty() {
        let root = secrets::root(&shared.api, platform).await?;
        let key = root.and_then(|root| secrets::access_key(platform, &root));
        let deleted = match &key {
            Some(key) => shared.cloud.delete_user(key, &user).await.map_err(|d| d.to_string()),
            None => Err("unable to fetch root cloud cred secret".to_owned()),
        };
        if let Err(why) = deleted {
            let before = request["status"].clone();
            let why = format!("failed to deprovision resource: {why}");
            let now = shared.clock.now();
            fails(&mut request["status"], Kind::DeprovisionFailure, &why, now);
            if request["status"] != before {
                save(shared, request).await?;
            }
            return Ok(Next::Again);
        }
    }
    let (namespace, name) = secrets::reference(request);
    if secrets::target(&shared.api, request).await?.is_some() {
        shared.api.delete(&secrets::path(&namespace, &name)).await?;
    }
    let left: Vec<_> = finalizers.into_iter().filter(|known| known != FINALIZER).collect();
    request["metadata"]["finalizers"] = json!(left);
    shared.api.replace(path, request).await?;
    Ok(Next::Never)
}
