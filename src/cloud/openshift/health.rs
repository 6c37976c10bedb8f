//! Whether those who use the components' secrets are well again.

use std::collections::{BTreeMap, BTreeSet};

use super::objects::{Condition, Conditioned, KubeControllerManager, NodeStatus};

/// How far a forced redeployment of the kube controller manager is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeployment {
    Done,
    /// A node did not get it.
    Failed(String),
    Pending(String),
}

/// The cluster operators that are not Available, or Progressing, or Degraded, each with its reason.
pub fn unwell(operators: &[Conditioned]) -> BTreeMap<String, String> {
    let one = |operator: &Conditioned| {
        let is = |kind: &str| operator.is(kind);
        let kind = match (is("Degraded"), is("Available"), is("Progressing")) {
            (true, ..) => "Degraded",
            (_, false, _) => "Available",
            (.., true) => "Progressing",
            _ => return None,
        };
        let unknown = || format!("{kind} is not known");
        let why = operator.condition(kind).map_or_else(unknown, Condition::to_string);
        Some((operator.metadata.name.clone(), why))
    };
    operators.iter().filter_map(one).collect()
}

/// Those of them that were well before.
pub fn newly_unwell(
    operators: &[Conditioned],
    before: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let mut unwell = unwell(operators);
    unwell.retain(|name, _| !before.contains(name));
    unwell
}

/// What became of a redeployment that was asked for when `before` was the newest revision.
pub fn redeployment(manager: &KubeControllerManager, before: Option<i64>) -> Redeployment {
    let status = &manager.status;
    let newest = status.latest_available_revision;
    let failed = |node: &&NodeStatus| newest > 0 && node.last_failed_revision == newest;
    if before.is_some_and(|before| newest <= before) {
        return Redeployment::Pending(format!("no revision after {newest} yet"));
    }
    if let Some(node) = status.node_statuses.iter().find(failed) {
        return Redeployment::Failed(format!(
            "revision {newest} failed on node {}: {}",
            node.node_name,
            node.last_failed_revision_errors.join("; ")
        ));
    }
    let behind = |node: &&NodeStatus| node.current_revision != newest || node.target_revision != 0;
    match status.node_statuses.iter().filter(behind).count() {
        _ if newest == 0 || status.node_statuses.is_empty() => {
            Redeployment::Pending("no node tells its revision".to_owned())
        }
        0 => Redeployment::Done,
        left => Redeployment::Pending(format!(
            "{left} of {} nodes are not at revision {newest}",
            status.node_statuses.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::operator;
    use super::*;

    #[test]
    fn an_operator_is_well_by_three_conditions() {
        let operators = [
            operator("well", true, false, false),
            operator("rolls-out", true, true, false),
            operator("degraded", true, true, true),
            operator("down", false, false, false),
            Conditioned::default(),
        ];
        let found = unwell(&operators);
        let said: Vec<_> = found.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        assert_eq!(
            said,
            [
                ": Available is not known",
                "degraded: Degraded=True (Because)",
                "down: Available=False (Because)",
                "rolls-out: Progressing=True (Because)",
            ]
        );
        let before = ["degraded".to_owned(), "down".to_owned(), String::new()].into();
        assert_eq!(
            newly_unwell(&operators, &before).into_keys().collect::<Vec<_>>(),
            ["rolls-out"]
        );
    }

    #[test]
    fn a_redeployment_is_done_when_every_node_has_the_new_revision() {
        let check =
            |before: Option<i64>, newest: i64, nodes: &[(i64, i64, i64)], expected: &str| {
                let nodes: Vec<_> = nodes
                    .iter()
                    .map(|(current, target, failed)| {
                        json!({
                            "nodeName": "n", "currentRevision": current, "targetRevision": target,
                            "lastFailedRevision": failed, "lastFailedRevisionErrors": ["why"],
                        })
                    })
                    .collect();
                let manager = serde_json::from_value(json!({
                    "status": { "latestAvailableRevision": newest, "nodeStatuses": nodes },
                }));
                let said = match redeployment(&manager.unwrap(), before) {
                    Redeployment::Done => "done".to_owned(),
                    Redeployment::Failed(why) | Redeployment::Pending(why) => why,
                };
                assert!(said.contains(expected), "{said:?} should say {expected:?}");
            };
        check(Some(6), 6, &[(6, 0, 0)], "no revision after 6 yet");
        check(Some(6), 7, &[(7, 0, 0), (6, 7, 0)], "1 of 2 nodes");
        check(Some(6), 7, &[(7, 0, 0), (7, 0, 6)], "done");
        check(Some(6), 7, &[(7, 0, 0), (6, 0, 7)], "revision 7 failed on node n: why");
        check(None, 7, &[(7, 0, 0)], "done");
        check(None, 7, &[], "no node");
        check(None, 0, &[(0, 0, 0)], "no node");
    }
}
