//! What tests are written with: the tools on this machine, a real Keystone, a Terraform working directory.
//!
//! Nothing here looks at the caller's `OS_*`, home directory or Terraform configuration.

pub(crate) mod canary;
pub(crate) mod consumers;
pub(crate) mod federation;
pub(crate) mod kubernetes;
pub(crate) mod limited;
pub(crate) mod magnum;
pub(crate) mod oci;
pub(crate) mod openshift;
pub(crate) mod openstack;
pub(crate) mod proxy;
pub(crate) mod tee;
pub(crate) mod terraform;
pub(crate) mod tools;
