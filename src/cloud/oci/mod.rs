//! Oracle Cloud Infrastructure: `~/.oci/config` and its variables, signed requests, Container Engine (OKE).

mod auth;
mod bearer;
pub mod config;
pub mod container_engine;
mod error;
#[cfg(test)]
mod fixtures;
mod key;
mod regions;
mod retry;
mod session;
mod signer;

pub use bearer::BearerToken;
pub use error::{ApiError, Error};
pub use key::{Key, KeyError};
pub use regions::{Region, Regions};
pub use retry::RetryToken;
pub use session::Session;
pub use signer::Signatory;

pub use crate::cloud::http::Patience;

/// The version of Container Engine's API, as its paths begin.
const VERSION: &str = "/20180222";
