//! Unix: a socket in a folder of this user's own, signals, and a parent that can be asked for.

mod socket;

use std::io;
use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::super::handshake::Host;
use super::{Listener, Place, PlaceError};

pub(in super::super) use self::socket::Folder;
pub(super) use self::socket::SocketError;

/// How often to look whether the host is still there, while no connection is open.
const LOOK: Duration = Duration::from_secs(1);

pub(super) fn listen(host: &Host, provider: &str) -> Result<Place, PlaceError> {
    #[cfg(serves_tcp)]
    if std::env::var_os("REKEY_LISTEN").is_some_and(|wanted| wanted == "tcp") {
        let (listener, address) = super::tcp::listen(host)?;
        let (listener, address) = (Listener::Tcp(listener), address.to_string());
        return Ok(Place { listener, network: "tcp", address, folder: None });
    }
    Ok(place(socket::listen(host.socket_dir.as_deref(), provider)?))
}

pub(super) fn listen_in_debugger(provider: &str) -> Result<Place, PlaceError> {
    Ok(place(socket::listen(None, provider)?))
}

fn place((folder, listener): (Folder, tokio::net::UnixListener)) -> Place {
    let address = folder.socket().display().to_string();
    let (listener, folder) = (Listener::Unix(listener), Some(folder));
    Place { listener, network: "unix", address, folder }
}

/// What the world outside tells a provider: signals, and whether its host still lives.
#[derive(Debug)]
pub(in super::super) struct Outside {
    host: u32,
    hang_up: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Outside {
    /// From now on no signal kills the process.
    pub(in super::super) fn watch() -> io::Result<Self> {
        Ok(Self {
            // Whoever starts a process and dies at once must be known too.
            host: parent_id(),
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Comes back when the operator ends a process in debug mode.
    pub(in super::super) async fn operator_ends(mut self) {
        self.signalled(true).await;
    }

    /// Comes back when somebody ends a plugin, or its host is gone. Ctrl-C in the host's terminal is
    /// the host's own affair: it says by `StopProvider` what becomes of it.
    pub(in super::super) async fn host_ends(mut self, open: watch::Receiver<usize>) {
        let host = self.host;
        tokio::select! {
            () = self.signalled(false) => {}
            () = orphaned(host, open) => tracing::warn!("the host is gone: ending"),
        }
    }

    /// SIGTERM or SIGHUP, and SIGINT if it counts.
    async fn signalled(&mut self, interrupts_count: bool) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => return,
                _ = self.interrupt.recv() => if interrupts_count { return },
            }
        }
    }
}

/// Comes back when the host died without a word: nobody else would ever end this process.
async fn orphaned(host: u32, mut open: watch::Receiver<usize>) {
    loop {
        if open.wait_for(|count| *count == 0).await.is_err() {
            std::future::pending::<()>().await;
        }
        if parent_id() != host {
            return;
        }
        let _ = timeout(LOOK, open.changed()).await;
    }
}
