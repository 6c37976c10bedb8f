//! A stand-in for `OpenShift`'s Cloud Credential Operator. It works against any Kubernetes API: a real control plane
//! with `OpenShift`'s kinds of objects, or a cluster of this sandbox. What it does, in which order and with which words
//! is what the operator itself was seen to do (its commit b187feee, run against a real API server): its virtues, and
//! its faults too, since those are what a rotation has to cope with.
//!
//! Two loops beside each other, which race as the real ones do: the annotator judges the root secret, and the
//! controller takes one `CredentialsRequest` after the other. A third sums up in the `ClusterOperator`. Nothing here is
//! a cloud: keys are kept in a [`Cloud`] that only knows which of them live. Beside them, and not a part of that
//! operator: as much of the one of the kube controller manager as a forced redeployment needs.
//!
//! Not here: releases before 4.22, metrics, the pod identity webhook, short-term credentials of Azure and GCP, clean-up
//! of what Azure's abandoned mint mode left behind.

mod annotator;
mod api;
mod cloud;
mod cluster;
mod conditions;
mod install;
mod mint;
mod mode;
mod names;
mod openstack;
mod operator;
mod passthrough;
mod platform;
mod queue;
mod reconcile;
mod redeployment;
mod secrets;
mod shared;
mod sts;
mod summary;
mod time;
mod triggers;
mod work;

pub use api::{Api, Change, Refused};
pub use cloud::{AccessKey, Cloud, Rights};
pub use cluster::ClusterHandle;
pub(crate) use cluster::create;
pub use install::{Contents, component, install, request};
pub use names::{MODE, NAMESPACE, REQUEST, ROOT_NAMESPACE};
pub use operator::Operator;
pub use platform::Platform;
pub use sts::Sts;
