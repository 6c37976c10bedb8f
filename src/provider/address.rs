//! Where Terraform and OpenTofu look for this provider. Cargo.toml says it, and nothing else does.

use crate::tfplugin::serve;

/// What a configuration writes as `source`.
pub const ADDRESS: &str = env!("PROVIDER_ADDRESS");

/// The same with its host: one name, or one in each registry.
pub fn full() -> Vec<String> {
    serve::address::full(ADDRESS)
}

#[cfg(test)]
mod tests;
