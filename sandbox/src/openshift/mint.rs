//! On AWS and GCP: a user of its own for each component, and a key of that user in its secret. Or the root's own key,
//! where the annotator says so.

use serde_json::{Value, json};

use super::cloud::{AccessKey, Denied};
use super::mode::Mode;
use super::names::{MODE, NAMESPACE, ROOT_NAMESPACE};
use super::passthrough;
use super::platform::Platform;
use super::secrets::{self, AWS_CREDENTIALS, AWS_POLICY};
use super::work::{Failure, Work};

pub(super) async fn sync(work: &mut Work<'_>) -> Result<(), Failure> {
    match is_needed(work).await {
        Err(_) => return Err(Failure::undecided()),
        Ok(false) => return Ok(()),
        Ok(true) => {}
    }
    let root = work.root()?.clone();
    match secrets::verdict(&root) {
        "insufficient" => Err(Failure::Insufficient),
        "passthrough" => pass(work, &root).await,
        "mint" => {
            let minted = mint(work, &root).await;
            minted.map_err(|why| {
                Failure::Provision(format!("error syncing creds in mint-mode: {why}"))
            })
        }
        _ => Err(Failure::Provision(format!(
            "unexpected value or missing {MODE} annotation on admin credentials Secret"
        ))),
    }
}

/// Whether the component's secret is to be written. The new root is not used for it: the operator looks around with
/// the key of its own read-only secret.
async fn is_needed(work: &Work<'_>) -> Result<bool, String> {
    let platform = work.platform;
    let Some(target) = &work.target else { return Ok(true) };
    let held = secrets::access_key(platform, target);
    if platform == Platform::Aws {
        let file = held.as_ref().map(secrets::aws_credentials);
        if file.is_none() || secrets::value(target, AWS_CREDENTIALS) != file {
            return Ok(true);
        }
    }
    let user = user(work.request);
    let cloud = &work.shared.cloud;
    if user.is_empty() {
        let root = work.root.as_ref().ok_or("no root")?;
        if root["metadata"]["resourceVersion"]
            != work.request["status"]["lastSyncCloudCredsSecretResourceVersion"]
        {
            return Ok(true);
        }
        let (Mode::Default | Mode::Mint, Some(held)) = (work.mode, held) else { return Ok(false) };
        return cloud.may_pass(&held).await.map(|enough| !enough).map_err(words);
    }
    let by = looking_around(work).await?;
    if !cloud.has_user(&by, user).await.map_err(words)? {
        return Ok(true);
    }
    let keys = cloud.keys_of(&by, user).await.map_err(words)?;
    if held.is_none_or(|held| !keys.contains(&held.id)) {
        return Ok(true);
    }
    cloud.policy_of(&by).await.map_err(words)?;
    Ok(false)
}

/// The read-only secret's key; the root's where that secret is gone.
async fn looking_around(work: &Work<'_>) -> Result<AccessKey, String> {
    let platform = work.platform;
    if let Some(name) = platform.read_only_secret() {
        let found = work.shared.api.get(&secrets::path(NAMESPACE, name)).await;
        let found = found.map_err(|refused| refused.to_string())?.filter(secrets::is_visible);
        if let Some(key) = found.and_then(|secret| secrets::access_key(platform, &secret)) {
            return Ok(key);
        }
    }
    let root = work.root.as_ref().and_then(|root| secrets::access_key(platform, root));
    root.ok_or_else(|| "no key to look around with".to_owned())
}

async fn pass(work: &mut Work<'_>, root: &Value) -> Result<(), Failure> {
    let platform = work.platform;
    // GCP asks the cloud again for each request, whatever the mode.
    if (work.mode != Mode::Passthrough || platform == Platform::Gcp)
        && let Some(key) = secrets::access_key(platform, root)
    {
        let enough = work.shared.cloud.may_pass(&key).await.map_err(|denied| {
            let what = "error validating whether root creds are good enough";
            Failure::Provision(format!("{what}: {denied}"))
        })?;
        if !enough {
            let why = match platform {
                Platform::Gcp => "cloud root creds do not have enough permissions to be used as-is",
                _ => "root creds are not sufficient",
            };
            return Err(Failure::Provision(why.to_owned()));
        }
    }
    let data = passthrough::copy(platform, root, work.target.as_ref())?;
    let notes = if platform == Platform::Aws { json!({ AWS_POLICY: "" }) } else { json!({}) };
    work.write(data, notes).await.map_err(Failure::of_write)
}

/// The old key dies before the new one is stored.
async fn mint(work: &mut Work<'_>, root: &Value) -> Result<(), String> {
    let platform = work.platform;
    if user(work.request).is_empty() {
        // Written before any call, so that nothing is lost of what is made.
        let infrastructure = work.infrastructure["status"]["infrastructureName"].as_str();
        let name = work.request["metadata"]["name"].as_str().unwrap_or_default();
        let suffix = work.request["metadata"]["uid"].as_str().unwrap_or_default();
        let suffix = suffix.get(..5).unwrap_or_default();
        let user = format!("{}-{name}-{suffix}", infrastructure.unwrap_or("cluster"));
        work.request["status"]["providerStatus"] = match platform {
            Platform::Gcp => json!({
                "apiVersion": "cloudcredential.openshift.io/v1",
                "kind": "GCPProviderStatus",
                "serviceAccountID": user,
                "roleID": "",
            }),
            _ => json!({
                "apiVersion": "cloudcredential.openshift.io/v1",
                "kind": "AWSProviderStatus",
                "user": user,
                "policy": format!("{user}-policy"),
            }),
        };
        work.save().await.map_err(|refused| refused.to_string())?;
    }
    let user = user(work.request).to_owned();
    let cloud = &work.shared.cloud;
    let by = secrets::access_key(platform, root).ok_or("no root client available")?;
    let reader = looking_around(work).await?;
    if !cloud.has_user(&reader, &user).await.map_err(words)? {
        cloud.create_user(&by, &user).await.map_err(words)?;
    }
    cloud.policy_of(&reader).await.map_err(words)?;
    let keys = cloud.keys_of(&reader, &user).await.map_err(words)?;
    let held = work.target.as_ref().and_then(|target| secrets::access_key(platform, target));
    let key = if let Some(held) = held.filter(|held| keys.contains(&held.id)) {
        held
    } else {
        cloud.delete_keys(&by, &user).await.map_err(words)?;
        cloud.create_key(&by, &user).await.map_err(words)?
    };
    let mut data = work.target.as_ref().map(secrets::data).unwrap_or_default();
    data.extend(secrets::of_key(platform, &key, &user));
    let notes = match platform {
        Platform::Aws => json!({ AWS_POLICY: "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }),
        _ => json!({}),
    };
    work.write(data, notes).await?;
    if cloud.root_goes() {
        let path = secrets::path(ROOT_NAMESPACE, platform.root_secret());
        work.shared.api.delete(&path).await.map_err(|refused| refused.to_string())?;
    }
    Ok(())
}

/// The component's user or service account; empty where it has none.
pub(super) fn user(request: &Value) -> &str {
    let status = &request["status"]["providerStatus"];
    status["user"].as_str().or(status["serviceAccountID"].as_str()).unwrap_or_default()
}

#[expect(clippy::needless_pass_by_value, reason = "used as the mapping of an error")]
fn words(denied: Denied) -> String {
    denied.to_string()
}
