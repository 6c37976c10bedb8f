//! What a cloud sees of a request, and what it answers with. Knows no cloud.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::world::World;

/// One request, read to its end.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// As sent, for links.
    pub(crate) raw_query: Option<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The one instant at which this request is served.
    pub(crate) now: Timestamp,
    params: Vec<(String, String)>,
}

impl Ask {
    /// None that came over a connection: for what is done by hand at that instant.
    pub(crate) fn by_hand(now: Timestamp) -> Self {
        Self {
            method: Method::GET,
            path: String::new(),
            raw_query: None,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            now,
            params: Vec::new(),
        }
    }

    /// A variable part of the path; empty if the route has none of that name.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter's value; the first one if there are several.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S> FromRequest<S> for Ask
where
    Arc<World>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = BytesRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let params = match RawPathParams::from_request_parts(&mut parts, state).await {
            Ok(found) => found.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            Err(_) => Vec::new(),
        };
        let query = Query::try_from_uri(&parts.uri).map(|Query(pairs)| pairs).unwrap_or_default();
        let body = Bytes::from_request(Request::new(body), state).await?;
        Ok(Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            raw_query: parts.uri.query().map(str::to_owned),
            query,
            headers: parts.headers,
            body,
            now: Arc::<World>::from_ref(state).clock.now(),
            params,
        })
    }
}

/// An answer: status, headers, and a body of some kind.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Content,
}

/// What an answer's body holds.
#[derive(Debug)]
pub(crate) enum Content {
    Empty,
    Html(String),
    Json(Vec<u8>),
    /// Of that kind.
    Text(&'static str, String),
}

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Content::Empty }
    }

    pub(crate) fn html(status: StatusCode, page: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: Content::Html(page.into()) }
    }

    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Only maps with keys that are no strings fail here, and no body has such.
        let text = serde_json::to_vec(body).unwrap_or_default();
        Self { status, headers: Vec::new(), body: Content::Json(text) }
    }

    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) fn text(kind: &'static str, text: String) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Content::Text(kind, text) }
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let (kind, body) = match self.body {
            Content::Empty => (None, Body::empty()),
            Content::Html(page) => (Some("text/html"), Body::from(page)),
            Content::Json(text) => (Some("application/json"), Body::from(text)),
            Content::Text(kind, text) => (Some(kind), Body::from(text)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        if let Some(kind) = kind {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Marks an answer that the service gave by itself, whatever its status.
#[derive(Clone, Copy)]
pub(crate) struct ByItself;

/// Marks an answer of a service that is not `OpenStack`'s and knows no request ids.
#[derive(Clone, Copy)]
pub(crate) struct Foreign;
