//! Data sources, ephemeral resources, functions.

use serde_json::{Value as Json, json};

use crate::host::{Cli, unknown};
use crate::probe::{self, Mood};

#[tokio::test]
async fn a_data_source_is_read_under_its_login() {
    let (host, _cloud) = probe::host();
    let mut ws = host.workspace();
    ws.resource("probe_thing.a", json!({ "name": "abc" }));
    ws.resource("probe_thing.b", json!({ "name": "xyz" })).up_well().await;
    let read = |config: Json| host.data(json!({ "login": "bob" }), "probe_census", config);
    let all = read(json!({})).await.silent();
    assert_eq!(all, json!({ "prefix": null, "names": ["abc", "xyz"], "asked_by": "bob" }));
    assert_eq!(read(json!({ "prefix": "x" })).await.silent()["names"], json!(["xyz"]));
    let wrong = read(json!({ "prefix": "" })).await;
    assert_eq!(wrong.told.only("Empty prefix").path, "prefix");
}

#[tokio::test]
async fn a_data_source_that_leaves_something_open_is_an_error() {
    let (host, cloud) = probe::host();
    cloud.mood("census", Mood::LeaveUnknown);
    let answer = host.data(json!({}), "probe_census", json!({})).await;
    assert!(answer.told.failed() && answer.value.is_none());
}

#[tokio::test]
async fn an_ephemeral_resource_lives_for_a_run() {
    for cli in [Cli::Terraform11, Cli::Terraform15, Cli::OpenTofu] {
        let (host, cloud) = probe::host();
        let host = host.cli(cli);
        let config = json!({ "user": "carol" });
        let mut session = host.open(json!({}), "probe_pass", config).await.expect("a pass");
        assert_eq!(session.value["pass"], json!("pass-number-1"));
        assert_eq!(cloud.passes().len(), 1);
        assert!(session.renew_at.is_some());
        session.renew().await.assert_silent();
        assert!(session.renew_at.is_some());
        session.close().await.assert_silent();
        assert!(cloud.passes().is_empty(), "{cli:?}");
    }
}

#[tokio::test]
async fn an_ephemeral_resource_that_fails_says_so() {
    let (host, cloud) = probe::host();
    for mood in [Mood::Fail, Mood::LeaveUnknown, Mood::Panic] {
        cloud.mood("open", mood);
        let told = host.open(json!({}), "probe_pass", json!({ "user": "carol" })).await;
        let told = told.err().expect("no pass");
        assert_eq!(told.errors().len(), 1, "{mood:?}: {told:?}");
        assert!(!told.errors()[0].detail.contains("hunter2"));
    }
}

#[tokio::test]
async fn functions_answer_refuse_and_survive_panics() {
    let (host, _cloud) = probe::host();
    assert_eq!(host.function("shout", &[json!("hey")]).await, Ok(json!("HEY")));
    assert_eq!(host.function("shout", &[json!("")]).await, Err("nothing to shout".to_owned()));
    let panicked = host.function("shout", &[json!("panic")]).await.unwrap_err();
    assert!(!panicked.contains("hunter2"), "{panicked}");
    assert_eq!(host.function("shout", &[unknown()]).await, Ok(unknown()));
    assert!(host.function("shout", &[Json::Null]).await.is_err());
    for (value, kind) in [
        (json!("x"), "string"),
        (json!(1.5), "number"),
        (json!([1, "x"]), "tuple"),
        (json!({ "a": null }), "object"),
        (Json::Null, "null"),
    ] {
        assert_eq!(host.function("describe", &[value]).await, Ok(json!(kind)));
    }
}
