//! A number without loss: Terraform's numbers have 512 bits of precision.

/// An exact decimal number. Equality is by value: `1.0` equals `1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(String);
