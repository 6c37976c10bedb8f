//! The provider `rekey`: rotation and life cycle of credentials, declared in HCL.
//!
//! Arrows go one way: `provider` uses `rotation`, `cloud` and `tfplugin`; none of those three knows another.
//! See docs/architecture.md.

pub mod clock;
pub mod cloud;
pub mod provider;
pub mod rotation;
pub mod tfplugin;
