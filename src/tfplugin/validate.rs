//! What can be said about a configured value without asking anybody. Unknown and null always pass,
//! but for null in a required argument and as an element of a list or set, and for anything in a read-only attribute:
//! core checks that an argument is written, and its type, nothing more.

mod relation;
pub mod rules;
mod single;
mod walk;

pub use super::schema::Validator;
pub use walk::check;

#[cfg(test)]
mod tests;
