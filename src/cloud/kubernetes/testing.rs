//! What the tests of this client are written with: servers on loopback that answer what they are told to.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

pub(super) use crate::cloud::http::tls_stub::{Ca, serve_tls};

use super::{Access, Client, Limits, Settings};
use crate::cloud::Surroundings;
use crate::cloud::http::Patience;

/// Short, so that a test that fails does so soon.
pub(super) fn limits(attempts: u32) -> Limits {
    let second = Duration::from_secs(1);
    Limits { connect: second, request: second, attempts }
}

pub(super) fn patience() -> Patience {
    Patience::default()
}

pub(super) fn access(settings: &Settings) -> Access {
    Access::resolve(settings, &Surroundings::default()).unwrap()
}

pub(super) fn host(host: impl Into<String>) -> Settings {
    Settings { host: Some(host.into()), ..Settings::default() }
}

/// A client of a server that answers so, over plain HTTP.
pub(super) async fn client(answers: Router) -> Client {
    Client::with_limits(access(&host(serve(answers).await)), limits(2))
}

/// Where these answers are given.
pub(super) async fn serve(answers: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, answers).await.unwrap() });
    format!("http://{address}")
}

pub(super) use crate::cloud::stub::closed_port;
