//! A plain, typed client of Kubernetes' API for what the rotation of a cluster's credentials needs: its workloads
//! restarted and followed, its certificates looked at, a client's key and signing request made.
//!
//! Over `kube`, with a transport of its own: `kube`'s goes by the process-wide crypto provider, and shows in its
//! errors what credential plugins print. Not for manifests, and no cache of anything.

pub mod access;
pub mod certificate;
mod client;
mod connection;
mod error;
mod exec;
pub mod identity;
mod kubeconfig;
mod objects;
pub mod permissions;
pub mod pods;
pub mod rollout;
pub mod served;
mod settings;
pub mod stuck;
#[cfg(test)]
mod testing;
mod tls;
pub mod workload;

pub use access::{Access, AccessError, Exec};
pub use certificate::{Certificate, Verdict};
pub use client::{Client, Limits};
pub use error::{Error, Refusal, Unreachable};
pub use identity::ClientKey;
pub use permissions::Permission;
pub use rollout::{Progress, Rollout};
pub use served::ServedChain;
pub use settings::Settings;
pub use stuck::Stuck;
pub use workload::{Kind, Observed, Restart, Workload};
