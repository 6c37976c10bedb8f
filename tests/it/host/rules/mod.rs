//! Core's own rules as pure functions over values and schemas. Where they come from: Terraform's
//! `objchange` package and resource nodes, written anew.

mod compatible;
mod hygiene;
mod paths;
mod plan_valid;
mod proposed;

#[cfg(test)]
mod tests;

pub use compatible::object_compatible;
pub use hygiene::{Secrets, diagnostic_faults, write_only_faults};
pub use paths::{Step, apply_path, path_exists, show_path, steps};
pub use plan_valid::plan_valid;
pub use proposed::{proposed_new, unread_data};

/// What tells an object's prior state apart from nothing, for [`proposed_new`] and [`plan_valid`].
use super::value::Val;

/// Whether a change between two values is certain or possible: core compares with unknowns in mind.
pub fn differs(a: &Val, b: &Val) -> bool {
    !a.is_wholly_known() || !b.is_wholly_known() || a != b
}
