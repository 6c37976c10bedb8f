//! A cloud that lets only so many requests pass in a minute: everything is issued in the end, and nothing is taken
//! for a fault of a credential. The minute is a second, for the cloud as for the provider.

use std::time::Duration;

use serde_json::json;

use super::Bed;
use crate::host::Host;
use crate::host::process::Process;
use crate::support::limited::Limited;

const RATE: u32 = 60;
const CREDENTIALS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn all_are_issued_and_none_is_revoked() {
    let bed = Bed::start().await;
    let origin = bed.cloud.auth_url().trim_end_matches("/v3").to_owned();
    let limited = Limited::before(&origin, 60, Duration::from_mins(1) / RATE).await;
    let host = Host::new(Process::new().env("REKEY_CLOCK_RATE", RATE.to_string()));
    let mut ws = host.workspace();
    let mut login = bed.login("alice");
    login["openstack"]["auth_url"] = format!("{}/v3", limited.url).into();
    ws.provider(login);
    for number in 0..CREDENTIALS {
        let address = format!("rekey_application_credential.n{number}");
        ws.resource(&address, json!({ "name": format!("limited-{number}"), "roles": ["member"] }));
    }
    ws.up_well().await;
    assert!(limited.refused() > 0, "the limit was met");
    assert_eq!(bed.ids().len(), CREDENTIALS);
    let deleted = bed.effects().into_iter().filter(|kind| kind.starts_with("DELETE")).count();
    assert_eq!(deleted, 0);
}
