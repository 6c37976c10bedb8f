//! The tests that need more than one part of the house: the real `terraform` or `tofu`, a real Keystone,
//! the sandbox, the test host. One crate, so that there is one thing to link.
//!
//! Nothing is skipped: a tool that is missing fails the test that needs it and says how to get it.

#![allow(clippy::expect_used, clippy::print_stdout, clippy::unwrap_used)]
// Allowed, each for a reason:
// a constant stands where the story needs it
#![allow(clippy::items_after_statements)]
// what `json!` makes is handed over where it is written
#![allow(clippy::needless_pass_by_value)]
// what belongs to a walk of the host is a method of it
#![allow(clippy::unused_self)]

mod bed;
mod cloud;
mod examples;
mod federation;
mod functions;
mod golden;
mod host;
mod host_application_credential;
mod host_cluster_rotation;
mod host_oke;
mod host_openshift;
mod kubernetes;
mod kubernetes_access;
mod openstacksdk;
mod probe;
mod protocol_compared;
mod protocol_failures;
mod protocol_others;
mod protocol_process;
mod protocol_resource;
mod protocol_terraform;
mod release;
mod sandbox;
mod sandbox_magnum;
mod sandbox_oke;
mod sandbox_openshift;
mod scenarios;
mod scenarios_handover;
mod scenarios_magnum;
mod scenarios_oke;
mod scenarios_openshift;
mod scenarios_pipeline;
mod support;
mod transport;
mod transport_tcp;
