//! Every fault at every call: whatever went wrong, no component's secret is deleted twice, each ends with a credential
//! that works, and the next runs come to rest.

use rekey_sandbox::{Call, Fault, FaultRule};
use serde_json::json;

use super::{Openshift, PROD, WAYS, Way};
use crate::host::Workspace;
use crate::host::trouble::{alone, survive_each, telling};
use crate::support::tools::figure;

/// Mostly waiting for the operator: more at a time than there are processors.
const WORKERS: usize = 12;

/// What else may go wrong with a call is tried with the other platforms: the transport is the same.
fn faults() -> [Fault; 3] {
    [Fault::InternalError, Fault::ResetAfterCommit, Fault::TruncatedJson]
}

/// One run, however it ends.
pub(super) async fn run(ws: &mut Workspace) {
    let plan = ws.plan().await;
    if !plan.told.failed() {
        let _ = ws.apply(&plan).await;
    }
}

/// The calls at which trouble tells something, and the last one that changes anything.
pub(super) async fn calls_of(way: Way) -> (Vec<u64>, u64) {
    let openshift = Openshift::start(way).await;
    let mut ws = openshift.workspace().await;
    openshift.bed.cloud.reset_calls();
    run(&mut ws).await;
    openshift.is_rotated_once("without a fault").await;
    let calls = openshift.bed.cloud.calls();
    let changes = |call: &&Call| {
        let kind = call.kind();
        !kind.starts_with("GET") && !kind.contains("accessreviews")
    };
    let last = calls.iter().filter(changes).map(|call| call.number).max().unwrap();
    (telling(&calls), last)
}

async fn survive(way: Way, call: u64, fault: &Fault) {
    let openshift = Openshift::start(way).await;
    let mut ws = openshift.workspace().await;
    let cloud = &openshift.bed.cloud;
    cloud.reset_calls();
    cloud.inject(FaultRule::new(fault.clone()).at_call(call));
    run(&mut ws).await;
    let hit = cloud.calls().iter().find(|call| call.fault.is_some()).map(Call::kind);
    let what = format!("{way:?}, {} at call {call} ({})", fault.name(), hit.unwrap_or_default());
    cloud.clear_faults();
    comes_to_rest(&openshift, &mut ws, &what).await;
}

/// Whatever happened before: the next runs end with nothing to do.
pub(super) async fn comes_to_rest(openshift: &Openshift, ws: &mut Workspace, what: &str) {
    let mut plan = ws.plan().await;
    for _ in 0..3 {
        if plan.is_empty() && plan.told.0.is_empty() {
            break;
        }
        if !plan.told.failed() {
            let _ = ws.apply(&plan).await;
        }
        plan = ws.plan().await;
    }
    assert!(plan.is_empty() && plan.told.0.is_empty(), "{what}: not at rest: {:#?}", plan.told);
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"), "{what}");
    openshift.is_rotated_once(what).await;
}

#[test]
fn every_fault_at_every_call_comes_to_rest() {
    let mut all = Vec::new();
    for way in WAYS {
        let (calls, _) = alone(calls_of(way));
        assert!(calls.len() > 5, "{way:?}: {calls:?}");
        for call in calls {
            all.extend(faults().map(|fault| (way, call, fault)));
        }
    }
    survive_each(&all, WORKERS, async |(way, call, fault)| survive(*way, *call, fault).await);
    figure(&format!("fault run of OpenShift: {} combinations of call and fault", all.len()));
}
