//! What every call passes: it is entered in the log, struck by a fault or served, and its answer gets the headers that
//! every service gives. Knows no service but by the marks on its answers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::calls::{Call, Ticket};
use crate::fault::Fault;
use crate::http::{ByItself, Foreign, Reply};
use crate::line::Line;
use crate::neighbours::Neighbours;
use crate::world::{World, locked};

/// Every answer of an `OpenStack` service carries it; operators ask for it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");

/// With every call in the log, and open to faults.
pub(crate) fn logged(
    world: &Arc<World>,
    neighbours: Arc<dyn Neighbours>,
    routes: Router,
) -> Router {
    let gate = Gate { world: Arc::clone(world), neighbours };
    routes.layer(middleware::from_fn_with_state(gate, serve_one))
}

/// What it takes to log a call: also who knows the senders.
#[derive(Clone)]
struct Gate {
    world: Arc<World>,
    neighbours: Arc<dyn Neighbours>,
}

/// One call: logged, struck by a fault or served.
async fn serve_one(
    State(gate): State<Gate>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let world = &gate.world;
    let request_id = locked(&world.request_ids).request_id();
    let ticket = enter(&gate, &request, &request_id);
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
    leave(&gate, ticket, &request_id, &line, &mut response);
    response
}

fn enter(gate: &Gate, request: &Request, request_id: &str) -> Ticket {
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>();
    let token = request.headers().get("x-auth-token").and_then(|value| value.to_str().ok());
    let user = token.and_then(|token| gate.neighbours.user_of_token(token));
    let signed = request.headers().get(header::AUTHORIZATION).and_then(|text| text.to_str().ok());
    let user = user.or_else(|| signed.and_then(|header| gate.neighbours.signer(header)));
    let length = request.headers().get(header::CONTENT_LENGTH);
    locked(&gate.world.calls).begin(Call {
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

fn leave(gate: &Gate, ticket: Ticket, request_id: &str, line: &Line, response: &mut Response) {
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
    if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&gate.world.clock.now())
        && let Ok(value) = HeaderValue::from_str(&date)
    {
        response.headers_mut().insert(header::DATE, value);
    }
    let issued = response.headers().get("x-subject-token").and_then(|value| value.to_str().ok());
    let user = issued.and_then(|token| gate.neighbours.user_of_token(token));
    let status = (!line.is_cut()).then(|| response.status().as_u16());
    let bytes = axum::body::HttpBody::size_hint(response.body()).exact().unwrap_or_default();
    locked(&gate.world.calls).update(ticket, |call| {
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
