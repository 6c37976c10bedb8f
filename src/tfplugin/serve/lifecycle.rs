//! The process's life: what ends it, and how long it takes over what is still in flight.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::connection;
use super::system::Listener;
use crate::tfplugin::server::{Registry, Server};

/// A host kills two seconds after Shutdown.
const AFTER_SHUTDOWN: Duration = Duration::from_secs(1);
/// Whoever sends a signal waits longer than that before it kills; an effect in flight may need it.
const AFTER_SIGNAL: Duration = Duration::from_secs(30);
/// For the last answers to leave.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// Serves until a host says Shutdown, or `ended` comes back, which is given the number of open
/// connections to watch.
pub(super) async fn serve(
    registry: Registry,
    listener: Listener,
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

#[cfg(test)]
mod tests;
