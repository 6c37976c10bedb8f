//! The generated messages, services and clients of `proto/`. Not for anything written by hand.

// Generated code keeps its own style.
#![allow(
    clippy::all,
    clippy::pedantic,
    missing_debug_implementations,
    unreachable_pub,
    rustdoc::all
)]

/// The provider protocol itself.
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// go-plugin's own services: controller, stdio, broker.
pub mod plugin {
    tonic::include_proto!("plugin");
}

/// gRPC's health service.
pub mod health {
    tonic::include_proto!("grpc.health.v1");
}
