use serde_json::{Value, json};

use super::{Answer, send, token};
use crate::Sandbox;

fn control(sandbox: &Sandbox, request: &str, body: Option<&Value>) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    let request = format!("{method} /__sandbox/{path}");
    send(sandbox, &request, &[("X-Sandbox-Token", &sandbox.control_token())], body).unwrap()
}

#[tokio::test]
async fn controls_need_their_token() {
    let sandbox = Sandbox::start().await;
    for headers in [&[][..], &[("X-Sandbox-Token", "guessed")]] {
        let answer = send(&sandbox, "GET /__sandbox/calls", headers, None).unwrap();
        assert_eq!(answer.status, 403);
    }
    assert!(sandbox.control_url().ends_with("/__sandbox"));
}

#[tokio::test]
async fn the_clock_moves_by_durations_of_fixed_length() {
    let sandbox = Sandbox::start().await;
    assert_eq!(control(&sandbox, "POST clock", Some(&json!({ "advance": "PT1H" }))).status, 204);
    assert_eq!(control(&sandbox, "POST clock", Some(&json!({ "advance": "P1D" }))).status, 204);
    let clock = control(&sandbox, "GET clock", None).json();
    assert_eq!(clock["offset_seconds"], 25 * 3600);
    assert_eq!(control(&sandbox, "POST clock", Some(&json!({ "offset": "PT0S" }))).status, 204);
    assert_eq!(control(&sandbox, "GET clock", None).json()["offset_seconds"], 0);
    for wrong in [json!({ "advance": "P1M" }), json!({ "advance": "soon" }), json!({})] {
        assert_eq!(control(&sandbox, "POST clock", Some(&wrong)).status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn events_happen_and_unknown_names_are_refused() {
    let sandbox = Sandbox::start().await;
    let alice = token(&sandbox, "alice", "demo");
    let disable = json!({ "event": "disable_user", "user": "alice" });
    assert_eq!(control(&sandbox, "POST events", Some(&disable)).status, 204);
    let headers = [("X-Auth-Token", alice.as_str())];
    assert_eq!(send(&sandbox, "GET /v3/auth/projects", &headers, None).unwrap().status, 401);

    let nobody = json!({ "event": "disable_user", "user": "nobody" });
    let refused = control(&sandbox, "POST events", Some(&nobody));
    assert_eq!(refused.status, 404);
    assert_eq!(refused.json()["error"], "the sandbox has no user `nobody`");
    for wrong in [json!({ "event": "earthquake" }), json!({ "event": "disable_user" })] {
        assert_eq!(control(&sandbox, "POST events", Some(&wrong)).status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn faults_are_added_listed_and_cleared() {
    let sandbox = Sandbox::start().await;
    let rule = json!({ "fault": "service_unavailable", "retry_after": 3, "times": null });
    assert_eq!(control(&sandbox, "POST faults", Some(&rule)).status, 204);
    assert_eq!(send(&sandbox, "GET /v3", &[], None).unwrap().status, 503);
    let listed = control(&sandbox, "GET faults", None).json();
    assert_eq!(listed[0]["fault"], "service_unavailable");
    assert_eq!(listed[0]["retry_after"], 3);
    assert_eq!(control(&sandbox, "DELETE faults", None).status, 204);
    assert_eq!(send(&sandbox, "GET /v3", &[], None).unwrap().status, 200);
    let wrong = json!({ "fault": "meteorite" });
    assert_eq!(control(&sandbox, "POST faults", Some(&wrong)).status, 400);
}

#[tokio::test]
async fn the_log_is_shown_without_the_controls_own_calls() {
    let sandbox = Sandbox::start().await;
    token(&sandbox, "alice", "demo");
    control(&sandbox, "GET clock", None);
    let log = control(&sandbox, "GET calls", None).json();
    assert_eq!(log["total"], 1);
    assert_eq!(log["counts"]["POST /v3/auth/tokens"], 1);
    assert_eq!(log["calls"][0]["user"], "alice");
    assert!(log["bytes_out"].as_u64().unwrap() > 100);
    assert_eq!(control(&sandbox, "DELETE calls", None).status, 204);
    assert_eq!(control(&sandbox, "GET calls", None).json()["total"], 0);
}
