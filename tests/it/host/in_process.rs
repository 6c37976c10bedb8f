//! The provider inside the test's own process, over a pipe in memory: the same services, without the
//! handshake. For tests by the thousand.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hyper_util::rt::TokioIo;
use rekey::tfplugin::serve::serve_incoming;
use rekey::tfplugin::server::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;

use super::launch::{Launch, Life, Link};

/// Room in each direction; more than most messages need.
const PIPE: usize = 1 << 20;

/// Makes a provider for each walk.
pub struct InProcess<F>(pub F);

#[async_trait]
impl<F: Fn() -> Registry + Send + Sync + 'static> Launch for InProcess<F> {
    async fn launch(&self) -> Link {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let end = CancellationToken::new();
        // The server would stop accepting, and then stop, at the end of this stream.
        let incoming = tokio_stream::StreamExt::chain(
            tokio_stream::once(Ok::<_, std::io::Error>(theirs)),
            tokio_stream::pending(),
        );
        let serving = tokio::spawn(serve_incoming((self.0)(), incoming, end.clone()));
        let ours = Arc::new(Mutex::new(Some(ours)));
        let connector = tower::service_fn(move |_| {
            let ours = ours.lock().unwrap().take();
            async move {
                ours.map(TokioIo::new).ok_or(std::io::Error::from(std::io::ErrorKind::NotConnected))
            }
        });
        let endpoint = Endpoint::from_static("http://in.process");
        let channel = endpoint.connect_with_connector(connector).await.expect("a pipe connects");
        Link::new(channel, Box::new(Serving { end, serving }))
    }
}

struct Serving {
    end: CancellationToken,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

#[async_trait]
impl Life for Serving {
    async fn end(self: Box<Self>) {
        self.end.cancel();
        self.serving.await.expect("the server does not panic").expect("the pipe holds");
    }
}
