//! The end, with a call in flight. The signals themselves are tested on the whole process.

use std::sync::atomic::Ordering;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint};

use super::super::handshake;
use super::super::system::{self, Folder, Place};
use super::*;
use crate::tfplugin::proto::plugin::Empty;
use crate::tfplugin::proto::plugin::grpc_controller_client::GrpcControllerClient;
use crate::tfplugin::proto::plugin::grpc_stdio_client::GrpcStdioClient;
use crate::tfplugin::proto::tfplugin6::provider_client::ProviderClient;
use crate::tfplugin::server::tests::probe::{self, Seen};
use crate::tfplugin::server::tests::slow;

struct Serving {
    _base: tempfile::TempDir,
    _folder: Option<Folder>,
    seen: Arc<Seen>,
    end: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), tonic::transport::Error>>,
    channel: Channel,
}

async fn serving() -> Serving {
    let base = tempfile::tempdir_in("/tmp").unwrap();
    let host = [("PLUGIN_UNIX_SOCKET_DIR", base.path().to_str().unwrap())];
    let host = handshake::tests::host(&host).unwrap();
    let Place { listener, address: socket, folder, .. } = system::listen(&host, "rekey").unwrap();
    let seen = Arc::new(Seen::default());
    let (end, ended) = oneshot::channel();
    let registry = probe::registry(&seen);
    let task = tokio::spawn(serve(registry, listener, None, async |_open| drop(ended.await)));
    let connector = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    let channel = endpoint.connect_with_connector(connector).await.unwrap();
    // As every host: this stream stays open to the end.
    let mut stdio = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.unwrap();
    tokio::spawn(async move { stdio.get_mut().message().await.map(drop) });
    Serving { _base: base, _folder: folder, seen, end, task, channel }
}

impl Serving {
    /// Begins an apply that waits, and comes back when it does.
    async fn begin(&self) -> tokio::task::JoinHandle<Result<bool, tonic::Status>> {
        let mut provider = ProviderClient::new(self.channel.clone());
        let call = tokio::spawn(async move {
            let made = provider.apply_resource_change(slow()).await?.into_inner();
            Ok(made.new_state.is_some() && made.diagnostics.is_empty())
        });
        self.seen.waiting.notified().await;
        call
    }
}

#[tokio::test]
async fn what_is_in_flight_is_answered_before_the_end() {
    let serving = serving().await;
    let call = serving.begin().await;
    serving.end.send(()).unwrap();
    assert!(call.await.unwrap().unwrap(), "the state arrived");
    serving.task.await.unwrap().unwrap();
    assert_eq!(serving.seen.take(), ["stopped waiting"]);
}

#[tokio::test]
async fn also_when_the_host_says_shutdown() {
    let serving = serving().await;
    let call = serving.begin().await;
    GrpcControllerClient::new(serving.channel.clone()).shutdown(Empty {}).await.unwrap();
    assert!(call.await.unwrap().unwrap(), "the state arrived");
    serving.task.await.unwrap().unwrap();
    assert_eq!(serving.seen.take(), ["stopped waiting"]);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_finished_too() {
    let serving = serving().await;
    let call = serving.begin().await;
    call.abort();
    drop(serving.channel);
    serving.end.send(()).unwrap();
    serving.task.await.unwrap().unwrap();
    assert_eq!(serving.seen.finished.load(Ordering::SeqCst), 1);
}
