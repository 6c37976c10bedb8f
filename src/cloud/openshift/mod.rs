//! OpenShift's Cloud Credential Operator: the objects that it works on, what they say together, and its maintenance
//! procedure as a function of that.
//!
//! Over the Kubernetes client. [`api`] calls and decides nothing; all the other modules are pure: they get what was
//! seen as an argument and never ask. Nothing here creates or replaces a component secret: that is the operator's,
//! and one that it did not write itself it never sees again.

pub mod api;
pub mod clouds_yaml;
pub mod drift;
pub mod health;
pub mod mapping;
pub mod mode;
pub mod name;
pub mod objects;
pub mod permissions;
pub mod platform;
pub mod probe;
pub mod procedure;
pub mod proof;
pub mod refusal;
pub mod root;
pub mod situation;
pub mod sts;
pub mod targets;
#[cfg(test)]
mod testing;
pub mod value;

pub use api::{Client, Error};
pub use mode::Mode;
pub use name::Name;
pub use platform::Platform;
pub use refusal::Refusal;
pub use root::NewRoot;
pub use situation::Situation;
pub use value::{Digest, Salt, Value};
