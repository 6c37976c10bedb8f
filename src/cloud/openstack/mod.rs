//! OpenStack: clouds.yaml and `OS_*`, login, catalog, Keystone, Magnum.

mod address;
mod answer;
mod catalog;
mod clock;
pub mod config;
mod error;
mod federated;
#[cfg(test)]
mod fixtures;
pub mod keystone;
pub mod magnum;
mod session;
mod token;

pub use catalog::Catalog;
pub use error::{ApiError, Error, Meaning};
pub use session::{Login, RENEWAL_MARGIN, Session};
pub use token::{Reference, Token, TokenCredential};

pub use crate::cloud::http::Patience;
use config::ConfigError;
