//! Decides: which generation of a credential is due, why, and what to do about it, in which order.
//! Pure: no I/O, no clock of its own, no cloud, no Terraform.
//!
//! Read asks [`due`] what is due by the policy in the state. What to do about it: for credentials whose generations
//! can be listed and revoked one by one, Plan and Apply ask [`plan()`]; for a cluster's credential, [`course`].

pub mod course;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod histories;
mod period;
mod plan;
mod policy;
mod reason;

pub use period::{Period, PeriodError};
pub use plan::{Desired, State, Step, left_due, plan, remaining};
pub use policy::{Current, Observed, Policy, Previous, due};
pub use reason::{Change, Due, Governor, Moment, Reason, sentence};
