//! What tests are written with: the tools on this machine, a real Keystone, a Terraform working directory.
//!
//! Nothing here looks at the caller's `OS_*`, home directory or Terraform configuration.

#![allow(dead_code)]

pub(crate) mod canary;
<<<<<<< HEAD
pub(crate) mod magnum;
=======
pub(crate) mod kubernetes;
>>>>>>> 262a961 (Test against a real Kubernetes control plane: restarts, stuck rollouts, permissions, a rotated CA)
pub(crate) mod openstack;
pub(crate) mod proxy;
pub(crate) mod terraform;
pub(crate) mod tools;
