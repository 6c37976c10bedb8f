//! The third loop: the `ClusterOperator` `cloud-credential`. It looks at requests and components, not at the root.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::api::Refused;
use super::conditions::failing_since;
use super::mode::{CLOUD_CREDENTIAL, Mode, Unclear, mode};
use super::names::{NAMESPACE, ROOT_NAMESPACE};
use super::platform::Platform;
use super::secrets;
use super::shared::Shared;
use super::time::{is_older, seconds};

const OPERATORS: &str = "/apis/config.openshift.io/v1/clusteroperators";
const PASS: SignedDuration = SignedDuration::from_mins(5);
/// A failure that is younger is no reason to call the cluster degraded.
const GRACE: SignedDuration = SignedDuration::from_mins(5);

pub(super) async fn run(shared: &Shared) {
    loop {
        // From the beginning of a pass: a clock that is moved on while one is at work calls for another one.
        let next = shared.clock.now().saturating_add(PASS).unwrap_or(Timestamp::MAX);
        // Refused by a conflict, or by a server that is not there: the next event or pass writes it.
        let _ = sum_up(shared).await;
        tokio::select! {
            () = shared.sum_up.notified() => {}
            () = shared.clock.reaches(next) => {}
        }
    }
}

/// A condition: status, reason, message.
type Told = (&'static str, &'static str, String);

async fn sum_up(shared: &Shared) -> Result<(), Refused> {
    let api = &shared.api;
    let path = format!("{OPERATORS}/cloud-credential");
    let mut object = if let Some(object) = api.get(&path).await? {
        object
    } else {
        let object = json!({
            "apiVersion": "config.openshift.io/v1",
            "kind": "ClusterOperator",
            "metadata": { "name": "cloud-credential" },
            "spec": {},
        });
        api.create(OPERATORS, &object).await?
    };
    let as_expected = |status| (status, "AsExpected", String::new());
    let mut told: [(&str, Told); 4] = [
        ("Available", as_expected("True")),
        ("Degraded", as_expected("False")),
        ("Progressing", as_expected("False")),
        ("Upgradeable", as_expected("True")),
    ];
    let mode = mode(api).await;
    match &mode {
        Err(Unclear::Refused(refused)) => return Err(refused.clone()),
        Err(Unclear::Conflict { spec }) => {
            let why = format!(
                "legacy configmap disabled setting conflicts with operator config mode of {spec}"
            );
            told[1].1 = ("True", "ModeMismatch", why);
        }
        Ok(Mode::Manual { .. }) => {
            let why = "Credential minting is disabled by cluster admin".to_owned();
            told[0].1 = ("True", "OperatorDisabledByAdmin", why);
        }
        Ok(_) => count(shared, &mut told).await?,
    }
    if let Some(condition) = upgradeable(shared, mode.ok()).await? {
        told[3].1 = condition;
    }
    let before = object["status"].clone();
    let now = seconds(shared.clock.now());
    let known = before["conditions"].as_array().cloned().unwrap_or_default();
    let conditions: Vec<Value> = told
        .into_iter()
        .map(|(kind, (status, reason, message))| {
            let before = known.iter().find(|condition| condition["type"] == kind);
            let since = before.filter(|b| b["status"] == status).map(|b| &b["lastTransitionTime"]);
            json!({
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastTransitionTime": since.cloned().unwrap_or_else(|| json!(now)),
            })
        })
        .collect();
    object["status"]["conditions"] = json!(conditions);
    if object["status"] != before {
        api.replace(&format!("{path}/status"), &object).await?;
    }
    Ok(())
}

/// How many requests of the operator's own namespace are well.
async fn count(shared: &Shared, told: &mut [(&str, Told); 4]) -> Result<(), Refused> {
    let infrastructure = shared.api.get("/apis/config.openshift.io/v1/infrastructures/cluster");
    let platform = Platform::of(&infrastructure.await?.unwrap_or_default());
    let path =
        format!("/apis/cloudcredential.openshift.io/v1/namespaces/{NAMESPACE}/credentialsrequests");
    let mut all = shared.api.list(&path).await?;
    all.retain(|request| {
        platform.is_some_and(|p| request["spec"]["providerSpec"]["kind"] == p.spec_kind())
    });
    let limit = shared.clock.now().saturating_sub(GRACE).unwrap_or(Timestamp::MIN);
    let since: Vec<&Value> = all.iter().filter_map(|r| failing_since(&r["status"])).collect();
    let old = since.iter().filter(|since| is_older(since, limit)).count();
    let (count, failing) = (all.len(), since.len());
    let provisioned = all.iter().filter(|r| r["status"]["provisioned"] == true).count();
    if old > 0 {
        let why = format!("{old} of {count} credentials requests are failing to sync.");
        told[1].1 = ("True", "CredentialsFailing", why);
    }
    if provisioned < count || failing > 0 {
        let why = format!(
            "{provisioned} of {count} credentials requests provisioned, {old} reporting errors."
        );
        told[2].1 = ("True", "Reconciling", why);
    }
    Ok(())
}

/// None where the cluster may be upgraded.
async fn upgradeable(shared: &Shared, mode: Option<Mode>) -> Result<Option<Told>, Refused> {
    let api = &shared.api;
    let credential = api.get(CLOUD_CREDENTIAL).await?.unwrap_or_default();
    let note =
        &credential["metadata"]["annotations"]["cloudcredential.openshift.io/upgradeable-to"];
    let version = api.get("/apis/config.openshift.io/v1/clusterversions/version").await?;
    let version = version.unwrap_or_default();
    let history = version["status"]["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    let current = history.iter().find(|entry| entry["state"] == "Completed");
    let current = current.and_then(|entry| entry["version"].as_str()).and_then(minor);
    let wanted = note.as_str().map(|text| text.trim_start_matches('v')).and_then(minor);
    if wanted.is_some() && wanted > current {
        return Ok(None);
    }
    if matches!(mode, Some(Mode::Manual { .. })) {
        let why = "Upgradeable annotation cloudcredential.openshift.io/upgradeable-to on cloudcredential.operator.openshift.io/cluster object needs updating before upgrade. See Manually Creating IAM documentation for instructions on preparing a cluster for upgrade.";
        return Ok(Some(("False", "MissingUpgradeableAnnotation", why.to_owned())));
    }
    let infrastructure = api.get("/apis/config.openshift.io/v1/infrastructures/cluster").await?;
    let Some(platform) = Platform::of(&infrastructure.unwrap_or_default()) else {
        return Ok(None);
    };
    if secrets::root(api, platform).await?.is_some() {
        return Ok(None);
    }
    let name = platform.root_secret();
    let why = format!(
        "Parent credentials secret must be restored prior to upgrade: {ROOT_NAMESPACE}/{name}"
    );
    Ok(Some(("False", "MissingRootCredential", why)))
}

/// Major and minor.
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}
