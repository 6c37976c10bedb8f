//! Ephemeral resources: in no state and no plan, ended when the run ends.

mod application_credential;
mod openstack_token;

pub use application_credential::EphemeralApplicationCredential;
pub use openstack_token::OpenstackToken;
