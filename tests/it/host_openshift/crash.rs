//! The provider's process is killed at every write of a rotation in mint mode, before it takes effect and after it: no
//! secret is deleted twice, and the next run comes to rest.

use rekey_sandbox::{Fault, FaultRule};
use serde_json::json;

use super::{PROD, aws, aws_config};
use crate::host::{Host, trouble};
use crate::support::tools::figure;

const WORKERS: usize = 4;

/// The numbers of the calls that change something, where all is well.
async fn writes() -> Vec<u64> {
    let (bed, key, _sts) = aws().await;
    let mut ws = bed.workspace(aws_config(&key, 1));
    bed.cloud.reset_calls();
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    let calls = bed.cloud.calls();
    let changes =
        |kind: &str| !kind.starts_with("GET") && !kind.contains("selfsubjectaccessreviews");
    let numbers = (1..).zip(calls.iter()).filter(|(_, call)| changes(&call.kind()));
    numbers.map(|(number, _)| number).collect()
}

async fn killed(call: u64, after_commit: bool) {
    let what = format!("killed at call {call}, after its effect: {after_commit}");
    let (bed, key, _sts) = aws().await;
    let mut ws = bed.workspace(aws_config(&key, 1));
    let sockets = tempfile::tempdir().unwrap();
    let process = trouble::mortal(&bed.cloud, sockets.path());
    ws.on(&Host::new(process.clone()));
    bed.cloud.reset_calls();
    let fault = if after_commit { Fault::TimeoutAfterCommit } else { Fault::Timeout };
    bed.cloud.inject(FaultRule::new(fault).at_call(call));
    let before = bed.uids().await;
    let run = async {
        let plan = ws.plan().await;
        if !plan.told.failed() {
            let _ = ws.apply(&plan).await;
        }
    };
    trouble::killed_when_struck(&bed.cloud, &process, Box::pin(run)).await;
    bed.cloud.clear_faults();
    let midway = bed.uids().await;
    ws.on(&bed.host);
    let plan = ws.plan().await;
    ws.apply(&plan).await.told.assert_success();
    assert!(ws.plan().await.is_empty(), "{what}: not at rest");
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"), "{what}");
    let after = bed.uids().await;
    for ((before, midway), after) in before.iter().zip(&midway).zip(&after) {
        assert_ne!(before, after, "{what}: a secret was not made again");
        let remade = !midway.is_null() && midway != before;
        assert!(!remade || midway == after, "{what}: a secret was deleted twice");
    }
}

#[test]
fn a_process_killed_at_any_write_deletes_nothing_twice() {
    let writes = trouble::alone(writes());
    assert!(writes.len() > 5, "{writes:?}");
    let mut all: Vec<_> =
        writes.iter().flat_map(|call| [false, true].map(|after| (*call, after))).collect();
    // The last write takes the rotation's mark away: of a create that is killed after it nothing tells that it was
    // complete, neither a state nor the cluster, and the next one rotates again.
    all.pop();
    trouble::survive_each(&all, WORKERS, async |(call, after_commit)| {
        killed(*call, *after_commit).await;
    });
    figure(&format!("crash run of OpenShift: {} kills", all.len()));
}
