//! An identity provider before the real Keystone: an issuer that signs, the front that checks, and in Keystone
//! what believes them. `tests/openstack/federation.py` plays the first two.

use std::process::Stdio;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::openstack::{Keystone, http_client, unique};

/// Lives as long as this value.
#[derive(Debug)]
pub(crate) struct Federation {
    pub(crate) facts: Facts,
    /// The identity provider's name in Keystone.
    pub(crate) provider: String,
    /// Where whoever is believed is a `member`.
    pub(crate) project: String,
    /// The id of the domain of its users and its project.
    pub(crate) domain: String,
    _process: Child,
}

/// What the script says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Facts {
    /// Keystone, behind the front.
    pub(crate) auth_url: String,
    pub(crate) issuer: String,
    pub(crate) clients: std::collections::BTreeMap<String, Option<String>>,
    pub(crate) users: std::collections::BTreeMap<String, String>,
}

/// The one federation protocol that a Keystone has without further configuration.
pub(crate) const PROTOCOL: &str = "mapped";

impl Federation {
    pub(crate) async fn start(keystone: &Keystone) -> Self {
        let mut process = Command::new(Keystone::python())
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openstack/federation.py"))
            .arg(&keystone.auth_url)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("one line of facts");
        let facts: Facts = serde_json::from_str(&line).unwrap();
        let (provider, project) = (unique("provider"), unique("project"));
        // Of one domain's users each has one identity provider, and those of an earlier run are there still.
        let new = json!({ "domain": { "name": unique("domain") } });
        let domain = keystone.send(Method::POST, "/domains", Some(new)).await;
        let domain = domain["domain"]["id"].as_str().unwrap().to_owned();
        let put = async |path: String, body: Value| {
            keystone.send(Method::PUT, &path, Some(body)).await;
        };
        let new = json!({ "project": { "name": project, "domain_id": domain } });
        keystone.send(Method::POST, "/projects", Some(new)).await;
        let believed =
            json!({ "enabled": true, "domain_id": domain, "remote_ids": [facts.issuer] });
        let place = format!("/OS-FEDERATION/identity_providers/{provider}");
        put(place.clone(), json!({ "identity_provider": believed })).await;
        let rule = json!({
            "remote": [{ "type": "HTTP_OIDC_SUB" }],
            "local": [
                { "user": { "name": "{0}" } },
                { "projects": [{ "name": project, "roles": [{ "name": "member" }] }] },
            ],
        });
        put(
            format!("/OS-FEDERATION/mappings/{provider}"),
            json!({ "mapping": { "rules": [rule] } }),
        )
        .await;
        let protocol = json!({ "mapping_id": provider, "remote_id_attribute": "HTTP_OIDC_ISS" });
        put(format!("{place}/protocols/{PROTOCOL}"), json!({ "protocol": protocol })).await;
        Self { facts, provider, domain, project, _process: process }
    }

    /// A token as a pipeline is given one, with these claims beside or instead of the usual.
    pub(crate) async fn mint(&self, claims: &Value) -> String {
        let url = format!("{}/mint", self.facts.issuer);
        let answer = http_client().post(url).json(claims).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }
}
