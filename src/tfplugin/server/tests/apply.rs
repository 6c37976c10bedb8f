//! Apply: whatever happens, what exists is in the answer.

use super::*;

async fn apply(
    request: pb::apply_resource_change::Request,
) -> (pb::apply_resource_change::Response, Arc<Seen>) {
    let (server, seen) = server();
    let request = pb::apply_resource_change::Request { type_name: "probe_thing".into(), ..request };
    let response = server.apply_resource_change(Request::new(request)).await.unwrap().into_inner();
    assert!(!response.legacy_type_system);
    (response, seen)
}

fn create(name: &str) -> pb::apply_resource_change::Request {
    let members = [("name", text(name)), ("color", text("blue"))];
    let planned = [&members[..], &[("id", Value::Unknown)]].concat();
    pb::apply_resource_change::Request {
        prior_state: null(),
        planned_state: thing(&planned),
        config: thing(&[&members[..1], &[("secret_wo", text("server-tests-wo"))]].concat()),
        planned_private: private(4),
        ..Default::default()
    }
}

fn update(name: &str) -> pb::apply_resource_change::Request {
    let planned = thing(&[("name", text(name)), ("id", text("id-0"))]);
    pb::apply_resource_change::Request {
        prior_state: thing(&[("name", text("before")), ("id", text("id-0"))]),
        planned_state: planned.clone(),
        config: thing(&[("name", text(name))]),
        planned_private: br#"{"v":3,"data":{"round":14},"prior":{"round":4}}"#.to_vec(),
        planned_identity: id("id-0"),
        ..Default::default()
    }
}

fn delete(name: &str) -> pb::apply_resource_change::Request {
    pb::apply_resource_change::Request {
        prior_state: thing(&[("name", text(name)), ("id", text("id-0"))]),
        planned_state: null(),
        config: null(),
        planned_private: private(4),
        planned_identity: id("id-0"),
        ..Default::default()
    }
}

fn state(response: &pb::apply_resource_change::Response) -> Value {
    read::<Thing>(response.new_state.as_ref())
}

#[tokio::test]
async fn a_create_answers_with_all_three() {
    let (made, seen) = apply(create("x")).await;
    assert_eq!(words(&made.diagnostics), Vec::<String>::new());
    let wanted = [("name", text("x")), ("color", text("blue")), ("id", text("id-1"))];
    assert_eq!(state(&made), object::<Thing>(&wanted));
    assert_eq!(made.private, private(5));
    assert_eq!(identity_of(made.new_identity.as_ref()).get("id"), Some(&text("id-1")));
    // The handler had the write-only value; the answer has not.
    assert_eq!(seen.take(), ["secret server-tests-wo"]);
}

#[tokio::test]
async fn a_panic_is_one_diagnostic_and_what_was_made_stays() {
    let (made, _) = apply(create("panic-after")).await;
    assert_eq!(words(&made.diagnostics), ["error: Provider bug"]);
    assert_eq!(state(&made).get("id"), Some(&text("id-1")));
    assert_eq!(made.private, private(5));
    assert!(made.new_identity.is_some());
    let detail = &made.diagnostics[0].detail;
    assert!(detail.starts_with("Create of probe_thing stopped halfway"), "{detail}");
    assert!(detail.contains("is in the state") && detail.contains("please report"), "{detail}");
}

#[tokio::test]
async fn a_panic_before_anything_was_made_leaves_nothing() {
    let (made, _) = apply(create("panic-before")).await;
    assert_eq!(words(&made.diagnostics), ["error: Provider bug"]);
    assert_eq!(state(&made), Value::Null);
    // The panic's own words may quote anything.
    assert!(!made.diagnostics[0].detail.contains("secret"), "{}", made.diagnostics[0].detail);
}

#[tokio::test]
async fn an_error_keeps_what_was_saved() {
    let (made, _) = apply(create("fail-after")).await;
    assert_eq!(words(&made.diagnostics), ["error: Not proven"]);
    assert_eq!(state(&made).get("id"), Some(&text("id-1")));
    let (made, _) = apply(create("fail-before")).await;
    assert_eq!(words(&made.diagnostics), ["error: Refused"]);
    assert_eq!(state(&made), Value::Null);
    assert!(made.private.is_empty() && made.new_identity.is_none());
}

#[tokio::test]
async fn nothing_is_left_unknown() {
    // With an error, what was never reached is null, and that is no news.
    let (made, _) = apply(create("half")).await;
    assert_eq!(words(&made.diagnostics), ["error: Half done"]);
    assert_eq!(state(&made).get("id"), Some(&Value::Null));
    // Without one it is a bug, told at its place; the rest is kept.
    let (made, _) = apply(create("unknown-left")).await;
    assert_eq!(words(&made.diagnostics), ["error: Provider left a value unknown at .id"]);
    assert_eq!(state(&made).get("id"), Some(&Value::Null));
    assert_eq!(state(&made).get("name"), Some(&text("unknown-left")));
}

#[tokio::test]
async fn an_identity_that_cannot_be_written_does_not_cost_the_state() {
    let (made, _) = apply(create("bad-identity")).await;
    assert_eq!(words(&made.diagnostics), ["error: Provider left a value unknown"]);
    assert_eq!(state(&made).get("id"), Some(&text("id-1")));
    assert!(made.new_identity.is_none());
}

#[tokio::test]
async fn success_without_a_state_is_a_bug() {
    let (made, _) = apply(create("nothing")).await;
    assert_eq!(words(&made.diagnostics), ["error: Provider bug"]);
    assert_eq!(state(&made), Value::Null);
}

#[tokio::test]
async fn warnings_go_with_success() {
    let (made, _) = apply(create("warn")).await;
    assert_eq!(words(&made.diagnostics), ["warning: Careful"]);
    assert_eq!(state(&made).get("id"), Some(&text("id-1")));
}

#[tokio::test(start_paused = true)]
async fn the_timeouts_of_the_model_are_the_deadline() {
    let (_, seen) = apply(create("timeout")).await;
    assert_eq!(seen.take()[1..], ["left Some(90s)"]);
    let (_, seen) = apply(update("timeout")).await;
    assert_eq!(seen.take(), ["left None"]);
}

#[tokio::test]
async fn an_update_that_does_nothing_answers_with_what_was() {
    let (kept, _) = apply(update("fail-before")).await;
    assert_eq!(words(&kept.diagnostics), ["error: Refused"]);
    assert_eq!(state(&kept).get("name"), Some(&text("before")));
    // The private data too: not what the plan would have made of it.
    assert_eq!(kept.private, private(4));
    assert_eq!(identity_of(kept.new_identity.as_ref()).get("id"), Some(&text("id-0")));
}

#[tokio::test]
async fn an_update_works_on_the_plans_private_data() {
    let (kept, _) = apply(update("x")).await;
    assert_eq!(words(&kept.diagnostics), Vec::<String>::new());
    assert_eq!(kept.private, private(15));
    assert_eq!(identity_of(kept.new_identity.as_ref()).get("id"), Some(&text("id-1")));
}

#[tokio::test]
async fn a_delete_answers_null() {
    let (gone, seen) = apply(delete("x")).await;
    assert_eq!((state(&gone), words(&gone.diagnostics)), (Value::Null, vec![]));
    assert!(gone.private.is_empty() && gone.new_identity.is_none());
    assert_eq!(seen.take(), ["deleting round 4"]);
}

#[tokio::test]
async fn a_delete_that_fails_keeps_the_object() {
    let (kept, _) = apply(delete("forbidden")).await;
    assert_eq!(words(&kept.diagnostics), ["error: Forbidden"]);
    // Core keeps all that it has, its identity too, which it does not send in half of a replacement.
    assert_eq!((state(&kept), kept.private, kept.new_identity), (Value::Null, Vec::new(), None));
    let (kept, _) = apply(delete("half-gone")).await;
    assert_eq!(words(&kept.diagnostics), ["error: Provider bug"]);
    assert_eq!(state(&kept).get("color"), Some(&text("grey")));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_anything_is_done() {
    let request = pb::apply_resource_change::Request {
        planned_state: Some(pb::DynamicValue { msgpack: vec![0xc1], json: Vec::new() }),
        ..create("x")
    };
    let (refused, seen) = apply(request).await;
    assert_eq!(words(&refused.diagnostics), ["error: Value does not fit its schema"]);
    assert!(refused.new_state.is_none() && seen.take().is_empty());
    let newer = br#"{"v":4,"data":{"round":1}}"#.to_vec();
    let request = pb::apply_resource_change::Request { planned_private: newer, ..create("x") };
    let (refused, seen) = apply(request).await;
    assert_eq!(words(&refused.diagnostics), ["error: State was written by a newer provider"]);
    assert!(seen.take().is_empty());
}
