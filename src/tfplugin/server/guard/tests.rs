//! Panics, as Terraform hears of them. The hook is the process's, so it is tried in another one.

use std::process::Command;

use super::*;

const CHILD: &str = "REKEY_GUARD_TEST_CHILD";

/// Not a test: what the other process runs.
#[test]
fn child() {
    let Ok(what) = std::env::var(CHILD) else { return };
    log::install("rekey");
    install_panic_hook();
    crate::redaction::register("guard-tests-secret");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert!(what == "caught", "dead of guard-tests-secret");
        let calls = Calls::default();
        let work = |_| async { panic!("caught with guard-tests-secret") };
        let (answer, _) = calls.run::<(), _>("Try", ClientCapabilities::default(), work).await;
        eprintln!("diagnostic: {}", answer.unwrap_err().0[0].detail);
    });
}

fn run(what: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tfplugin::server::guard::tests::child", "--nocapture"])
        .env(CHILD, what)
        .env("TF_LOG", "ERROR")
        .env("RUST_BACKTRACE", "0")
        .env_remove("TF_LOG_PROVIDER")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("guard-tests-secret"), "{said}");
    said
}

#[test]
fn a_caught_panic_is_a_log_line_and_no_crash() {
    let said = run("caught");
    assert!(!said.contains("panic: "), "{said}");
    let line = said.lines().find(|line| line.contains("a handler panicked")).expect("a line");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["@message"], "a handler panicked: caught with (redacted)");
    let told = said.lines().find(|line| line.starts_with("diagnostic: ")).expect("a diagnostic");
    // Where it was is told to the operator; what it said is not.
    assert!(told.contains("Try stopped halfway at src/tfplugin/server/guard/tests.rs:"), "{told}");
    assert!(!told.contains("caught with"), "{told}");
}

#[test]
fn the_death_of_the_process_is_told_as_terraform_reads_it() {
    let said = run("dead");
    assert!(said.starts_with("panic: dead of (redacted)\n"), "{said}");
}
