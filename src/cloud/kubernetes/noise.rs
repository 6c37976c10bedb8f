//! The ways in for the fuzzer: see `crate::fuzz`.

use super::{exec, kubeconfig as file};

/// A kubeconfig.
pub(crate) fn kubeconfig(text: &str) {
    let _ = file::parse(text);
}

/// What a credential plugin prints.
pub(crate) fn plugin_output(data: &[u8]) {
    for version in ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] {
        let _ = exec::read(data, version);
    }
}
