//! Talks to clouds: plain typed clients. Knows no Terraform word, decides nothing.

pub mod files;
pub mod http;
pub mod kubernetes;
pub mod oci;
pub mod openshift;
pub mod openstack;
mod surroundings;
mod yaml;

pub use surroundings::Surroundings;

#[cfg(test)]
pub(crate) mod stub;
