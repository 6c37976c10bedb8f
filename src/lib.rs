//! The provider `rekey`: rotation and life cycle of credentials, declared in HCL.
//!
//! Arrows go one way: `provider` uses `rotation`, `cloud` and `tfplugin`; none of those three knows another.
//! See contributing/architecture.md.

// What `#[derive(Model)]` writes names the crate from outside and from inside.
extern crate self as rekey;

pub mod clock;
pub mod cloud;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod provider;
pub mod redaction;
pub mod rotation;
pub mod tfplugin;
