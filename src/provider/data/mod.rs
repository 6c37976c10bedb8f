//! Data sources: what there is, read in a bounded number of calls.

pub mod application_credential;
pub mod application_credentials;
pub mod cluster_credentials;
pub mod credential;

pub use application_credential::OneApplicationCredential;
pub use application_credentials::ApplicationCredentials;
pub use cluster_credentials::ClusterCredentials;
