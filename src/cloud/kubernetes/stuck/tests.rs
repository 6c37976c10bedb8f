use super::super::pod::Trouble;
use super::*;

fn event(reason: &str, message: &str, count: i64) -> Event {
    Event {
        kind: "Warning".to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        count,
        last_seen: Some("2026-01-01T00:00:00Z".parse().unwrap()),
    }
}

#[test]
fn the_report_tells_pods_reasons_and_events() {
    let pod = |name: &str, node: Option<&str>, trouble: Option<Trouble>| Pod {
        name: name.to_owned(),
        uid: String::new(),
        node: node.map(str::to_owned),
        created_at: None,
        restarted_at: None,
        leaving_by: None,
        trouble,
    };
    let unschedulable =
        Trouble { reason: "Unschedulable".into(), message: "0/2 nodes are available".into() };
    let stuck = Stuck {
        workload: Workload::new(
            "openstack-system",
            super::super::workload::Kind::Deployment,
            "csi",
        )
        .unwrap(),
        reason: "0 of 1 replicas are updated".to_owned(),
        after: Duration::from_mins(5),
        pods: vec![
            StuckPod {
                pod: pod("csi-new", None, Some(unschedulable)),
                events: vec![event("FailedScheduling", "0/2 nodes are available", 3)],
            },
            StuckPod { pod: pod("csi-old", Some("node-1"), None), events: vec![] },
        ],
        more_pods: 2,
        notes: vec!["FailedCreate: exceeded quota".to_owned()],
    };
    assert_eq!(
        stuck.to_string(),
        "Deployment openstack-system/csi is not rolled out after 300 s: 0 of 1 replicas are updated"
    );
    let lines = "
  pod csi-new on no node: Unschedulable: 0/2 nodes are available
    2026-01-01T00:00:00Z Warning FailedScheduling: 0/2 nodes are available (3 times)
  pod csi-old on node-1: ready, but from before the restart
  and 2 more pods
  FailedCreate: exceeded quota";
    assert_eq!(stuck.report(), format!("{stuck}{lines}"));
}

#[test]
fn an_events_last_time_is_the_latest_that_is_told() {
    let read = |text: &str| Event::from(serde_json::from_str::<EventItem>(text).unwrap());
    let series = read(
        r#"{"eventTime": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:30Z",
            "series": {"count": 7, "lastObservedTime": "2026-01-01T00:01:00Z"}}"#,
    );
    assert_eq!(series.last_seen.unwrap().to_string(), "2026-01-01T00:01:00Z");
    assert_eq!(series.count, 7);
    let plain = read(r#"{"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}}"#);
    assert_eq!((plain.count, plain.last_seen.unwrap().as_second()), (1, 1_767_225_600));
}
