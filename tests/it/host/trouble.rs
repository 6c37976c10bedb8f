//! Trouble in bulk: each fault at each call, a kill at each call. Not for what must hold afterwards: that is for
//! the tests to say.

use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rekey_sandbox::{Call, Sandbox};

use super::Process;

/// Plays every case, so many at a time. One that fails says so, and the others go on.
pub fn survive_each<C: Debug + Sync>(
    cases: &[C],
    workers: usize,
    survive: impl AsyncFn(&C) + Sync,
) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                // A rate limit that was met is kept to for minutes.
                rekey::clock::hurry(20);
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let survived = catch_unwind(AssertUnwindSafe(|| alone(survive(case))));
                    if survived.is_err() {
                        failed.lock().unwrap().push(case);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {}: {failed:?}", failed.len(), cases.len());
}

/// The numbers of the calls at which trouble tells something: all that change something, and the first of each kind of
/// question, for while something is waited for the same is asked again and again. With `REKEY_EVERY_CALL` set it is
/// every call.
pub fn telling(calls: &[Call]) -> Vec<u64> {
    let every = std::env::var_os("REKEY_EVERY_CALL").is_some();
    let kinds: Vec<String> = calls.iter().map(Call::kind).collect();
    let tells = |at: usize| {
        let kind = &kinds[at];
        let asks = kind.starts_with("GET") || kind.contains("accessreviews");
        every || !asks || !kinds[..at].contains(kind)
    };
    (1..).zip(0..calls.len()).filter(|(_, at)| tells(*at)).map(|(number, _)| number).collect()
}

/// On a runtime of its own.
pub fn alone<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}

/// The provider in a process that may be killed. Its clock goes as the cloud's; its sockets, which a killed one
/// leaves behind, are not among everybody's.
pub fn mortal(cloud: &Sandbox, sockets: &Path) -> Process {
    let ahead = cloud.now().duration_since(Timestamp::now()).as_secs();
    Process::new()
        .env("REKEY_CLOCK_OFFSET", ahead.to_string())
        .env("TMPDIR", sockets.to_str().unwrap())
        .that_may_die()
}

/// Runs, and kills the provider once the fault that waits at a call has struck: the call is held, and its effect,
/// if any, has happened. False when the run ended without making that call.
pub async fn killed_when_struck(
    cloud: &Sandbox,
    process: &Process,
    run: impl Future<Output = ()>,
) -> bool {
    let ended = Cell::new(false);
    let run = async {
        run.await;
        ended.set(true);
    };
    let kill = async {
        while !cloud.pending_faults().is_empty() {
            if ended.get() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        let pid = process.last_pid().to_string();
        let status = tokio::process::Command::new("kill").args(["-KILL", &pid]).status().await;
        assert!(status.expect("`kill` is on every machine").success(), "{pid} is already gone");
        true
    };
    tokio::join!(run, kill).1
}
