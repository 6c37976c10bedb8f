//! OpenStack: clouds.yaml and `OS_*`, login, catalog, Keystone.

pub mod config;
mod error;
pub mod keystone;
mod session;

pub use error::{ApiError, Error};
pub use session::{Login, Patience, Reference, Session, Token, TokenCredential};
