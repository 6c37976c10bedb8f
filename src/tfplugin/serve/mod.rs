//! From exec to the first call: handshake, socket, pinned mutual TLS, signals, the end.

pub mod address;
mod connection;
mod debug;
mod dump;
mod handshake;
mod lifecycle;
mod services;
mod stdout;
mod system;
mod tls;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::{Connected, Router};

use self::handshake::Host;
use self::services::Services;
use self::system::{Outside, Place, PlaceError};
use super::log;
use super::proto::health::health_server::HealthServer;
use super::proto::plugin::grpc_broker_server::GrpcBrokerServer;
use super::proto::plugin::grpc_controller_server::GrpcControllerServer;
use super::proto::plugin::grpc_stdio_server::GrpcStdioServer;
use super::proto::tfplugin6::provider_server::ProviderServer;
use super::server::{Registry, Server, guard};

/// What the binary says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The binary's name: `terraform-provider-rekey`.
    pub name: &'static str,
    pub version: &'static str,
    /// The provider's local name: `rekey`.
    pub provider: &'static str,
    /// Where the command lines look for it, as a configuration's `source` has it.
    pub address: &'static str,
}

/// The whole of `main`: serves until the host is done, and cleans up.
pub fn run(program: &Program, registry: impl FnOnce() -> Registry) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let has = |name: &str| {
        arguments.iter().any(|given| {
            given.to_str().is_some_and(|g| g.trim_start_matches('-') == name && g.starts_with('-'))
        })
    };
    let ended = if has("version") {
        stdout::say(&format!("{} {}", program.name, program.version)).map_err(Failure::from)
    } else if has("debug") {
        in_runtime(program, debug::serve(program, registry))
    } else {
        match Host::read(std::env::var_os::<&'static str>) {
            Ok(host) => {
                dump::forbid();
                in_runtime(program, plugin(program, &host, registry))
            }
            Err(refusal) => Err(refusal.into()),
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::last_words(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Serves connections until `end`, and then until the calls in flight have been answered. For
/// tests, which bring their own connections: no handshake, no TLS, no signals.
pub async fn serve_incoming<S, C, E>(
    registry: Registry,
    incoming: S,
    end: CancellationToken,
) -> Result<(), tonic::transport::Error>
where
    S: Stream<Item = Result<C, E>>,
    C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    router(Server::new(registry), end.clone())
        .serve_with_incoming_shutdown(incoming, end.cancelled_owned())
        .await
}

/// What ends the process before it could serve.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Handshake(#[from] handshake::Refusal),
    #[error("Cannot start: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    #[error("The connection to Terraform broke: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// One thread is enough for a process that waits for clouds, and it starts fastest.
fn in_runtime(
    program: &Program,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    log::install(program.provider);
    guard::install_panic_hook();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(work);
    // A name look-up that nobody waits for any more must not hold the end up.
    runtime.shutdown_background();
    ended
}

/// Longer than any sweep takes that does not hang, and shorter than the patience of a host.
const SWEEP: Duration = Duration::from_millis(500);

async fn plugin(
    program: &Program,
    host: &Host,
    registry: impl FnOnce() -> Registry,
) -> Result<(), Failure> {
    // Before the handshake line: from then on the operator's Ctrl-C reaches this process too.
    let outside = Outside::watch()?;
    let tls = host.certificate.as_deref().map(tls::identity).transpose()?;
    let place = system::listen(host, program.provider)?;
    let certificate = tls.as_ref().map(|tls| tls.certificate.as_ref());
    stdout::say(&host.line(place.network, &place.address, certificate))?;
    tracing::debug!(network = %place.network, address = %place.address, "listening");
    // Beside the first calls, which do not wait for it.
    let sweeping = tokio::task::spawn_blocking(place.sweeper());
    let Place { listener, folder, .. } = place;
    let config = tls.as_ref().map(|tls| tls.config.clone());
    let ended =
        lifecycle::serve(registry(), listener, config, async |open| outside.host_ends(open).await)
            .await;
    // A run can be shorter than its sweep; one that takes long is left to the next.
    let _ = tokio::time::timeout(SWEEP, sweeping).await;
    drop(folder);
    ended.map_err(Failure::from)
}

/// As Terraform's own providers: both ways, and far above what any state has.
const LARGEST_MESSAGE: usize = 256 << 20;

fn router(server: Server, end: CancellationToken) -> Router {
    let services = Services { end };
    tonic::transport::Server::builder()
        .add_service(
            ProviderServer::new(server)
                .max_decoding_message_size(LARGEST_MESSAGE)
                .max_encoding_message_size(LARGEST_MESSAGE),
        )
        .add_service(GrpcControllerServer::new(services.clone()))
        .add_service(GrpcStdioServer::new(services.clone()))
        .add_service(GrpcBrokerServer::new(services.clone()))
        .add_service(HealthServer::new(services))
}

/// A path as a shell's word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
