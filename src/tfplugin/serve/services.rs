//! The services that a host expects of every plugin beside its own: health, controller, stdio and
//! broker.

use std::pin::Pin;

use tokio_stream::{Once, Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::tfplugin::proto::health::health_check_response::ServingStatus;
use crate::tfplugin::proto::health::health_server::Health;
use crate::tfplugin::proto::health::{HealthCheckRequest, HealthCheckResponse};
use crate::tfplugin::proto::plugin::grpc_broker_server::GrpcBroker;
use crate::tfplugin::proto::plugin::grpc_controller_server::GrpcController;
use crate::tfplugin::proto::plugin::grpc_stdio_server::GrpcStdio;
use crate::tfplugin::proto::plugin::{ConnInfo, Empty, StdioData};

type Reply<T> = Result<Response<T>, Status>;
type Silent<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// All four, which share the end of the process.
#[derive(Clone, Debug)]
pub(super) struct Services {
    pub(super) end: CancellationToken,
}

impl Services {
    /// A stream that says nothing and ends with the process, so that it never holds the end up.
    fn silence<T: Send + 'static>(&self) -> Silent<T> {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let end = self.end.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = end.cancelled() => {}
                () = sender.closed() => {}
            }
        });
        Box::pin(tokio_stream::wrappers::ReceiverStream::new(receiver))
    }
}

#[tonic::async_trait]
impl GrpcController for Services {
    async fn shutdown(&self, _request: Request<Empty>) -> Reply<Empty> {
        self.end.cancel();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for Services {
    type StreamStdioStream = Silent<StdioData>;

    async fn stream_stdio(&self, _request: Request<()>) -> Reply<Self::StreamStdioStream> {
        Ok(Response::new(self.silence()))
    }
}

#[tonic::async_trait]
impl GrpcBroker for Services {
    type StartStreamStream = Silent<ConnInfo>;

    // Providers offer no further connections, and hosts of providers ask for none.
    async fn start_stream(
        &self,
        _request: Request<Streaming<ConnInfo>>,
    ) -> Reply<Self::StartStreamStream> {
        Ok(Response::new(self.silence()))
    }
}

#[tonic::async_trait]
impl Health for Services {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Reply<HealthCheckResponse> {
        match status_of(&request.into_inner().service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("no such service")),
            status => Ok(Response::new(HealthCheckResponse { status: status.into() })),
        }
    }

    type WatchStream = Silent<HealthCheckResponse>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Reply<Self::WatchStream> {
        let status = status_of(&request.into_inner().service).into();
        let now: Once<_> = tokio_stream::once(Ok(HealthCheckResponse { status }));
        Ok(Response::new(Box::pin(now.chain(self.silence()))))
    }
}

/// Whoever is asked is serving: the empty name is the whole process, `plugin` is go-plugin's.
fn status_of(service: &str) -> ServingStatus {
    match service {
        "" | "plugin" => ServingStatus::Serving,
        _ => ServingStatus::ServiceUnknown,
    }
}
