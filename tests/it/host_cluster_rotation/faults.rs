//! Every fault at every call of every scenario: whatever went wrong, the cluster keeps a credential that works, is
//! not left failed, is rotated exactly once for what asked for it, and the next runs come to rest.

use rekey_sandbox::{ClusterEvent, Fault, FaultRule};
use serde_json::{Value as Json, json};

use super::{Clusters, DEPLOYMENT, NAMESPACE, NEW, OLD, PROD, ca, credential, trigger};
use crate::host::Workspace;
use crate::host::trouble::{alone, survive_each, telling};
use crate::support::tools::figure;

/// Mostly waiting for answers that do not come: far more at a time than there are processors.
const WORKERS: usize = 24;

/// What is done while something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Rotates, and restarts a workload.
    Create,
    /// Takes up a rotation whose workload was stuck.
    Resume,
    /// Rotates, and restarts a workload.
    Rotate,
    RotateCa,
}

pub(super) const SCENARIOS: [Scenario; 4] =
    [Scenario::Create, Scenario::Resume, Scenario::Rotate, Scenario::RotateCa];

fn faults() -> [Fault; 8] {
    [
        Fault::HtmlGarbage,
        Fault::InternalError,
        Fault::ResetAfterCommit,
        Fault::ResetBefore,
        Fault::ServiceUnavailable { retry_after: None },
        Fault::Timeout,
        Fault::TooManyRequests { retry_after: None },
        Fault::TruncatedJson,
    ]
}

impl Scenario {
    /// Everything up to the moment at which something may go wrong.
    pub(super) async fn prepare(self) -> (Clusters, Workspace) {
        let template = if self == Self::RotateCa { NEW } else { OLD };
        let bed = Clusters::start(template).await;
        bed.cloud.happen_to_cluster(&ClusterEvent::SetRolloutPace {
            cluster: "prod".into(),
            milliseconds: 1,
        });
        let workload = json!({ "namespace": NAMESPACE, "kind": "Deployment", "name": DEPLOYMENT });
        // A rotation whose answer is lost is looked for no longer than this.
        let timeouts = json!({ "create": "PT30S", "update": "PT30S" });
        let config = if self == Self::RotateCa {
            ca(json!({ "timeouts": timeouts }))
        } else {
            let magnum = json!({ "cluster": "prod", "workloads": [workload] });
            credential(json!({ "magnum": magnum, "timeouts": timeouts }))
        };
        let mut ws = bed.workspace(config);
        let mut login = bed.login("alice");
        login["openstack"]["timeout"] = json!("PT1S");
        ws.provider(login);
        match self {
            Self::Create => {}
            Self::Resume => {
                bed.hold_up(Some("ImagePullBackOff"));
                ws.up_well().await;
                bed.hold_up(None);
                assert_eq!(ws.attribute(PROD, "phase"), json!("restarting"));
            }
            Self::Rotate | Self::RotateCa => {
                ws.up_well().await;
                bed.pass_a_moment();
                ws.change(PROD, trigger("2"));
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

    /// How often the cluster's credential and its CA have been rotated in the end.
    fn rotations(self) -> (usize, usize) {
        match self {
            Self::Create | Self::Resume => (1, 0),
            Self::Rotate => (2, 0),
            Self::RotateCa => (0, 1),
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
    comes_to_rest(scenario, &bed, &mut ws, &what, 0).await;
}

/// Whatever happened before: the cluster works, and the next runs end with nothing to do, and with no rotation more
/// than were asked for and this many that nobody could know of.
pub(super) async fn comes_to_rest(
    scenario: Scenario,
    bed: &Clusters,
    ws: &mut Workspace,
    what: &str,
    unknown: usize,
) {
    assert!(bed.cluster_can_use_the_cloud().await, "{what}: the cluster is cut off");
    let status = bed.prod().status;
    assert!(!status.ends_with("_FAILED"), "{what}: the cluster is left {status}");
    let mut plan = ws.plan().await;
    for _ in 0..3 {
        if plan.is_empty() && plan.told.0.is_empty() {
            break;
        }
        if !plan.told.failed() {
            let _ = ws.apply(&plan).await;
        }
        // What was sent may come as late as this; only then is it certain that it never did.
        bed.pass(jiff::SignedDuration::from_mins(3));
        plan = ws.plan().await;
    }
    assert!(plan.is_empty() && plan.told.0.is_empty(), "{what}: not at rest: {:#?}", plan.told);
    assert_eq!(ws.attribute(PROD, "phase"), json!("completed"), "{what}");
    let generation = if scenario == Scenario::Rotate { 2 } else { 1 };
    assert_eq!(ws.attribute(PROD, "generation"), json!(generation), "{what}");
    let (expected, rotated) = (scenario.rotations(), bed.rotations());
    let more = (rotated.0 - expected.0) + (rotated.1 - expected.1);
    assert!(more <= unknown, "{what}: rotated {rotated:?} times");
    assert!(bed.cluster_can_use_the_cloud().await, "{what}: the cluster is cut off in the end");
    let (id, _) = bed.prod().credential.unwrap();
    let left: Vec<_> = bed.cloud.credentials("alice").into_iter().filter(|c| c.id != id).collect();
    assert!(left.is_empty(), "{what}: left behind {left:?}");
    if scenario != Scenario::RotateCa {
        let restarts = bed.prod().restarts[DEPLOYMENT];
        assert!(restarts >= generation, "{what}: restarted {restarts} times");
    }
    assert_eq!(ws.attribute(PROD, "rotation_due"), Json::Array(Vec::new()), "{what}");
}

#[test]
fn every_fault_at_every_call_comes_to_rest() {
    let mut all = Vec::new();
    for scenario in SCENARIOS {
        let calls = alone(calls_of(scenario));
        assert!(calls.len() > 5, "{scenario:?}: {calls:?}");
        for call in calls {
            all.extend(faults().map(|fault| (scenario, call, fault)));
        }
    }
    survive_each(&all, WORKERS, async |(scenario, call, fault)| {
        survive(*scenario, *call, fault).await;
    });
    figure(&format!("fault run of clusters: {} combinations of call and fault", all.len()));
}
