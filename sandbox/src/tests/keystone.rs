//! What a real Keystone cannot show in a test, or only slowly: time, limits, numbers, settling.
//! Everything else is held to the real one by the differential test.

use jiff::SignedDuration;
use serde_json::json;

use super::{ask, issue, log_in, send, token};
use crate::{Sandbox, Seed};

#[tokio::test]
async fn tokens_and_credentials_end_by_the_sandboxs_clock() {
    let sandbox = Sandbox::start().await;
    let alice = token(&sandbox, "alice", "demo");
    let end = (sandbox.now() + SignedDuration::from_hours(24 * 90)).strftime("%Y-%m-%dT%H:%M:%S");
    let wanted = json!({ "name": "one", "expires_at": end.to_string() });
    let (id, secret) = issue(&sandbox, &alice, &wanted);
    sandbox.advance(SignedDuration::from_hours(1));
    assert_eq!(ask(&sandbox, &alice, &json!({ "name": "two" })).unwrap().status, 401);
    assert_eq!(log_in(&sandbox, &id, &secret).status, 201);
    sandbox.advance(SignedDuration::from_hours(24 * 90 - 2));
    let last = log_in(&sandbox, &id, &secret).json();
    let (issued, expires) = (&last["token"]["issued_at"], &last["token"]["expires_at"]);
    assert!(expires.as_str().unwrap().starts_with(&end.to_string()), "{issued} {expires}");
    sandbox.advance(SignedDuration::from_hours(2));
    assert_eq!(log_in(&sandbox, &id, &secret).status, 401);
    assert_eq!(sandbox.credentials("alice").len(), 1);
    let past = json!({ "name": "past", "expires_at": end.to_string() });
    let alice = token(&sandbox, "alice", "demo");
    assert_eq!(ask(&sandbox, &alice, &past).unwrap().status, 400);
}

#[tokio::test]
async fn a_users_limit_is_held() {
    let sandbox = Sandbox::start().await;
    sandbox.set_user_limit(Some(2));
    let alice = token(&sandbox, "alice", "demo");
    issue(&sandbox, &alice, &json!({ "name": "one" }));
    issue(&sandbox, &alice, &json!({ "name": "two" }));
    let refused = ask(&sandbox, &alice, &json!({ "name": "three" })).unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.message(),
        "Unable to create additional application credentials, maximum of 2 already exceeded for \
         user."
    );
    sandbox.set_user_limit(None);
    issue(&sandbox, &alice, &json!({ "name": "three" }));
}

#[tokio::test]
async fn fresh_credentials_settle() {
    let sandbox = Sandbox::start().await;
    sandbox.set_settling(&[404, 201, 401, 201]);
    let alice = token(&sandbox, "alice", "demo");
    for name in ["one", "two"] {
        let (id, secret) = issue(&sandbox, &alice, &json!({ "name": name }));
        let seen: Vec<u16> = (0..6).map(|_| log_in(&sandbox, &id, &secret).status).collect();
        assert_eq!(seen, [404, 201, 401, 201, 201, 201]);
        assert_eq!(sandbox.logins(&id), Some(6));
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_together_with_the_password() {
    let sandbox = Sandbox::start().await;
    let account = sandbox.user("alice");
    let log_in = |passcode: &str, password: &str| {
        let body = json!({ "auth": { "identity": {
            "methods": ["password", "totp"],
            "password": { "user": { "id": account.id, "password": password } },
            "totp": { "user": { "id": account.id, "passcode": passcode } },
        }}});
        send(&sandbox, "POST /v3/auth/tokens", &[], Some(&body)).unwrap()
    };
    let answer = log_in("123456", &account.password);
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["token"]["methods"], json!(["password", "totp"]));
    assert_eq!(log_in("000000", &account.password).status, 401);
    assert_eq!(log_in("123456", "wrong").status, 401);
}

#[tokio::test]
async fn revocation_within_a_second_is_as_strict_as_asked_for() {
    for (strict, status) in [(false, 200), (true, 401)] {
        let sandbox = Sandbox::start().await;
        sandbox.set_same_second_revocation(strict);
        // The start of a second, by a clock that the machine's cannot overtake.
        let into = i64::from(sandbox.now().subsec_nanosecond());
        sandbox.set_clock_offset(SignedDuration::from_nanos(1_000_000_000 - into));
        let before = token(&sandbox, "alice", "demo");
        sandbox.change_password("alice", "another");
        let after = token(&sandbox, "alice", "demo");
        let used = |token: &str| {
            send(&sandbox, "GET /v3/auth/projects", &[("X-Auth-Token", token)], None)
                .unwrap()
                .status
        };
        assert_eq!((used(&before), used(&after)), (401, status));
        sandbox.advance(SignedDuration::from_secs(2));
        assert_eq!(used(&token(&sandbox, "alice", "demo")), 200);
    }
}

#[tokio::test]
async fn a_thousand_credentials_are_listed_at_once() {
    let sandbox = Sandbox::start().await;
    sandbox.create_credentials("alice", "demo", "many-", 1_000);
    let alice = token(&sandbox, "alice", "demo");
    let path = format!("GET /v3/users/{}/application_credentials", sandbox.user("alice").id);
    let listed = send(&sandbox, &path, &[("X-Auth-Token", &alice)], None).unwrap().json();
    let listed = listed["application_credentials"].as_array().unwrap();
    assert_eq!(listed.len(), 1_000);
    assert_eq!(listed[999]["name"], "many-1000");
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(log_in(&sandbox, id, "secretmany-0001").status, 201);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids() {
    let one = Sandbox::builder().repeatable(7).start().await.unwrap();
    let two = Sandbox::builder().repeatable(7).start().await.unwrap();
    assert_eq!(one.user("alice"), two.user("alice"));
    assert_eq!(token(&one, "alice", "demo"), token(&two, "alice", "demo"));
    assert_ne!(one.user("alice").id, Sandbox::start().await.user("alice").id);
}

#[tokio::test]
async fn a_bootstrapped_cloud_has_an_administrator_only() {
    let sandbox = Sandbox::builder().seed(Seed::Bootstrap).start().await.unwrap();
    let admin = token(&sandbox, "admin", "admin");
    let users = send(&sandbox, "GET /v3/users", &[("X-Auth-Token", &admin)], None).unwrap().json();
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let first = Sandbox::start().await;
    let second = Sandbox::builder().port(first.address().port()).start().await;
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    let port = first.address().port();
    drop(first);
    // Nobody holds it any more once the sandbox is dropped.
    assert_eq!(Sandbox::builder().port(port).start().await.unwrap().address().port(), port);
}
