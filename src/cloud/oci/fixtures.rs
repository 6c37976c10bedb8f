//! For tests: a throwaway key, and a session against a server that plays Container Engine by a closure.

use std::sync::Arc;
use std::time::Duration;

use crate::redaction::SecretString;
use serde_json::{Value, json};

use super::config::{Account, Login};
use super::{Key, Regions, Session, Signatory};
use crate::cloud::Surroundings;
use crate::cloud::http::{Backoff, Options, Trust};
use crate::cloud::stub::{Reply, Stub};

pub(super) fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

/// The throwaway key in one of its forms.
pub(super) fn pem(name: &str) -> String {
    vectors()["key"][name].as_str().unwrap().to_owned()
}

pub(super) fn signatory(key_id: &str) -> Signatory {
    let key = Arc::new(Key::from_pem(&pem("private_key_pkcs8_pem"), None).unwrap());
    Signatory { key_id: SecretString::from(key_id), key }
}

pub(super) fn account(stub: &Stub, login: Login) -> Account {
    Account {
        whose: "the user ocid1.user.oc1..a".to_owned(),
        endpoint: Some(stub.url("")),
        login,
        region: None,
        regions: Regions::known(&Surroundings::default()).unwrap(),
        trust: Trust::default(),
    }
}

pub(super) fn session_of(account: Account) -> Session {
    let moment = Duration::from_millis(1);
    let backoff = Backoff { attempts: 3, first: moment, longest: moment, ..Backoff::default() };
    let options = Options { backoff, timeout: Duration::from_secs(5), ..Options::default() };
    Session::with_options(account, &options, backoff)
}

/// With a user's key; loses no time between tries, of which there are three.
pub(super) fn session(stub: &Stub) -> Session {
    session_of(account(stub, Login::ApiKey(signatory("t/u/f"))))
}

pub(super) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "code": code, "message": message }))
        .with("opc-request-id", "theirs")
}
