//! The provider's process is killed at each call of each scenario, before the call takes effect and
//! after it. Terraform keeps the state that it had; the next runs find out and come to rest.

use rekey_sandbox::{Fault, FaultRule};

use super::faults::{SCENARIOS, Scenario, calls_of, comes_to_rest};
use super::{Bed, CI};
use crate::host::{Host, trouble};
use crate::support::tools::figure;

async fn killed(scenario: Scenario, call: u64, after_commit: bool) {
    let what = format!("{scenario:?}, killed at call {call}, after its effect: {after_commit}");
    let bed = Bed::start().await;
    let mut ws = scenario.prepare(&bed).await;
    let before = ws.attributes(CI);
    let sockets = tempfile::tempdir().unwrap();
    let process = trouble::mortal(&bed.cloud, sockets.path());
    ws.on(&Host::new(process.clone()));
    bed.cloud.reset_calls();
    let fault = if after_commit { Fault::TimeoutAfterCommit } else { Fault::Timeout };
    bed.cloud.inject(FaultRule::new(fault).at_call(call));
    let run = Box::pin(scenario.run(&mut ws));
    assert!(trouble::killed_when_struck(&bed.cloud, &process, run).await, "{what}: no such call");
    bed.cloud.clear_faults();
    ws.on(&bed.host);
    // A killed create or replacement has nothing in any state: it is found by its prefix.
    let exact = matches!(scenario, Scenario::Destroy);
    comes_to_rest(scenario, &bed, &mut ws, &before, &what, exact).await;
}

#[tokio::test]
async fn a_process_killed_at_any_call_loses_nothing_that_works() {
    let mut count = 0;
    for scenario in SCENARIOS {
        for call in 1..=calls_of(scenario).await {
            for after_commit in [false, true] {
                killed(scenario, call, after_commit).await;
                count += 1;
            }
        }
    }
    figure(&format!("crash run of credentials: {count} kills"));
}
