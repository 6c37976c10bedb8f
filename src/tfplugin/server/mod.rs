//! The gRPC services, turned into calls of the traits.
