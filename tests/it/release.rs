//! The provider as it is released: small, quick, static, without a trace of who built it, and at work where there is
//! nothing but itself. The rest of its behaviour `make test` tries with the same file: see the Makefile.

mod archive;
mod empty_root;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::host::certificate::ClientCertificate;
use crate::host::process::Process;
use crate::support::terraform::repository;
use crate::support::tools::figure;

/// Statically linked, everything included. Without the C library it would be a megabyte less.
const LARGEST: usize = 10_000_000;
/// Resident, after the handshake.
const MEMORY: usize = 8 << 20;
/// How much longer than a program that only prints a line it may take to the handshake.
const START: u32 = 3;

/// What `scripts/release.sh` builds; nothing happens where it is built already.
pub(crate) fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> =
        LazyLock::new(|| PathBuf::from(script("scripts/release.sh", &[], &[]).trim()));
    &BINARY
}

/// What a script of the repository prints.
fn script(path: &str, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = Command::new(repository(path))
        .args(arguments)
        .env_remove("VERSION")
        .env_remove("TARGET")
        .envs(environment.iter().copied())
        // As somebody has it who uses the shell a lot: a script must not end up elsewhere.
        .env("CDPATH", "/usr:/tmp")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn it_is_small() {
    let size = std::fs::read(binary()).unwrap().len();
    figure(&format!("release, static: {size} bytes"));
    assert!(size <= LARGEST, "{size} bytes, wanted at most {LARGEST}");
}

#[tokio::test]
async fn it_rests_in_little_memory() {
    let started = Process::of(binary()).start().await;
    let status = format!("/proc/{}/status", started.child.id().unwrap());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident = line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10;
    figure(&format!("release, resident after the handshake: {resident} bytes"));
    assert!(resident <= MEMORY, "{resident} bytes, wanted at most {MEMORY}");
}

/// A ratio of the quickest of many, one beside the other, so that a busy machine does not lie.
#[tokio::test]
async fn it_starts_nearly_as_fast_as_a_program_that_only_prints_a_line() {
    let process = Process::of(binary());
    let certificate = ClientCertificate::new();
    let (mut ours, mut floor) = (Duration::MAX, Duration::MAX);
    // As often as it takes on a machine that does other things, within reason.
    for round in 1..=200 {
        let (took, started) = timed(process.start_for(certificate.clone())).await;
        ours = ours.min(took);
        drop(started);
        let line = async { tokio::process::Command::new("/bin/echo").arg("a").output().await };
        floor = floor.min(timed(line).await.0);
        if round >= 20 && ours <= floor * START {
            break;
        }
    }
    figure(&format!("release, start: {ours:?} beside {floor:?}"));
    assert!(ours <= floor * START, "{ours:?}, wanted at most {START} times {floor:?}");
}

async fn timed<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let begun = Instant::now();
    let made = work.await;
    (begun.elapsed(), made)
}

#[test]
fn it_needs_no_library_of_the_system() {
    /// Of a program header: the loader, and the list of libraries.
    const INTERPRETER: u32 = 3;
    const DYNAMIC: u32 = 2;
    /// In that list: a library that is needed.
    const NEEDED: u64 = 1;
    let file = std::fs::read(binary()).unwrap();
    assert_eq!(file[..5], *b"\x7fELF\x02", "64 bits");
    let number = |at: usize, bytes: usize| {
        file[at..at + bytes].iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte))
    };
    let at = |at| usize::try_from(number(at, 8)).unwrap();
    let (headers, size, count) = (at(0x20), number(0x36, 2), number(0x38, 2));
    assert!(count > 0);
    for header in (0..count).map(|index| headers + usize::try_from(index * size).unwrap()) {
        let kind = u32::try_from(number(header, 4)).unwrap();
        assert_ne!(kind, INTERPRETER, "it asks for a loader");
        if kind == DYNAMIC {
            let (begin, length) = (at(header + 8), at(header + 32));
            for entry in (begin..begin + length).step_by(16) {
                assert_ne!(number(entry, 8), NEEDED, "it asks for a library");
            }
        }
    }
}

#[test]
fn nothing_of_whoever_built_it_is_in_it() {
    let file = std::fs::read(binary()).unwrap();
    let home = std::env::var("HOME").unwrap();
    let cargo = std::env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    // The folders of this build, and what only the tests' own build can do.
    let places = [env!("CARGO_MANIFEST_DIR"), &cargo, &format!("{home}/.rustup")];
    for text in places.into_iter().chain(["REKEY_CLOCK_OFFSET", "REKEY_LISTEN"]) {
        let found = file.windows(text.len()).filter(|part| *part == text.as_bytes()).count();
        assert_eq!(found, 0, "{text}");
    }
}
