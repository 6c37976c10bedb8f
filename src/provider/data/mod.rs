//! Data sources: what there is, read in a bounded number of calls.

pub mod application_credential;
pub mod application_credentials;
pub mod cluster_credentials;
pub mod credential;
pub mod openshift_credentials_mode;

pub use application_credential::OneApplicationCredential;
pub use application_credentials::ApplicationCredentials;
pub use cluster_credentials::ClusterCredentials;
pub use openshift_credentials_mode::OpenshiftCredentialsMode;
