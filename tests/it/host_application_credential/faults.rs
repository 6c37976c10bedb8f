//! Every fault at every call of every scenario: whatever went wrong, nothing that works is lost, nothing
//! that exists is unlisted, and the next runs come to rest.

use std::collections::BTreeSet;
use std::time::Duration;

use rekey_sandbox::{Fault, FaultRule};
use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::Workspace;
use crate::host::trouble::{alone, survive_each};
use crate::support::tools::figure;

/// Mostly waiting for answers that do not come: far more at a time than there are processors.
const WORKERS: usize = 16;

/// What is done while something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    Create,
    CreateFirst,
    Destroy,
    Replace,
    Revoke,
    Rotate,
}

pub(super) const SCENARIOS: [Scenario; 6] = [
    Scenario::Create,
    Scenario::CreateFirst,
    Scenario::Destroy,
    Scenario::Replace,
    Scenario::Revoke,
    Scenario::Rotate,
];

fn faults() -> Vec<Fault> {
    vec![
        Fault::HtmlGarbage,
        Fault::InternalError,
        Fault::ResetAfterCommit,
        Fault::ResetAfterHalfTheBody,
        Fault::ResetBefore,
        Fault::ServiceUnavailable { retry_after: None },
        Fault::slow(Duration::from_millis(20)),
        Fault::Timeout,
        Fault::TimeoutAfterCommit,
        Fault::TooManyRequests { retry_after: Some(1) },
        Fault::TruncatedJson,
    ]
}

impl Scenario {
    /// Everything up to the moment at which something may go wrong.
    pub(super) async fn prepare(self, bed: &Bed) -> Workspace {
        let overlap = if self == Self::Replace || self == Self::CreateFirst {
            Json::Null
        } else {
            json!("P7D")
        };
        let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "roles": ["member"],
            "overlap": overlap, "triggers": { "v": "1" } }));
        let mut login = bed.login("alice");
        login["openstack"]["timeout"] = json!("PT1S");
        ws.provider(login).create_before_destroy(CI, self == Self::CreateFirst);
        if self == Self::Create {
            return ws;
        }
        ws.up_well().await;
        ws.change(CI, json!({ "triggers": { "v": "2" } }));
        if self == Self::Revoke {
            ws.up_well().await;
            bed.pass_days(8);
        }
        ws
    }

    /// One run, however it ends.
    pub(super) async fn run(self, ws: &mut Workspace) {
        let destroy = self == Self::Destroy;
        let options = crate::host::PlanOptions { destroy, ..Default::default() };
        let plan = ws.plan_with(options).await;
        if !plan.told.failed() {
            let _ = ws.apply(&plan).await;
        }
    }
}

/// How many calls a scenario makes when all is well.
pub(super) async fn calls_of(scenario: Scenario) -> u64 {
    let bed = Bed::start().await;
    let mut ws = scenario.prepare(&bed).await;
    bed.cloud.reset_calls();
    scenario.run(&mut ws).await;
    u64::try_from(bed.cloud.calls().len()).unwrap()
}

/// The ids that the state accounts for, whatever it calls them.
fn accounted(ws: &Workspace) -> BTreeSet<String> {
    let text = |json: &Json| json.as_str().map(ToOwned::to_owned);
    let instance = ws.state.instances.get(CI);
    let objects = instance.into_iter().flat_map(|it| it.current.iter().chain(it.deposed.values()));
    objects
        .flat_map(|object| {
            let state = object.attributes();
            let old = state["previous_generations"].as_object().cloned().unwrap_or_default();
            let strays = state["strays"].as_object().cloned().unwrap_or_default();
            old.values()
                .filter_map(|old| text(&old["id"]))
                .chain(strays.keys().cloned())
                .chain(text(&state["id"]))
                .collect::<Vec<_>>()
        })
        .collect()
}

async fn survive(scenario: Scenario, call: u64, fault: &Fault) {
    let what = format!("{scenario:?}, {} at call {call}", fault.name());
    let bed = Bed::start().await;
    let mut ws = scenario.prepare(&bed).await;
    let before = ws.attributes(CI);
    bed.cloud.reset_calls();
    bed.cloud.inject(FaultRule::new(fault.clone()).at_call(call));
    scenario.run(&mut ws).await;
    bed.cloud.clear_faults();
    // One fault never costs a lost reply's credential: it is found by its name, or was never made.
    comes_to_rest(scenario, &bed, &mut ws, &before, &what, true).await;
}

/// Whatever happened before: consumers are served, everything is accounted for, and the next runs end
/// with nothing to do. `exact` says that no credential may be left that the state does not know.
pub(super) async fn comes_to_rest(
    scenario: Scenario,
    bed: &Bed,
    ws: &mut Workspace,
    before: &Json,
    what: &str,
    exact: bool,
) {
    if scenario == Scenario::Rotate || scenario == Scenario::Revoke {
        let held = if scenario == Scenario::Rotate { before.clone() } else { ws.attributes(CI) };
        assert!(bed.opens(&held["id"], &held["secret"]).await, "{what}: a consumer is refused");
        assert!(bed.current_opens(ws).await, "{what}: what the state hands out is refused");
        ws.refresh().await;
        let known = accounted(ws);
        let unlisted: Vec<_> = bed.ids().into_iter().filter(|id| !known.contains(id)).collect();
        assert!(unlisted.is_empty(), "{what}: unlisted {unlisted:?}");
    }
    for _ in 0..4 {
        scenario.run(ws).await;
    }
    if scenario == Scenario::Destroy {
        assert!(ws.state.instances.is_empty(), "{what}: not destroyed");
        assert_eq!(bed.ids(), Vec::<String>::new(), "{what}");
        return;
    }
    ws.plan().await.assert_empty();
    assert!(bed.current_opens(ws).await, "{what}: dead at rest");
    let known = accounted(ws);
    let left: Vec<_> = bed.ids().into_iter().filter(|id| !known.contains(id)).collect();
    assert!(!exact || left.is_empty(), "{what}: left behind {left:?}");
}

#[test]
fn every_fault_at_every_call_comes_to_rest() {
    let mut all = Vec::new();
    for scenario in SCENARIOS {
        let calls = alone(calls_of(scenario));
        assert!(calls > 1, "{scenario:?} makes {calls} calls");
        for call in 1..=calls {
            all.extend(faults().into_iter().map(|fault| (scenario, call, fault)));
        }
    }
    survive_each(&all, WORKERS, async |(scenario, call, fault)| {
        survive(*scenario, *call, fault).await;
    });
    figure(&format!("fault run of credentials: {} combinations of call and fault", all.len()));
}
