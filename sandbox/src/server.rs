//! The port: accepts, logs every call, lets faults strike, and hands the rest to the clouds.
//! Runs on a thread of its own, so that a test may block its own runtime while a child process
//! talks to the sandbox.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use jiff::fmt::rfc2822::DateTimePrinter;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::server::TlsStream;

use crate::calls::{Call, Ticket};
use crate::fault::Fault;
use crate::http::Reply;
use crate::world::{World, locked};
use crate::{control, keystone, magnum, oke};

/// Every answer carries it; operators ask for it.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");

/// Serves on loopback until the returned sender is used or dropped.
pub(crate) fn spawn(
    port: u16,
    ready: oneshot::Sender<io::Result<(SocketAddr, Arc<World>)>>,
    world: impl FnOnce(SocketAddr) -> World + Send + 'static,
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
                    let world = Arc::new(world(address));
                    let app = app(Arc::clone(&world)).into_make_service_with_connect_info::<Line>();
                    drop(ready.send(Ok((address, world))));
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

fn app(world: Arc<World>) -> Router {
    // One line for each cloud.
    let clouds =
        Router::new().merge(keystone::routes()).merge(magnum::routes()).merge(oke::routes());
    logged(&world, clouds).merge(control::routes(Arc::clone(&world)).with_state(world))
}

/// With every call in the log, and open to faults.
pub(crate) fn logged(world: &Arc<World>, routes: Router<Arc<World>>) -> Router {
    let layer = middleware::from_fn_with_state(Arc::clone(world), serve_one);
    routes.layer(layer).with_state(Arc::clone(world))
}

/// One call: logged, struck by a fault or served.
async fn serve_one(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let request_id = locked(&world.request_ids).request_id();
    let ticket = enter(&world, &request, &request_id);
    let fault = locked(&world.faults).strike(
        ticket.number,
        request.method().as_str(),
        request.uri().path(),
    );
    if let Some(fault) = &fault {
        locked(&world.calls).update(ticket, |call| call.fault = Some(fault.name()));
    }
    let mut response = if let Some(response) = before(fault.as_ref(), &line).await {
        response
    } else {
        let served = next.run(request).await;
        after(fault.as_ref(), &line, served).await
    };
    leave(&world, ticket, &request_id, &line, &mut response);
    response
}

fn enter(world: &World, request: &Request, request_id: &str) -> Ticket {
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>();
    let token = request.headers().get("x-auth-token").and_then(|value| value.to_str().ok());
    let user = token.and_then(|token| world.keystone().user_name_of_token(token));
    let signed = request.headers().get(header::AUTHORIZATION).and_then(|text| text.to_str().ok());
    let user = user.or_else(|| signed.and_then(|header| world.oke().signer(header)));
    let length = request.headers().get(header::CONTENT_LENGTH);
    locked(&world.calls).begin(Call {
        number: 0,
        method: request.method().to_string(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        route: route.map_or(path.as_str(), MatchedPath::as_str).trim_end_matches('/').to_owned(),
        path,
        user,
        status: None,
        request_id: request_id.to_owned(),
        fault: None,
        bytes_in: length.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or_default(),
        bytes_out: 0,
    })
}

fn leave(world: &World, ticket: Ticket, request_id: &str, line: &Line, response: &mut Response) {
    // Where the service did not come to answer by itself, nobody writes it.
    let extensions = response.extensions();
    let foreign = extensions.get::<Page>().is_some() || extensions.get::<Foreign>().is_some();
    let crashed = response.status().is_server_error() && extensions.get::<ByItself>().is_none();
    if !foreign
        && !crashed
        && let Ok(value) = HeaderValue::from_str(request_id)
    {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&world.clock.now())
        && let Ok(value) = HeaderValue::from_str(&date)
    {
        response.headers_mut().insert(header::DATE, value);
    }
    let issued = response.headers().get("x-subject-token").and_then(|value| value.to_str().ok());
    let user = issued.and_then(|token| world.keystone().user_name_of_token(token));
    let status = (!line.is_cut()).then(|| response.status().as_u16());
    let bytes = axum::body::HttpBody::size_hint(response.body()).exact().unwrap_or_default();
    locked(&world.calls).update(ticket, |call| {
        call.user = call.user.take().or(user);
        call.status = status;
        call.bytes_out = if status.is_some() { bytes } else { 0 };
    });
}

/// The faults that strike before anything is done.
async fn before(fault: Option<&Fault>, line: &Line) -> Option<Response> {
    match fault? {
        Fault::HtmlGarbage => Some(page(StatusCode::OK, "Please log in to the guest network")),
        Fault::InternalError => {
            Some(page(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
        }
        Fault::NotFound => Some(page(StatusCode::NOT_FOUND, "404 Not Found")),
        Fault::ServiceUnavailable { retry_after } => {
            Some(later(StatusCode::SERVICE_UNAVAILABLE, *retry_after))
        }
        Fault::TooManyRequests { retry_after } => {
            Some(later(StatusCode::TOO_MANY_REQUESTS, *retry_after))
        }
        Fault::ResetBefore => {
            line.cut();
            Some(Response::default())
        }
        Fault::Slow { milliseconds } => {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
            None
        }
        Fault::Timeout => std::future::pending().await,
        Fault::ResetAfterCommit
        | Fault::ResetAfterHalfTheBody
        | Fault::TimeoutAfterCommit
        | Fault::TruncatedJson => None,
    }
}

/// The faults that strike once the work is done.
async fn after(fault: Option<&Fault>, line: &Line, served: Response) -> Response {
    match fault {
        Some(Fault::ResetAfterCommit) => {
            line.cut();
            served
        }
        Some(Fault::TimeoutAfterCommit) => std::future::pending().await,
        Some(Fault::TruncatedJson) => {
            let (mut head, text) = taken_apart(served).await;
            head.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(head, Body::from(text.slice(..text.len() / 2)))
        }
        Some(Fault::ResetAfterHalfTheBody) => {
            let (head, text) = taken_apart(served).await;
            line.cut_after_body_bytes(text.len() / 2);
            Response::from_parts(head, Body::from(text))
        }
        _ => served,
    }
}

async fn taken_apart(response: Response) -> (axum::http::response::Parts, axum::body::Bytes) {
    let (head, body) = response.into_parts();
    (head, to_bytes(body, usize::MAX).await.unwrap_or_default())
}

/// Marks an answer that the service gave by itself, whatever its status.
#[derive(Clone, Copy)]
pub(crate) struct ByItself;

/// Marks an answer of a service that is not `OpenStack`'s and knows no request ids.
#[derive(Clone, Copy)]
pub(crate) struct Foreign;

/// Marks what a proxy in front of the service would answer.
#[derive(Clone, Copy)]
struct Page;

fn page(status: StatusCode, title: &str) -> Response {
    let mut response = Reply::html(
        status,
        format!(
            "<html>\n  <head>\n    <title>{title}</title>\n  </head>\n  <body>\n    \
             <h1><p>{title}</p></h1>\n    \n  </body>\n</html>\n"
        ),
    )
    .into_response();
    response.extensions_mut().insert(Page);
    response
}

fn later(status: StatusCode, retry_after: Option<u64>) -> Response {
    let mut response = page(status, status.canonical_reason().unwrap_or_default());
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
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
        (Wire { stream: Stream::Plain(stream), line: Line::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// What a call knows of the connection it came on.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    cut: Arc<AtomicBool>,
    /// Once set, so many bytes of the next answer's body pass before the line is cut.
    body_bytes_left: Arc<Mutex<Option<usize>>>,
    /// The certificates that the client showed.
    chain: Arc<[CertificateDer<'static>]>,
}

impl Default for Line {
    fn default() -> Self {
        Self { cut: Arc::default(), body_bytes_left: Arc::default(), chain: Arc::new([]) }
    }
}

impl Line {
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// From now on nothing is read or written any more, and the connection is reset.
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    fn cut_after_body_bytes(&self, bytes: usize) {
        *locked(&self.body_bytes_left) = Some(bytes);
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// How much of a message that begins so may pass.
    fn allowance(&self, message: &[u8]) -> Option<usize> {
        let bytes = locked(&self.body_bytes_left).take()?;
        let head = message.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        Some((head + bytes).min(message.len()))
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().line.clone()
    }
}

/// A connection that ends in a reset (RST, not an orderly end) once its line is cut.
pub(crate) struct Wire {
    stream: Stream,
    line: Line,
}

enum Stream {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// Under TLS, with the certificates that the client showed.
    pub(crate) fn secured(
        stream: TlsStream<TcpStream>,
        chain: Vec<CertificateDer<'static>>,
    ) -> Self {
        let line = Line { chain: chain.into(), ..Line::default() };
        Self { stream: Stream::Secured(Box::new(stream)), line }
    }

    pub(crate) fn line(&self) -> Line {
        self.line.clone()
    }

    fn check(&self) -> io::Result<()> {
        if self.line.is_cut() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.is_cut() {
            // Without it the peer would see an orderly end.
            let _ = match &self.stream {
                Stream::Plain(stream) => stream.set_zero_linger(),
                Stream::Secured(stream) => stream.get_ref().0.set_zero_linger(),
            };
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Secured(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let allowance = self.line.allowance(bytes);
        let bytes = &bytes[..allowance.unwrap_or(bytes.len())];
        let written = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Secured(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        if allowance.is_some() {
            // Under TLS what was written may not have left yet.
            if let Stream::Secured(stream) = &mut self.stream {
                let _ = Pin::new(stream).poll_flush(context);
            }
            self.line.cut();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Secured(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.line.is_cut() {
            return Poll::Ready(Ok(()));
        }
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Secured(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
