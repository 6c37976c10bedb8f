//! What can be said about a configured value without asking anybody. Unknown and null always pass,
//! but for null in a required argument: core checks that it is written, and its type, nothing more.

mod relation;
pub mod rules;
mod single;
mod walk;

pub use super::schema::Validator;
pub use walk::check;

#[cfg(test)]
mod tests;
