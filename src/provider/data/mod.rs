//! Data sources: what there is, read in a bounded number of calls.

mod application_credential;
mod application_credentials;

pub use application_credential::OneApplicationCredential;
pub use application_credentials::ApplicationCredentials;
