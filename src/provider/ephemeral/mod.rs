//! Ephemeral resources: in no state and no plan, ended when the run ends.

pub mod application_credential;
pub mod kubeconfig;
pub mod openstack_token;

pub use application_credential::EphemeralApplicationCredential;
pub use kubeconfig::KubeconfigResource;
pub use openstack_token::OpenstackToken;
