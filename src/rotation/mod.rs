//! Decides: which generation of a credential is due, why, and what to do about it, in which order.
//! Pure: no I/O, no clock of its own, no cloud, no Terraform.

mod period;

pub use period::{Period, PeriodError};
