//! The port: accepts connections, and hands them to what is served there. Runs on a thread of its own, so that a test may block
//! its own runtime while a child process talks to the sandbox.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::line::{Line, Wire};

/// Serves on loopback until the returned sender is used or dropped. What is served there, and what else is to be known
/// of it, is made on the server's own runtime, once its address is known.
pub(crate) fn spawn<T: Send + 'static>(
    port: u16,
    ready: oneshot::Sender<io::Result<(SocketAddr, T)>>,
    make: impl FnOnce(SocketAddr) -> (T, Router) + Send + 'static,
) -> io::Result<(oneshot::Sender<()>, std::thread::JoinHandle<()>)> {
    let (stop, stopped) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("rekey-sandbox".into()).spawn(move || {
        runtime.block_on(async {
            let bound = async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
                let address = listener.local_addr()?;
                Ok((listener, address))
            };
            match bound.await {
                Err(error) => drop(ready.send(Err(error))),
                Ok((listener, address)) => {
                    let (known, app) = make(address);
                    let app = app.into_make_service_with_connect_info::<Line>();
                    drop(ready.send(Ok((address, known))));
                    tokio::select! {
                        _ = axum::serve(Door(listener), app) => {}
                        _ = stopped => {}
                    }
                }
            }
        });
        // Whoever still hangs in a fault is let go.
        runtime.shutdown_timeout(Duration::from_millis(100));
    })?;
    Ok((stop, thread))
}

/// The listening socket; every accepted connection can be cut by the call that it carries.
struct Door(TcpListener);

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Answers are single writes; waiting for more only slows a benchmark down.
        let _ = stream.set_nodelay(true);
        (Wire::plain(stream), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().line()
    }
}
