//! Stand-in clouds with state, on loopback: for the demo, the tests and the benchmarks.
//!
//! One process, one port, starting in milliseconds. A cloud here keeps real state and answers with
//! the status codes, messages and headers of the real service, so that a client cannot tell the
//! difference by what it is asked to handle; a differential test holds it to that. Beyond what a
//! real cloud offers, its clock can be moved, things can happen behind a client's back, a fault can
//! be injected at any call, and every call is logged.
//!
//! It is not a cloud: nothing is persisted, nothing is encrypted, and only loopback is served.
//!
//! ```
//! # async fn example() {
//! use rekey_sandbox::{Fault, FaultRule, Sandbox};
//!
//! let cloud = Sandbox::start().await;
//! let alice = cloud.user("alice");
//! cloud.inject(FaultRule::new(Fault::ResetAfterCommit).on("POST", "/v3/users/"));
//! // … let a client log in at cloud.auth_url() as alice, with alice.password …
//! cloud.advance(jiff::SignedDuration::from_hours(1));
//! assert_eq!(cloud.count("POST", "/v3/auth/tokens"), 0);
//! # drop(alice);
//! # }
//! ```

mod app;
mod authority;
mod calls;
mod clock;
mod clouds;
mod control;
mod fault;
mod gate;
mod http;
mod ids;
mod keystone;
mod kubernetes;
mod line;
mod magnum;
mod neighbours;
mod oke;
pub mod openshift;
mod sandbox;
mod server;
#[cfg(test)]
mod tests;
mod world;

pub use calls::Call;
pub use fault::{Fault, FaultRule};
pub use keystone::{Account, Event, Named, Seed, UnknownName};
pub use magnum::{ClusterEvent, ClusterSeen, UnknownCluster};
pub use oke::{
    AfterFailure, Bundle, CountsFrom, Etag, ExpiryMoves, NeverRotated, OciLogin, OkeAnswers,
    OkeEvent, OkeSeen, OkeWork, Refusal, Replay, Rule, UnknownOke,
};
pub use sandbox::{Builder, Sandbox};
