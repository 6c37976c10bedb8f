use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use super::*;

/// In /tmp: where cargo builds may be too deep for a socket.
fn base() -> tempfile::TempDir {
    tempfile::tempdir_in("/tmp").unwrap()
}

/// A directory as a process leaves it that was killed a moment ago.
fn left_behind(base: &Path, name: &str) -> PathBuf {
    let path = base.join(name);
    fs::create_dir(&path).unwrap();
    drop(std::os::unix::net::UnixListener::bind(path.join(FILE)).unwrap());
    path
}

fn age(path: &Path) {
    let long_ago = SystemTime::now() - Duration::from_hours(1);
    fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
}

/// Linux gives out no process number as high as this.
const DEAD: &str = "rekey-4194999-0123456789abcdef";

#[tokio::test]
async fn only_this_user_can_enter_and_nothing_stays() {
    let base = base();
    let (dir, listener) = listen(Some(base.path()), "rekey").unwrap();
    let mode = fs::metadata(dir.socket().parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    tokio::net::UnixStream::connect(dir.socket()).await.unwrap();
    drop((listener, dir));
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn two_processes_never_share() {
    let base = base();
    let (one, _one) = listen(Some(base.path()), "rekey").unwrap();
    let (two, _two) = listen(Some(base.path()), "rekey").unwrap();
    assert_ne!(one.socket(), two.socket());
}

#[tokio::test]
async fn the_dead_are_swept_and_nothing_else() {
    let base = base();
    let dead = left_behind(base.path(), DEAD);
    let empty = base.path().join("rekey-4194998-0123456789abcdef");
    fs::create_dir(&empty).unwrap();
    age(&empty);
    let stays = [
        left_behind(base.path(), "rekey-notanumber-0123456789abcdef"),
        left_behind(base.path(), "rekey-4194999-short"),
        left_behind(base.path(), "other-4194999-0123456789abcdef"),
        // Its process lives.
        left_behind(base.path(), &format!("rekey-{}-0123456789abcdef", std::process::id())),
    ];
    // Somebody in another container, whose number means nothing here, listens.
    let elsewhere = base.path().join("rekey-4194997-0123456789abcdef");
    fs::create_dir(&elsewhere).unwrap();
    let _listens = std::os::unix::net::UnixListener::bind(elsewhere.join(FILE)).unwrap();
    age(&elsewhere);
    // Just made, and not listening yet.
    let young = base.path().join("rekey-4194996-0123456789abcdef");
    fs::create_dir(&young).unwrap();
    drop(std::os::unix::net::UnixListener::bind(young.join(UNFINISHED)).unwrap());
    // Killed at that very moment, long ago.
    let unfinished = base.path().join("rekey-4194993-0123456789abcdef");
    fs::create_dir(&unfinished).unwrap();
    drop(std::os::unix::net::UnixListener::bind(unfinished.join(UNFINISHED)).unwrap());
    age(&unfinished);
    // Not ours: something else lies in it.
    let full = left_behind(base.path(), "rekey-4194995-0123456789abcdef");
    fs::write(full.join("precious"), "").unwrap();
    age(&full);
    // Not a directory, but a way to one.
    let link = base.path().join("rekey-4194994-0123456789abcdef");
    std::os::unix::fs::symlink(&stays[0], &link).unwrap();

    let (dir, _listener) = listen(Some(base.path()), "rekey").unwrap();
    dir.sweeper()();
    assert!(!dead.exists() && !empty.exists() && !unfinished.exists());
    assert!(stays.iter().all(|path| path.join(FILE).exists()));
    assert!(elsewhere.join(FILE).exists() && young.exists() && link.exists());
    assert!(full.join("precious").exists());
    assert!(dir.socket().exists());
}

#[tokio::test]
async fn a_directory_that_the_host_chose_and_that_is_too_long_is_named() {
    let base = base();
    let long = base.path().join("x".repeat(100));
    let error = listen(Some(&long), "rekey").unwrap_err().to_string();
    assert!(error.contains("PLUGIN_UNIX_SOCKET_DIR"), "{error}");
    let missing = listen(Some(&base.path().join("no")), "rekey").unwrap_err();
    assert!(missing.to_string().contains("Cannot make a directory"), "{missing}");
}

#[test]
fn names_say_whose_they_are() {
    assert_eq!(process_of(DEAD, "rekey-"), Some(4_194_999));
    for name in
        ["rekey-", "rekey-1", "rekey-1-", "rekey-1-0123456789abcdeg", "rekey--0123456789abcdef"]
    {
        assert_eq!(process_of(name, "rekey-"), None, "{name}");
    }
}
