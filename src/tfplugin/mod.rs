//! Talks to Terraform and OpenTofu: handshake, transport, values, schema, and the traits that a
//! resource, data source, ephemeral resource or function implements. Knows no cloud.

pub mod context;
pub mod cty;
pub mod diagnostics;
pub mod log;
pub mod model;
pub mod plan_helpers;
pub mod proto;
pub mod schema;
pub mod serve;
pub mod server;
pub mod traits;
pub mod validate;
