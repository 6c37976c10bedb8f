//! For tests: a session against a server that plays Keystone by a closure.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::Session;
use super::config::{Cloud, Settings, resolve};
use crate::cloud::Surroundings;
use crate::cloud::http::{Backoff, Options};
use crate::cloud::stub::{Reply, Seen, Stub};

pub(super) const USER: &str = "u1";

/// A login with a password.
pub(super) fn settings(stub: &Stub) -> Settings {
    Settings {
        auth_url: Some(stub.url("").to_string()),
        user_id: Some(USER.to_owned()),
        password: Some("pass-word-1".into()),
        project_id: Some("p1".to_owned()),
        ..Settings::default()
    }
}

pub(super) fn cloud(settings: &Settings) -> Cloud {
    resolve(settings, &Surroundings::default()).unwrap()
}

/// A session that loses no time between attempts, of which there are two.
pub(super) fn session_for(settings: &Settings) -> Session {
    let cloud = cloud(settings);
    let moment = Duration::from_millis(1);
    let backoff = Backoff { attempts: 2, first: moment, longest: moment, ..Backoff::default() };
    let options = Options { backoff, timeout: Duration::from_secs(20), ..Options::default() };
    Session::with_options(cloud, options).unwrap()
}

pub(super) fn session(stub: &Stub) -> Session {
    session_for(&settings(stub))
}

/// A token's body with the given life in seconds.
pub(super) fn token_body(life: i64) -> Value {
    let issued: jiff::Timestamp = "1999-12-31T23:00:00Z".parse().unwrap();
    let expires = issued + jiff::SignedDuration::from_secs(life);
    json!({ "token": {
        "methods": ["password"],
        "user": { "id": USER, "name": "alice", "domain": { "id": "default", "name": "Default" } },
        "project": { "id": "p1", "name": "demo" },
        "roles": [{ "id": "r1", "name": "member" }],
        "issued_at": issued.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string(),
        "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string(),
    }})
}

pub(super) fn token(value: &str) -> Reply {
    token_of(value, &token_body(3600))
}

pub(super) fn token_of(value: &str, body: &Value) -> Reply {
    Reply::json(201, body).with("x-subject-token", value)
}

pub(super) fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": { "code": status, "message": message } }))
        .with("x-openstack-request-id", "req-7")
}

/// Logins give `t1`, `t2`, …; everything else is answered by the closure, which also gets the token
/// of the request.
pub(super) async fn keystone(
    answer: impl Fn(&Seen, &str) -> Reply + Send + Sync + 'static,
) -> Stub {
    let logins = AtomicUsize::new(0);
    Stub::start(move |_, seen| {
        if seen.line.starts_with("POST /v3/auth/tokens") {
            let number = logins.fetch_add(1, Ordering::Relaxed) + 1;
            return token(&format!("t{number}"));
        }
        let token = seen.headers.get("x-auth-token").map_or("", String::as_str);
        answer(seen, token)
    })
    .await
}

pub(super) fn logins(stub: &Stub) -> usize {
    stub.lines().iter().filter(|line| line.starts_with("POST /v3/auth/tokens")).count()
}
