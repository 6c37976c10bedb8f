//! A plain, typed client of Kubernetes' API: the verbs on any path, and what the rotation of a cluster's credentials needs
//! beside them: workloads restarted and followed, certificates looked at, a client's key and signing request made.
//!
//! A client of the house's one transport, as every cloud's is. Not for manifests, and no cache of anything.

// From below to above: each file uses those before it.
mod access;
pub mod certificate;
pub mod identity;
#[cfg(any(test, fuzzing))]
pub(crate) mod noise;
mod objects;
mod path;
mod permission;
mod pod;
mod text;
pub mod workload;

mod kubeconfig;
mod settings;
mod stuck;

mod error;
mod resolve;

mod exec;
mod login;

mod client;

mod api;
mod pods;
mod restart;
mod reviews;
mod served;

mod gather;
mod progress;

mod rollout;

mod restarts;

#[cfg(test)]
mod testing;

pub use access::{Access, AccessError, Exec, Exposure};
pub use api::Listed;
pub use certificate::{Certificate, Verdict};
pub use client::{Client, Limits};
pub use error::{Error, Refusal, Unreachable};
pub use identity::ClientKey;
pub use permission::Permission;
pub use pod::{Pod, Trouble};
pub use progress::Progress;
pub use restart::{Observed, Restart};
pub use rollout::Rollout;
pub use served::ServedChain;
pub use settings::Settings;
pub use stuck::Stuck;
pub use text::document;
pub use workload::{Kind, Workload};
