use super::*;

#[test]
fn a_selector_is_written_as_a_query() {
    let selector: Selector = serde_json::from_str(
        r#"{
            "matchLabels": {"app": "csi", "tier": "control"},
            "matchExpressions": [
                {"key": "a", "operator": "In", "values": ["x", "y"]},
                {"key": "b", "operator": "NotIn", "values": ["z"]},
                {"key": "c", "operator": "Exists"},
                {"key": "d", "operator": "DoesNotExist", "values": null}
            ]
        }"#,
    )
    .unwrap();
    assert_eq!(selector.query(), "app=csi,tier=control,a in (x,y),b notin (z),c,!d");
    assert_eq!(Selector::default().query(), "");
}

/// Go writes empty lists and maps as null.
#[test]
fn null_is_nothing() {
    let pod: PodItem = serde_json::from_str(
        r#"{
            "metadata": {"name": "p", "annotations": null, "ownerReferences": null, "creationTimestamp": null},
            "spec": {},
            "status": {"phase": "Pending", "conditions": null, "containerStatuses": null}
        }"#,
    )
    .unwrap();
    assert_eq!(pod.metadata.name, "p");
    assert!(pod.metadata.creation_timestamp.is_none());
}

#[test]
fn events_of_both_apis_are_read() {
    let old = r#"{"count": 3, "lastTimestamp": "2026-01-01T00:00:00Z", "eventTime": null, "series": null}"#;
    let event: EventItem = serde_json::from_str(old).unwrap();
    assert_eq!(event.count, Some(3));
    let new = r#"{"eventTime": "2026-01-01T00:00:00.123456Z", "lastTimestamp": null,
        "series": {"count": 7, "lastObservedTime": "2026-01-01T00:01:00.000001Z"}}"#;
    let event: EventItem = serde_json::from_str(new).unwrap();
    assert_eq!(event.series.unwrap().count, 7);
    assert!(event.event_time.is_some());
}
