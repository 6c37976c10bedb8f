//! The provider's process is killed at each call, before the call takes effect and after it. Terraform keeps the state
//! that it had; the next runs find out from the cluster, and come to rest.

use rekey_sandbox::{Fault, FaultRule};

use super::faults::{calls_of, comes_to_rest, run};
use super::{Openshift, WAYS, Way};
use crate::host::{Host, trouble};
use crate::support::tools::figure;

/// Each starts a process: not many more than there are processors.
const WORKERS: usize = 6;

async fn killed(way: Way, call: u64, after_commit: bool) {
    let what = format!("{way:?}, killed at call {call}, after its effect: {after_commit}");
    let openshift = Openshift::start(way).await;
    let mut ws = openshift.workspace().await;
    let sockets = tempfile::tempdir().unwrap();
    let cloud = &openshift.bed.cloud;
    let process = trouble::mortal(cloud, sockets.path());
    ws.on(&Host::new(process.clone()));
    cloud.reset_calls();
    let fault = if after_commit { Fault::TimeoutAfterCommit } else { Fault::Timeout };
    cloud.inject(FaultRule::new(fault).at_call(call));
    // The operator is waited for once more or once less, so the last calls may not be made.
    trouble::killed_when_struck(cloud, &process, Box::pin(run(&mut ws))).await;
    cloud.clear_faults();
    ws.on(&openshift.bed.host);
    comes_to_rest(&openshift, &mut ws, &what).await;
}

#[test]
fn a_process_killed_at_any_call_deletes_no_secret_twice() {
    let mut all = Vec::new();
    for way in WAYS {
        let (calls, last) = trouble::alone(calls_of(way));
        // The last write takes the rotation's mark away: of a create that is killed after it nothing tells that it was
        // complete, neither a state nor the cluster, and the next one rotates again. It comes some looks earlier or later in
        // each run.
        for call in calls.into_iter().filter(|call| call + 10 < last) {
            all.extend([false, true].map(|after_commit| (way, call, after_commit)));
        }
    }
    trouble::survive_each(&all, WORKERS, async |(way, call, after_commit)| {
        killed(*way, *call, *after_commit).await;
    });
    figure(&format!("crash run of OpenShift: {} kills", all.len()));
}
