//! What a plan says of the provider's own configuration: once for each walk, whatever it has to do.

use std::collections::BTreeMap;

use rekey::cloud::Surroundings;
use rekey::provider;
use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{Host, InProcess};

const CONFIGURE: &str = "ConfigureProvider";

/// A host whose provider finds these variables and this clouds.yaml around it.
fn surrounded(variables: &[(&str, &str)], clouds: &Json) -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("clouds.yaml"), clouds.to_string()).unwrap();
    let text = |text: &&str| (*text).to_owned();
    let surroundings = Surroundings {
        environment: variables
            .iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect::<BTreeMap<_, _>>(),
        current_dir: folder.path().to_owned(),
        ..Surroundings::default()
    };
    (Host::new(InProcess(move || provider::registry_in(surroundings.clone()))), folder)
}

fn cloud(bed: &Bed, more: &Json) -> Json {
    let account = bed.cloud.user("alice");
    let mut cloud = json!({ "region_name": "RegionOne", "auth": {
        "auth_url": bed.cloud.auth_url(),
        "username": account.name,
        "password": account.password,
        "user_domain_name": "Default",
        "project_name": "demo",
        "project_domain_name": "Default",
    } });
    for (name, value) in more.as_object().unwrap() {
        cloud[name] = value.clone();
    }
    json!({ "clouds": { "test": cloud } })
}

#[tokio::test]
async fn what_is_doubtful_in_clouds_yaml_and_the_environment_is_said_once_in_a_plan() {
    for (variables, more, summary, names) in [
        (vec![], json!({ "verify": false }), "Certificates are not verified", "verify"),
        (
            vec![("OS_INSECURE", "1")],
            json!({ "insecure": true }),
            "Certificates are not verified",
            "OS_INSECURE",
        ),
        (vec![], json!({ "profile": "vendor" }), "A profile is not used", "\"vendor\""),
    ] {
        let bed = Bed::start().await;
        let (host, _folder) = surrounded(&variables, &cloud(&bed, &more));
        let mut ws = host.workspace();
        ws.provider(json!({ "openstack": { "cloud": "test" } }));
        for name in ["one", "two"] {
            let address = format!("rekey_application_credential.{name}");
            ws.resource(&address, json!({ "name": name, "roles": ["member"] }));
        }
        let plan = ws.plan().await;
        let told = plan.told.only(summary);
        assert_eq!((told.call, told.error), (CONFIGURE, false));
        assert!(told.detail.contains(names), "{told:?}");
        ws.apply(&plan).await.told.assert_success();
        assert_eq!(bed.ids().len(), 2);
    }
}

#[tokio::test]
async fn variables_that_log_in_insecurely_are_told_as_well() {
    let bed = Bed::start().await;
    let account = bed.cloud.user("alice");
    let auth_url = bed.cloud.auth_url();
    let variables = [
        ("OS_AUTH_URL", auth_url.as_str()),
        ("OS_USERNAME", &account.name),
        ("OS_PASSWORD", &account.password),
        ("OS_USER_DOMAIN_NAME", "Default"),
        ("OS_PROJECT_NAME", "demo"),
        ("OS_PROJECT_DOMAIN_NAME", "Default"),
        ("OS_INSECURE", "true"),
    ];
    let (host, _folder) = surrounded(&variables, &json!({}));
    let mut ws = host.workspace();
    ws.provider(json!({})).resource(CI, json!({ "name": "ci", "roles": ["member"] }));
    assert_eq!(ws.plan().await.told.only("Certificates are not verified").call, CONFIGURE);
}

#[tokio::test]
async fn a_configuration_without_openstack_hears_nothing_of_it() {
    let (host, _folder) = surrounded(&[("OS_INSECURE", "1")], &json!({}));
    let mut ws = host.workspace();
    ws.provider(json!({}));
    ws.plan().await.told.assert_silent();
}
