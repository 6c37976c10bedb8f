//! The sandbox's OKE, held to Oracle's own clients: the official CLI and SDK work against it unchanged, and what they
//! send is what the provider's own client sends.

mod client;
mod sent;
mod token;

use rekey::cloud::Surroundings;
use rekey::cloud::oci::Session;
use rekey::cloud::oci::config::{Account, Settings, resolve};
use rekey::redaction::SecretString;

use crate::support::oci::Oci;

/// What the provider's client would log in with.
fn account(user: &Oci) -> Account {
    let settings = Settings {
        endpoint: Some(user.endpoint.clone()),
        fingerprint: Some(user.login.fingerprint.clone()),
        private_key: Some(SecretString::from(user.login.private_key)),
        region: Some(user.login.region.to_owned()),
        tenancy_ocid: Some(user.login.tenancy.clone()),
        user_ocid: Some(user.login.user.clone()),
        ..Settings::default()
    };
    resolve(&settings, &Surroundings::default()).unwrap()
}

fn session(user: &Oci) -> Session {
    Session::new(account(user))
}
