//! The sandbox's own controls over HTTP, for those outside the process: `/__sandbox/…`, JSON, guarded
//! by the control token in the header `X-Sandbox-Token`. Not logged, never struck by a fault.
//!
//! - `GET clock`: `{"now": …, "offset_seconds": …}`;
//!   `POST clock` with `{"advance": "PT1H"}` or `{"offset": "P2D"}` moves it.
//! - `POST events` with an [`Event`], a [`ClusterEvent`] or an [`OkeEvent`], such as
//!   `{"event": "disable_user", "user": "alice"}`, lets it happen.
//! - `GET faults` lists the rules in force, `DELETE faults` clears them;
//!   `POST faults` with a [`FaultRule`], such as `{"fault": "timeout"}`, adds one.
//! - `GET calls` shows the log with its counts, `DELETE calls` forgets it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::{SignedDuration, Span};
use serde::Deserialize;
use serde_json::json;

use crate::clouds::Clouds;
use crate::fault::FaultRule;
use crate::http::Reply;
use crate::keystone::{self, Event};
use crate::magnum::{self, ClusterEvent};
use crate::oke::{self, OkeEvent};
use crate::world::{World, locked};

/// Every control's path begins so.
pub(crate) const PREFIX: &str = "/__sandbox";
const TOKEN: &str = "x-sandbox-token";

pub(crate) fn routes(clouds: Clouds) -> Router {
    let controls = Router::new()
        .route("/clock", get(show_clock).post(move_clock))
        .route("/events", post(happen))
        .route("/faults", get(show_faults).post(inject).delete(clear_faults))
        .route("/calls", get(show_calls).delete(forget_calls))
        .layer(middleware::from_fn_with_state(Arc::clone(&clouds.world), guard));
    Router::new().nest(PREFIX, controls).with_state(clouds)
}

async fn guard(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let token = request.headers().get(TOKEN).and_then(|value| value.to_str().ok());
    if token == Some(world.control_token.as_str()) {
        next.run(request).await
    } else {
        let why = "the header X-Sandbox-Token must hold the control token";
        refused(StatusCode::FORBIDDEN, why).into_response()
    }
}

async fn show_clock(State(world): State<Arc<World>>) -> Reply {
    Reply::ok(&json!({
        "now": world.clock.now(),
        "offset_seconds": world.clock.offset().as_secs(),
    }))
}

/// A change of the clock; days have 24 hours.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ClockChange {
    Advance(Span),
    Offset(Span),
}

async fn move_clock(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    match serde_json::from_slice(&body) {
        Ok(ClockChange::Advance(by)) => match seconds(&by) {
            Some(by) => world.clock.advance(by),
            None => return refused(StatusCode::BAD_REQUEST, "years and months have no length"),
        },
        Ok(ClockChange::Offset(to)) => match seconds(&to) {
            Some(to) => world.clock.set_offset(to),
            None => return refused(StatusCode::BAD_REQUEST, "years and months have no length"),
        },
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
    Reply::empty(StatusCode::NO_CONTENT)
}

fn seconds(span: &Span) -> Option<SignedDuration> {
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()
}

async fn happen(
    State(keystone): State<keystone::Site>,
    State(magnum): State<magnum::Site>,
    State(oke): State<oke::Site>,
    body: Bytes,
) -> Reply {
    #[derive(Deserialize)]
    struct Name {
        event: String,
    }
    let named = serde_json::from_slice::<Name>(&body);
    if named.as_ref().is_ok_and(|name| ClusterEvent::is_one(&name.event)) {
        return match serde_json::from_slice::<ClusterEvent>(&body)
            .map(|event| event.happen(&magnum))
        {
            Ok(Ok(())) => Reply::empty(StatusCode::NO_CONTENT),
            Ok(Err(unknown)) => refused(StatusCode::NOT_FOUND, &unknown.to_string()),
            Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
        };
    }
    if named.as_ref().is_ok_and(|name| OkeEvent::is_one(&name.event)) {
        return match serde_json::from_slice::<OkeEvent>(&body).map(|event| event.happen(&oke)) {
            Ok(Ok(())) => Reply::empty(StatusCode::NO_CONTENT),
            Ok(Err(unknown)) => refused(StatusCode::NOT_FOUND, &unknown.to_string()),
            Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
        };
    }
    let event: Event = match serde_json::from_slice(&body) {
        Ok(event) => event,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let now = keystone.world.clock.now();
    match keystone.keystone().apply(&event, now) {
        Ok(()) => Reply::empty(StatusCode::NO_CONTENT),
        Err(unknown) => refused(StatusCode::NOT_FOUND, &unknown.to_string()),
    }
}

async fn show_faults(State(world): State<Arc<World>>) -> Reply {
    Reply::json(StatusCode::OK, &locked(&world.faults).pending())
}

async fn inject(State(world): State<Arc<World>>, body: Bytes) -> Reply {
    match serde_json::from_slice::<FaultRule>(&body) {
        Ok(rule) => {
            locked(&world.faults).inject(rule);
            Reply::empty(StatusCode::NO_CONTENT)
        }
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn clear_faults(State(world): State<Arc<World>>) -> Reply {
    locked(&world.faults).clear();
    Reply::empty(StatusCode::NO_CONTENT)
}

async fn show_calls(State(world): State<Arc<World>>) -> Reply {
    let log = locked(&world.calls);
    let (bytes_in, bytes_out) = log.bytes();
    Reply::ok(&json!({
        "calls": log.all(),
        "counts": log.counts(),
        "total": log.all().len(),
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
    }))
}

async fn forget_calls(State(world): State<Arc<World>>) -> Reply {
    locked(&world.calls).reset();
    Reply::empty(StatusCode::NO_CONTENT)
}

fn refused(status: StatusCode, why: &str) -> Reply {
    Reply::json(status, &json!({ "error": why }))
}
