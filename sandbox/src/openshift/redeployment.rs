//! Another operator: as much of the kube controller manager's as a forced redeployment shows. A new reason makes a new
//! revision, which comes to one node after the other while its `ClusterOperator` progresses.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::api::{Api, Refused};
use super::shared::Shared;
use super::time::seconds;

const MANAGERS: &str = "/apis/operator.openshift.io/v1/kubecontrollermanagers";
const MANAGER: &str = "/apis/operator.openshift.io/v1/kubecontrollermanagers/cluster";
const OPERATOR: &str = "/apis/config.openshift.io/v1/clusteroperators/kube-controller-manager";

/// Until the API server is gone.
pub(super) async fn run(shared: &Shared) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let follow = shared.api.follow(MANAGERS, |change| {
        let reason = |object: &Option<Value>| {
            let object = object.as_ref()?;
            Some(object["spec"]["forceRedeploymentReason"].as_str().unwrap_or_default().to_owned())
        };
        if let (Some(before), Some(now)) = (reason(&change.before), reason(&change.now))
            && before != now
        {
            // The other end lives as long as this one.
            let _ = tell.send(());
        }
    });
    let redeploy = async {
        while told.recv().await.is_some() {
            // Refused where the cluster is being made anew.
            let _ = redeploy(shared).await;
        }
    };
    tokio::select! {
        () = follow => {}
        () = redeploy => {}
    }
}

async fn redeploy(shared: &Shared) -> Result<(), Refused> {
    let api = &shared.api;
    let Some(object) = api.get(MANAGER).await? else { return Ok(()) };
    let revision = object["status"]["latestAvailableRevision"].as_i64().unwrap_or_default() + 1;
    let nodes = object["status"]["nodeStatuses"].as_array().map_or(0, Vec::len);
    progress(shared, true).await?;
    let generation = object["metadata"]["generation"].clone();
    status(api, |status| {
        status["latestAvailableRevision"] = json!(revision);
        status["observedGeneration"] = generation;
    })
    .await?;
    for node in 0..nodes {
        status(api, |status| status["nodeStatuses"][node]["targetRevision"] = json!(revision))
            .await?;
        if shared.redeployment_fails.load(Ordering::SeqCst) {
            return status(api, |status| {
                let node = &mut status["nodeStatuses"][node];
                node["lastFailedRevision"] = json!(revision);
                node["lastFailedRevisionErrors"] =
                    json!(["container \"kube-controller-manager\" is not ready: CrashLoopBackOff"]);
            })
            .await;
        }
        status(api, |status| {
            let node = &mut status["nodeStatuses"][node];
            node["currentRevision"] = json!(revision);
            if let Some(members) = node.as_object_mut() {
                members.remove("targetRevision");
            }
        })
        .await?;
    }
    progress(shared, false).await
}

async fn status(api: &Api, change: impl FnOnce(&mut Value)) -> Result<(), Refused> {
    let Some(mut object) = api.get(MANAGER).await? else { return Ok(()) };
    change(&mut object["status"]);
    api.replace(&format!("{MANAGER}/status"), &object).await.map(drop)
}

async fn progress(shared: &Shared, goes_on: bool) -> Result<(), Refused> {
    let Some(mut object) = shared.api.get(OPERATOR).await? else { return Ok(()) };
    let conditions = object["status"]["conditions"].as_array_mut();
    for condition in conditions.into_iter().flatten().filter(|c| c["type"] == "Progressing") {
        condition["status"] = json!(if goes_on { "True" } else { "False" });
        condition["reason"] = json!(if goes_on { "NodeInstaller" } else { "AsExpected" });
        condition["lastTransitionTime"] = json!(seconds(shared.clock.now()));
    }
    shared.api.replace(&format!("{OPERATOR}/status"), &object).await.map(drop)
}
