//! The tests that need more than one part of the house: the real `terraform` or `tofu`, a real Keystone,
//! the sandbox, the test host. One crate, so that there is one thing to link.
//!
//! Nothing is skipped: a tool that is missing fails the test that needs it and says how to get it.

// A test reads like a story: clippy's taste in how a story is told (pedantic) is for the product.
#![allow(clippy::expect_used, clippy::pedantic, clippy::print_stdout, clippy::unwrap_used)]

mod bed;
mod cloud;
mod examples;
mod functions;
mod golden;
mod host;
mod host_application_credential;
mod host_cluster_rotation;
mod kubernetes;
mod kubernetes_access;
mod openstacksdk;
mod probe;
mod protocol_failures;
mod protocol_others;
mod protocol_process;
mod protocol_resource;
mod protocol_terraform;
mod sandbox;
mod sandbox_magnum;
mod scenarios;
mod support;
mod transport;
