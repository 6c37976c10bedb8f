//! OKE: who gets in, and what everybody finds there.

use std::io::{Read, Write as _};
use std::net::TcpStream;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Answer;
use crate::{Fault, FaultRule, OkeEvent, Sandbox};

/// A request, signed by that user.
pub(super) fn call(
    sandbox: &Sandbox,
    user: &str,
    request: &str,
    more: &[(&str, &str)],
    body: &str,
) -> Answer {
    let host = sandbox.address().to_string();
    let mut headers = sandbox.oci(user).signed(request, &host, body, sandbox.now());
    let more: Vec<(String, String)> =
        more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut all: Vec<(String, String)> =
        headers.drain(..).map(|(name, value)| (name.to_owned(), value)).collect();
    all.extend(more);
    exchange(sandbox, request, &all, body)
}

fn exchange(sandbox: &Sandbox, request: &str, headers: &[(String, String)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(sandbox.address()).unwrap();
    let lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let lines = lines.concat();
    let text = format!("{request} HTTP/1.1\r\nconnection: close\r\n{lines}\r\n{body}");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), text: text.to_owned() }
}

pub(super) fn id_of(sandbox: &Sandbox, name: &str) -> String {
    sandbox.oke(name).id
}

/// Of the cluster `prod`.
pub(super) fn path(sandbox: &Sandbox, rest: &str) -> String {
    let path = format!("/20180222/clusters/{}/{rest}", id_of(sandbox, "prod"));
    path.trim_end_matches('/').to_owned()
}

async fn with_prod() -> (Sandbox, String) {
    let sandbox = Sandbox::start().await;
    sandbox.create_oke_cluster("prod");
    let show = format!("GET {}", path(&sandbox, ""));
    (sandbox, show)
}

#[tokio::test]
async fn nobody_gets_in_who_has_not_signed() {
    let (sandbox, show) = with_prod().await;
    let host = sandbox.address().to_string();
    let alice = sandbox.oci("alice");
    let send = |headers: Vec<(&'static str, String)>| {
        let headers: Vec<_> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let answer = exchange(&sandbox, &show, &headers, "");
        (answer.status, answer.json()["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(send(alice.signed(&show, &host, "", sandbox.now())).0, 200);
    let (status, message) = send(vec![("host", host.clone())]);
    assert!(status == 401 && message.contains("was not provided"), "{status} {message}");
    let late = alice.signed(&show, &host, "", sandbox.now() - SignedDuration::from_mins(6));
    let (status, message) = send(late);
    assert!(status == 401 && message.contains("allowed clock skew"), "{status} {message}");
    let elsewhere = alice.signed(&format!("{show}?a=b"), &host, "", sandbox.now());
    assert!(send(elsewhere).1.contains("Failed to verify"));
    let mut forged = sandbox.oci("carol");
    forged.user = alice.user.clone();
    forged.fingerprint = alice.fingerprint.clone();
    assert!(send(forged.signed(&show, &host, "", sandbox.now())).1.contains("Failed to verify"));
    sandbox.happen_to_oke(&OkeEvent::ForgetApiKeys { user: "alice".into() });
    assert_eq!(send(alice.signed(&show, &host, "", sandbox.now())).0, 401);
    assert_eq!(sandbox.calls().last().unwrap().user, None);
}

#[tokio::test]
async fn a_body_is_the_one_that_was_signed() {
    let (sandbox, _) = with_prod().await;
    let request = format!("POST {}", path(&sandbox, "actions/startCredentialRotation"));
    let host = sandbox.address().to_string();
    let headers = sandbox.oci("alice").signed(&request, &host, r#"{"a":1}"#, sandbox.now());
    let headers: Vec<_> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(exchange(&sandbox, &request, &headers, r#"{"a":2}"#).status, 401);
    assert_eq!(exchange(&sandbox, &request, &headers, r#"{"a":1}"#).status, 400);
}

#[tokio::test]
async fn a_session_gets_in_until_it_ends() {
    let (sandbox, show) = with_prod().await;
    let token = sandbox.oci_session("alice", SignedDuration::from_hours(1));
    let host = sandbox.address().to_string();
    let send = || {
        let alice = sandbox.oci("alice");
        let key_id = format!("{}/{}/{}", alice.tenancy, alice.user, alice.fingerprint);
        let headers = alice.signed(&show, &host, "", sandbox.now()).into_iter();
        let of_session = format!("ST${token}");
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.to_owned(), value.replace(&key_id, &of_session)))
            .collect();
        exchange(&sandbox, &show, &headers, "").status
    };
    assert_eq!(send(), 200);
    sandbox.advance(SignedDuration::from_hours(1));
    assert_eq!(send(), 401);
}

#[tokio::test]
async fn whoever_may_not_finds_nothing() {
    let (sandbox, show) = with_prod().await;
    let status = |user: &str, request: &str| {
        let body = if request.starts_with("POST") { "{}" } else { "" };
        call(&sandbox, user, request, &[], body).status
    };
    let start = format!("POST {}", path(&sandbox, "actions/startCredentialRotation"));
    let list = format!("GET /20180222/clusters?compartmentId={}", sandbox.oci("rita").compartment);
    assert_eq!(
        [status("rita", &show), status("rita", &list), status("rita", &start)],
        [200, 200, 404]
    );
    assert_eq!([status("carol", &show), status("carol", &list)], [404, 404]);
    assert_eq!(status("alice", &start), 400);
    assert_eq!(status("alice", "GET /20180222/clusters"), 400);
    assert_eq!(status("alice", "GET /20180222/nothing"), 404);
    assert_eq!(status("alice", &start.replace("POST", "GET")), 405);
    assert_eq!(sandbox.calls()[0].user.as_deref(), Some("rita"));
}

#[tokio::test]
async fn every_answer_has_a_request_id_that_begins_with_the_clients() {
    let (sandbox, show) = with_prod().await;
    for (request, status) in [(show.as_str(), 200), ("GET /20180222/clusters/nope", 404)] {
        let answer = call(&sandbox, "alice", request, &[("opc-request-id", "MINE")], "");
        assert_eq!(answer.status, status);
        assert!(answer.header("opc-request-id").unwrap().starts_with("MINE/"));
        assert_eq!(answer.header("x-openstack-request-id"), None);
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let sandbox = Sandbox::start().await;
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        sandbox.create_oke_cluster(name);
    }
    let list = format!(
        "GET /20180222/clusters?compartmentId={}&sortBy=NAME&limit=2",
        sandbox.oci("alice").compartment
    );
    let (mut found, mut request) = (Vec::new(), list.clone());
    loop {
        let answer = call(&sandbox, "alice", &request, &[], "");
        let page = answer.json();
        assert!(page.as_array().unwrap().len() <= 2);
        found.extend(page.as_array().unwrap().iter().map(|one| one["name"].clone()));
        let Some(next) = answer.header("opc-next-page") else { break };
        request = format!("{list}&page={next}");
    }
    assert_eq!(Value::from(found), json!(names));
    for wrong in ["&sortBy=AGE", "&limit=0", "&page=x", "&sortOrder=UP"] {
        let request = format!("{}{wrong}", list.replace("&sortBy=NAME&limit=2", ""));
        assert_eq!(call(&sandbox, "alice", &request, &[], "").status, 400, "{wrong}");
    }
    let none = format!("{list}&lifecycleState=FAILED&lifecycleState=DELETED");
    assert_eq!(call(&sandbox, "alice", &none, &[], "").json(), json!([]));
}

#[tokio::test]
async fn node_pools_have_their_nodes_only_when_looked_at_alone() {
    let (sandbox, _) = with_prod().await;
    let list = format!(
        "GET /20180222/nodePools?compartmentId={}&clusterId={}",
        sandbox.oci("alice").compartment,
        id_of(&sandbox, "prod")
    );
    let pools = call(&sandbox, "alice", &list, &[], "").json();
    assert_eq!(pools[0].get("nodes"), None);
    let show = format!("GET /20180222/nodePools/{}", pools[0]["id"].as_str().unwrap());
    let pool = call(&sandbox, "alice", &show, &[], "").json();
    assert_eq!(pool["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(pool["nodes"][0]["lifecycleState"], "ACTIVE");
}

#[tokio::test]
async fn faults_strike_here_too() {
    let (sandbox, show) = with_prod().await;
    let rule = FaultRule::new(Fault::TooManyRequests { retry_after: Some(1) });
    sandbox.inject(rule.on("GET", "/20180222/clusters/"));
    assert_eq!(call(&sandbox, "alice", &show, &[], "").status, 429);
    assert_eq!(call(&sandbox, "alice", &show, &[], "").status, 200);
}
