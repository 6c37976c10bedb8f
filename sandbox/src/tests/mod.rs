//! The sandbox from outside: over real connections, by a client that hides nothing.

#![allow(clippy::unwrap_used)]

mod controls;
mod events;
mod faults;
mod keystone;
mod oke;
mod oke_access;

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Sandbox;

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(super) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends one request on a connection of its own.
pub(super) fn send(
    sandbox: &Sandbox,
    request: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> io::Result<Answer> {
    let (method, path) = request.split_once(' ').unwrap();
    let mut stream = TcpStream::connect(sandbox.address())?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let body = body.map(ToString::to_string).unwrap_or_default();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if !body.is_empty() {
        let length = body.len();
        write!(head, "Content-Type: application/json\r\nContent-Length: {length}\r\n").unwrap();
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer).unwrap();
    let (head, text) =
        answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head: head.to_owned(), text: text.to_owned() })
}

/// Logs a user of the seed in, for a project.
pub(super) fn token(sandbox: &Sandbox, user: &str, project: &str) -> String {
    let account = sandbox.user(user);
    let body = json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": {
            "id": account.id, "password": account.password,
        }}},
        "scope": { "project": { "id": sandbox.project(project).id } },
    }});
    let answer = send(sandbox, "POST /v3/auth/tokens", &[], Some(&body)).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.header("x-subject-token").unwrap().to_owned()
}

/// What the login with a credential is answered with.
pub(super) fn log_in(sandbox: &Sandbox, id: &str, secret: &str) -> Answer {
    let body = json!({ "auth": { "identity": {
        "methods": ["application_credential"],
        "application_credential": { "id": id, "secret": secret },
    }}});
    send(sandbox, "POST /v3/auth/tokens", &[], Some(&body)).unwrap()
}

/// Asks for a credential of alice's with that token.
pub(super) fn ask(sandbox: &Sandbox, token: &str, wanted: &Value) -> io::Result<Answer> {
    let path = format!("POST /v3/users/{}/application_credentials", sandbox.user("alice").id);
    let body = json!({ "application_credential": wanted });
    send(sandbox, &path, &[("X-Auth-Token", token)], Some(&body))
}

/// The id and secret of a fresh credential of alice's.
pub(super) fn issue(sandbox: &Sandbox, token: &str, wanted: &Value) -> (String, String) {
    let answer = ask(sandbox, token, wanted).unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    let issued = &answer.json()["application_credential"];
    let text = |key: &str| issued[key].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}
