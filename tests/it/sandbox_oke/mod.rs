//! The sandbox's OKE, held to Oracle's own client: the official `oci` works against it unchanged.

mod client;
