//! The process's life: what ends it, and how long it takes over what is still in flight.

use std::io;
use std::os::unix::process::parent_id;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::connection;
use crate::tfplugin::server::{Registry, Server};

/// A host kills two seconds after Shutdown.
const AFTER_SHUTDOWN: Duration = Duration::from_secs(1);
/// Whoever sends a signal waits longer than that before it kills; an effect in flight may need it.
const AFTER_SIGNAL: Duration = Duration::from_secs(30);
/// For the last answers to leave.
const LAST_ANSWERS: Duration = Duration::from_millis(500);
/// How often to look whether the host is still there, while no connection is open.
const LOOK: Duration = Duration::from_secs(1);

/// What the world outside tells a provider: signals, and whether its host still lives.
#[derive(Debug)]
pub(super) struct Outside {
    host: u32,
    hang_up: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Outside {
    /// From now on no signal kills the process.
    pub(super) fn watch() -> io::Result<Self> {
        Ok(Self {
            // Whoever starts a process and dies at once must be known too.
            host: parent_id(),
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Comes back when the operator ends a process in debug mode.
    pub(super) async fn operator_ends(mut self) {
        self.signalled(true).await;
    }

    /// Comes back when somebody ends a plugin, or its host is gone. Ctrl-C in the host's terminal is
    /// the host's own affair: it says by `StopProvider` what becomes of it.
    pub(super) async fn host_ends(mut self, open: watch::Receiver<usize>) {
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

/// Serves until a host says Shutdown, or `ended` comes back, which is given the number of open
/// connections to watch.
pub(super) async fn serve(
    registry: Registry,
    listener: UnixListener,
    tls: Option<Arc<ServerConfig>>,
    ended: impl AsyncFnOnce(watch::Receiver<usize>),
) -> Result<(), tonic::transport::Error> {
    let server = Server::new(registry);
    let calls = server.calls();
    let end = CancellationToken::new();
    let (open, opened) = watch::channel(0);
    let incoming = connection::accept(listener, tls, open);
    let serving = super::router(server, end.clone())
        .serve_with_incoming_shutdown(incoming, end.clone().cancelled_owned());
    tokio::pin!(serving);
    let patience = tokio::select! {
        ended = &mut serving => return ended,
        () = end.cancelled() => AFTER_SHUTDOWN,
        () = ended(opened) => AFTER_SIGNAL,
    };
    end.cancel();
    // Waits end now; an effect in flight is finished, and its answer delivered if anybody listens.
    calls.stop();
    let finishing = timeout(patience, calls.finish());
    tokio::pin!(finishing);
    tokio::select! {
        ended = &mut serving => {
            let _ = finishing.await;
            ended
        }
        _ = &mut finishing => timeout(LAST_ANSWERS, serving).await.unwrap_or(Ok(())),
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

#[cfg(test)]
mod tests;
