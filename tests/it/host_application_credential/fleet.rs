//! The data sources: the application credentials of a user, filtered, in one login and one call.

use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use super::{Bed, CI};

const MANY: &str = "rekey_application_credentials";
const ONE: &str = "rekey_application_credential";

/// `ci-…` without an end, `soon` for ten days, and `elsewhere` on another project.
async fn fleet(bed: &Bed) {
    let mut ws = bed.workspace(json!({ "name_prefix": "ci-", "roles": ["member"] }));
    ws.resource(
        "rekey_application_credential.soon",
        json!({ "name": "soon", "expires_in": "P10D" }),
    );
    ws.up_well().await;
    let mut other = bed.host.workspace();
    other.provider(bed.login_on("alice", "other"));
    other.resource(CI, json!({ "name": "elsewhere", "expires_in": "P40D" })).up_well().await;
}

async fn read(bed: &Bed, login: Json, source: &str, config: Json) -> Json {
    let read = bed.host.data(login, source, config).await;
    read.told.assert_silent();
    read.value.expect("an answer")
}

async fn names(bed: &Bed, login: &str, config: Json) -> Vec<String> {
    let read = read(bed, bed.login(login), MANY, config).await;
    let found = read["credentials"].as_array().unwrap().iter();
    found.map(|it| it["name"].as_str().unwrap().split('-').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_fleet_is_filtered_by_whatever_is_asked() {
    let bed = Bed::start().await;
    fleet(&bed).await;
    let other = bed.cloud.project("other").id;
    for (config, expected) in [
        (json!({}), vec!["ci", "elsewhere", "soon"]),
        (json!({ "name": "soon" }), vec!["soon"]),
        (json!({ "name": "so" }), vec![]),
        (json!({ "name_prefix": "so" }), vec!["soon"]),
        (json!({ "project_id": other }), vec!["elsewhere"]),
        (json!({ "expires_within": "P14D" }), vec!["soon"]),
        (json!({ "expires_within": "P60D" }), vec!["elsewhere", "soon"]),
        (json!({ "expires_within": "P60D", "project_id": other }), vec!["elsewhere"]),
    ] {
        assert_eq!(names(&bed, "alice", config.clone()).await, expected, "{config}");
    }
    bed.cloud.reset_calls();
    let all = names(&bed, "alice", json!({})).await;
    assert_eq!((all.len(), bed.cloud.calls().len()), (3, 2), "a login and a list");
    // Expired ones are listed, with days that are over.
    bed.pass(SignedDuration::from_hours(24 * 12 + 12));
    let found = read(&bed, bed.login("alice"), MANY, json!({ "name": "soon" })).await;
    let soon = &found["credentials"][0];
    assert_eq!(soon["days_left"], json!(-3), "{soon}");
    assert_eq!(names(&bed, "alice", json!({ "expires_within": "P1D" })).await, ["soon"]);
}

#[tokio::test]
async fn the_fleet_of_another_user_is_for_administrators() {
    let bed = Bed::start().await;
    fleet(&bed).await;
    let alice = bed.cloud.user("alice").id;
    let asked = json!({ "user_id": alice });
    let admin = bed.login_on("admin", "admin");
    let found = read(&bed, admin, MANY, asked.clone()).await;
    assert_eq!(found["credentials"].as_array().unwrap().len(), 3);
    let told = bed.host.data(bed.login("bob"), MANY, asked).await.told;
    let error = told.only("Cannot read application credentials");
    assert!(error.error && error.path == "user_id", "{error:?}");
    assert!(error.detail.contains("administrator"), "{error:?}");
}

#[tokio::test]
async fn one_is_found_by_name_or_id_with_everything_but_its_secret() {
    let bed = Bed::start().await;
    fleet(&bed).await;
    bed.pass(SignedDuration::from_hours(1));
    let by_name = read(&bed, bed.login("alice"), ONE, json!({ "name": "elsewhere" })).await;
    assert_eq!(by_name["project_id"], json!(bed.cloud.project("other").id));
    assert_eq!(by_name["days_left"], json!(39));
    assert!(by_name.get("secret").is_none());
    let id = by_name["id"].clone();
    let by_id = read(&bed, bed.login("alice"), ONE, json!({ "id": id })).await;
    assert_eq!(by_id, by_name);
    let none = bed.host.data(bed.login("alice"), ONE, json!({ "name": "nobody" })).await.told;
    assert!(none.only("No such application credential").detail.contains("nobody"));
}
