//! The small part of a cluster's Kubernetes that restarts of workloads and credentials in secrets need: an API server
//! behind the cluster's CA that looks at client certificates and tokens, workloads whose rollouts progress by the
//! sandbox's clock, their pods and events, and a store of secrets and other objects that can be made and watched.
//! No container runs, and no schema is validated; for a real control plane, see tests/kubernetes.

mod access;
mod answer;
mod body;
mod cluster;
mod discovery;
mod fields;
mod inside;
mod kinds;
mod objects;
mod progress;
mod refuse;
mod server;
mod site;
mod state;
mod store;
mod tls;
mod views;
mod wanted;
mod watch;

pub(crate) use access::Grant;
pub(crate) use cluster::Kubernetes;
pub(crate) use inside::Inside;
pub(crate) use state::Kind;
