//! The first loop: looks at each root secret that comes, and writes on it what its credentials are good for. Whatever
//! goes wrong here is told in no object.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::cloud::{AccessKey, Denied};
use super::mode::{Mode, mode};
use super::names::{MODE, ROOT_NAMESPACE};
use super::openstack;
use super::platform::Platform;
use super::queue::backoff;
use super::secrets::{self, access_key};
use super::shared::Shared;
use crate::world::locked;

pub(super) async fn run(shared: &Shared) {
    // Reset by success only.
    let mut failures = 0;
    loop {
        shared.look.notified().await;
        while look(shared).await.is_err() {
            let wait = backoff(SignedDuration::from_millis(5), failures);
            failures += 1;
            let until = shared.clock.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX);
            tokio::select! {
                () = shared.look.notified() => {}
                () = shared.clock.reaches(until) => {}
            }
        }
        failures = 0;
    }
}

async fn look(shared: &Shared) -> Result<(), String> {
    let api = &shared.api;
    let infrastructure = api.get("/apis/config.openshift.io/v1/infrastructures/cluster").await;
    let infrastructure = infrastructure.map_err(|refused| refused.to_string())?.unwrap_or_default();
    let Some(platform) = Platform::of(&infrastructure) else { return Ok(()) };
    if matches!(platform, Platform::Kubevirt | Platform::Ovirt) {
        return Ok(());
    }
    let mode = mode(api).await.map_err(|unclear| format!("{unclear:?}"))?;
    if matches!(mode, Mode::Manual { .. }) {
        return Ok(());
    }
    if mode == Mode::Mint && matches!(platform, Platform::Openstack | Platform::Vsphere) {
        return Err(format!("{} only supports Passthrough mode", platform.name()));
    }
    let root = secrets::root(api, platform).await.map_err(|refused| refused.to_string())?;
    let Some(root) = root else { return Ok(()) };
    if platform == Platform::Openstack
        && let Some(correction) = openstack::correction(api, &root).await?
    {
        // What it writes is an event of its own: the verdict is for the next time.
        return write(shared, platform, &root, correction).await;
    }
    let (verdict, trouble) = judge(shared, platform, mode, &root).await;
    let delay = *locked(&shared.thinks_for);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if secrets::verdict(&root) != verdict {
        let note = json!({ "metadata": { "annotations": { MODE: verdict } } });
        write(shared, platform, &root, note).await?;
    }
    trouble.map_or(Ok(()), Err)
}

/// What is written, and whether it is to be tried again.
async fn judge(
    shared: &Shared,
    platform: Platform,
    mode: Mode,
    root: &Value,
) -> (&'static str, Option<String>) {
    match mode {
        Mode::Mint => return ("mint", None),
        Mode::Passthrough => return ("passthrough", None),
        _ if !platform.can_mint() => return ("passthrough", None),
        _ => {}
    }
    let Some(key) = access_key(platform, root) else { return ("insufficient", None) };
    match probe(shared, &key).await {
        Ok(verdict) => (verdict, None),
        Err(refusal) => ("insufficient", Some(refusal.to_string())),
    }
}

async fn probe(shared: &Shared, key: &AccessKey) -> Result<&'static str, Denied> {
    if shared.cloud.may_mint(key).await? {
        return Ok("mint");
    }
    let enough = shared.cloud.may_pass(key).await?;
    Ok(if enough { "passthrough" } else { "insufficient" })
}

/// Refused where the secret has been changed since.
async fn write(
    shared: &Shared,
    platform: Platform,
    root: &Value,
    mut change: Value,
) -> Result<(), String> {
    change["metadata"]["resourceVersion"] = root["metadata"]["resourceVersion"].clone();
    let path = secrets::path(ROOT_NAMESPACE, platform.root_secret());
    shared.api.patch(&path, &change).await.map(drop).map_err(|refused| refused.to_string())
}
