//! The provider's process is killed at each call of each scenario, before the call takes effect and after it.
//! Terraform keeps the state that it had; the next runs find out and come to rest.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rekey_sandbox::{Fault, FaultRule};

use super::faults::{SCENARIOS, Scenario, calls_of, comes_to_rest};
use crate::host::Host;
use crate::host::process::Process;
use crate::support::tools::figure;

/// Each starts a process: not many more than there are processors.
const WORKERS: usize = 6;

async fn killed(scenario: Scenario, call: u64, after_commit: bool) {
    let what = format!("{scenario:?}, killed at call {call}, after its effect: {after_commit}");
    let (bed, mut ws) = scenario.prepare().await;
    let ahead = bed.cloud.now().duration_since(Timestamp::now()).as_secs();
    // Killed processes leave their sockets: not among everybody's.
    let sockets = tempfile::tempdir().unwrap();
    let process = Process::new()
        .env("REKEY_CLOCK_OFFSET", ahead.to_string())
        .env("TMPDIR", sockets.path().to_str().unwrap())
        .that_may_die();
    ws.on(&Host::new(process.clone()));
    bed.cloud.reset_calls();
    let fault = if after_commit { Fault::TimeoutAfterCommit } else { Fault::Timeout };
    bed.cloud.inject(FaultRule::new(fault).at_call(call));
    let done = Cell::new(false);
    let kill = async {
        // The fault is noted once the call is held; its effect, if any, has happened by then.
        while !bed.cloud.pending_faults().is_empty() {
            // Rollouts are asked for once more or once less.
            if done.get() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        let pid = process.last_pid().to_string();
        let status = tokio::process::Command::new("kill").args(["-KILL", &pid]).status().await;
        assert!(status.expect("`kill` is on every machine").success(), "{what}: already gone");
    };
    let run = async {
        scenario.run(&mut ws).await;
        done.set(true);
    };
    tokio::join!(run, kill);
    bed.cloud.clear_faults();
    ws.on(&bed.host);
    // Of a create that was killed nothing is in any state, and Magnum tells no rotation from another: the next
    // create rotates again.
    let unknown = usize::from(scenario == Scenario::Create);
    comes_to_rest(scenario, &bed, &mut ws, &what, unknown).await;
}

#[test]
fn a_process_killed_at_any_call_rotates_nothing_twice() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut all = Vec::new();
    for scenario in SCENARIOS {
        for call in 1..=runtime.block_on(calls_of(scenario)) {
            all.extend([false, true].map(|after_commit| (scenario, call, after_commit)));
        }
    }
    let (next, failures) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(&(scenario, call, after_commit)) =
                    all.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let survived = std::panic::catch_unwind(|| {
                        let runtime = tokio::runtime::Builder::new_current_thread();
                        let runtime = { runtime }.enable_all().build().unwrap();
                        runtime.block_on(killed(scenario, call, after_commit));
                    });
                    if survived.is_err() {
                        failures.lock().unwrap().push((scenario, call, after_commit));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {}: {failures:?}", failures.len(), all.len());
    figure(&format!("crash run of clusters: {} kills", all.len()));
}
