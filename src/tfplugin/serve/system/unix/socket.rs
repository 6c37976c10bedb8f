//! The unix socket: alone in a directory that only this user can enter, removed at the end. What a killed process left
//! there, the next one of the same user removes.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixListener;

/// The shortest `sun_path` among the systems that are served (macOS), without its final zero.
const LONGEST_PATH: usize = 103;
const FILE: &str = "plugin.sock";
/// The socket's name until somebody listens: what is called `FILE` and answers nobody was left behind.
const UNFINISHED: &str = "unready.sock";
/// How long after its making a directory may be without `FILE`.
const BEING_MADE: Duration = Duration::from_mins(1);

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub(in super::super::super) enum SocketError {
    #[error("Cannot make a directory for the provider's socket in {base}: {source}")]
    Directory { base: String, source: io::Error },
    #[error("Cannot listen on {socket}: {source}")]
    Listen { socket: String, source: io::Error },
    #[error("No random numbers: {0}")]
    Random(getrandom::Error),
    #[error(
        "The path of the provider's socket, {socket}, is longer than the {LONGEST_PATH} bytes that a \
         unix socket's may have. Set {variable} to a shorter directory"
    )]
    TooLong { socket: String, variable: &'static str },
}

/// A directory with a socket. Dropping it removes both.
#[derive(Debug)]
pub(in super::super::super) struct Folder {
    path: PathBuf,
    prefix: String,
}

/// Makes a fresh directory below `base`, or where temporary files live, and listens in it.
pub(super) fn listen(
    base: Option<&Path>,
    provider: &str,
) -> Result<(Folder, UnixListener), SocketError> {
    let prefix = format!("{provider}-");
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(SocketError::Random)?;
    let name = format!("{prefix}{}-{:016x}", std::process::id(), u64::from_ne_bytes(random));
    let path = place(base, &name)?;
    fs::DirBuilder::new().mode(0o700).create(&path).map_err(|source| {
        let base = path.parent().unwrap_or(&path).display().to_string();
        SocketError::Directory { base, source }
    })?;
    let folder = Folder { path, prefix };
    let failed = |source| {
        let socket = folder.socket().display().to_string();
        SocketError::Listen { socket, source }
    };
    let unfinished = folder.path.join(UNFINISHED);
    let listener = UnixListener::bind(&unfinished).map_err(failed)?;
    fs::rename(&unfinished, folder.socket()).map_err(failed)?;
    Ok((folder, listener))
}

impl Folder {
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// What removes, when it is called, what killed processes of the same user left behind beside this one.
    pub(in super::super) fn sweeper(&self) -> impl FnOnce() + Send + use<> {
        let (path, prefix) = (self.path.clone(), self.prefix.clone());
        move || sweep(&path, &prefix)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        clear(&self.path);
    }
}

fn sweep(own_path: &Path, prefix: &str) {
    let (Some(base), Ok(own)) = (own_path.parent(), fs::metadata(own_path)) else { return };
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(process) = name.to_str().and_then(|name| process_of(name, prefix)) else {
            continue;
        };
        // Of the entry itself: a link is not a directory, and never followed.
        let Ok(found) = entry.metadata() else { continue };
        let ours = found.is_dir() && found.uid() == own.uid() && path != own_path;
        if ours && !is_running(process) && is_deserted(&path, &found, &own) {
            clear(&path);
        }
    }
}

/// Only what a provider makes: a directory with anything else in it stays.
fn clear(path: &Path) {
    let _ = fs::remove_file(path.join(FILE));
    let _ = fs::remove_file(path.join(UNFINISHED));
    let _ = fs::remove_dir(path);
}

fn place(base: Option<&Path>, name: &str) -> Result<PathBuf, SocketError> {
    let fits = |path: &Path| path.join(UNFINISHED).as_os_str().len() <= LONGEST_PATH;
    let too_long = |path: &Path, variable| SocketError::TooLong {
        socket: path.join(FILE).display().to_string(),
        variable,
    };
    if let Some(base) = base {
        let path = base.join(name);
        let error = too_long(&path, "PLUGIN_UNIX_SOCKET_DIR");
        return if fits(&path) { Ok(path) } else { Err(error) };
    }
    let wanted = std::env::temp_dir().join(name);
    if fits(&wanted) {
        return Ok(wanted);
    }
    // A long TMPDIR is no reason to fail where a short one is at hand.
    let short = Path::new("/tmp").join(name);
    if Path::new("/tmp").is_dir() && fits(&short) {
        return Ok(short);
    }
    Err(too_long(&wanted, "TMPDIR"))
}

/// The process in a directory's name: `rekey-1234-0123456789abcdef`.
fn process_of(name: &str, prefix: &str) -> Option<u32> {
    let (process, random) = name.strip_prefix(prefix)?.split_once('-')?;
    let is_random = random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
    process.parse().ok().filter(|_| is_random)
}

/// Where there is no `/proc`, the socket alone decides.
fn is_running(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).exists()
}

/// A process in another container has no number here, but it listens, or is just about to.
fn is_deserted(path: &Path, found: &fs::Metadata, own: &fs::Metadata) -> bool {
    match UnixStream::connect(path.join(FILE)).map_err(|error| error.kind()) {
        Err(io::ErrorKind::ConnectionRefused) => true,
        Err(io::ErrorKind::NotFound) => is_abandoned(found, own),
        _ => false,
    }
}

/// Measured from the making of our own directory, which is no later than now.
fn is_abandoned(found: &fs::Metadata, own: &fs::Metadata) -> bool {
    let (Ok(found), Ok(own)) = (found.modified(), own.modified()) else { return false };
    own.duration_since(found).is_ok_and(|age| age >= BEING_MADE)
}

#[cfg(test)]
mod tests;
