//! Every fault at every call of every scenario: whatever went wrong, a rotation is started and completed exactly
//! once for what asked for it, and the next runs come to rest.

use rekey_sandbox::{Fault, FaultRule};
use serde_json::json;

use super::{Bed, OKE, rests, trigger};
use crate::host::Workspace;
use crate::host::trouble::{alone, survive_each, telling};
use crate::support::tools::figure;

/// Mostly waiting until a call may be repeated: far more at a time than there are processors.
const WORKERS: usize = 24;

/// What is done while something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    Complete,
    Create,
    Start,
    /// A create that restarts workloads.
    Workloads,
}

pub(super) const SCENARIOS: [Scenario; 4] =
    [Scenario::Complete, Scenario::Create, Scenario::Start, Scenario::Workloads];

/// An answer that never comes is not among them: it is waited for as long as Oracle's clients do, a minute; what it
/// leads to is the same as with a connection that is reset.
fn faults() -> [Fault; 7] {
    [
        Fault::HtmlGarbage,
        Fault::InternalError,
        Fault::ResetAfterCommit,
        Fault::ResetBefore,
        Fault::ServiceUnavailable { retry_after: None },
        Fault::TooManyRequests { retry_after: Some(1) },
        Fault::TruncatedJson,
    ]
}

impl Scenario {
    /// Everything up to the moment at which something may go wrong.
    pub(super) async fn prepare(self) -> (Bed, Workspace) {
        let bed = Bed::start().await;
        let mut ws = bed.workspace(json!({ "rotate_on_create": self != Self::Start }));
        match self {
            Self::Create => {}
            Self::Workloads => {
                let web = json!({ "kind": "Deployment", "name": "web", "namespace": "apps" });
                let oke = json!({ "cluster_id": bed.prod().id, "workloads": [web] });
                ws.change(OKE, json!({ "oke": oke }));
            }
            Self::Complete => {
                ws.up_well().await;
                bed.pass_hours(26);
                ws.change(OKE, json!({ "complete_generation": 1 }));
            }
            Self::Start => {
                ws.up_well().await;
                ws.change(OKE, trigger("2"));
            }
        }
        (bed, ws)
    }

    /// One run, however it ends.
    pub(super) async fn run(self, ws: &mut Workspace) {
        let plan = ws.plan().await;
        if !plan.told.failed() {
            let _ = ws.apply(&plan).await;
        }
    }
}

/// The calls of a scenario at which trouble tells something.
pub(super) async fn calls_of(scenario: Scenario) -> Vec<u64> {
    let (bed, mut ws) = scenario.prepare().await;
    bed.cloud.reset_calls();
    scenario.run(&mut ws).await;
    telling(&bed.cloud.calls())
}

async fn survive(scenario: Scenario, call: u64, fault: &Fault) {
    let (bed, mut ws) = scenario.prepare().await;
    bed.cloud.reset_calls();
    bed.cloud.inject(FaultRule::new(fault.clone()).at_call(call));
    scenario.run(&mut ws).await;
    let hit =
        bed.cloud.calls().iter().find(|call| call.fault.is_some()).map(rekey_sandbox::Call::kind);
    let hit = hit.unwrap_or_default();
    let what = format!("{scenario:?}, {} at call {call} ({hit})", fault.name());
    bed.cloud.clear_faults();
    comes_to_rest(scenario, &bed, &mut ws, &what).await;
}

/// Whatever happened before: the next runs end with nothing to do, and with no rotation more than was asked for.
pub(super) async fn comes_to_rest(scenario: Scenario, bed: &Bed, ws: &mut Workspace, what: &str) {
    // What was sent may come minutes later; only then is it certain that it never did.
    bed.pass_hours(1);
    assert!(rests(ws, 4).await, "{what}: not at rest: {:#?}", ws.plan().await.told);
    // What OKE did meanwhile is no change of the configuration's: it is stored by a refresh.
    ws.refresh().await;
    let prod = bed.prod();
    let completed = usize::from(scenario == Scenario::Complete);
    assert_eq!((prod.starts, prod.completions), (1, completed), "{what}");
    // Whoever died between the asking and the noting asks again.
    let restarts = if scenario == Scenario::Workloads { 1..=2 } else { 0..=0 };
    assert!(restarts.contains(&prod.restarts["web"]), "{what}: {:?}", prod.restarts);
    let phase = if scenario == Scenario::Complete { "completed" } else { "overlap" };
    assert_eq!(ws.attribute(OKE, "phase"), json!(phase), "{what}");
    assert_eq!(ws.attribute(OKE, "generation"), json!(1), "{what}");
    assert_eq!(ws.attribute(OKE, "rotation_due"), json!([]), "{what}");
}

#[test]
fn every_fault_at_every_call_comes_to_rest() {
    let mut all = Vec::new();
    for scenario in SCENARIOS {
        let calls = alone(calls_of(scenario));
        assert!(calls.len() > 4, "{scenario:?}: {calls:?}");
        for call in calls {
            all.extend(faults().map(|fault| (scenario, call, fault)));
        }
    }
    survive_each(&all, WORKERS, async |(scenario, call, fault)| {
        survive(*scenario, *call, fault).await;
    });
    figure(&format!("fault run of OKE: {} combinations of call and fault", all.len()));
}
