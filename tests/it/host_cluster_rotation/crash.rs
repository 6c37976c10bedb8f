//! The provider's process is killed at each call of each scenario, before the call takes effect and after it.
//! Terraform keeps the state that it had; the next runs find out and come to rest.

use rekey_sandbox::{Fault, FaultRule};

use super::faults::{SCENARIOS, Scenario, calls_of, comes_to_rest};
use crate::host::{Host, trouble};
use crate::support::tools::figure;

/// Each starts a process: not many more than there are processors.
const WORKERS: usize = 6;

async fn killed(scenario: Scenario, call: u64, after_commit: bool) {
    let what = format!("{scenario:?}, killed at call {call}, after its effect: {after_commit}");
    let (bed, mut ws) = scenario.prepare().await;
    let sockets = tempfile::tempdir().unwrap();
    let process = trouble::mortal(&bed.cloud, sockets.path());
    ws.on(&Host::new(process.clone()));
    bed.cloud.reset_calls();
    let fault = if after_commit { Fault::TimeoutAfterCommit } else { Fault::Timeout };
    bed.cloud.inject(FaultRule::new(fault).at_call(call));
    // Rollouts are asked for once more or once less, so the last calls may not be made.
    let run = Box::pin(scenario.run(&mut ws));
    trouble::killed_when_struck(&bed.cloud, &process, run).await;
    bed.cloud.clear_faults();
    ws.on(&bed.host);
    // Of a create that was killed nothing is in any state, and Magnum tells no rotation from another: the next
    // create rotates again.
    let unknown = usize::from(scenario == Scenario::Create);
    comes_to_rest(scenario, &bed, &mut ws, &what, unknown).await;
}

#[test]
fn a_process_killed_at_any_call_rotates_nothing_twice() {
    let mut all = Vec::new();
    for scenario in SCENARIOS {
        for call in trouble::alone(calls_of(scenario)) {
            all.extend([false, true].map(|after_commit| (scenario, call, after_commit)));
        }
    }
    trouble::survive_each(&all, WORKERS, async |(scenario, call, after_commit)| {
        killed(*scenario, *call, *after_commit).await;
    });
    figure(&format!("crash run of clusters: {} kills", all.len()));
}
