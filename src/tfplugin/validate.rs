//! What can be said about a configured value without asking anybody. Unknown and null always pass.

/// One rule.
#[derive(Clone, Debug)]
pub enum Validator {
    /// Other attributes of the same object that may not be set beside this one.
    ConflictsWith(&'static [&'static str]),
}
