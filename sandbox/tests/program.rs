//! The program from outside: what it says, how it is driven, how it ends.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rekey-sandbox");
/// For what is over at once on any machine that is not stuck.
const PATIENCE: Duration = Duration::from_mins(1);

fn start(arguments: &[&str]) -> Child {
    Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn announced(child: &mut Child) -> Value {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

/// Waits for the end; the exit code, none if a signal ended it.
fn end(mut child: Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("the program did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn send(url: &str, method: &str, headers: &str, body: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_how_to_reach_it_and_is_driven_by_its_controls() {
    let mut child = start(&["--credentials", "3"]);
    let said = announced(&mut child);
    let text = |key: &str| said[key].as_str().unwrap().to_owned();
    assert_eq!(said["pid"], child.id());
    assert_eq!(said["environment"]["OS_AUTH_URL"], said["auth_url"]);
    assert_eq!(said["environment"]["OS_USERNAME"], "alice");
    assert!(send(&text("auth_url"), "GET", "", "").starts_with("HTTP/1.1 200"));

    let token = format!("X-Sandbox-Token: {}\r\n", text("control_token"));
    let control = |method: &str, what: &str, body: &str| {
        send(&format!("{}/{what}", text("control_url")), method, &token, body)
    };
    let moved = control("POST", "clock", r#"{"advance": "P30D"}"#);
    assert!(moved.starts_with("HTTP/1.1 204"), "{moved}");
    assert!(control("GET", "clock", "").contains("\"offset_seconds\":2592000"));
    assert!(control("GET", "calls", "").contains("\"GET /v3\":1"));
    terminate(&child);
    assert_eq!(end(child), Some(0));
}

#[test]
fn it_ends_when_its_input_does_if_asked() {
    let mut child = start(&["--until-stdin-closes", "--seed", "bootstrap"]);
    assert_eq!(announced(&mut child)["environment"]["OS_USERNAME"], "admin");
    drop(child.stdin.take());
    assert_eq!(end(child), Some(0));
}

#[test]
fn it_writes_a_file_if_asked() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox.json");
    let _ = std::fs::remove_file(&file);
    let mut child = start(&["--until-stdin-closes", "--output", file.to_str().unwrap()]);
    let began = Instant::now();
    let text = loop {
        match std::fs::read(&file) {
            Ok(text) => break text,
            Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    };
    let said: Value = serde_json::from_slice(&text).unwrap();
    assert!(send(said["auth_url"].as_str().unwrap(), "GET", "", "").starts_with("HTTP/1.1 200"));
    drop(child.stdin.take());
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "");
    assert_eq!(end(child), Some(0));
}

#[test]
fn a_wrong_call_is_refused_in_words() {
    for (arguments, words) in [
        (&["--port", "many"][..], "`many` is not a port"),
        (&["--port"], "--port needs a value"),
        (&["--seed", "rose"], "`rose` is not a seed: demo or bootstrap"),
        (&["--seed", "bootstrap", "--credentials", "1"], "the sandbox has no user `alice`"),
        (&["--loud"], "unknown option `--loud`; see --help"),
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!("rekey-sandbox: {words}\n"));
    }
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("--until-stdin-closes"));
}

fn terminate(child: &Child) {
    let kill = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(kill.success());
}
